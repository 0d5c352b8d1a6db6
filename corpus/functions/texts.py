"""Many scanned texts at once, as machine code that finds functions reads them. Called by the finders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.functions.source import OPERATOR, TWO_BYTES, WORD_KINDS
from corpus.languages import Scan
from corpus.languages.spelling import hash_spelling

Ints = NDArray[np.int64]
Spans = tuple[Ints, Ints]
"""Of texts that lie one behind the other: int64[s, 5], a row a span, and where the spans of each text end.

A row: first token, end, whether it is a class, first and last token of its name (-1 where it has none), all
counted from the first token of its text.
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """Tokens of texts that lie one behind the other. ends, token_ends: where each text and its tokens end."""

    scan: Scan
    data: NDArray[np.uint8]
    ends: Ints
    token_ends: Ints

    def read(self, roles: Roles) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Of each token the code (see `Source`), and what it can be as a word: 1, and the bits of `roles`."""
        from corpus.functions.compiled import codes

        scan, kinds = self.scan, (OPERATOR, *WORD_KINDS)
        found: tuple[NDArray[np.uint8], NDArray[np.uint16]] = codes(
            self.data, self.ends, self.token_ends, scan.kind, scan.start, scan.end, scan.raw, kinds, *roles
        )
        return found


Roles = tuple[NDArray[np.uint64], NDArray[np.uint32]]
"""What words are to machine code, as a hash table: the raw hash of a word, or of an operator with a code of
its own; and its bits, and from bit 16 on that code. Where there is none, 0."""


def role_table(*roles: tuple[Iterable[bytes], int]) -> Roles:
    """roles: words and the bit that they have; a word may have several."""
    values: dict[bytes, int] = {spelling: code << 16 for spelling, code in TWO_BYTES.items()}
    for words, bit in roles:
        for word in words:
            values[word] = values.get(word, 0) | bit
    size = 1 << (16 * len(values)).bit_length()  # so large that most words find their place empty
    keys, held = np.zeros(size, np.uint64), np.zeros(size, np.uint32)
    for word, value in values.items():
        raw = hash_spelling(word)
        at = raw % size
        while held[at]:
            at = (at + 1) % size
        keys[at], held[at] = raw, value
    return keys, held
