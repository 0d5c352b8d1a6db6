"""Files of debian/ that a `.diff.gz` (Debian source format 1.0) adds as a whole.

What the diff changes in the upstream tree is not read: upstream is indexed as it was released.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus.archive.limits import MIB, Account, Entry, Stop
from corpus.archive.streams import Stream

_LONGEST_LINE = MIB
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


def is_diff(head: bytes) -> bool:
    return head.startswith((b"--- ", b"diff "))


def entries(stream: Stream, account: Account) -> Iterator[Entry]:
    """One entry a changed file. Raises Stop when a hunk or the diff ends too early."""
    lines = stream.lines(_LONGEST_LINE)
    old = name = b""
    line = next(lines, b"")
    while line:
        if line.startswith(b"--- "):
            old = line
        elif line.startswith(b"+++ ") and old:
            old, name = b"", _below_top(line)
        elif name and (hunk := _HUNK.match(line)):
            account.add_member()
            removed, added = (1 if count is None else int(count) for count in hunk.group(2, 4))
            text = _added_text(lines, removed, added, account.limits.file_bytes)
            line, damage = _following(lines)
            if not name.startswith(b"debian/"):
                yield Entry(name, "changed by the Debian diff")
            elif removed or hunk[1] != b"0":
                yield Entry(name, "changed in part by the Debian diff")
            elif text is None:
                yield Entry(name, "too large", True)
            else:
                if line.startswith(b"\\"):  # "\ No newline at end of file"
                    text = text.removesuffix(b"\n")
                yield Entry(name, content=(text,))
            name = b""  # further hunks of the file change what is skipped already
            if damage is not None:
                raise damage
            continue
        line = next(lines, b"")
    if old or name:
        raise Stop("truncated diff")


def _following(lines: Iterator[bytes]) -> tuple[bytes, Stop | None]:
    """The next line, b"" at the end; damage there must not cost what stands before it."""
    try:
        return next(lines, b""), None
    except Stop as damage:
        return b"", damage


def _below_top(line: bytes) -> bytes:
    return line[4:].split(b"\t", 1)[0].rstrip(b"\r\n").partition(b"/")[2]


def _added_text(lines: Iterator[bytes], removed: int, added: int, longest: int) -> bytes | None:
    """Consume one hunk; the text that it adds, None when that is longer than `longest`."""
    text = bytearray()
    while removed > 0 or added > 0:
        line = next(lines, b"")
        if line[:1] in (b" ", b"\n"):
            removed, added = removed - 1, added - 1
        elif line[:1] == b"-":
            removed -= 1
        elif line[:1] == b"+":
            added -= 1
            if len(text) <= longest:
                text += line[1:]
        elif line[:1] != b"\\":  # of what is removed
            raise Stop("truncated hunk" if not line else "damaged hunk")
    return bytes(text) if len(text) <= longest else None
