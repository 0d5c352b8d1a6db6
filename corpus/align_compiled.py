"""Machine code for corpus.align: the same pairs and the same chains."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


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


@njit(nogil=True)
def run_values(tokens, k):
    """A value for each run of k tokens: the polynomial of corpus.fingerprint.hashing before it is mixed."""
    values = np.empty(max(0, len(tokens) - k + 1), np.uint64)
    top = np.uint64(1)
    for _ in range(k - 1):
        top *= _BASE
    value = np.uint64(0)
    for at in range(len(tokens)):
        if at >= k:
            value -= tokens[at - k]
        value = value * _INVERSE + tokens[at] * top
        if at >= k - 1:
            values[at - k + 1] = value
    return values


@cached
def common_runs(left, right, k, most):
    """See corpus.align.common_runs: the same runs, int64[r, 3], by the start on the right.

    Equal values of the left side make a group; a run begins where the two sides meet in a group and did not
    meet one token before.
    """
    a, b = run_values(left, k), run_values(right, k)
    n, m = len(a), len(b)
    slots = 64
    while slots < 2 * n:
        slots *= 2
    shift = np.uint64(32)
    head = np.full(slots, -1, np.int64)  # a hash table: the last place of each value on the left
    group, before = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        slot = np.int64((a[i] ^ a[i] >> shift) & np.uint64(slots - 1))
        while head[slot] >= 0 and a[head[slot]] != a[i]:
            slot = slot + 1 & slots - 1
        group[i], before[i], head[slot] = slot, head[slot], i
    met, times = np.full(m, -1, np.int64), np.zeros(slots, np.int64)
    for j in range(m):
        slot = np.int64((b[j] ^ b[j] >> shift) & np.uint64(slots - 1))
        while head[slot] >= 0 and a[head[slot]] != b[j]:
            slot = slot + 1 & slots - 1
        if head[slot] >= 0:
            met[j] = slot
            times[slot] += 1
    for j in range(m):
        if met[j] >= 0 and times[met[j]] > most:
            met[j] = -1
    runs, count = np.empty((64, 3), np.int64), 0
    for j in range(m):
        i = head[met[j]] if met[j] >= 0 else -1
        while i >= 0:
            if i == 0 or j == 0 or group[i - 1] != met[j - 1]:
                size = 1
                while i + size < n and j + size < m and group[i + size] == met[j + size]:
                    size += 1
                if count == len(runs):
                    grown = np.empty((2 * count, 3), np.int64)
                    grown[:count] = runs
                    runs = grown
                runs[count, 0], runs[count, 1], runs[count, 2] = i, j, size + k - 1
                count += 1
            i = before[i]
    return runs[:count]


@njit(nogil=True)
def edge_pairs(left, right, i, j, step, edge):
    """See corpus.align._edge; step: 1 or -1. Pairs as they lie from the chain's end on."""
    if step > 0:
        pairs = lcs(left[i : i + edge], right[j : j + edge])
    else:
        a, b = np.empty(min(i, edge), np.uint64), np.empty(min(j, edge), np.uint64)
        for x in range(len(a)):
            a[x] = left[i - 1 - x]
        for y in range(len(b)):
            b[y] = right[j - 1 - y]
        pairs = lcs(a, b)
    gain, best, kept, x, y = 0.0, 1.0, 0, -1, -1
    for p in range(len(pairs)):
        over_x, over_y = pairs[p, 0] - x - 1, pairs[p, 1] - y - 1
        x, y = pairs[p, 0], pairs[p, 1]
        gain += 1.0 - 0.5 * max(over_x, over_y)
        if over_x + over_y > 0:
            gain -= 0.25
        if gain > best:
            best, kept = gain, p + 1
    return pairs[:kept]


@njit(nogil=True)
def follows(pairs, p):
    """Whether a pair comes right after the one before on both sides."""
    return pairs[p, 0] == pairs[p - 1, 0] + 1 and pairs[p, 1] == pairs[p - 1, 1] + 1


@njit(nogil=True)
def core(pairs, stray, core_gap):
    """First and last (half-open) of the pairs that are worth most: see corpus.align._core."""
    best, low, high = -np.inf, 0, 0
    total, start, at = 0.0, 0, 0
    while at < len(pairs):
        end = at + 1
        while end < len(pairs) and follows(pairs, end):
            end += 1
        gain = float(end - at - stray)
        worth = -np.inf
        if at:
            gap = max(pairs[at, 0] - pairs[at - 1, 0], pairs[at, 1] - pairs[at - 1, 1]) - 1
            worth = total - core_gap * float(gap)
        if worth <= 0:
            total, start = gain, at
        else:
            total = worth + gain
        if total > best:
            best, low, high = total, start, end
        at = end
    return low, high


@cached
def chain_pairs(chain, i, j, length, left, right, edge, stray, core_gap):
    """See corpus.align._fill and _core."""
    room = min(len(left), len(right))
    pairs, count = np.empty((room, 2), np.int64), 0
    at_i, at_j = i[chain[0]], j[chain[0]]
    joined = edge_pairs(left, right, at_i, at_j, -1, edge)
    for p in range(len(joined) - 1, -1, -1):
        pairs[count, 0], pairs[count, 1] = at_i - 1 - joined[p, 0], at_j - 1 - joined[p, 1]
        count += 1
    for r in chain:
        skip = max(0, at_i - i[r], at_j - j[r])
        a, b, size = i[r] + skip, j[r] + skip, length[r] - skip
        if size <= 0:
            continue
        between = lcs(left[at_i:a], right[at_j:b])
        for p in range(len(between)):
            pairs[count, 0], pairs[count, 1] = at_i + between[p, 0], at_j + between[p, 1]
            count += 1
        for p in range(size):
            pairs[count, 0], pairs[count, 1] = a + p, b + p
            count += 1
        at_i, at_j = a + size, b + size
    joined = edge_pairs(left, right, at_i, at_j, 1, edge)
    for p in range(len(joined)):
        pairs[count, 0], pairs[count, 1] = at_i + joined[p, 0], at_j + joined[p, 1]
        count += 1
    low, high = core(pairs[:count], stray, core_gap)
    return pairs[low:high]
