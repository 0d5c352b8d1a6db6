"""Local alignment of two short sequences by a score matrix (Smith & Waterman 1981, linear gaps).

Scores are integers, so that the array code here and the machine code of local_alignment_compiled agree.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

COMPILE_FROM = 30_000_000
"""Cells from which loading machine code (0.7 s) pays."""


def fill(scores: Ints, gap: int) -> Ints:
    """The table of best local scores, int32[n + 1, m + 1], for a score matrix int32[n, m]. O(n·m).

    A gap to the left depends on the cell just computed; a running maximum of score + gap·column undoes that.
    """
    n, m = scores.shape
    table = np.zeros((n + 1, m + 1), np.int32)
    ramp = gap * np.arange(m + 1, dtype=np.int32)
    row = np.zeros(m + 1, np.int32)
    for i in range(n):
        above = table[i]
        np.maximum(above[:-1] + scores[i], above[1:] - gap, out=row[1:])
        np.maximum(row, 0, out=row)
        np.maximum.accumulate(row + ramp, out=table[i + 1])
        table[i + 1] -= ramp
    return table


def trace(table: Ints, scores: Ints, gap: int, i: int, j: int) -> NDArray[np.int64]:
    """Pairs of the best local alignment that ends at a cell of the table, int64[p, 2], ascending."""
    pairs = []
    while table[i, j] > 0:
        here = table[i, j]
        if here == table[i - 1, j - 1] + scores[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif here == table[i - 1, j] - gap:
            i -= 1
        else:
            j -= 1
    return np.array(pairs[::-1], np.int64).reshape(-1, 2)


@cache
def _machine_code():  # type: ignore[no-untyped-def]
    from corpus import local_alignment_compiled

    return local_alignment_compiled


def best_local(scores: Ints, gap: int, *, compiled: bool = False) -> tuple[int, NDArray[np.int64]]:
    """Score and pairs of the best local alignment."""
    if not scores.size:
        return 0, np.empty((0, 2), np.int64)
    made = _machine_code() if compiled else None
    table = (made.fill if made else fill)(scores, gap)
    end = divmod(int(table.argmax()), table.shape[1])
    return int(table[end]), (made.trace if made else trace)(table, scores, gap, *end)


def best_score(scores: Ints, gap: int, *, compiled: bool = False) -> int:
    """Score of the best local alignment: without its pairs, which cost as much again."""
    if not scores.size:
        return 0
    return int((_machine_code().fill(scores, gap) if compiled else fill(scores, gap)).max())


def compile_pays(cells: int) -> bool:
    """Whether so many cells are worth machine code in this process."""
    if "numba" in sys.modules:
        return True
    return cells >= COMPILE_FROM and importlib.util.find_spec("numba") is not None
