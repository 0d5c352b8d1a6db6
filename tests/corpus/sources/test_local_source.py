"""Folders and archives of this machine, read as plain files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import BadPurl, NotInRegistry, SourceError
from corpus.purl import local_purl
from corpus.sources import SourceSettings, fetch
from corpus.sources.local import MAX_DEPTH

SETTINGS = SourceSettings()


def tree(folder: Path) -> Path:
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.c").write_bytes(b"int a;\n")
    (folder / "b c.txt").write_bytes(b"b\n")
    return folder


def digest(folder: Path, cache: Path) -> str:
    return fetch(local_purl(folder), cache, SETTINGS).artifacts[0].sha256


def test_an_archive_is_copied_and_never_stale(tmp_path: Path, cache: Path) -> None:
    archive = tmp_path / "x+1.0.tar.gz"
    for body in (b"one", b"two"):
        archive.write_bytes(body)
        artifact = fetch(local_purl(archive), cache, SETTINGS).artifacts[0]
        assert artifact.name == "x+1.0.tar.gz"
        assert artifact.path == cache / artifact.sha256[:2] / hashlib.sha256(body).hexdigest()
        assert artifact.path.read_bytes() == body
    assert archive.exists()


def test_a_folder_stays_where_it_is(tmp_path: Path, cache: Path) -> None:
    folder = tree(tmp_path / "project")
    fetched = fetch(local_purl(folder), cache, SETTINGS)
    lines = [(b"b\n", "b c.txt"), (b"int a;\n", "src/a.c")]
    expected = b"".join(
        f"{hashlib.sha256(body).hexdigest()} {len(body)} {path}\0".encode() for body, path in lines
    )
    assert fetched.artifacts[0].path == folder
    assert fetched.artifacts[0].sha256 == hashlib.sha256(expected).hexdigest()


def test_the_digest_follows_the_files_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    folder = tree(tmp_path / "project")
    first = digest(folder, cache)
    assert digest(tree(tmp_path / "copy"), cache) == first
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("[core]")
    os.utime(folder / "b c.txt", (1, 1))
    assert digest(folder, cache) == first
    (folder / "src" / "a.c").write_bytes(b"int b;\n")
    assert digest(folder, cache) != first


def test_links_pipes_and_sockets_are_not_followed(tmp_path: Path, cache: Path) -> None:
    folder = tree(tmp_path / "project")
    first = digest(folder, cache)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "up").symlink_to("..")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    assert digest(folder, cache) == first


def test_other_devices_are_not_entered(cache: Path) -> None:
    assert os.stat("/proc").st_dev != os.stat("/").st_dev
    from corpus.sources.local import _open

    root = os.open("/", os.O_RDONLY)
    try:
        assert _open(root, "proc", os.fstat(root).st_dev) is None
    finally:
        os.close(root)


def test_names_that_are_not_utf_8(tmp_path: Path, cache: Path) -> None:
    folder = tree(tmp_path / "project")
    first = digest(folder, cache)
    with open(os.fsencode(folder) + b"/\xff\xfe.c", "wb") as out:
        out.write(b"x")
    assert digest(folder, cache) != first


def test_limits(tmp_path: Path, cache: Path) -> None:
    folder = tree(tmp_path / "project")
    archive = tmp_path / "a.tar"
    archive.write_bytes(b"x" * 1000)
    for path in (folder, archive):
        with pytest.raises(SourceError, match="5 bytes"):
            fetch(local_purl(path), cache, replace(SETTINGS, max_bytes=5))
    deep = folder.joinpath(*["d"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SourceError, match="levels"):
        fetch(local_purl(folder), cache, SETTINGS)
    assert len(os.listdir("/proc/self/fd")) == before


def test_refusals(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(NotInRegistry, match="not there"):
        fetch(local_purl(tmp_path / "none"), cache, SETTINGS)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a folder nor a regular file"):
        fetch(local_purl(tmp_path / "pipe"), cache, SETTINGS)
    for url in ("https://h.example/a.tar", "file://h.example/a.tar", "/a.tar"):
        with pytest.raises(BadPurl, match="file: URL of this machine"):
            fetch(f"pkg:generic/a@1?download_url={url}", cache, SETTINGS)
    with pytest.raises(BadPurl, match="cannot be indexed here"):
        fetch(local_purl(tmp_path), cache, replace(SETTINGS, allow_local=False))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises((BadPurl, SourceError)):
        fetch(local_purl(tmp_path / "loop"), cache, SETTINGS)


def test_progress(tmp_path: Path, cache: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    fetch(local_purl(tree(tmp_path / "project")), cache, SETTINGS, lambda *report: seen.append(report))
    assert seen[-1] == ("project", 9, None)
