"""Archives of every kind give the files that were put in, and nothing else."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.archive.limits import ArchiveLimits
from corpus.archive.names import common_top
from corpus.archive.spool import Reader, blob_id
from corpus.archive.unpack import NESTED_SUFFIXES, Unpacked, read, unpack
from corpus.errors import ArchiveError
from corpus.model import Skip
from corpus.sandbox import Pool
from tests.corpus.hostile_archives import PACKERS, header, member, pax

TREE = {
    "pkg-1.0/src/half.c": b"double half(double x) { return x / 2; }\n",
    "pkg-1.0/" + "long/" * 12 + "n" * 90 + ".c": b"int deep;\n",
    "pkg-1.0/größe.py": b"x = 1\n",
    "pkg-1.0/empty.c": b"",
    "pkg-1.0/page.c": b"p" * 512,
    "pkg-1.0/large.c": bytes(range(256)) * 4000,
}
BELOW_TOP = {path.removeprefix("pkg-1.0/"): data for path, data in TREE.items()}


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1) as pool:
        yield pool


def tar_of(tree: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for path, data in tree.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(tree: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.mkdir("pkg-1.0") if any("/" in path for path in tree) else None
        for path, data in tree.items():
            archive.writestr(path, data)
    return out.getvalue()


def contents(unpacked: Unpacked) -> dict[str, bytes]:
    for one in unpacked.members:
        data = one.location.read_bytes()
        assert (blob_id(one.location.read_bytes()), one.size) == (blob_id(data), len(data))
    return {one.path: one.location.read_bytes() for one in unpacked.members}


def unpacked_here(
    data: bytes, folder: Path, name: str = "archive", limits: ArchiveLimits | None = None, strip: bool = True
) -> tuple[dict[str, bytes], list[list[object]]]:
    """Without a child, for speed: the archives of these tests are not hostile."""
    path = folder / name
    path.write_bytes(data)
    found = unpack(str(path), str(folder / "spool"), asdict(limits or ArchiveLimits()), strip)
    reader = Reader(folder / "spool", found["volumes"])
    return {path: reader.member(*place).read_bytes() for path, *place in found["files"]}, found["skips"]


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar(pool: Pool, tmp_path: Path, suffix: str, form: int) -> None:
    archive = tmp_path / f"pkg.tar{suffix}"
    archive.write_bytes(PACKERS[suffix](tar_of(TREE, form)))
    unpacked = read(pool, archive, tmp_path / "spool")
    assert contents(unpacked) == BELOW_TOP
    assert (unpacked.skips, unpacked.top) == ((), "pkg-1.0")


def test_tar_written_by_gnu_tar(pool: Pool, tmp_path: Path) -> None:
    for path, data in TREE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "pkg-1.0/link").symlink_to("/etc/passwd")
    os.link(tmp_path / "pkg-1.0/page.c", tmp_path / "pkg-1.0/same.c")
    with (tmp_path / "pkg-1.0/holes.c").open("wb") as file:
        file.truncate(1 << 20)
        file.seek(0, 2)
        file.write(b"end\n")
    for form in ("gnu", "posix", "ustar", "oldgnu"):
        archive = tmp_path / f"{form}.tar.gz"
        command = ["tar", "--sparse", f"--format={form}", "--sort=name", "-czf", str(archive), "pkg-1.0"]
        if form == "ustar":
            command.remove("--sparse")
        subprocess.run(command, cwd=tmp_path, check=True)
        unpacked = read(pool, archive, tmp_path / "spool")
        skips = {skip.path: skip.reason for skip in unpacked.skips}
        found = contents(unpacked)
        if form == "ustar":
            assert found.pop("holes.c").endswith(b"\0end\n")
        else:
            assert skips.pop("holes.c") == "sparse file"
        assert found == BELOW_TOP
        assert skips == {"link": "symbolic link", "same.c": "hard link"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_zip(pool: Pool, tmp_path: Path, method: int) -> None:
    archive = tmp_path / "pkg.zip"
    archive.write_bytes(zip_of(TREE, method))
    unpacked = read(pool, archive, tmp_path / "spool")
    assert contents(unpacked) == BELOW_TOP
    assert (unpacked.skips, unpacked.top) == ((), "pkg-1.0")


def test_zip_with_bytes_before_it_and_zip64_records(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a/x.c", "w", force_zip64=True) as file:
        file.write(b"int x;\n")
    assert unpacked_here(out.getvalue(), tmp_path) == ({"x.c": b"int x;\n"}, [])
    shifted = b"PK\3\4 what a self-extracting archive begins with" + out.getvalue()
    assert unpacked_here(shifted, tmp_path) == ({"x.c": b"int x;\n"}, [])


segments = st.text(
    st.characters(codec="utf-8", exclude_categories=("C",), exclude_characters="/\\:"), min_size=1
)
paths = (
    st.lists(segments.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda path: not path.lower().endswith(NESTED_SUFFIXES))  # those are opened
)
trees = st.dictionaries(paths, st.binary(max_size=2000), min_size=1, max_size=8)
agreeing = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(tree=trees, suffix=st.sampled_from(list(PACKERS)), form=st.sampled_from([1, 2]))
@agreeing
def test_tar_agrees_with_the_standard_library(
    tmp_path: Path, tree: dict[str, bytes], suffix: str, form: int
) -> None:
    files, skips = unpacked_here(PACKERS[suffix](tar_of(tree, form)), tmp_path, strip=False)
    assert (files, skips) == (tree, [])


@given(tree=trees, method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]))
@agreeing
def test_zip_agrees_with_the_standard_library(tmp_path: Path, tree: dict[str, bytes], method: int) -> None:
    files, skips = unpacked_here(zip_of(tree, method), tmp_path, strip=False)
    assert (files, skips) == (tree, [])


@given(data=st.binary(max_size=3000), at=st.integers(0, 4000), packed=st.sampled_from(list(PACKERS)))
@agreeing
def test_no_damage_raises_anything_but_archive_error(
    tmp_path: Path, data: bytes, at: int, packed: str
) -> None:
    for archive in (PACKERS[packed](tar_of(TREE)), zip_of(TREE)):
        at = at % len(archive)
        broken = archive[:at] + data + archive[at + len(data) :]
        try:
            files, skips = unpacked_here(broken, tmp_path)
        except ArchiveError:
            continue
        lost = [found for found in BELOW_TOP.values() if found not in files.values()]
        assert not lost or skips or len(files) >= len(BELOW_TOP)


def test_debian_folder_is_not_stripped_when_told_so(tmp_path: Path) -> None:
    data = tar_of({"debian/control": b"Source: half\n", "debian/rules": b"#!/usr/bin/make -f\n"})
    assert set(unpacked_here(data, tmp_path, strip=False)[0]) == {"debian/control", "debian/rules"}


@pytest.mark.parametrize(
    ("paths", "top"),
    [
        (["a/x", "a/b/y"], "a"),
        (["a/x", "b/y"], ""),
        (["a/x", "y"], ""),
        (["x"], ""),
        ([], ""),
        (["a/x", "._a"], "a"),
    ],
)
def test_common_top(paths: list[str], top: str) -> None:
    assert common_top(paths) == top


DIFF = b"""\
--- half-1.0.orig/src/half.c
+++ half-1.0/src/half.c
@@ -1,2 +1,2 @@
-int a;
+int b;
 int c;
