"""Tokens → code units: functions first, windows for what is long, the remainder for what stands outside.

Both pipelines cut with this, so that the same text makes the same units on either side. Promises: every
significant token is in at least one unit; broken and partial text (the lines of a diff) is cut too; linear
time. Called by the ingest and the scan pipeline. How functions are found: corpus.functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.functions import braces, ends, fortran, indents
from corpus.functions.braces import Dialect
from corpus.functions.heads import head_rows
from corpus.functions.source import Source, Span
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
_FINDERS: dict[str, Callable[[Source], list[Span]]] = {
    "python": indents.find_functions,
    "cython": indents.find_functions,
    "fortran": fortran.find_functions,
    "fortran-fixed": fortran.find_functions,
    "julia": partial(ends.find_functions, grammar=ends.JULIA),
    "lua": partial(ends.find_functions, grammar=ends.LUA),
    "gap": partial(ends.find_functions, grammar=ends.GAP),
    "matlab": partial(ends.find_functions, grammar=ends.MATLAB),
    "ruby": ends.ruby,
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
    for span in _spans(scan, text, language, params, False):
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
    return _unit_rows(
        scan, data, ends, token_ends, *_spans_each(scan, data, ends, token_ends, language, params), params
    )


def _unit_rows(
    scan: Scan, data: bytes, ends: Ints, token_ends: Ints, spans: Ints, span_ends: Ints, params: Params
) -> tuple[Ints, Ints, Ints]:
    """spans: int64[s, 3]: first, last, and whether it is a class."""
    from corpus.functions.compiled import unit_rows

    sizes = (params.window_tokens, params.window_stride, WHOLE_WINDOWS)
    found: tuple[Ints, Ints, Ints] = unit_rows(
        np.frombuffer(data, np.uint8), ends, token_ends, scan.keep, scan.line, scan.start, scan.end,
        *spans.T.copy(), span_ends, sizes,
    )  # fmt: skip
    return found


_TOKEN_COLUMNS = [column.name for column in fields(Scan) if column.name != "comments"]


def _table(spans: list[Span]) -> Ints:
    return np.array([(s.first, s.last, s.kind == "class") for s in spans], np.int64).reshape(-1, 3)


def _spans_each(
    scan: Scan, data: bytes, ends: Ints, token_ends: Ints, language: str, params: Params
) -> tuple[Ints, Ints]:
    """The spans of each text, as `_unit_rows` wants them, and where those of each text end."""
    dialect = _BRACES.get(language)
    found = np.empty((0, 3), np.int64)
    span_ends, done = np.zeros(len(ends), np.int64), np.zeros(len(ends), bool)
    if dialect and dialect.heads and not dialect.keywords:
        columns = (scan.kind, scan.start, scan.end, scan.raw, scan.fresh)
        rows, span_ends, done = head_rows(
            np.frombuffer(data, np.uint8),
            ends,
            token_ends,
            columns,
            dialect.preprocessor,
            dialect.types_first,
        )
        found = rows[:, :3]
        found[:, 2] = 0
        if done.all():
            return found, span_ends
    tables = np.split(found, span_ends[:-1])
    begins, token_begins = ([0, *places[:-1].tolist()] for places in (ends, token_ends))
    for text in np.flatnonzero(~done).tolist():
        own = slice(token_begins[text], token_ends[text])
        if scan.keep[own].any():
            part = Scan(**{name: getattr(scan, name)[own] for name in _TOKEN_COLUMNS}, comments=scan.comments)
            tables[text] = _table(_spans(part, data[begins[text] : ends[text]], language, params, True))
    return np.concatenate(tables), np.cumsum([*map(len, tables)])


def _cut_compiled(scan: Scan, text: bytes, language: str, params: Params) -> tuple[Unit, ...]:
    spans = _spans(scan, text, language, params, True)
    one, tokens = np.array([len(text)]), np.array([len(scan)])
    rows = _unit_rows(scan, text, one, tokens, _table(spans), np.array([len(spans)]), params)[0]
    return tuple(
        Unit(_KINDS[kind], spans[span].name if span >= 0 else "", first, last, start, end)
        for first, last, start, end, kind, span in rows.tolist()
    )


def _spans(scan: Scan, text: bytes, language: str, params: Params, compiled: bool) -> list[Span]:
    if dialect := _BRACES.get(language):
        return braces.find_functions(Source(scan, text, compiled=compiled), dialect, params.window_tokens)
    if finder := _FINDERS.get(language):
        return finder(Source(scan, text, compiled=compiled))
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
