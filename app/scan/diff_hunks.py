"""The hunks of a unified or combined diff. Called by the diff reader.

Promise: linear; no line is lost: a body that disagrees with its header is read on as far as its lines
can belong to it, and the disagreement is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_RANGE = re.compile(rb"([-+])([0-9]{1,9})(?:,([0-9]{1,9}))?")
_MAX_PARENTS = 64


@dataclass(slots=True)
class Hunk:
    """What a hunk holds.

    lines, added: of the new file. removed: how many lines it takes away. end: index of the line after it.
    wrong: what disagrees with its header, or "". wrong_line: 1-based line of the diff where that shows.
    """

    end: int
    lines: list[bytes] = field(default_factory=list)
    added: list[bool] = field(default_factory=list)
    removed: int = 0
    wrong: str = ""
    wrong_line: int = 0


def read_ranges(header: bytes) -> tuple[list[int], int, int] | None:
    """Old counts (one a parent), new start and new count of `@@ -1,2 +3,4 @@`, or None if malformed."""
    marks = len(header) - len(header.lstrip(b"@"))
    parents = marks - 1
    if not 1 <= parents <= _MAX_PARENTS:
        return None
    words = header.split(b" ", parents + 3)
    if len(words) < parents + 3 or words[parents + 2] != b"@" * marks:
        return None
    counts: list[int] = []
    start = 0
    for position, word in enumerate(words[1 : parents + 2]):
        match = _RANGE.fullmatch(word)
        if not match or (match[1] == b"-") != (position < parents):
            return None
        start = int(match[2])
        counts.append(1 if match[3] is None else int(match[3]))
    return counts[:-1], start, counts[-1]


def starts_file(lines: list[bytes], at: int) -> bool:
    """Whether the line `at` and the next are the `---` and `+++` of a file."""
    return lines[at].startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ ")


def read_hunk(lines: list[bytes], at: int, old: int, new: int) -> Hunk:
    """The body that begins at index `at` and should have `old` lines before and `new` lines after."""
    hunk = Hunk(at)
    held, flags = hunk.lines, hunk.added
    announced, end = (old, new), len(lines)
    while at < end and (old > 0 or new > 0):
        line = lines[at]
        mark = line[:1]
        if mark == b"+":
            held.append(line[1:])
            flags.append(True)
            new -= 1
        elif mark == b" " or (not line and old > 0 and new > 0):
            held.append(line[1:])
            flags.append(False)
            old -= 1
            new -= 1
        elif mark == b"-":
            if _interrupted(lines, at, old, new):
                break
            hunk.removed += 1
            old -= 1
        elif mark != b"\\":
            break
        if (old < 0 or new < 0) and not hunk.wrong_line:
            hunk.wrong_line = at + 1
        at += 1
    if old > 0 or new > 0:
        hunk.wrong_line = hunk.wrong_line or min(at + 1, end)
    hunk.end = at
    extra_old, extra_new = _read_overrun(lines, hunk)
    old -= extra_old
    new -= extra_new
    if old or new:
        hunk.wrong = (
            f"announces {announced[0]} old and {announced[1]} new lines but has "
            f"{announced[0] - old} and {announced[1] - new}"
        )
    return hunk


def _interrupted(lines: list[bytes], at: int, old: int, new: int) -> bool:
    """Whether a file header cuts the hunk short: `@@` follows before the counts are used up."""
    return (
        starts_file(lines, at)
        and at + 2 < len(lines)
        and lines[at + 2].startswith(b"@@ -")
        and (old, new) != (1, 1)
    )


def _read_overrun(lines: list[bytes], hunk: Hunk) -> tuple[int, int]:
    """Read the lines that go on after the counts are used up; returns how many old and new ones there are."""
    at, end = hunk.end, len(lines)
    old = new = 0
    while at < end:
        line = lines[at]
        mark = line[:1]
        if mark == b"-" and (line.rstrip() == b"--" or starts_file(lines, at)):
            break  # the signature of a mail, or the next file
        if mark not in (b"+", b" ", b"-", b"\\"):
            break
        if mark in (b"+", b" "):
            hunk.lines.append(line[1:])
            hunk.added.append(mark == b"+")
            new += 1
        if mark in (b"-", b" "):
            old += 1
        hunk.removed += mark == b"-"
        at += 1
    if (old or new) and not hunk.wrong_line:
        hunk.wrong_line = hunk.end + 1
    hunk.end = at
    return old, new


def read_combined_hunk(lines: list[bytes], at: int, old: list[int], new: int) -> Hunk:
    """The body of a hunk with several parents: one mark for each before the text (git diff --cc).

    A line with `-` is in the parents so marked and not in the result; one with `+` is in the result and not
    in the parents so marked. A line that any parent lacks counts as added.
    """
    hunk = Hunk(at)
    left = list(old)
    parents, end = len(left), len(lines)
    while at < end and (new > 0 or any(count > 0 for count in left)):
        line = lines[at]
        marks = line[:parents]
        if line.startswith(b"\\"):
            at += 1
            continue
        if len(marks) < parents or marks.strip(b" +-") or (b"+" in marks and b"-" in marks):
            break
        kept = b"-" not in marks
        if kept:
            hunk.lines.append(line[parents:])
            hunk.added.append(b"+" in marks)
            new -= 1
        else:
            hunk.removed += 1
        present = b" " if kept else b"-"
        for parent in range(parents):
            if marks[parent : parent + 1] == present:
                left[parent] -= 1
        at += 1
    hunk.end = at
    if new or any(left):
        has = [count - rest for count, rest in zip(old, left, strict=True)]
        hunk.wrong = (
            f"announces {old} old and {new + len(hunk.lines)} new lines but has {has} and {len(hunk.lines)}"
        )
        hunk.wrong_line = min(at + 1, end)
    return hunk
