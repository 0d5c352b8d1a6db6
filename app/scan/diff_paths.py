"""Paths as diffs write them: quoted, prefixed, followed by a date. Called by the diff reader.

Promise: linear; whatever the bytes are, a path comes out, fit for display and for nothing else.
"""

from __future__ import annotations

import re

_ESCAPES = {b"a": 7, b"b": 8, b"t": 9, b"n": 10, b"v": 11, b"f": 12, b"r": 13, b'"': 34, b"\\": 92}
_ESCAPE = re.compile(rb'\\([0-3][0-7]{2}|[abtnvfr"\\])')
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
# The prefixes of git, also those of diff.mnemonicPrefix: index, work tree, commit, object.
_PREFIXES = frozenset(
    (old + b"/", new + b"/")
    for old, new in zip(b"a i c c o 1 2".split(), b"b w i w w 2 1".split(), strict=True)
) | {(b"w/", b"i/"), (b"i/", b"c/"), (b"w/", b"c/"), (b"w/", b"o/"), (b"b/", b"a/")}
_NOTHING = b"/dev/null"


def display(path: bytes) -> str:
    """A path to show: control, bidirectional and undecodable characters become visible escapes."""
    text = path.decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unquote(quoted: bytes) -> bytes:
    """The bytes that git's C-style quoting stands for, given what is between the quotation marks."""
    return _ESCAPE.sub(
        lambda m: bytes([_ESCAPES[m[1]] if len(m[1]) == 1 else int(m[1], 8)]),
        quoted,
    )


def read_path(field: bytes) -> bytes:
    """The path at the start of a header's field: unquoted, or up to the tab before a date."""
    if field.startswith(b'"') and (match := _QUOTED.match(field)):
        return unquote(match[1])
    return field.split(b"\t", 1)[0]


def strip_prefixes(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Take the prefixes off if both sides carry a pair that git writes."""
    if old != _NOTHING and new != _NOTHING:
        return (old[2:], new[2:]) if (old[:2], new[:2]) in _PREFIXES else (old, new)
    if new == _NOTHING:
        return (old[2:] if any(old[:2] == a for a, _ in _PREFIXES) else old), new
    return old, (new[2:] if any(new[:2] == b for _, b in _PREFIXES) else new)


def new_path(old: bytes, new: bytes) -> tuple[bytes, bool]:
    """The path after the change and whether the file is deleted (then it is the path before)."""
    old, new = strip_prefixes(old, new)
    return (old, True) if new == _NOTHING else (new, False)


def read_header_paths(field: bytes) -> bytes:
    """The new path of a `diff --git OLD NEW` line. Without quotes the border between the two is a guess:
    where the halves are the same name, else before the first ` b/` whose file has the same base name.
    Later headers (`+++`, `rename to`) are certain and replace it.
    """
    if field.startswith(b'"') and (match := _QUOTED.match(field)):
        return new_path(unquote(match[1]), read_path(field[match.end() :].lstrip(b" ")))[0]
    if field.endswith(b'"') and b' "' in field:
        old, _, new = field.partition(b' "')
        return new_path(old, read_path(b'"' + new))[0]
    middle = len(field) // 2
    old, new = field[:middle], field[middle + 1 :]
    if field[middle : middle + 1] == b" " and old[1:] == new[1:]:
        return new_path(old, new)[0]
    borders = [match.start() for match in re.finditer(rb" b/", field)]
    name = field.rpartition(b"/")[2]
    for border in borders:
        if field.endswith(b"/" + name, 0, border):
            return new_path(field[:border], field[border + 1 :])[0]
    if borders:
        return new_path(field[: borders[0]], field[borders[0] + 1 :])[0]
    return new_path(old, new)[0] if field[middle : middle + 1] == b" " else field
