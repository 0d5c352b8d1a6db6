"""Alignment of two token streams: which token of one stands for which token of the other.

Seeds are equal runs of `SEED` tokens; seeds on one diagonal join to runs; runs chain in order with gaps; gaps
and edges are filled by a longest common subsequence. All streams are uint64 hashes of one layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, run_hashes

SEED = 7
"""Tokens of a seed: below the finding length (16), so that a found region is extended past small edits."""

MAX_OCCURRENCES = 40
"""A seed that the other side holds more often starts nothing (tables, repeated calls)."""

MAX_RUNS = 500
MAX_GAP = 90
"""Unmatched tokens (on either side) that a chain may bridge: about ten lines."""

GAP_COST = 0.12
SKEW_COST = 0.10
EDGE = 48
"""Tokens beyond a chain's ends that may still be joined to it."""

STRAY = 3
"""Tokens of a run that say nothing about where a copy begins or ends."""

CORE_GAP = 0.4

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Matched token pairs in ascending order on both sides: left[i] ↔ right[i]."""

    left: Ints
    right: Ints

    @property
    def extent(self) -> tuple[int, int, int, int]:
        """First and last matched token of the left and of the right side (inclusive)."""
        return int(self.left[0]), int(self.left[-1]), int(self.right[0]), int(self.right[-1])

    def longest_run(self) -> int:
        """Most consecutive tokens that match without a gap on either side."""
        breaks = np.flatnonzero((np.diff(self.left) != 1) | (np.diff(self.right) != 1))
        edges = np.concatenate(([-1], breaks, [len(self.left) - 1]))
        return int(np.diff(edges).max())


def common_runs(left: U64, right: U64, k: int = SEED, *, compiled: bool = False) -> tuple[Ints, Ints, Ints]:
    """Maximal equal runs of at least k tokens: starts on the left, starts on the right, lengths.

    By the difference of the starts, then by the start. compiled: by machine code, the same.
    """
    if compiled:
        from corpus.align_compiled import common_runs as machine_code

        i, j, length = machine_code(left, right, k, MAX_OCCURRENCES).T
        order = np.lexsort((i, j - i))
        return i[order], j[order], length[order]
    a, b = run_hashes(left, k), run_hashes(right, k)
    if not len(a) or not len(b):
        return (np.empty(0, np.int64),) * 3
    known = np.sort(a)  # a file is mostly longer than a change: only what both hold is put in order
    order = np.flatnonzero(known[np.minimum(np.searchsorted(known, b), len(known) - 1)] == b)
    order = order[np.argsort(b[order], kind="stable")]
    sorted_b = b[order]
    low = np.searchsorted(sorted_b, a, "left")
    count = np.searchsorted(sorted_b, a, "right") - low
    count[count > MAX_OCCURRENCES] = 0
    i = np.repeat(np.arange(len(a)), count)
    starts = np.cumsum(count) - count
    j = order[np.arange(len(i)) + (low - starts)[i]] if len(i) else i
    diagonal = j - i
    order = np.lexsort((i, diagonal))
    i, diagonal = i[order], diagonal[order]
    if not len(i):
        return i, i, i
    new = np.concatenate(([True], (diagonal[1:] != diagonal[:-1]) | (i[1:] != i[:-1] + 1)))
    first = np.flatnonzero(new)
    length = np.diff(np.append(first, len(i))) + k - 1
    return i[first], i[first] + diagonal[first], length


def align(
    left: U64, right: U64, weight: NDArray[np.float64], least: float, *, compiled: bool = False
) -> list[Alignment]:
    """Local alignments of two streams, best first, that do not overlap on the left side.

    weight: worth of each left token. least: chains worth less are left out. compiled: use machine code
    (numba; the first call loads it). The result is the same.
    """
    i, j, length = common_runs(left, right, compiled=compiled)
    if not len(i):
        return []
    prefix = np.concatenate(([0.0], np.cumsum(weight)))
    worth = prefix[i + length] - prefix[i]
    if len(i) > MAX_RUNS:
        best = np.argpartition(-worth, MAX_RUNS)[:MAX_RUNS]
        i, j, length, worth = i[best], j[best], length[best], worth[best]
    order = np.lexsort((j, i))
    i, j, length, worth = i[order], j[order], length[order], worth[order]
    out = []
    for chain in _chains(i, j, length, worth, prefix, least, compiled=compiled):
        if compiled:
            from corpus.align_compiled import chain_pairs

            pairs = chain_pairs(np.array(chain), i, j, length, left, right, EDGE, STRAY, CORE_GAP)
        else:
            pairs = _core(_fill(chain, i, j, length, left, right))
        out.append(Alignment(pairs[:, 0], pairs[:, 1]))
    return out


def _chains(
    i: Ints,
    j: Ints,
    length: Ints,
    worth: NDArray[np.float64],
    prefix: NDArray[np.float64],
    least: float,
    *,
    compiled: bool,
) -> list[list[int]]:
    """Chains of runs by dynamic programming, best first; each run is in one chain at the most."""
    end_i = i + length
    if compiled:
        from corpus.align_compiled import best_chains

        score, back = best_chains(i, j, length, worth, prefix, MAX_GAP, GAP_COST, SKEW_COST)
    else:
        score, back = _best_chains(i, j, length, worth, prefix)
    used = np.zeros(len(i), bool)
    taken = np.zeros(len(prefix), bool)
    found = []
    for tail in np.argsort(-score).tolist():
        if score[tail] < least:
            break
        chain: list[int] = []
        at = tail
        while at >= 0 and not used[at]:
            chain.append(at)
            at = int(back[at])
        if not chain or used[tail] or (at >= 0 and score[tail] - score[at] < least):
            continue
        chain.reverse()
        used[chain] = True
        free = [r for r in chain if not taken[i[r] : end_i[r]].all()]
        if free and sum(worth[r] for r in free) >= least / 2:
            found.append(chain)
            taken[i[chain[0]] : end_i[chain[-1]]] = True
    return found


def _best_chains(
    i: Ints, j: Ints, length: Ints, worth: NDArray[np.float64], prefix: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Ints]:
    """Score of the best chain that ends with each run, and the run before it in that chain (-1: none).

    What following one run with another costs is found for all pairs at once; then one pass adds up.
    """
    m = len(i)
    end_i, end_j = i + length, j + length
    low = np.searchsorted(i, i - MAX_GAP - int(length.max()))
    count = np.arange(m) - low
    run = np.repeat(np.arange(m), count)
    before = np.arange(len(run)) - np.repeat(np.cumsum(count) - count - low, count)
    gap_i, gap_j = i[run] - end_i[before], j[run] - end_j[before]
    overlap = np.maximum(0, -np.minimum(gap_i, gap_j))
    possible = np.flatnonzero(
        (np.maximum(gap_i, gap_j) <= MAX_GAP)
        & (overlap < length[run])
        & (j[before] < j[run])
        & (i[before] < i[run])
    )
    run, before, overlap = run[possible], before[possible], overlap[possible]
    gap_i, gap_j = gap_i[possible], gap_j[possible]
    lost = prefix[np.minimum(i[run] + overlap, end_i[run])] - prefix[i[run]]
    cost = GAP_COST * np.maximum(0, np.minimum(gap_i, gap_j)) + SKEW_COST * np.abs(gap_i - gap_j)
    score, back = worth.copy(), np.full(m, -1, np.int64)
    first = np.flatnonzero(np.concatenate(([True], run[1:] != run[:-1]))) if len(run) else run
    for r, a, b in zip(run[first].tolist(), first.tolist(), [*first[1:].tolist(), len(run)], strict=False):
        total = score[before[a:b]] - lost[a:b] - cost[a:b]
        best = int(total.argmax())
        if total[best] > 0:
            score[r] = worth[r] + total[best]
            back[r] = before[a + best]
    return score, back


def _fill(chain: list[int], i: Ints, j: Ints, length: Ints, left: U64, right: U64) -> Ints:
    """Token pairs of a chain: its runs, the gaps between them, and what joins at both ends."""
    parts: list[Any] = []
    at_i, at_j = int(i[chain[0]]), int(j[chain[0]])
    parts.append(_edge(left, right, at_i, at_j, -1))
    for r in chain:
        skip = max(0, at_i - int(i[r]), at_j - int(j[r]))
        a, b, n = int(i[r]) + skip, int(j[r]) + skip, int(length[r]) - skip
        if n <= 0:
            continue
        parts.append(lcs(left[at_i:a], right[at_j:b]) + np.array((at_i, at_j)))
        steps = np.arange(n)
        parts.append(np.stack((a + steps, b + steps), axis=1))
        at_i, at_j = a + n, b + n
    parts.append(_edge(left, right, at_i, at_j, 1))
    return np.concatenate(parts)


def _core(pairs: Ints) -> Ints:
    """The stretch of an alignment that is worth most: scattered pairs at its ends are left off.

    Runs gain their length beyond STRAY tokens, gaps cost CORE_GAP a token; the best stretch is Kadane's.
    """
    steps = np.diff(pairs, axis=0)
    first = np.flatnonzero(np.concatenate(([True], (steps != 1).any(axis=1))))
    length = np.diff(np.append(first, len(pairs)))
    gap = (steps[first[1:] - 1] - 1).max(axis=1)
    best, best_span, total, start = -np.inf, (0, 0), 0.0, 0
    for run, gain in enumerate((length - STRAY).tolist()):
        joined = total - CORE_GAP * float(gap[run - 1]) if run else -np.inf
        if joined <= 0:
            total, start = float(gain), run
        else:
            total = joined + gain
        if total > best:
            best, best_span = total, (start, run)
    low, high = best_span
    return pairs[first[low] : first[high] + length[high]]


def _edge(left: U64, right: U64, i: int, j: int, direction: int) -> Ints:
    """Pairs beyond the end of a chain, as far as matches outweigh what they skip."""
    if direction > 0:
        a, b = left[i : i + EDGE], right[j : j + EDGE]
    else:
        a, b = left[max(0, i - EDGE) : i][::-1], right[max(0, j - EDGE) : j][::-1]
    pairs = lcs(a, b)
    if not len(pairs):
        return np.empty((0, 2), np.int64)
    steps = np.diff(pairs, axis=0, prepend=[[-1, -1]]) - 1
    gain = np.cumsum(1.0 - 0.5 * steps.max(axis=1) - 0.25 * (steps.sum(axis=1) > 0))
    best = int(np.argmax(gain))
    if gain[best] <= 1.0:
        return np.empty((0, 2), np.int64)
    pairs = pairs[: best + 1]
    return pairs + np.array((i, j)) if direction > 0 else ((i - 1, j - 1) - pairs)[::-1]


def lcs(a: U64, b: U64) -> Ints:
    """A longest common subsequence of two short streams as index pairs, int64[m, 2].

    Bit-parallel (Hyyrö 2004, after Crochemore et al. 2001): one big integer a row; rows are kept to walk
    back. O(len(a)·len(b)/64) word steps.
    """
    n, m = len(a), len(b)
    if n == 0 or m == 0:
        return np.empty((0, 2), np.int64)
    masks: dict[int, int] = {}
    for position, value in enumerate(b.tolist()):
        masks[value] = masks.get(value, 0) | 1 << position
    full = (1 << m) - 1
    row = full
    rows = [row]
    for value in a.tolist():
        matches = row & masks.get(value, 0)
        row = ((row + matches) | (row - matches)) & full
        rows.append(row)
    # Bit p of ~rows[i] is set where column p + 1 has a longer common subsequence than column p.
    pairs = []
    x, y = n, m
    a_list, b_list = a.tolist(), b.tolist()
    while x and y:
        if rows[x] >> (y - 1) & 1:  # column y adds nothing in row x
            y -= 1
        elif not rows[x - 1] >> (y - 1) & 1 and a_list[x - 1] != b_list[y - 1]:
            x -= 1
        elif a_list[x - 1] == b_list[y - 1]:
            pairs.append((x - 1, y - 1))
            x, y = x - 1, y - 1
        else:
            x -= 1
    return np.array(pairs[::-1], np.int64).reshape(-1, 2)
