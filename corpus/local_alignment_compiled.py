"""Machine code for corpus.local_alignment and corpus.pair_scores: the same tables, pairs and scores."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np

from corpus.machine_code import cached


@cached
def fill(scores, gap):
    """See corpus.local_alignment.fill: only what comes from the left waits for the cell before."""
    n, m = scores.shape
    table = np.empty((n + 1, m + 1), np.int32)
    table[0] = 0
    for i in range(n):
        above, row, score = table[i], table[i + 1], scores[i]
        row[0] = 0
        for j in range(m):
            row[j + 1] = max(above[j] + score[j], above[j + 1] - gap, 0)
        left = 0
        for j in range(m):
            left = max(row[j + 1], left - gap)
            row[j + 1] = left
    return table


@cached
def trace(table, scores, gap, i, j):
    """See corpus.local_alignment.trace."""
    pairs = np.empty((min(i, j), 2), np.int64)
    left = len(pairs)
    while table[i, j] > 0:
        here = table[i, j]
        if here == table[i - 1, j - 1] + scores[i - 1, j - 1]:
            i, j, left = i - 1, j - 1, left - 1
            pairs[left, 0], pairs[left, 1] = i, j
        elif here == table[i - 1, j] - gap:
            i -= 1
        else:
            j -= 1
    return pairs[left:]


@cached
def _slot_of(head, their_keys, key):
    """Where a key stands in a hash table of places, or would stand: linear probing, 2^n slots."""
    width, last = their_keys.shape[1], len(head) - 1
    slot = np.int64((key ^ key >> np.uint64(32)) & np.uint64(last))
    while head[slot] >= 0 and their_keys[head[slot] // width, head[slot] % width] != key:
        slot = slot + 1 & last
    return slot


@cached
def pair_scores(symbol, keys, value, weights, their_symbol, their_keys, mismatch):
    """See corpus.pair_scores.pair_scores."""
    n, m, width = len(symbol), len(their_symbol), keys.shape[1]
    slots = 64
    while slots < 2 * m * width:
        slots *= 2
    head = np.full(slots, -1, np.int64)  # a hash table: the last place of each of their keys
    before = np.empty(m * width, np.int64)
    for j in range(m):
        for b in range(width):
            key = their_keys[j, b]
            if key == 0:
                break
            slot = _slot_of(head, their_keys, key)
            before[j * width + b], head[slot] = head[slot], j * width + b
    scores = np.empty((n, m), np.int32)
    for i in range(n):
        mine, plain, row = symbol[i], weights[symbol[i]], scores[i]
        for j in range(m):
            row[j] = plain if their_symbol[j] == mine else mismatch
        for a in range(width):
            key = keys[i, a]
            if key == 0:
                break
            slot = _slot_of(head, their_keys, key)
            place = head[slot]
            while place >= 0:
                j = place // width
                if their_symbol[j] == mine:
                    row[j] = max(row[j], value[i, a])
                place = before[place]
    return scores
