"""Functions of the languages that write blocks by indentation: Python and Cython.

Methods are functions; functions inside functions belong to them. A class without methods is a span of its
own. Linear. Called by corpus.units.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Literal

import numpy as np

from corpus.functions.brackets import TURNS
from corpus.functions.source import Source, Span
from corpus.functions.texts import Roles, Spans, Texts, role_table

_HEADS = (b"def", b"class", b"cdef", b"cpdef", b"async")
_LEFT, _COLON, _EQUALS, _AT = b"(:=@"


def find_functions(source: Source) -> list[Span]:
    """Outermost functions, methods and method-less classes, in order, decorators included."""
    return _Reader(source).read()


def function_spans(texts: Texts) -> Spans:
    """The same of many texts, by machine code."""
    from corpus.functions.indents_compiled import indent_rows

    code, role = texts.read(_roles())
    found: Spans = indent_rows(code, role, texts.scan.fresh, texts.scan.indent, texts.token_ends, TURNS)
    return found


@lru_cache(maxsize=1)
def _roles() -> Roles:
    from corpus.functions import indents_compiled as bits

    return role_table(
        ((b"def",), bits.DEF), ((b"class",), bits.CLASS), ((b"cdef", b"cpdef"), bits.CDEF),
        ((b"async",), bits.ASYNC),
    )  # fmt: skip


class _Reader:
    """Walks over the lines. leads: the first token of each line. depth: open brackets before each token."""

    def __init__(self, source: Source) -> None:
        self.source = source
        lines = np.flatnonzero(source.fresh)
        self.leads: list[int] = lines.tolist()
        codes = np.frombuffer(source.code, np.uint8)
        turns = TURNS[codes]
        depth = np.cumsum(turns, dtype=np.int64)
        depth -= turns
        self.depth = depth.data
        self.heads = source.find(_HEADS)
        stops = codes[lines] == _AT
        headed = np.zeros(source.size, bool)
        headed[list(self.heads)] = True
        stops |= headed[lines]
        self._stops: list[int] = np.flatnonzero(stops).tolist()

    def read(self) -> list[Span]:
        source, leads = self.source, self.leads
        spans: list[Span] = []
        at, decorator = 0, -1
        while at < len(leads):
            if decorator < 0:  # other lines than decorators and heads change nothing
                following = bisect_left(self._stops, at)
                if following == len(self._stops):
                    break
                at = self._stops[following]
            token = leads[at]
            indent = source.indent[token]
            if decorator >= 0 and self._ends_decorator(decorator, token):
                decorator = -1
            if source.code[token] == _AT:
                decorator = token if decorator < 0 else decorator
                at += 1
                continue
            head = self._head(at)
            if head is None:
                at += 1
                continue
            kind, name = head
            stop = self._block_end(at)
            last = leads[stop] if stop < len(leads) else source.size
            first = decorator if decorator >= 0 and source.indent[decorator] == indent else token
            if kind == "class" and spans and spans[-1].kind == "class" and spans[-1].last > token:
                spans.pop()  # the class around this one is not plain
            elif kind == "function" and spans and spans[-1].kind == "class" and spans[-1].last > token:
                spans.pop()
            spans.append(Span(kind, name, first, last))
            at = at + 1 if kind == "class" else stop
            decorator = -1
        return spans

    def _ends_decorator(self, decorator: int, token: int) -> bool:
        """Whether the line of `token`, no `@` and no head, lies outside the decorator."""
        source = self.source
        return (
            token not in self.heads
            and source.code[token] != _AT
            and self.depth[token] <= self.depth[decorator]
        ) or source.indent[token] < source.indent[decorator]

    def _head(self, at: int) -> tuple[Literal["function", "class"], str] | None:
        """What the line begins, if it begins a block with a name."""
        source, token = self.source, self.leads[at]
        word = self.heads.get(token)
        if word is None:
            return None
        if word == b"async":
            token += 1
            word = self.heads.get(token)
        if word in (b"def", b"class"):
            named = token + 1 < source.size and source.is_word(token + 1)
            return ("class" if word == b"class" else "function"), source.name(token + 1) if named else ""
        return self._cython_head(at, token) if word in (b"cdef", b"cpdef") else None

    def _cython_head(self, at: int, token: int) -> tuple[Literal["function", "class"], str] | None:
        """`cdef class C:` or `cdef int f(int x) nogil:`, but no declaration."""
        source, depth = self.source, self.depth[token]
        stop = next(
            (lead for lead in self.leads[at + 1 : at + 200] if self.depth[lead] <= depth), source.size
        )
        name = ""
        for place in range(token, min(stop, token + 1000)):
            sign = source.code[place]
            if self.heads.get(place) == b"class":
                return "class", source.name(place + 1) if place + 1 < source.size else ""
            if self.depth[place] > depth:
                continue
            if sign == _LEFT and not name:
                name = source.name(place - 1)
            elif sign == _EQUALS:
                return None
            elif sign == _COLON:
                return ("function", name) if name else None
        return None

    def _block_end(self, at: int) -> int:
        """Index into leads of the first line after the block that begins with line `at`."""
        source, leads = self.source, self.leads
        token = leads[at]
        indent, depth = source.indent[token], self.depth[token]
        for index in range(at + 1, len(leads)):
            lead = leads[index]
            if source.indent[lead] <= indent and (
                self.depth[lead] <= depth or lead in self.heads or source.code[lead] == _AT
            ):
                return index
        return len(leads)
