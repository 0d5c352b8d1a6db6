"""A release is kept or skipped member by member as `classify` says, though a child decides without the paths
of the others; and whatever a child answers, the parent says no more than that it cannot be understood."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpus import tree
from corpus.archive.spool import Reader, Writer
from corpus.archive.unpack import Unspooled, unpack, unpacked
from corpus.errors import ArchiveError
from corpus.files import classify
from corpus.licenses import is_license_file, is_metadata_file
from corpus.model import Artifact, Fetched, Skip, TreeFile
from corpus.sandboxed import decode, encode
from corpus.tree import Tree, read_tree
from tests.corpus.hostile_archives import member
from tests.corpus.test_files import BISON, CYTHON, GPL, JS, PY, C

HERE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Child:
    """A pool that runs in this process, or answers what it is told to."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any] = lambda found: found) -> None:
        self._answer = answer

    def run(self, function: str, *args: Any, seconds: float | None = None) -> Any:
        assert function == "corpus.tree:sift"
        return self._answer(decode(bytearray(encode(tree.sift(*args)))))


def archive(
    tmp_path: Path, members: list[tuple[str, bytes]], folder: str = "", role: Any = "upstream"
) -> Fetched:
    path = tmp_path / "digest"
    path.write_bytes(b"".join(member(name.encode(), data) for name, data in members) + bytes(1024))
    return Fetched("pkg:generic/x@1", (Artifact("x.tar", path, "", role, folder),))


def one_by_one(fetched: Fetched, folder: Path) -> Tree:
    """The same by the definition: all is unpacked, then each file is classified."""
    made, files = Tree(), dict[str, TreeFile]()
    for artifact in fetched.artifacts:
        found = unpack(
            str(artifact.path), str(folder), tree.asdict(tree.ArchiveLimits()), artifact.role == "upstream"
        )
        volumes = Reader(folder, found["volumes"])
        made.skips += [Skip(*skip) for skip in found["skips"]]
        siblings = frozenset(name for name, *_ in found["files"])
        for name, *place in found["files"]:
            path = f"{artifact.folder}/{name}" if artifact.folder else name
            data = volumes.member(*place).read_bytes()
            if path == "debian/copyright":
                made.debian_copyright = data
            if is_license_file(path) or is_metadata_file(path):
                made.evidence[path] = data
            kept = classify(path, data, siblings=siblings)
            if isinstance(kept, Skip):
                made.skips.append(kept)
            elif path in files:
                made.skips.append(Skip(path, "duplicate name"))
            else:
                files[path] = kept
    made.files = [files[path] for path in sorted(files)]
    return made


names = st.sampled_from(
    ["a.c", "a.h", "a.py", "a.js", "parse.c", "parse.y", "half.c", "half.pyx", "README", "x.md", "data.json",
     "LICENSE", "COPYING", "copyright", "MIT.txt", "x.css", "license.css", "METADATA", "configure", "tool",
     "x.png", "gpl-3.0"]
)  # fmt: skip
folders = st.lists(
    st.sampled_from(["src", "tests", "vendor", "LICENSES", "licenses", "debian", "lib"]), max_size=3
).map(lambda parts: "".join(part + "/" for part in parts))
contents = st.sampled_from(
    [C, PY, JS, BISON, CYTHON, GPL, b"", b" \n", b"\0", b"#!/bin/sh\necho\n", b"\xe9" * 9, b"a\x01\x02",
     CYTHON + b'#line 12 "src/half.pyx"\n', b"\xff\xfe" + "int x;".encode("utf-16-le"), b".a{}" * 900]
) | st.binary(max_size=40)  # fmt: skip
trees = st.lists(st.tuples(folders, names, contents), max_size=10)


@given(
    top=st.sampled_from(["", "pkg-1.0/", "LICENSES/", "debian/"]),
    found=trees,
    folder=st.sampled_from(["", "debian", "LICENSES", "vendor/lib"]),
    role=st.sampled_from(["upstream", "packaging"]),
)
@example(
    top="pkg/", found=[("", "x.png", b"\0"), ("", "x.png", b"\0"), ("", "a.c", C)], folder="", role="upstream"
)
@example(top="top/", found=[("", "copyright", b"\0")], folder="debian", role="upstream")
@HERE
def test_a_tree_is_what_its_files_are_one_by_one(
    tmp_path: Path, top: str, found: list[tuple[str, str, bytes]], folder: str, role: str
) -> None:
    members = [(top + where + name, data) for where, name, data in found]
    fetched = archive(tmp_path, members, folder, role)
    assert read_tree(Child(), fetched, tmp_path / "a") == one_by_one(fetched, tmp_path / "b")  # type: ignore[arg-type]