--- half-1.0.orig/debian/rules
+++ half-1.0/debian/rules
@@ -0,0 +1,3 @@
+#!/usr/bin/make -f
+--- not a header
++++ neither
--- half-1.0.orig/debian/changelog
+++ half-1.0/debian/changelog
@@ -1 +1,2 @@
 old
+new
--- half-1.0.orig/debian/one-line
+++ half-1.0/debian/one-line\t2001-01-01 00:00:00
@@ -0,0 +1 @@
+one
--- half-1.0.orig/debian/../../escaped
+++ half-1.0/debian/../../escaped
@@ -0,0 +1 @@
+x
"""


def test_debian_diff_gives_the_packaging_files_that_it_adds(pool: Pool, tmp_path: Path) -> None:
    archive = tmp_path / "half_1.0-1.diff.gz"
    archive.write_bytes(gzip.compress(DIFF))
    unpacked = read(pool, archive, tmp_path / "spool")
    assert contents(unpacked) == {
        "debian/rules": b"#!/usr/bin/make -f\n--- not a header\n+++ neither\n",
        "debian/one-line": b"one\n",
    }
    assert unpacked.skips == (
        Skip("src/half.c", "changed by the Debian diff"),
        Skip("debian/changelog", "changed in part by the Debian diff"),
        Skip("debian/../../escaped", "path that leaves the tree", partial=True),
    )


@pytest.mark.parametrize(
    ("cut", "said"), [(3, "truncated hunk"), (20, "truncated diff"), (60, "truncated diff")]
)
def test_debian_diff_that_is_cut_says_so(tmp_path: Path, cut: int, said: str) -> None:
    files, skips = unpacked_here(gzip.compress(DIFF[:-cut]), tmp_path, "x.diff.gz")
    assert "debian/rules" in files
    assert skips[-1] == ["x.diff.gz", said, True]


@pytest.mark.parametrize("after", ["", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", "@@ -9,0 +9 @@\n+more\n"])
def test_debian_diff_of_a_file_that_ends_without_newline(tmp_path: Path, after: str) -> None:
    head = "--- h-1.0.orig/debian/end\n+++ h-1.0/debian/end\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    diff = f"{head}\\ No newline at end of file\n{after}".encode()
    files, _ = unpacked_here(gzip.compress(diff), tmp_path, "x.diff.gz")
    assert files == {"debian/end": b"one\ntwo"}
    with_newline = gzip.compress((head + after).encode())
    assert unpacked_here(with_newline, tmp_path, "x.diff.gz")[0] == {"debian/end": b"one\ntwo\n"}


def test_what_stands_before_the_damage_of_a_debian_diff_is_kept(tmp_path: Path) -> None:
    head = b"--- h-1.0.orig/debian/end\n+++ h-1.0/debian/end\n@@ -0,0 +1 @@\n+one\n"
    files, skips = unpacked_here(gzip.compress(head + b"x" * (2 << 20)), tmp_path, "x.diff.gz")
    assert files == {"debian/end": b"one\n"}
    assert [skip[0] for skip in skips] == ["x.diff.gz"]


def test_nested_archives_are_opened_to_the_limit(tmp_path: Path) -> None:
    inner = gzip.compress(tar_of({"a/x.c": b"int x;\n", "a/core.zip": zip_of({"y.c": b"int y;\n"})}))
    outer = tar_of({"pkg/in.tar.gz": inner, "pkg/z.c": b"int z;\n", "pkg/odd.zip": b"no archive"})
    files, skips = unpacked_here(outer, tmp_path)
    assert files == {
        "in.tar.gz!/a/x.c": b"int x;\n",
        "in.tar.gz!/a/core.zip!/y.c": b"int y;\n",
        "z.c": b"int z;\n",
    }
    assert skips == [["odd.zip", "named like an archive, but none that can be read", False]]
    files, skips = unpacked_here(outer, tmp_path, limits=ArchiveLimits(nesting=1))
    assert ["in.tar.gz!/a/core.zip", "nested archive", True] in skips
    files, skips = unpacked_here(outer, tmp_path, limits=ArchiveLimits(nesting=0))
    assert set(files) == {"z.c"}
    assert not list((tmp_path / "spool").glob("nested-*"))


def test_limits_stop_with_what_was_read_kept(tmp_path: Path) -> None:
    data = tar_of({f"a/{i}.c": b"%04d" % i * 250 for i in range(100)})
    files, skips = unpacked_here(data, tmp_path, limits=ArchiveLimits(members=10))
    assert (len(files), skips) == (10, [["archive", "more than 10 members", True]])
    _, skips = unpacked_here(data, tmp_path, limits=ArchiveLimits(unpacked_bytes=50_000))
    assert skips == [["archive", "more than 50000 bytes unpacked", True]]
    files, skips = unpacked_here(data, tmp_path, limits=ArchiveLimits(file_bytes=999))
    assert len(skips) == 100
    assert all(reason == "too large" and partial for _, reason, partial in skips)


def test_a_duplicate_is_partial_only_when_it_differs(tmp_path: Path) -> None:
    data = member(b"a/x.c", b"1") + member(b"a/x.c", b"1") + member(b"a/x.c", b"2") + bytes(1024)
    files, skips = unpacked_here(data, tmp_path)
    assert files == {"x.c": b"1"}
    assert skips == [["x.c", "duplicate name", False], ["x.c", "duplicate name", True]]


def test_pax_comment_and_global_comment_are_no_members(tmp_path: Path) -> None:
    data = pax({b"comment": b"0" * 40}, b"g") + pax({b"mtime": b"1.5"}) + member(b"a/x.c", b"1") + bytes(1024)
    assert unpacked_here(data, tmp_path) == ({"x.c": b"1"}, [])


def test_signed_checksums_of_old_programs_are_accepted(tmp_path: Path) -> None:
    block = bytearray(header("ä.c".encode(), 0))
    signed = sum(byte - 256 if byte > 127 else byte for byte in block[:148] + block[156:]) + 256
    block[148:156] = b"%06o\0 " % signed
    assert unpacked_here(bytes(block) + bytes(1024), tmp_path) == ({"ä.c": b""}, [])


def test_folder(pool: Pool, tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a/.git").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.c").write_text("int secret;\n")
    (root / "a/x.c").write_text("int x;\n")
    (root / "a/.git/config").write_text("[core]\n")
    (root / "a/link.c").symlink_to(outside / "secret.c")
    (root / "a/linked").symlink_to(outside)
    os.mkfifo(root / "a/pipe")
    os.mkdir(os.fsencode(root) + b"/b")
    with open(os.fsencode(root) + b"/b/\xff.c", "wb") as file:
        file.write(b"int y;\n")
    unpacked = read(pool, root, tmp_path / "spool")
    assert contents(unpacked) == {"a/x.c": b"int x;\n"}
    assert {(skip.path, skip.reason, skip.partial) for skip in unpacked.skips} == {
        ("a/.git", "version control data", False),
        ("a/link.c", "symbolic link", False),
        ("a/linked", "symbolic link", False),
        ("a/pipe", "device", False),
        ("b/\\xff.c", "undecodable name", True),
    }
    assert unpacked.top == ""


def test_deep_folders_are_left_at_the_limit(pool: Pool, tmp_path: Path) -> None:
    deep = tmp_path / "root" / "/".join("d" * 70)
    deep.mkdir(parents=True)
    (deep / "x.c").write_text("int x;\n")
    unpacked = read(pool, tmp_path / "root", tmp_path / "spool")
    assert [skip.reason for skip in unpacked.skips] == ["path of more than 64 levels"]


def test_what_is_no_archive_is_an_error_that_names_it(pool: Pool, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    with pytest.raises(ArchiveError, match=r"notes\.txt is not an archive"):
        read(pool, tmp_path / "notes.txt", tmp_path / "spool")
