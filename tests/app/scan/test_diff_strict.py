"""Nothing is left unread in silence: malformed diffs give partial skips with a line, or BadDiff with one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.scan.diff import Diff, read_diff
from corpus.errors import BadDiff

GOOD = b"diff --git a/good.c b/good.c\nindex 1..2\n--- a/good.c\n+++ b/good.c\n@@ -1 +1,2 @@\n one\n+good\n"
HEAD = b"--- a/bad.c\n+++ b/bad.c\n"
BODY = b" one\n-two\n+TWO\n+three\n four\n"  # 3 old lines, 4 new ones

LYING = [HEAD + b"@@ -1,%d +1,%d @@\n" % counts + BODY for counts in [
    (0, 0), (1, 1), (3, 3), (2, 4), (3, 5), (4, 4), (4, 5), (2, 3), (1, 4), (3, 1), (0, 4), (3, 0),
    (300, 400), (999_999_999, 999_999_999), (2, 2), (5, 4), (3, 2), (2, 5), (1, 2),
]]  # fmt: skip
HEADERS = [HEAD + header + b"\n" + BODY for header in [
    b"@@ -1,3 +1,9999999999 @@", b"@@ -1,3 +1,-4 @@", b"@@ -1,3 @@", b"@@", b"@@ -a,b +c,d @@",
    b"@@ -1,3+1,4 @@", b"@@ -1,3 +1,4", b"@@ +1,4 -1,3 @@", b"@@@ -1,3 +1,4 @@@", b"@@  -1,3  +1,4  @@",
    b"@ -1,3 +1,4 @",    b"@@ -1,3 +1,4 @@" + b"x" * 9000, b"@@ -1,3,4 +1,4 @@", b"@@ -\xd9\xa1 +1 @@",
]]  # fmt: skip
TRUNCATED = [
    HEAD + (b"@@ -1,3 +1,4 @@\n" + BODY)[:length] for length in (16, 20, 21, 25, 26, 30, 31, 35, 36, 38)
]
STRAYS = [
    b"+stray\n" + HEAD + b"@@ -1,3 +1,4 @@\n" + BODY,
    HEAD + b"+stray\n@@ -1,3 +1,4 @@\n" + BODY,
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b"\n+stray\n",
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b"-- \n2.39\n+stray\n",
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b"+++ stray\n",
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b" five\n+stray\n",
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b"-gone\n",
    HEAD + b"@@ -5,3 +5,4 @@\n" + BODY + b"@@ -1,3 +1,4 @@\n" + BODY,
    HEAD + b"@@ -1,3 +1,4 @@\n" + BODY + b"@@ -2,3 +2,4 @@\n" + BODY,
    b"diff --git a/bad.c b/bad.c\nindex 1..2\n+stray\n",
    b"diff --git a/bad.c b/bad.c\nindex 1..2\nBinary files a/bad.c and b/bad.c differ\n+stray\n",
    b"diff --git a/bad.c b/bad.c\nindex 1..2\nGIT binary patch\nliteral 5\n+stray\n",
    b"diff --git a/bad.c b/bad.c\nindex 1..2 100644\n",
    b"diff --git a/bad.c b/bad.c\nold mode 100644\nnew mode 100755\n+stray\n",
    HEAD,
    b"--- a/" + b"x" * 9000 + b"\n+++ b/" + b"x" * 9000 + b"\n@@ -1,3 +1,4 @@\n" + BODY,
    b"Binary files " + b"x" * 9000 + b"\n",
    HEAD + b"***************\n*** 1 ****\n! x\n",
    HEAD + b"1c1\n< x\n> y\n",
    b"@@ -1,3 +1,4 @@\n" + BODY + HEAD + b"@@ -1,3 +1,4 @@\n" + BODY,
]
COMBINED = [b"diff --cc bad.c\nindex 1,2..3\n--- a/bad.c\n+++ b/bad.c\n" + hunk for hunk in [
    b"@@@ -1,1 -1,1 +1,3 @@@\n  one\n++two\n", b"@@@ -1,1 -1,1 +1,1 @@@\n  one\n++two\n",
    b"@@@ -1,1 -1,1 +1,2 @@@\n  one\n+-two\n", b"@@@ -1,1 -1,1 +1,2 @@@\n  one\n+\n",
    b"@@@ -1,1 +1,2 @@@\n  one\n++two\n", b"@@@ -1,1 -1,1 +1,2 @@@@\n  one\n++two\n",
    b"@@@ -1,1 -1,2 +1,2 @@@\n  one\n++two\n", b"@@@ -1,2 -1,1 +1,2 @@@\n++two\n",
]]  # fmt: skip
MAILS = [
    b"From "
    + b"0" * 40
    + b" Mon Sep 17 00:00:00 2001\nContent-Transfer-Encoding: base64\n\nLS0tIGEveAorKysgYi94Cg==\n",
    b"From x@example.org Mon Sep 17 00:00:00 2001\nContent-Transfer-Encoding: quoted-printable\n\n"
    + HEAD
    + b"@@ -1 +1 @@\n-a=3D\n+b\n",
]
MALFORMED = [*LYING, *HEADERS, *TRUNCATED, *STRAYS, *COMBINED, *MAILS]


def read_or_refuse(text: bytes) -> Diff | None:
    """The diff, or None if it is refused with a line that it has."""
    try:
        return read_diff(text)
    except BadDiff as error:
        if not 1 <= error.line <= text.count(b"\n") + 1:
            raise AssertionError("the line is not in the diff") from error
        return None


def test_there_are_sixty() -> None:
    assert len(set(MALFORMED)) == len(MALFORMED) >= 60


@pytest.mark.parametrize("text", MALFORMED)
def test_each_malformed_diff_is_partial_and_names_a_line(text: bytes) -> None:
    diff = read_or_refuse(text)
    if diff is None:
        return
    partial = [skip for skip in diff.skips if skip.partial]
    assert partial
    for skip in partial:
        line = re.match(r"line (\d+): ", skip.reason)
        assert line is not None
        assert 1 <= int(line[1]) <= text.count(b"\n") + 1


@pytest.mark.parametrize("text", MALFORMED)
def test_one_bad_file_does_not_lose_the_others(text: bytes) -> None:
    if not text.endswith(b"\n"):
        text += b"\n"
    for data in (GOOD + text + GOOD, text + GOOD):
        diff = read_diff(data)
        assert any(skip.partial for skip in diff.skips)
        good = [file for file in diff.files if file.path == "good.c"]
        assert len(good) >= data.count(GOOD)
        assert all(file.regions[0].lines[:2] == (b"one", b"good") for file in good)


def test_what_can_be_read_of_a_lying_hunk_is_read() -> None:
    for text in LYING:
        diff = read_diff(text)
        assert [line for region in diff.files[0].regions for line in region.lines] == [
            b"one", b"TWO", b"three", b"four",
        ][: len(diff.files[0].regions[0].lines)]  # fmt: skip
        assert diff.added == 2


def test_a_cut_hunk_does_not_swallow_the_next_file() -> None:
    text = HEAD + b"@@ -1,9 +1,9 @@\n" + BODY + b"--- a/next.c\n+++ b/next.c\n@@ -1 +1 @@\n-x\n+y\n"
    assert [file.path for file in read_diff(text).files] == ["bad.c", "next.c"]


def plus_lines(data: bytes) -> int:
    return sum(line.startswith(b"+") for line in data.split(b"\n"))


VALID = (
    GOOD
    + HEAD
    + b"@@ -1,3 +1,4 @@ f\n"
    + BODY
    + b"@@ -10,3 +11,4 @@\n"
    + BODY
    + GOOD.replace(b"good.c", b"b.c")
)
LINES = VALID.split(b"\n")


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_mutated_diffs_lose_no_added_line(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 4)):
            case 0:
                del lines[at]
                lines = lines or [b""]
            case 1:
                lines.insert(at, data.draw(st.sampled_from(LINES)))
            case 2:
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: data.draw(st.integers(0, 20))]
            case _:
                lines[at] = data.draw(st.binary(max_size=8)) + lines[at]
    text = b"\n".join(lines)
    diff = read_or_refuse(text)
    if diff is None:
        return
    # A `+++` line may be the header of a file; every other added line is in a region or counted as unread.
    headers = sum(line.startswith(b"+++ ") for line in text.split(b"\n"))
    found = sum(sum(region.added) for file in diff.files for region in file.regions)
    assert diff.added == found
    assert plus_lines(text) - headers <= found + diff.unread <= plus_lines(text)
    if diff.unread:
        assert any(skip.partial for skip in diff.skips)
    for file in diff.files:
        firsts = [region.first_line for region in file.regions]
        assert firsts == sorted(firsts)
        assert all(len(region.lines) == len(region.added) for region in file.regions)


@given(
    st.lists(
        st.one_of(st.sampled_from([*LINES, b"From x Mon ", b"-- ", b"---", b"\r"]), st.binary(max_size=12))
    )
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(lines: list[bytes]) -> None:
    read_or_refuse(b"\n".join(lines))
