"""Machine code for corpus.evidence.pair_weights: the same weights."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached


@njit(nogil=True)
def counted(whole, number):
    """See corpus.evidence.counted."""
    out = np.zeros(len(whole), np.bool_)
    a, b, before = np.int64(-1), np.int64(-1), 0  # the two numbers before, and where the second stands
    for at in range(len(whole)):
        if number[at]:
            c = whole[at]
            if a >= 0 and b >= 0 and c >= 0 and c - b == b - a:
                out[before + 1 : at + 1] = True
            a, b, before = b, c, at
    return out


@cached
def pair_weights(left, right, idiom, grams, whole, number, declares, free, factors):
    """See corpus.evidence.pair_weights; all but `right` is of the left side.

    factors: of idioms, repetitions, progressions and declarations.
    """
    n = len(left)
    weight, longest, start = np.empty(n), 0, 0
    progress = counted(whole, number)
    had = np.zeros(grams.max() + 2 if n else 0, np.bool_)
    for at in range(n):
        if at + 1 == n or left[at + 1] != left[at] + 1 or right[at + 1] != right[at] + 1:
            length = at + 1 - start
            weight[start : at + 1] = max(0, length - free) / length
            longest, start = max(longest, length), at + 1
    for at in range(n):
        if idiom[at]:
            weight[at] *= factors[0]
        if grams[at] >= 0:
            if had[grams[at]]:
                weight[at] *= factors[1]
            had[grams[at]] = True
        if progress[at]:
            weight[at] *= factors[2]
        if declares[at]:
            weight[at] *= factors[3]
    return weight, longest
