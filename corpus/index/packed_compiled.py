"""Machine code for `corpus.index.packed.postings`: the same results, several times as fast for millions.

Imported only where it pays: numba costs half a second and 150 MB.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc,assignment"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

_PATIENCE = 32
"""Moves a pair, on average, before sorting by insertion is given up."""


@njit(nogil=True)
def scatter(key, unit, to_key, to_unit, shift, heads):
    """Distribute the pairs, in order, by the bits of their keys from `shift` on.

    heads: int64, one more than there are values of these bits; gets the end of each bucket.
    """
    mask = np.uint64(len(heads) - 2)
    heads[:] = 0
    for i in range(len(key)):
        heads[np.int64(key[i] >> shift & mask) + 1] += 1
    for bucket in range(1, len(heads)):
        heads[bucket] += heads[bucket - 1]
    for i in range(len(key)):
        bucket = np.int64(key[i] >> shift & mask)
        to_key[heads[bucket]], to_unit[heads[bucket]] = key[i], unit[i]
        heads[bucket] += 1


@njit(nogil=True)
def precedes(key, unit, i, one, other):
    return key[i] < one or (key[i] == one and unit[i] < other)


@njit(nogil=True)
def sink(key, unit, root, count):
    """Let the pair at `root` of a heap of `count` pairs sink to its place, the largest is above."""
    one, other = key[root], unit[root]
    while 2 * root + 1 < count:
        child = 2 * root + 1
        if child + 1 < count and precedes(key, unit, child, key[child + 1], unit[child + 1]):
            child += 1
        if precedes(key, unit, child, one, other):
            break
        key[root], unit[root] = key[child], unit[child]
        root = child
    key[root], unit[root] = one, other


@njit(nogil=True)
def sort(key, unit):
    """Pairs that are few or nearly in order by insertion, others as a heap."""
    left = _PATIENCE * len(key)
    for i in range(1, len(key)):
        one, other = key[i], unit[i]
        to = np.int64(i)
        while to > 0 and (key[to - 1] > one or (key[to - 1] == one and unit[to - 1] > other)):
            key[to], unit[to] = key[to - 1], unit[to - 1]
            to -= 1
        key[to], unit[to] = one, other
        left -= i - to
        if left < 0:
            for root in range(len(key) // 2 - 1, -1, -1):
                sink(key, unit, root, len(key))
            for count in range(len(key) - 1, 0, -1):
                one, other = key[0], unit[0]
                key[0], unit[0] = key[count], unit[count]
                key[count], unit[count] = one, other
                sink(key, unit, 0, count)
            return


@cached
def postings(key, unit):
    """By the high bits of the keys in two steps, so that each works on what the caches hold.

    Overwrites the pairs: what it returns are parts of the given arrays.
    """
    n = len(key)
    bits = 2
    while 8 << bits < n and bits < 24:
        bits += 1
    low = bits // 2
    heads, own = np.empty((1 << (bits - low)) + 1, np.int64), np.empty((1 << low) + 1, np.int64)
    spare_key, spare_unit = np.empty(n, np.uint64), np.empty(n, np.uint32)
    scatter(key, unit, spare_key, spare_unit, np.uint64(64 - bits + low), heads)
    count, begin = 0, 0
    for bucket in range(len(heads) - 1):
        end = heads[bucket]
        to_key, to_unit = key[begin:end], unit[begin:end]
        scatter(spare_key[begin:end], spare_unit[begin:end], to_key, to_unit, np.uint64(64 - bits), own)
        first = 0
        for small in range(len(own) - 1):
            sort(to_key[first : own[small]], to_unit[first : own[small]])
            first = own[small]
        for i in range(begin, end):
            if count == 0 or key[i] != key[count - 1] or unit[i] != unit[count - 1]:
                key[count], unit[count] = key[i], unit[i]
                count += 1
        begin = end
    return key[:count], unit[:count]
