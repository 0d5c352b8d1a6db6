"""The diff reader takes linear time on every kind of line, also on hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from app.scan.diff import read_diff
from corpus.errors import BadDiff
from tests.pace import seconds, within

HEAD = b"--- a/x\n+++ b/x\n@@ -1,99999999 +1,99999999 @@\n"
KINDS = {
    "added": b"+x\n",
    "added, empty": b"+\n",
    "removed": b"-x\n",
    "context": b" x\n",
    "blank": b"\n",
    "carriage returns": b"+\r\r\r\r\r\r\r\n",
    "no newline": b"\\ No newline at end of file\n",
    "hunk": b"@@ -1 +1 @@\n",
    "hunk and line": b"@@ -1 +1 @@\n+x\n",
    "touching hunks": b"@@ -1 +1 @@\n-x\n+x\n",
    "malformed hunk": b"@@ x\n",
    "many parents": b"@" * 60 + b" -1" * 59 + b" +1 " + b"@" * 60 + b"\n",
    "combined": b"@@@ -1 -1 +1 @@@\n++x\n",
    "old name": b"--- a/x\n",
    "new name": b"+++ b/x\n",
    "names": b"--- a/x\n+++ b/x\n",
    "git header": b"diff --git a/x b/x\n",
    "git header, many borders": b"diff --git a/x" + b" b/x" * 1500 + b"\n",
    "quoted header": b'diff --git "a/' + b"\\303" * 800 + b'" "b/x"\n',
    "quote without end": b'diff --git "' + b"\\" * 4000 + b"\n",
    "rename": b"diff --git a/x b/y\nrename from x\nrename to y\n",
    "mode": b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
    "index": b"diff --git a/x b/x\nindex 1..2 100644\n",
    "binary": b"diff --git a/x b/x\nBinary files a/x and b/x differ\n",
    "binary without header": b"Binary files a and b differ\n",
    "binary patch": b"GIT binary patch\nliteral 5\nMc$}zz\n\n",
    "submodule": b"Submodule x 1..2:\n",
    "combined header": b"diff --cc x\n",
    "mail": b"From x Mon Sep\nSubject: x\n y\n\n+x\n---\n",
    "signature": b"-- \n2.39\n",
    "stars": b"***************\n",
    "normal diff": b"1,2c3,4\n",
    "prose": b"hello\n",
    "nothing but bytes": bytes(range(256)),
}
LONG = {
    name: line[:2] + b"x" * 100_000 + line[2:]
    for name, line in KINDS.items()
    if name not in ("hunk and line",)
}


def reading(data: bytes) -> Callable[[], None]:
    def read() -> None:
        with suppress(BadDiff):
            read_diff(data)

    return read


def sized(line: bytes, size: int, head: bytes) -> bytes:
    return head + line * (size // len(line) + 1)


@pytest.mark.parametrize(
    "head", [b"", HEAD, b"diff --git a/x b/x\n"], ids=["alone", "in a hunk", "in a file"]
)
@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_line_is_read_in_linear_time(name: str, head: bytes) -> None:
    for size in (10_000, 100_000):
        assert within(reading(sized(KINDS[name], size, head)), 0.02 + size / 4e5)


@pytest.mark.parametrize("name", LONG)
def test_long_lines_are_read_in_linear_time(name: str) -> None:
    for head in (b"", HEAD):
        assert within(reading(sized(LONG[name], 1_000_000, head)), 1)


def test_a_long_binary_line_takes_no_time() -> None:
    assert within(reading(b"Binary files " + b"x" * 200_000), 0.05)
    assert within(reading(b"Binary files " + b" and " * 40_000), 0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "head", [b"", HEAD, b"diff --git a/x b/x\n"], ids=["alone", "in a hunk", "in a file"]
)
@pytest.mark.parametrize("name", KINDS)
def test_time_doubles_with_megabytes_with_their_size(name: str, head: bytes) -> None:
    once = seconds(reading(sized(KINDS[name], 1_000_000, head)), at_most=0, readings=5)
    assert once <= 2.5
    assert within(reading(sized(KINDS[name], 2_000_000, head)), 2.5 * once + 0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_ten_megabytes_take_seconds(name: str) -> None:
    assert within(reading(sized(KINDS[name], 10_000_000, HEAD)), 25, readings=2)
