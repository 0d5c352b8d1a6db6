"""A unified diff that `git apply` takes: snippet tags round the code, and stanzas of the NOTICE file. Pure.

A tag never goes where it would be part of a text that spans lines or of a continued line; it moves outwards.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.attribution import dep5
from app.attribution.notice import Notice
from app.attribution.snippet import tags
from corpus.languages import language_of, scan

CONTEXT = 3
_NO_NEWLINE = b"\\ No newline at end of file\n"
PLAIN_PATH = re.compile(r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\x00-\x1f\x7f\"\\]+")


@dataclass(frozen=True, slots=True)
class FileLines:
    """The lines of a file that are known, by number, without newline.

    whole: all lines are known. ends_open: the last line of the file has no newline.
    """

    lines: Mapping[int, bytes]
    whole: bool = True
    ends_open: bool = False

    @classmethod
    def of(cls, data: bytes) -> FileLines:
        lines = data.split(b"\n")
        ends_open = bool(lines[-1])
        if not ends_open:
            lines.pop()
        return cls(dict(enumerate(lines, 1)), True, ends_open)


@dataclass(frozen=True, slots=True)
class Patch:
    """text: the diff, b"" when there is nothing to change. left_out: what it does not tag, and why."""

    text: bytes
    left_out: tuple[str, ...]


def make(
    notices: Sequence[Notice], files: Mapping[str, FileLines], notice_name: str, notice_text: bytes | None
) -> Patch:
    """files: the changed files by path. notice_text: what the NOTICE file holds, None where there is none."""
    parts: list[bytes] = []
    left_out: list[str] = []
    by_path: dict[str, list[Notice]] = {}
    for notice in notices:
        by_path.setdefault(notice.path, []).append(notice)
    for path, mine in by_path.items():
        file = files.get(path)
        if file is None or not PLAIN_PATH.fullmatch(path):
            left_out.append(f"{path}: no tags, its lines are not at hand or its name cannot stand in a patch")
            continue
        insertions, dropped = _insertions(mine, file, language_of(path, b""))
        left_out += dropped
        if insertions:
            parts.append(_header(path) + _hunks(file, insertions))
    existing = (notice_text or b"").decode("utf-8", "replace")
    if stanzas := dep5.render(notices, existing):
        parts.append(_notice(notice_name, stanzas, notice_text))
    return Patch(b"".join(parts), tuple(left_out))


def _insertions(
    notices: Sequence[Notice], file: FileLines, language: str | None
) -> tuple[dict[int, list[bytes]], list[str]]:
    """Lines to put before a line number. Of regions that overlap the first gets tags."""
    put: dict[int, list[bytes]] = {}
    left_out: list[str] = []
    free_from = 1
    spans = _spans(file, language)
    for notice in notices:
        where = f"{notice.path}:{notice.start_line}-{notice.end_line}"
        if not all(n in file.lines for n in range(notice.start_line, notice.end_line + 1)):
            left_out.append(f"{where}: no tags, its lines are not at hand")
            continue
        start, end = _outwards(notice.start_line, notice.end_line, file, spans)
        if start < free_from:
            left_out.append(f"{where}: no tags of its own, it overlaps the piece before it")
            continue
        free_from = end + 1
        margin = re.match(rb"[ \t]*", file.lines[start])
        indent = margin[0] if margin else b""
        ending = b"\r" if file.lines[start].endswith(b"\r") else b""
        before, after = ([indent + line.encode() + ending for line in lines] for lines in tags(notice))
        put.setdefault(start, []).extend(before)
        # What ends here stands before what begins here.
        put[end + 1] = after + put.get(end + 1, [])
    return put, left_out


def _spans(file: FileLines, language: str | None) -> list[tuple[int, int]]:
    """(first line, last line) of every token or comment that spans lines."""
    if language is None or not file.lines:
        return []
    spans = []
    for first, lines in _runs(file):
        text = b"\n".join(lines) + b"\n"
        scanned = scan(text, language, fragment=first > 1)
        rows = [(int(a), int(b)) for a, b in zip(scanned.start, scanned.end, strict=True)]
        rows += [(int(row[0]), int(row[1])) for row in scanned.comments]
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        spans += [
            (first + _row(starts, a), first + _row(starts, max(a, b - 1)))
            for a, b in rows
            if b"\n" in text[a : max(a, b - 1)]
        ]
    return spans


def _row(starts: Sequence[int], offset: int) -> int:
    return bisect_right(starts, offset) - 1


def _runs(file: FileLines) -> list[tuple[int, list[bytes]]]:
    runs: list[tuple[int, list[bytes]]] = []
    for number in sorted(file.lines):
        if runs and runs[-1][0] + len(runs[-1][1]) == number:
            runs[-1][1].append(file.lines[number])
        else:
            runs.append((number, [file.lines[number]]))
    return runs


def _outwards(start: int, end: int, file: FileLines, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The region, widened so that its edges cut no text that spans lines and no continued line."""
    moved = True
    while moved:
        moved = False
        for first, last in spans:
            if first < start <= last:
                start, moved = first, True
            if first <= end < last:
                end, moved = last, True
        while _continues(file, start - 1):
            start, moved = start - 1, True
        while _continues(file, end) and end + 1 in file.lines:
            end, moved = end + 1, True
    return start, end


def _continues(file: FileLines, number: int) -> bool:
    return file.lines.get(number, b"").rstrip(b"\r").endswith(b"\\")


def _header(path: str, new: bool = False) -> bytes:
    tab = "\t" if " " in path else ""
    mode = "new file mode 100644\n" if new else ""
    old = "/dev/null" if new else f"a/{path}{tab}"
    return f"diff --git a/{path} b/{path}\n{mode}--- {old}\n+++ b/{path}{tab}\n".encode()


def _hunks(file: FileLines, insertions: Mapping[int, list[bytes]]) -> bytes:
    """Hunks with up to CONTEXT known lines round each insertion; close ones are joined."""
    ranges: list[list[int]] = []  # first line, line after the last
    for at in sorted(insertions):
        first, after = at, at
        while first > at - CONTEXT and first - 1 in file.lines:
            first -= 1
        while after < at + CONTEXT and after in file.lines:
            after += 1
        if ranges and first <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], after)
        else:
            ranges.append([first, after])
    out: list[bytes] = []
    shift = 0
    last = max(file.lines)
    for first, after in ranges:
        body: list[bytes] = []
        added = 0
        for number in range(first, after + 1):
            lines = insertions.get(number, []) if number < after or number not in file.lines else []
            at_open_end = file.ends_open and number == last + 1
            if lines and at_open_end:
                body[-2:] = [b"-" + file.lines[last] + b"\n", _NO_NEWLINE, b"+" + file.lines[last] + b"\n"]
            body += [b"+" + line + b"\n" for line in lines]
            added += len(lines)
            if number < after:
                body.append(b" " + file.lines[number] + b"\n")
                if file.ends_open and number == last:
                    body.append(_NO_NEWLINE)
        old = after - first
        out.append(f"@@ -{first},{old} +{first + shift},{old + added} @@\n".encode())
        out += body
        shift += added
    return b"".join(out)


def _notice(name: str, stanzas: str, existing: bytes | None) -> bytes:
    lines = stanzas.encode().removesuffix(b"\n").split(b"\n")
    if not existing:
        added = b"".join(b"+" + line + b"\n" for line in lines)
        new = existing is None
        return _header(name, new) + f"@@ -0,0 +1,{len(lines)} @@\n".encode() + added
    file = FileLines.of(existing)
    return _header(name) + _hunks(file, {len(file.lines) + 1: [b"", *lines]})
