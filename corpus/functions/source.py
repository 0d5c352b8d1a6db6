"""The view of a scanned text that the finders of functions share. Called by them and by corpus.units."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.languages import Kind, Scan

# One byte for each token: the character of a one-character operator, a code below 32 for the operators that
# matter here, 0 for all others.
ARROW, ASSIGN_LEFT, SCOPE = 1, 2, 3
WORD_KINDS = bytes((Kind.NAME, Kind.KEYWORD))
TWO_BYTES = {b"=>": ARROW, b"<-": ASSIGN_LEFT, b"::": SCOPE}
OPERATOR = int(Kind.OPERATOR)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of all tokens (braces included) that makes one function or class."""

    kind: Literal["function", "class"]
    name: str
    first: int
    last: int


class Source:
    """Tokens of one text, with what finders ask of them.

    code: a byte a token (see above). leads: whether a token is the first of a line that does not
    continue another. indent, line: as scanned. fresh: leads as an array. All have one
    entry a token.
    """

    def __init__(self, scan: Scan, text: bytes) -> None:
        self.text = text
        self.kind = scan.kind
        self.kinds = scan.kind.tobytes()
        self.start = scan.start
        self.end = scan.end
        # Finders look at single tokens, which views are faster at than arrays.
        self._starts, self._ends = scan.start.data, scan.end.data
        self.line = scan.line.data
        self.indent = scan.indent.data
        self.size = len(scan.kind)
        self.bytes = np.frombuffer(text, np.uint8)
        self.code = self._codes()
        self.fresh = scan.fresh
        self.leads = scan.fresh.data

    def _codes(self) -> bytes:
        length = self.end - self.start
        codes = np.zeros(self.size, np.uint8)
        operator = self.kind == Kind.OPERATOR
        single = operator & (length == 1)
        codes[single] = self.bytes[self.start[single]]
        double = np.flatnonzero(operator & (length == 2))
        first, second = self.bytes[self.start[double]], self.bytes[self.start[double] + 1]
        for spelling, code in TWO_BYTES.items():
            codes[double[(first == spelling[0]) & (second == spelling[1])]] = code
        return codes.tobytes()

    def word(self, token: int) -> bytes:
        return self.text[self._starts[token] : self._ends[token]]

    def name(self, token: int) -> str:
        return self.word(token).decode("utf-8", "replace")

    def is_word(self, token: int) -> bool:
        return self.kinds[token] in WORD_KINDS

    def find(self, words: Collection[bytes], fold: bool = False) -> dict[int, bytes]:
        """The tokens spelled as one of `words` (lower-case words in any case if `fold`), in order."""
        if not fold:
            words = [word for word in words if word in self.text]
            if not words:
                return {}
        length = self.end - self.start
        head = self.bytes[self.start] if self.size else np.zeros(0, np.uint8)
        by_shape: dict[tuple[int, int], set[bytes]] = {}
        for word in words:
            by_shape.setdefault((len(word), word[0]), set()).add(word)
        found: dict[int, bytes] = {}
        worded = (self.kind == Kind.NAME) | (self.kind == Kind.KEYWORD)
        if fold:
            head = np.where((head >= 65) & (head <= 90), head + 32, head)
        for (size, first), spellings in by_shape.items():
            for token in np.flatnonzero(worded & (length == size) & (head == first)).tolist():
                word = self.word(token).lower() if fold else self.word(token)
                if word in spellings:
                    found[token] = word
        return dict(sorted(found.items()))

    @cached_property
    def _lines(self) -> NDArray[np.int64]:
        return np.append(np.flatnonzero(self.fresh), self.size)

    def line_lead(self, token: int) -> int:
        """The first token of the line of `token`."""
        place = int(np.searchsorted(self._lines, token, side="right"))
        return int(self._lines[place - 1]) if place else 0

    def line_stop(self, token: int) -> int:
        """The token after the line of `token`."""
        return int(
            self._lines[min(int(np.searchsorted(self._lines, token, side="right")), len(self._lines) - 1)]
        )
