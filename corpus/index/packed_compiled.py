"""Machine code for `corpus.index.packed.postings`: the same results, several times as fast for millions.

Imported only where it pays: numba costs half a second and 150 MB.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc,assignment"

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from corpus.fingerprint.hashing import U64
from corpus.index.packed import Numbers, Postings
from corpus.machine_code import cached

_FEW, _BUCKET, _MOST_BITS = 64, 1 << 13, 11


@cached
def count(key, shift, heads):
    """Add to heads[b + 1] how many keys have b in the bits from `shift` on."""
    mask = np.uint64(len(heads) - 2)
    for i in range(len(key)):
        heads[np.int64(key[i] >> shift & mask) + 1] += 1


@cached
def place(key, unit, shift, heads, to_key, to_unit):
    """Put pairs, in order, where those with the same bits begin; which then begin behind them."""
    mask = np.uint64(len(heads) - 2)
    for i in range(len(key)):
        bucket = np.int64(key[i] >> shift & mask)
        to = heads[bucket]
        to_key[to], to_unit[to] = key[i], unit[i]
        heads[bucket] = to + 1


@njit(nogil=True)
def follows(one_key, one_unit, key, unit):
    return one_key > key or (one_key == key and one_unit > unit)


@njit(nogil=True)
def insert(key, unit):
    """Order few pairs."""
    for i in range(1, len(key)):
        one, other = key[i], unit[i]
        to = np.int64(i)
        while to > 0 and follows(key[to - 1], unit[to - 1], one, other):
            key[to], unit[to] = key[to - 1], unit[to - 1]
            to -= 1
        key[to], unit[to] = one, other


@njit(nogil=True)
def run_end(key, unit, at):
    """Where the pairs from `at` on are no longer in order."""
    at += 1
    while at < len(key) and not follows(key[at - 1], unit[at - 1], key[at], unit[at]):
        at += 1
    return min(at, len(key))


@njit(nogil=True)
def merge(key, unit, to_key, to_unit):
    """Merge each run of pairs that are in order with the next one. How many runs are left."""
    runs, begin = 0, 0
    while begin < len(key):
        middle = run_end(key, unit, begin)
        end = run_end(key, unit, middle) if middle < len(key) else middle
        left, right = begin, middle
        for to in range(begin, end):
            if right == end or (
                left < middle and not follows(key[left], unit[left], key[right], unit[right])
            ):
                to_key[to], to_unit[to] = key[left], unit[left]
                left += 1
            else:
                to_key[to], to_unit[to] = key[right], unit[right]
                right += 1
        runs, begin = runs + 1, end
    return runs


@njit(nogil=True)
def sort(key, unit):
    """Many pairs are mostly those of one key, in a few runs: one of the files of each language."""
    if len(key) <= _FEW:
        insert(key, unit)
        return
    to_key, to_unit = np.empty_like(key), np.empty_like(unit)
    while merge(key, unit, to_key, to_unit) > 1:
        if merge(to_key, to_unit, key, unit) == 1:
            return
    key[:], unit[:] = to_key, to_unit


@njit(nogil=True)
def by_digit(key, unit, shift, ends, to_key, to_unit):
    """Put pairs, in order, by eight bits of their keys from `shift` on."""
    ends[:] = 0
    for i in range(len(key)):
        ends[np.int64(key[i] >> shift & np.uint64(255)) + 1] += 1
    for digit in range(1, 257):
        ends[digit] += ends[digit - 1]
    for i in range(len(key)):
        digit = np.int64(key[i] >> shift & np.uint64(255))
        to = ends[digit]
        to_key[to], to_unit[to] = key[i], unit[i]
        ends[digit] = to + 1


@njit(nogil=True)
def straighten(key, unit, shift):
    """Order pairs that are in order by the bits of their keys from `shift` on."""
    i = 1
    while i < len(key):
        if follows(key[i - 1], unit[i - 1], key[i], unit[i]):
            head = key[i] >> shift
            first = i - 1
            while first > 0 and key[first - 1] >> shift == head:
                first -= 1
            while i < len(key) and key[i] >> shift == head:
                i += 1
            sort(key[first:i], unit[first:i])
        i += 1


@cached
def ordered(key, unit, heads, shift, begins):
    """Order pairs within the buckets that end at `heads`, by two digits of their keys below `shift`, then
    what these leave.

    Overwrites the pairs with the distinct keys and the units of each, sets the bits of the units that keys
    begin with, and returns how many keys and units these are.
    """
    most, begin = 0, 0
    for bucket in range(len(heads) - 1):
        most, begin = max(most, heads[bucket] - begin), heads[bucket]
    spare_key, spare_unit, ends = (
        np.empty(most, np.uint64),
        np.empty(most, unit.dtype),
        np.empty(257, np.int64),
    )
    low, high = shift - np.uint64(16), shift - np.uint64(8)
    keys, units, begin = 0, 0, 0
    for bucket in range(len(heads) - 1):
        end = heads[bucket]
        size = end - begin
        own_key, own_unit = key[begin:end], unit[begin:end]
        if size > _FEW:
            by_digit(own_key, own_unit, low, ends, spare_key, spare_unit)
            by_digit(spare_key[:size], spare_unit[:size], high, ends, own_key, own_unit)
            straighten(own_key, own_unit, low)
        else:
            sort(own_key, own_unit)
        for i in range(begin, end):
            first = keys == 0 or key[i] != key[keys - 1]
            if first:
                begins[units >> 3] |= np.uint8(1 << (units & 7))
                key[keys] = key[i]
                keys += 1
            if first or unit[i] != unit[units - 1]:
                unit[units] = unit[i]
                units += 1
        begin = end
    return keys, units


def postings(keys: Sequence[U64], units: Sequence[Numbers]) -> Postings:
    """By the high bits of the keys in three steps; all but the first work on what the caches hold."""
    size = sum(map(len, keys))
    bits = min(max((size // _BUCKET).bit_length(), 1), _MOST_BITS)
    shift = np.uint64(64 - bits)
    heads = np.zeros((1 << bits) + 1, np.int64)
    for key in keys:
        count(key, shift, heads)
    heads = np.cumsum(heads)
    all_keys, all_units = np.empty(size, np.uint64), np.empty(size, units[0].dtype)
    for key, unit in zip(keys, units, strict=True):
        place(key, unit, shift, heads, all_keys, all_units)
    begins = np.zeros(-(-size // 8), np.uint8)
    distinct, made = ordered(all_keys, all_units, heads, shift, begins)
    return all_keys[:distinct], begins[: -(-made // 8)], all_units[:made]
