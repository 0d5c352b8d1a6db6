"""Where the code of a fragment begins: a hunk of a diff may start inside a comment or documentation string.

A block comment: when its closer comes before any opener, and not inside a string that ends, what precedes is
comment. A long string (three quotes): of "starts outside" and "starts inside" the one whose quotes stand
where quotes open and close strings wins; then the one that leaves more operators a name, since prose has few
(but documentation of formulas has many); then the one that leaves no such string open. Called by
`corpus.languages.scan`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.languages import layout as k
from corpus.languages.syntax import Language, Remark


class Lexemes(Protocol):
    """What the kernel found; strings: (token, content start, content end) a row."""

    @property
    def kind(self) -> NDArray[np.uint8]: ...
    @property
    def start(self) -> NDArray[np.int32]: ...
    @property
    def end(self) -> NDArray[np.int32]: ...
    @property
    def strings(self) -> NDArray[np.int32]: ...


def code_begins(text: bytes, language: Language, scan_from: Callable[[int], Lexemes]) -> int:
    """Offset of the first byte of a fragment that is not in a comment begun before it; 0 when it begins in
    code.

    scan_from: the kernel, as a function of the offset to begin at.
    """
    outside: Lexemes | None = None
    for remark in language.remarks:
        closer = _first_closer(text, remark)
        if closer < 0 or 0 <= _first_opener(text, remark) < closer:
            continue
        outside = outside or scan_from(0)
        if not _in_string(text, outside, closer):
            end = closer + len(remark.closer)
            if remark.flags & k.TO_LINE_END:
                end = text.find(b"\n", end) if b"\n" in text[end:] else len(text)
            return end
    long_quotes = [quote.opener.encode() for quote in language.quotes if len(quote.opener) == 3]
    places = [at for at in map(text.find, long_quotes) if at >= 0] if language.docstrings else []
    if not places:
        return 0
    begin = min(places) + 3
    odd = _odd_quotes(text, long_quotes, inside=False) - _odd_quotes(text, long_quotes, inside=True)
    if odd:
        return begin if odd > 0 else 0
    outside = outside or scan_from(0)
    inside = scan_from(begin)
    gain = _operators_a_name(inside) - _operators_a_name(outside)
    return begin if gain > 0 or (gain == 0 and _left_open(outside) and not _left_open(inside)) else 0


_BEFORE_OPENER = re.compile(rb"(^|[=(\[{,:+%]|\b(return|in|and|or|yield|print))\s*[A-Za-z]{0,2}\Z")
_AFTER_CLOSER = re.compile(rb"\s*\w")


def _odd_quotes(text: bytes, quotes: Sequence[bytes], *, inside: bool) -> int:
    """How many long quotes stand oddly: an opener behind prose, a closer before a word, a lone opener that no
    line with a colon announces."""
    odd, at = 0, 0
    open_quote = min((q for q in quotes if q in text), key=text.find) if inside else b""
    while True:
        wanted = (open_quote,) if open_quote else quotes
        at, quote = min(((i, q) for q in wanted if (i := text.find(q, at)) >= 0), default=(-1, b""))
        if at < 0:
            return odd
        line = text.rfind(b"\n", 0, at) + 1
        end = text.find(b"\n", at)
        before, after = text[line:at], text[at + 3 : end if end >= 0 else len(text)]
        if open_quote:
            odd += 2 * bool(_AFTER_CLOSER.match(after))
        elif not _BEFORE_OPENER.search(before):
            odd += 2
        elif not before.strip() and not after.strip():
            odd += text[:line].rstrip()[-1:] not in (b":", b"")
        open_quote = b"" if open_quote else quote
        at += 3


def _first_closer(text: bytes, remark: Remark) -> int:
    """Offset of the first place that may close the comment, or -1."""
    closer = remark.closer.encode()
    if not closer:
        return -1
    for at in (text.find(closer), text.find(b"\n" + closer) + 1):
        if at < 0 or (at == 0 and not text.startswith(closer)):
            continue
        alone = (
            text[text.rfind(b"\n", 0, at) + 1 : at].strip() == b"" and text[at + len(closer) :][:1] in b"\r\n"
        )
        column0 = at == 0 or text[at - 1 : at] == b"\n"
        if (not remark.flags & k.CLOSE_ALONE or alone) and (not remark.flags & k.CLOSE_COLUMN0 or column0):
            return at
    return -1


def _first_opener(text: bytes, remark: Remark) -> int:
    opener = remark.opener.encode()
    if remark.where not in (k.COLUMN0, k.POD_START) or text.startswith(opener):
        return text.find(opener)
    at = text.find(b"\n" + opener)
    return at + 1 if at >= 0 else -1


def _in_string(text: bytes, found: Lexemes, at: int) -> bool:
    """Whether a string, or regular expression, that ends properly holds the byte at `at`."""
    for token, _, stop in found.strings.tolist():
        start, end = int(found.start[token]), int(found.end[token])
        if start < at < end:
            return stop < end or text[start : start + 1] == b"/"
    return False


def _left_open(found: Lexemes) -> bool:
    """Whether the last string is a long one without its end."""
    if not len(found.strings):
        return False
    token, begin, stop = found.strings[-1].tolist()
    return bool(begin - int(found.start[token]) >= 3 and stop == int(found.end[token]))


def _operators_a_name(found: Lexemes) -> float:
    names = int(np.count_nonzero(found.kind == k.NAME))
    return int(np.count_nonzero(found.kind == k.OPERATOR)) / (names + 1)