def test_two_artifacts_may_hold_one_path(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    first = archive(tmp_path / "1", [("p/lib/a.c", C), ("p/lib/COPYING", GPL), ("p/x.c", C)])
    second = archive(tmp_path, [("lib-2/a.c", PY), ("lib-2/COPYING", C), ("lib-2/x.png", b"\0")], "lib")
    both = Fetched("pkg:generic/x@1", (*first.artifacts, *second.artifacts))
    found = read_tree(Child(), both, tmp_path / "a")  # type: ignore[arg-type]
    assert found == one_by_one(both, tmp_path / "b")
    assert Skip("lib/a.c", "duplicate name") in found.skips
    assert [file.path for file in found.files] == ["lib/a.c", "x.c"]


def test_only_what_is_needed_leaves_the_child(tmp_path: Path) -> None:
    fetched = archive(
        tmp_path, [("p/a.c", C), ("p/x.png", b"\0" * 999), ("p/x.md", b"x" * 999), ("p/COPYING", GPL)]
    )
    written = []

    def answer(found: dict[str, Any]) -> dict[str, Any]:
        written.append((tmp_path / "a/volume-0").stat().st_size)
        return found

    read_tree(Child(answer), fetched, tmp_path / "a")  # type: ignore[arg-type]
    assert written == [len(C + GPL)]


def test_a_name_that_comes_again_needs_the_bytes_of_the_first(tmp_path: Path) -> None:
    path = archive(tmp_path, [("a.png", b"\0"), ("a.png", b"\1")]).artifacts[0].path
    arguments = str(path), str(tmp_path / "a"), tree.asdict(tree.ArchiveLimits()), False
    with pytest.raises(Unspooled):
        unpacked(*arguments, lambda path, data: (False, None))
    assert unpacked(*arguments, lambda path, data: (True, None)).skips == [["a.png", "duplicate name", True]]


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats()
    | st.text(max_size=3) | st.binary(max_size=3)
    | st.sampled_from(["a.c", "c", "\ud800", "test", "debian/copyright", "COPYING", 0, 1, 7]),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)  # fmt: skip
rows = st.lists(
    plain | st.tuples(st.just("a.c"), st.just("c"), plain, plain, plain, plain).map(list), max_size=3
)


@given(
    answer=plain
    | st.fixed_dictionaries(
        {
            "members": rows | plain,
            "evidence": rows | plain,
            "skips": rows | plain,
            "volumes": st.sampled_from([0, 1, "1", None]),
        }
    )
)
@example(answer={"members": [["a.c", "c", [], 0, 0, 3]] * 9, "evidence": [], "skips": [], "volumes": 1})
@example(answer={"members": [["a.c", "no", [], 0, 0, 3]], "evidence": [], "skips": [], "volumes": 1})
@example(answer={"members": [["\ud800", "c", [], 0, 0, 3]], "evidence": [], "skips": [], "volumes": 1})
@example(
    answer={
        "members": [],
        "evidence": [["COPYING", 0, 0, 3], ["COPYING", 0, 0, 3]],
        "skips": [],
        "volumes": 1,
    }
)
@HERE
def test_no_answer_raises_anything_but_archive_error(tmp_path: Path, answer: Any) -> None:
    fetched = archive(tmp_path, [])
    shutil.rmtree(tmp_path / "a", ignore_errors=True)

    def lie(_: dict[str, Any]) -> Any:
        writer = Writer(tmp_path / "a")
        writer.add(b"abc")
        writer.close()
        return answer

    try:
        found = read_tree(Child(lie), fetched, tmp_path / "a")  # type: ignore[arg-type]
    except ArchiveError:
        return
    for file in found.files:
        file.path.encode()
        file.text.decode()
    assert sum(len(file.text) for file in found.files) <= 6  # three bytes of Latin-1 at most
    for skip in found.skips:
        assert f"{skip.path}{skip.reason}".encode() is not None
