"""Commits of real repositories, local and over https."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import BadPurl, DigestMismatch, NotInRegistry, SourceError, WhenceError
from corpus.sources import fetch
from tests.corpus.sources.git_server import (
    FILES,
    SETTINGS,
    GitServer,
    contents,
    git,
    make_repository,
    purl_of,
)


@pytest.mark.parametrize("init", [(), ("--object-format=sha256",)])
def test_a_local_commit(tmp_path: Path, cache: Path, init: tuple[str, ...]) -> None:
    commit = make_repository(tmp_path / "r", FILES, *init)
    fetched = fetch(purl_of((tmp_path / "r").as_uri(), commit), cache, SETTINGS)
    assert contents(fetched) == FILES
    assert [a.name for a in fetched.artifacts] == [f"thing-{commit[:12]}.tar"]
    assert fetched.missing == ()


def test_an_earlier_commit_of_a_packed_bare_repository(tmp_path: Path, cache: Path) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    (tmp_path / "r" / "COPYING").write_bytes(b"changed\n")
    git(tmp_path / "r", "commit", "--quiet", "--all", "--message=two")
    git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "r"), "bare")
    git(tmp_path / "bare", "gc", "--quiet")
    assert contents(fetch(purl_of((tmp_path / "bare").as_uri(), commit), cache, SETTINGS)) == FILES


def test_the_same_commit_gives_the_same_bytes_everywhere(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    commit = make_repository(server.root / "r", FILES)
    local = fetch(purl_of((server.root / "r").as_uri(), commit), cache, SETTINGS)
    seen: list[int] = []
    address = f"{server.url}/r/.git"
    remote = fetch(
        purl_of(address, commit), tmp_path / "c2", SETTINGS, lambda name, done, total: seen.append(done)
    )
    assert remote.artifacts[0].sha256 == local.artifacts[0].sha256
    assert contents(remote) == FILES
    assert remote.url == address
    assert seen[-1] > 0
    asked = len(server.requests)
    assert fetch(purl_of(address, commit), tmp_path / "c2", SETTINGS) == remote
    assert len(server.requests) == asked
    assert not list((tmp_path / "c2" / "parts").iterdir())


def test_only_the_commit_is_fetched_and_not_its_history(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    make_repository(server.root / "r", {"old.bin": bytes(range(256)) * 4000})
    git(server.root / "r", "rm", "--quiet", "old.bin")
    (server.root / "r" / "new.c").write_bytes(b"int x;\n")
    git(server.root / "r", "add", "--all")
    git(server.root / "r", "commit", "--quiet", "--message=two")
    commit = git(server.root / "r", "rev-parse", "HEAD")
    small = replace(SETTINGS, max_bytes=4000)
    assert contents(fetch(purl_of(f"{server.url}/r/.git", commit), cache, small)) == {"new.c": b"int x;\n"}


def test_limits(tmp_path: Path, cache: Path, server: GitServer) -> None:
    commit = make_repository(server.root / "r", {"a.txt": b"x" * 100_000})
    for address in (f"{server.url}/r/.git", (server.root / "r").as_uri()):
        with pytest.raises(SourceError, match=r"more than .*1000 bytes|limit of 1000 bytes"):
            fetch(purl_of(address, commit), cache, replace(SETTINGS, max_bytes=1000))


def test_time_is_limited(tmp_path: Path, cache: Path, server: GitServer) -> None:
    """A server that stalls, and a pipe in place of an object, which git would wait for."""
    commit = make_repository(server.root / "r", FILES)
    hasty = replace(SETTINGS, max_seconds=1)
    server.stall = 5
    with pytest.raises(SourceError, match="longer than 1 seconds"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, hasty)
    blob = git(server.root / "r", "rev-parse", "HEAD:COPYING")
    place = server.root / "r" / ".git" / "objects" / blob[:2] / blob[2:]
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(SourceError, match="longer than 1 seconds"):
        fetch(purl_of((server.root / "r").as_uri(), commit), cache, hasty)


def test_what_is_not_there(tmp_path: Path, cache: Path, server: GitServer) -> None:
    commit = make_repository(server.root / "r", FILES)
    for address in (f"{server.url}/r/.git", (server.root / "r").as_uri()):
        with pytest.raises(NotInRegistry):
            fetch(purl_of(address, "0123456789" * 4), cache, SETTINGS)
    for address in (f"{server.url}/none/.git", (server.root / "none").as_uri()):
        with pytest.raises(NotInRegistry):
            fetch(purl_of(address, commit), cache, SETTINGS)
    tree = git(server.root / "r", "rev-parse", "HEAD^{tree}")
    with pytest.raises(SourceError, match="not a commit but a tree"):
        fetch(purl_of((server.root / "r").as_uri(), tree), cache, SETTINGS)


def test_a_server_reads_no_local_repository_and_no_private_address(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    commit = make_repository(server.root / "r", FILES)
    careful = replace(SETTINGS, allow_local=False, public_only=True)
    with pytest.raises(BadPurl, match="this machine"):
        fetch(purl_of((server.root / "r").as_uri(), commit), cache, careful)
    with pytest.raises(SourceError, match="not a public address"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, careful)
    assert server.requests == []


def test_an_untrusted_certificate(
    tmp_path: Path, cache: Path, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = make_repository(server.root / "r", FILES)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceError, match="certificate"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, SETTINGS)
    assert server.requests == []


def test_no_git_here(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        fetch(purl_of((tmp_path / "r").as_uri(), commit), cache, SETTINGS)


def test_content_that_does_not_fit_its_id(tmp_path: Path, cache: Path) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    folder = tmp_path / "r"
    objects = {name: git(folder, "rev-parse", f"HEAD:{name}") for name in ("COPYING", "src/main.c")}
    places = {name: folder / ".git" / "objects" / i[:2] / i[2:] for name, i in objects.items()}
    places["COPYING"].chmod(0o644)
    places["COPYING"].write_bytes(places["src/main.c"].read_bytes())
    with pytest.raises((DigestMismatch, SourceError)) as caught:
        fetch(purl_of(folder.as_uri(), commit), cache, SETTINGS)
    assert isinstance(caught.value, WhenceError)
