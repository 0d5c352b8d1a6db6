"""Machine code for `corpus.fingerprint.features`: the distinct features of units of many texts, in one call.

Linear loops, written in this one file for numba's cache on disk. Numbers wrap modulo 2^64.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))


@njit(nogil=True)
def mix(z):
    """`corpus.fingerprint.hashing.mix` of one number."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True)
def run_hashes(tokens, k):
    """Rolling: the leftmost token leaves, the others move down a power, the next one comes in."""
    count = len(tokens) - k + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    out = np.empty(count, np.uint64)
    value, power = np.uint64(0), np.uint64(1)
    for i in range(k):
        value += tokens[i] * power
        power *= _BASE
    top = power * _INVERSE
    out[0] = mix(value)
    for i in range(1, count):
        value = (value - tokens[i - 1]) * _INVERSE + tokens[i + k - 1] * top
        out[i] = mix(value)
    return out


@njit(nogil=True)
def sort(values, count, spare, heads):
    """Sort the first `count` values, distinct hashes: by their high bits, then each among its few neighbours.

    spare: room for as many; heads: int64, more than twice as many.
    """
    if count > 24:
        bits = 1
        while 1 << bits < count:
            bits += 1
        shift = np.uint64(64 - bits)
        heads[: (1 << bits) + 1] = 0
        for i in range(count):
            heads[np.int64(values[i] >> shift) + 1] += 1
        for b in range(1 << bits):
            heads[b + 1] += heads[b]
        for i in range(count):
            spare[i] = values[i]
        for i in range(count):
            head = np.int64(spare[i] >> shift)
            values[heads[head]] = spare[i]
            heads[head] += 1
    for i in range(1, count):
        value, j = values[i], i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(nogil=True)
def slot_count(count):
    """A power of two that leaves at least every other slot free."""
    size = 16
    while size < 2 * count:
        size *= 2
    return size


@njit(nogil=True)
def distinct(values, count, slots, marks, mark):
    """Move the distinct ones of the first `count` values to the front; how many there are.

    slots, marks: a hash table of a power of two; an entry counts only where its mark is `mark`.
    """
    mask, kept = len(slots) - 1, 0
    for i in range(count):
        value = values[i]
        slot = np.int64(value & np.uint64(mask))
        while marks[slot] == mark and slots[slot] != value:
            slot = (slot + 1) & mask
        if marks[slot] != mark:
            slots[slot], marks[slot] = value, mark
            values[kept] = value
            kept += 1
    return kept


@cached
def unit_features(at, symbol, keys, first, last, name, number, short, long, least, most):
    """`corpus.fingerprint.features.unit_features`; short, long: lengths of the two kinds of grams."""
    m = len(at)
    stream, plain = np.empty(m, np.uint64), np.empty(m, np.int64)
    count = 0
    for i in range(m):
        if symbol[i] != name:
            value = keys[i, 0] if symbol[i] == number else np.uint64(symbol[i])
            stream[count] = mix(value)
            plain[count] = at[i]
            count += 1
    stream, plain = stream[:count], plain[:count]
    shorter, longer = run_hashes(stream, short), run_hashes(stream, long)
    for i in range(len(shorter)):
        shorter[i] = mix(shorter[i] ^ np.uint64(short))
    for i in range(len(longer)):
        longer[i] = mix(longer[i] ^ np.uint64(long))
    low, high = np.searchsorted(at, first), np.searchsorted(at, last)
    gram_low, gram_high = np.searchsorted(plain, first), np.searchsorted(plain, last)
    room, widest = 0, 0
    for u in range(len(first)):
        if least <= last[u] - first[u] <= most:
            size = (high[u] - low[u]) * keys.shape[1] + 2 * (gram_high[u] - gram_low[u])
            room += size
            widest = max(widest, size)
    out_keys, out_units = np.empty(room, np.uint64), np.empty(room, np.uint32)
    found, spare = np.empty(widest, np.uint64), np.empty(widest, np.uint64)
    heads = np.empty(2 * widest + 2, np.int64)
    slots = np.empty(slot_count(widest), np.uint64)
    marks = np.full(len(slots), -1, np.int32)
    total = 0
    for u in range(len(first)):
        if not least <= last[u] - first[u] <= most:
            continue
        size = 0
        for i in range(low[u], high[u]):
            for k in range(keys.shape[1]):
                if keys[i, k] != 0:
                    found[size] = keys[i, k]
                    size += 1
        for i in range(gram_low[u], gram_high[u] - short + 1):
            found[size] = shorter[i]
            size += 1
        for i in range(gram_low[u], gram_high[u] - long + 1):
            found[size] = longer[i]
            size += 1
        size = distinct(found, size, slots, marks, u)
        sort(found, size, spare, heads)
        out_keys[total : total + size] = found[:size]
        out_units[total : total + size] = u
        total += size
    return out_keys[:total].copy(), out_units[:total].copy()


@cached
def token_features(
    kind, neutral, renamed, ids, words, dress, same, kinds, symbols, first, last, short, long, least, most
):
    """The features of units of n tokens: `elements`, then `unit_features`.

    words: uint64[v, 4] of the v spellings. dress, same: by symbol, whether it is dress, what stands for it.
    kinds, symbols: of names, numbers, strings.
    """
    n = len(kind)
    count = 0
    for i in range(n):
        count += kind[i] == kinds[0] or not dress[neutral[i]]
    at, symbol, keys = np.empty(count, np.int64), np.empty(count, np.uint16), np.empty((count, 4), np.uint64)
    to = 0
    for i in range(n):
        if kind[i] != kinds[0] and dress[neutral[i]]:
            continue
        at[to], symbol[to] = i, same[neutral[i]]
        for k in range(4):
            keys[to, k] = words[ids[i], k]
        for one in range(3):
            if kind[i] == kinds[one]:
                symbol[to] = symbols[one]
        if kind[i] == kinds[1]:
            keys[to, 0] = renamed[i]
        to += 1
    return unit_features(at, symbol, keys, first, last, symbols[0], symbols[1], short, long, least, most)
