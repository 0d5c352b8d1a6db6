"""Many scanned texts at once, as machine code that finds functions reads them. Called by the finders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.functions.source import DOUBLES, OPERATOR, WORD_KINDS
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

    def read(self, roles: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Of each token the code (see `Source`), and what it can be as a word: 1, and the bits of `roles`."""
        from corpus.functions.compiled import codes

        scan, kinds = self.scan, (OPERATOR, *WORD_KINDS)
        found: tuple[NDArray[np.uint8], NDArray[np.uint16]] = codes(
            self.data, self.ends, self.token_ends, scan.kind, scan.start, scan.end, scan.raw, kinds, DOUBLES,
            roles,
        )  # fmt: skip
        return found


def role_table(*roles: tuple[Iterable[bytes], int]) -> NDArray[np.uint64]:
    """What words are to machine code, as a hash table, uint64[2^b, 2]: their raw hashes, and the bits that
    `roles` gives them; a word may have several."""
    bits: dict[bytes, int] = {}
    for words, bit in roles:
        for word in words:
            bits[word] = bits.get(word, 0) | bit
    table = np.zeros((1 << (4 * len(bits)).bit_length(), 2), np.uint64)
    for word, bit in bits.items():
        raw = hash_spelling(word)
        at = raw % len(table)
        while table[at, 1]:
            at = (at + 1) % len(table)
        table[at] = raw, bit
    return table
