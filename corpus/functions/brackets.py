"""Which bracket closes which, also where a preprocessor or a cut at the edge of a diff unbalances them.

Promise: linear; on balanced text the result is the plain nesting. Called by corpus.functions.braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.functions.source import Source

_DIRECTIVE = re.compile(rb"#[ \t]*([a-z]+)")
_OPENERS, _CLOSERS = b"([{", b")]}"
_OPEN, _CLOSE = b"{}"
_PARTNER = dict(zip(_CLOSERS, _OPENERS, strict=True))
TURNS = np.zeros(256, np.int8)
TURNS[list(_OPENERS)] = 1
TURNS[list(_CLOSERS)] = -1


class Brackets:
    """Pairs of brackets of a source.

    close: closing token of an opening one; an opening brace that is never closed has the token before which
    it must have ended (`lost` holds it). open: the reverse of the true pairs. braces: the opening braces in
    order. directives: first token of the preprocessor line that ends with this token.
    """

    def __init__(self, source: Source, preprocessor: bool) -> None:
        self.source = source
        self.directives: dict[int, int] = {}
        self.lost: set[int] = set()
        codes = np.frombuffer(source.code, np.uint8)
        turns = TURNS[codes]
        if preprocessor:
            _mask_directives(source, codes, turns, self.directives)
        places = np.flatnonzero(turns)
        self.close: dict[int, int]
        self.open: dict[int, int]
        if pairs := _pair_balanced(codes, turns, places):
            self.close = dict(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))
            self.open = {close: start for start, close in self.close.items()}
        else:
            careful = _CarefulPairing(source)
            careful.run(places.tolist())
            self.close, self.lost = careful.close, careful.lost
            self.open = {close: start for start, close in self.close.items() if start not in self.lost}
        self.braces = places[codes[places] == _OPEN].tolist()


# Words before a parenthesis that begin a statement, not a function.
CONTROL = frozenset(
    b"if else for foreach while switch catch return sizeof synchronized using lock fixed when with elif elsif"
    b" unless until do case new throw await yield typeof in of and or not match select defer go assert"
    b" delete".split()
)


@dataclass(slots=True)
class _OpenBrace:
    """A brace on the stack. head, here: indentation of the line where its head begins, and of its own."""

    token: int
    head: int
    here: int


class _CarefulPairing:
    """Pairs unbalanced brackets: braces outrank the others, and column 0 is where things begin and end.

    A `}` in column 0 closes what began in column 0; a function that begins there ends one that is still open;
    an indented `}` does not close a block of column 0, for then its own opener is missing.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.close: dict[int, int] = {}
        self.lost: set[int] = set()
        self.opened: dict[int, int] = {}  # parentheses: opener by closer
        self.stack: list[int] = []
        self.braces: list[_OpenBrace] = []
        self.margins: list[int] = []  # indices into braces whose head is in column 0
        self.bodies: list[int] = []  # those of them that follow a parameter list

    def run(self, places: list[int]) -> None:
        code = self.source.code
        for token in places:
            sign = code[token]
            if sign in b"([":
                self.stack.append(token)
            elif sign == _OPEN:
                self._open(token)
            elif sign == _CLOSE:
                self._close(token)
            elif self.stack and code[self.stack[-1]] == _PARTNER[sign]:
                start = self.stack.pop()
                self.close[start] = token
                self.opened[token] = start
        self._drop(0, self.source.size)

    def _open(self, token: int) -> None:
        indent = self.source.indent
        here = head = int(indent[token])
        start = self.opened.get(token - 1)
        if start is not None:
            head = min(here, int(indent[start]))
        if head == 0 and start is not None:
            if self.bodies and self._heads_function(token, start):
                self._drop(self.bodies[0], token)
            self.bodies.append(len(self.braces))
        if head == 0:
            self.margins.append(len(self.braces))
        self.stack.append(token)
        self.braces.append(_OpenBrace(token, head, here))

    def _heads_function(self, brace: int, start: int) -> bool:
        """Whether `name(…)` and its brace stand in lines without indentation, the brace in one of its own."""
        source = self.source
        if start == 0 or not source.leads[brace] or source.indent[brace] or source.indent[start]:
            return False
        return source.is_word(start - 1) and source.word(start - 1) not in CONTROL

    def _close(self, token: int) -> None:
        if not self.braces:
            return
        source, top = self.source, self.braces[-1]
        keep = len(self.braces) - 1
        if source.leads[token]:
            indent = int(source.indent[token])
            if top.head == 0 and indent > top.here and source.line[token] != source.line[top.token]:
                return
            if indent == 0 and self.margins:
                keep = self.margins[-1]
        closed = self.braces[keep].token
        self._drop(keep, token)
        self.lost.discard(closed)

    def _drop(self, keep: int, token: int) -> None:
        """End all braces from the index `keep` on before `token`; they count as lost."""
        for brace in self.braces[keep:]:
            self.close[brace.token] = token
            self.lost.add(brace.token)
        if keep < len(self.braces):
            first = self.braces[keep].token
            while self.stack and self.stack[-1] >= first:
                self.stack.pop()
        del self.braces[keep:]
        for indices in (self.margins, self.bodies):
            while indices and indices[-1] >= keep:
                indices.pop()


_Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


def _pair_balanced(
    codes: NDArray[np.uint8], turns: NDArray[np.int8], places: NDArray[np.intp]
) -> _Pairs | None:
    """(openers, closers) as tokens, if all brackets nest; None otherwise. places: tokens that are brackets.

    Brackets of one depth alternate, so that sorting by depth, stably, puts each opener before its closer.
    """
    codes, turns = codes[places], turns[places]
    if len(turns) % 2:
        return None
    depth = np.cumsum(turns, dtype=np.int32)
    if len(depth) and (depth[-1] != 0 or depth.min() < 0):
        return None
    level = depth - (turns > 0)
    order = np.argsort(level, kind="stable")
    opening, closing = order[::2], order[1::2]
    gap = codes[closing].astype(np.int16) - codes[opening]
    if np.any((gap != 1) & (gap != 2)) or np.any(turns[opening] != 1):
        return None
    return places[opening], places[closing]


def _mask_directives(
    source: Source, codes: NDArray[np.uint8], turns: NDArray[np.int8], directives: dict[int, int]
) -> None:
    """Take out the brackets of preprocessor lines and of branches that repeat an unbalanced brace.

    `#if A / if (x) { / #else / if (y) { / #endif` opens one block, not two.
    """
    heads = np.flatnonzero((codes == ord("#")) & source.fresh)
    line_ends = [_logical_end(source.text, begin) for begin in source.start[heads].tolist()]
    stops = np.searchsorted(source.start, np.array(line_ends, source.start.dtype)).tolist()
    branches: list[list[int]] = []  # for each open #if, where its branches begin
    alternatives: list[tuple[int, int]] = []
    after = 0
    for token, stop in zip(heads.tolist(), stops, strict=True):
        if token < after:
            continue
        match = _DIRECTIVE.match(source.text, source.start[token])
        if match is None:
            continue
        after = stop
        turns[token:after] = 0
        directives[after - 1] = token
        word = match[1]
        if word in (b"if", b"ifdef", b"ifndef"):
            branches.append([after])
        elif word in (b"else", b"elif", b"elifdef", b"elifndef") and branches:
            if len(branches[-1]) > 1:
                alternatives.append((branches[-1][-1], token))
            branches[-1].append(after)
        elif word == b"endif" and branches:
            if len(branches[-1]) > 1:
                alternatives.append((branches[-1][-1], token))
            branches.pop()
    if not alternatives:
        return
    braces = np.where((codes == _OPEN) | (codes == _CLOSE), turns, 0)
    total = np.concatenate(([0], np.cumsum(braces, dtype=np.int32)))
    for first, last in alternatives:
        if total[first] != total[last]:
            turns[first:last] = 0


# The words of directives for the machine code, which reads them as numbers.
DIRECTIVES = np.array(
    [
        int.from_bytes(word)
        for word in (b"if", b"ifdef", b"ifndef", b"else", b"elif", b"elifdef", b"elifndef", b"endif")
    ],
    np.uint64,
)


def _logical_end(text: bytes, begin: int) -> int:
    """Where the line at `begin` ends, continuation lines included."""
    while True:
        end = text.find(b"\n", begin)
        if end < 0:
            return len(text)
        if not text[max(begin, end - 2) : end].rstrip(b"\r").endswith(b"\\"):
            return end
        begin = end + 1
