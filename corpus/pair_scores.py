"""Worth of letting one element of a text stand for one of another, for the alignment of the algorithm layer.

Equal operators are worth what they are rare in source code; names, strings and numbers what the rarest thing
that they share is in the index. Scores are integers, hundredths of a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.features import Elements
from corpus.fingerprint.hashing import U64
from corpus.languages.neutral import Symbol

MISMATCH = -70
UNKNOWN_NAME = 10
MAX_VALUE = 900
MAX_WORD = 500
MAX_API_WORD = 100
"""Names of an API say what code uses, not who wrote it."""


def operator_weights() -> NDArray[np.int32]:
    """Worth of two equal symbols, in hundredths of a bit, by how rare the symbol is in source code."""
    weights = np.full(1 << 8, 200, np.int32)
    common = {
        Symbol.ASSIGN: 60, Symbol.MULTIPLY: 110, Symbol.ADD: 110, Symbol.SUBTRACT: 120, Symbol.IF: 110,
        Symbol.LESS: 130, Symbol.RETURN: 120, Symbol.EQUAL: 130, Symbol.DIVIDE: 150, Symbol.LOOP: 140,
        Symbol.ELSE: 140, Symbol.NULL: 150, Symbol.NOT: 150, Symbol.AND: 150, Symbol.FUNCTION: 150,
        Symbol.RANGE: 150, Symbol.ADD_ASSIGN: 160, Symbol.ARROW: 120, Symbol.BIT_AND: 150,
    }  # fmt: skip
    for symbol, weight in common.items():
        weights[symbol] = weight
    # What says something by its spelling alone.
    weights[[Symbol.NAME, Symbol.STRING]] = UNKNOWN_NAME
    weights[Symbol.NUMBER] = MISMATCH
    return weights


_WEIGHTS = operator_weights()


@dataclass(frozen=True, slots=True)
class Weighed:
    """n elements of the submitted side. value: int32[n, MOST_PARTS], worth of sharing each of the keys."""

    elements: Elements
    value: NDArray[np.int32]

    def part(self, first: int, last: int, most: int) -> Weighed:
        """The elements of the half-open token range first..last, at most so many."""
        low, high = np.searchsorted(self.elements.at, (first, last)).tolist()
        return Weighed(self.elements.slice(first, last).head(most), self.value[low : min(high, low + most)])


def weighed(made: Elements, keys: U64, bits: NDArray[np.float64], api: NDArray[np.bool_]) -> Weighed:
    """keys: sorted, all of the elements' among them; bits: rarity of each in the index. api: which elements
    are names of an API.
    """
    at = np.minimum(np.searchsorted(keys, made.keys), max(0, len(keys) - 1))
    worth = (bits[at] * 100).astype(np.int64) if len(keys) else np.zeros(made.keys.shape, np.int64)
    cap = np.where(made.symbol == Symbol.NUMBER, MAX_VALUE, np.where(api, MAX_API_WORD, MAX_WORD))[:, None]
    return Weighed(made, np.maximum(UNKNOWN_NAME, np.minimum(cap, worth)).astype(np.int32))


def pair_scores(mine: Weighed, theirs: Elements, *, compiled: bool = False) -> NDArray[np.int32]:
    """int32[n, m] for n elements of one side and m of the other. compiled: by machine code, the same."""
    ours = mine.elements
    if compiled:
        scores: NDArray[np.int32] = _machine_code()(
            ours.symbol, ours.keys, mine.value, _WEIGHTS, theirs.symbol, theirs.keys, MISMATCH
        )
        return scores
    equal = ours.symbol[:, None] == theirs.symbol[None, :]
    scores = np.where(equal, _WEIGHTS[ours.symbol][:, None], np.int32(MISMATCH)).astype(np.int32)
    row, key = np.nonzero(ours.keys)
    there = np.flatnonzero(theirs.keys)
    flat = theirs.keys.ravel()[there]
    order = np.argsort(flat, kind="stable")
    wanted = ours.keys[row, key]
    begin = np.searchsorted(flat[order], wanted)
    count = np.searchsorted(flat[order], wanted, "right") - begin
    # Every place of a key on the left with every one on the right.
    offsets = np.arange(count.sum()) + np.repeat(begin - (np.cumsum(count) - count), count)
    column = there[order[offsets]] // theirs.keys.shape[1]
    row, value = np.repeat(row, count), np.repeat(mine.value[row, key], count)
    meets = equal[row, column]
    np.maximum.at(scores, (row[meets], column[meets]), value[meets])
    return scores


@cache
def _machine_code():  # type: ignore[no-untyped-def]
    from corpus.local_alignment_compiled import pair_scores as machine_code

    return machine_code
