"""Machine code for corpus.align: the same pairs and the same chains."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np

from corpus.machine_code import cached


@cached
def lcs(a, b):
    """See corpus.align.lcs; a table instead of its bits, O(len(a)·len(b)), and the same way back."""
    n, m = len(a), len(b)
    table = np.zeros((n + 1, m + 1), np.int32)
    for x in range(n):
        for y in range(m):
            if a[x] == b[y]:
                table[x + 1, y + 1] = table[x, y] + 1
            else:
                table[x + 1, y + 1] = max(table[x, y + 1], table[x + 1, y])
    pairs = np.empty((table[n, m], 2), np.int64)
    left = len(pairs)
    x, y = n, m
    while x and y:
        if table[x, y] == table[x, y - 1]:  # column y adds nothing in row x
            y -= 1
        elif a[x - 1] == b[y - 1]:
            x, y, left = x - 1, y - 1, left - 1
            pairs[left, 0], pairs[left, 1] = x, y
        else:
            x -= 1
    return pairs


@cached
def best_chains(i, j, length, worth, prefix, max_gap, gap_cost, skew_cost):
    """See corpus.align._best_chains."""
    m = len(i)
    score, back = worth.copy(), np.full(m, -1, np.int64)
    longest = length.max()
    low = 0
    for r in range(m):
        while i[low] < i[r] - max_gap - longest:
            low += 1
        best = 0.0
        for b in range(low, r):
            if j[b] >= j[r] or i[b] >= i[r]:
                continue
            gap_i, gap_j = i[r] - i[b] - length[b], j[r] - j[b] - length[b]
            overlap = max(0, -min(gap_i, gap_j))
            if max(gap_i, gap_j) > max_gap or overlap >= length[r]:
                continue
            lost = prefix[min(i[r] + overlap, i[r] + length[r])] - prefix[i[r]]
            cost = gap_cost * max(0, min(gap_i, gap_j)) + skew_cost * abs(gap_i - gap_j)
            total = score[b] - lost - cost
            if total > best:
                best, back[r] = total, b
        if back[r] >= 0:
            score[r] = worth[r] + best
    return score, back
