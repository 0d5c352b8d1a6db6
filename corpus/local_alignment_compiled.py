"""Machine code for corpus.local_alignment.fill: the same table."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np

from corpus.machine_code import cached


@cached
def fill(scores, gap):
    """See corpus.local_alignment.fill."""
    n, m = scores.shape
    table = np.zeros((n + 1, m + 1), np.int32)
    for i in range(n):
        left = 0
        for j in range(m):
            best = max(table[i, j] + scores[i, j], table[i, j + 1] - gap, left - gap, 0)
            table[i + 1, j + 1] = best
            left = best
    return table


@cached
def pair_scores(symbol, keys, value, weights, their_symbol, their_keys, mismatch):
    """See corpus.pair_scores.pair_scores."""
    n, m, width = len(symbol), len(their_symbol), keys.shape[1]
    scores = np.full((n, m), mismatch, np.int32)
    for i in range(n):
        mine, plain = symbol[i], weights[symbol[i]]
        for j in range(m):
            if their_symbol[j] != mine:
                continue
            best = plain
            for a in range(width):
                key = keys[i, a]
                if key == 0:
                    break
                for b in range(width):
                    if their_keys[j, b] == key:
                        best = max(best, value[i, a])
            scores[i, j] = best
    return scores
