"""Tokens → code units: functions first, windows for what is long, the remainder for what stands outside.

Both pipelines cut with this, so that the same text makes the same units on either side. Promises: every
significant token is in at least one unit; broken and partial text (the lines of a diff) is cut too; linear
time. Called by the ingest and the scan pipeline. How functions are found: corpus.functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.functions import braces, ends, fortran, indents
from corpus.functions.dialects import Dialect
from corpus.functions.source import Source, Span
from corpus.functions.texts import Spans, Texts
from corpus.languages import Scan
from corpus.model import Unit
from corpus.params import Params

Ints = NDArray[np.int64]
UnitKind = Literal["function", "class", "window", "rest"]
# A function of up to so many windows is a unit as a whole too.
WHOLE_WINDOWS = 4

_C_LIKE = Dialect(heads=True, preprocessor=True)
_SCRIPT = Dialect(keywords=(b"function",), heads=True, nested=True, commas=True)

# How each language marks its functions. Those that are not here are cut into windows.
_BRACES: dict[str, Dialect] = {
    "c": _C_LIKE,
    "cpp": _C_LIKE,
    "objc": _C_LIKE,
    "csharp": Dialect(heads=True, preprocessor=True, types_first=True),
    "java": Dialect(heads=True, types_first=True),
    "kotlin": Dialect(keywords=(b"fun", b"def"), heads=True, types_first=True),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "rust": Dialect(keywords=(b"fn",), anonymous=False),
    "go": Dialect(keywords=(b"func",), nested=True),
    "swift": Dialect(keywords=(b"func", b"fn"), heads=True),
    "r": Dialect(keywords=(b"function",), nested=True),
    "perl": Dialect(keywords=(b"sub", b"method"), nested=True),
    "php": Dialect(keywords=(b"function",), nested=True),
    "shell": Dialect(keywords=(b"function",), heads=True),
}


class _Finder(NamedTuple):
    """The definition, and the same of many texts by machine code."""

    plain: Callable[[Source], list[Span]]
    compiled: Callable[[Texts], Spans]


def _by_ends(grammar: ends.Grammar) -> _Finder:
    return _Finder(
        partial(ends.find_functions, grammar=grammar), partial(ends.function_spans, grammar=grammar)
    )


_INDENTS = _Finder(indents.find_functions, indents.function_spans)
_FORTRAN = _Finder(fortran.find_functions, fortran.function_spans)
_FINDERS: dict[str, _Finder] = {
    "python": _INDENTS,
    "cython": _INDENTS,
    "fortran": _FORTRAN,
    "fortran-fixed": _FORTRAN,
    "julia": _by_ends(ends.JULIA),
    "lua": _by_ends(ends.LUA),
    "gap": _by_ends(ends.GAP),
    "matlab": _by_ends(ends.MATLAB),
    "ruby": _Finder(ends.ruby, ends.ruby_spans),
}


def cut(
    scan: Scan, text: bytes, language: str, params: Params, *, compiled: bool = False
) -> tuple[Unit, ...]:
    """The units of a text, ordered by their first token.

    compiled: use machine code (numba; the first call loads it). The result is the same.

    `first` and `last` of a unit are a half-open range of the significant tokens (`significant(scan)`).
    """
    if not scan.keep.any():
        return ()
    if compiled:
        return _cut_compiled(scan, text, language, params)
    # position[t]: how many significant tokens stand before token t.
    position = np.concatenate(([0], np.cumsum(scan.keep, dtype=np.int64)))
    index = np.flatnonzero(scan.keep)
    units: list[Unit] = []
    covered = 0
    for span in _spans(scan, text, language, params):
        first, last = int(position[span.first]), int(position[span.last])
        if first == last:
            continue
        if covered < first:
            units.extend(_pieces("rest", "", covered, first, scan, text, index, params))
        covered = max(covered, last)
        pieces = list(_pieces(span.kind, span.name, first, last, scan, text, index, params))
        if pieces[0].kind == span.kind:
            # The lines of the closing brace or word belong to it, though they are no significant tokens.
            lines = int(scan.line[span.first]), _end_line(scan, text, span.last - 1)
            pieces[0] = replace(pieces[0], start_line=lines[0], end_line=lines[1])
        units.extend(pieces)
    if covered < len(index):
        units.extend(_pieces("rest", "", covered, len(index), scan, text, index, params))
    return tuple(units)


_KINDS: tuple[UnitKind, ...] = ("function", "class", "window", "rest")


def cut_each(
    scan: Scan, data: bytes, ends: Ints, token_ends: Ints, language: str, params: Params
) -> tuple[Ints, Ints, Ints]:
    """The units by machine code of texts that lie one behind the other.

    ends, token_ends: where each text and its tokens end. Returns int64[u, 6]: first, last, lines, kind (0 for
    a function, 1 for a class, 2 for a window, 3 for what stands outside all functions), and a number that
    tells spans apart; where each text's units end; where its significant tokens end.
    """
    texts = Texts(scan, np.frombuffer(data, np.uint8), ends, token_ends)
    return _unit_rows(texts, _spans_each(texts, language, params), params)


def _unit_rows(texts: Texts, spans: Spans, params: Params) -> tuple[Ints, Ints, Ints]:
    from corpus.functions.compiled import unit_rows

    scan, sizes = texts.scan, (params.window_tokens, params.window_stride, WHOLE_WINDOWS)
    found: tuple[Ints, Ints, Ints] = unit_rows(
        texts.data, texts.ends, texts.token_ends, scan.keep, scan.line, scan.start, scan.end, *spans, sizes
    )
    return found


def _cut_compiled(scan: Scan, text: bytes, language: str, params: Params) -> tuple[Unit, ...]:
    texts = Texts(scan, np.frombuffer(text, np.uint8), np.array([len(text)]), np.array([len(scan)]))
    spans = _spans_each(texts, language, params)
    names = [_spelled(scan, text, first, last) for first, last in spans[0][:, 3:].tolist()]
    rows = _unit_rows(texts, spans, params)[0]
    return tuple(
        Unit(_KINDS[kind], names[span] if span >= 0 else "", first, last, start, end)
        for first, last, start, end, kind, span in rows.tolist()
    )


def _spelled(scan: Scan, text: bytes, first: int, last: int) -> str:
    """What the tokens from `first` to `last` spell, the last included."""
    return "" if first < 0 else text[scan.start[first] : scan.end[last]].decode("utf-8", "replace")


def _spans_each(texts: Texts, language: str, params: Params) -> Spans:
    """The functions by machine code."""
    if dialect := _BRACES.get(language):
        return braces.function_spans(texts, dialect, params.window_tokens)
    if finder := _FINDERS.get(language):
        return finder.compiled(texts)
    return np.empty((0, 5), np.int64), np.zeros(len(texts.ends), np.int64)


def _spans(scan: Scan, text: bytes, language: str, params: Params) -> list[Span]:
    if dialect := _BRACES.get(language):
        return braces.find_functions(Source(scan, text), dialect, params.window_tokens)
    if finder := _FINDERS.get(language):
        return finder.plain(Source(scan, text))
    return []


def _end_line(scan: Scan, text: bytes, token: int) -> int:
    """Line of the last byte of a token; a string may span several."""
    return int(scan.line[token]) + text.count(b"\n", scan.start[token], scan.end[token])


def _pieces(
    kind: UnitKind,
    name: str,
    first: int,
    last: int,
    scan: Scan,
    text: bytes,
    index: NDArray[np.intp],
    params: Params,
) -> Iterator[Unit]:
    """The unit itself unless it is too long, and its windows if it is long."""

    def unit(kind: UnitKind, first: int, last: int) -> Unit:
        start, end = index[first], index[last - 1]
        return Unit(kind, name, first, last, int(scan.line[start]), _end_line(scan, text, int(end)))

    size = last - first
    long = size > params.window_tokens
    if not long or (kind != "rest" and size <= WHOLE_WINDOWS * params.window_tokens):
        yield unit(kind, first, last)
    if not long:
        return
    for start in range(first, last - params.window_tokens + params.window_stride, params.window_stride):
        yield unit("window", start, min(start + params.window_tokens, last))
