"""Machine code for `corpus.fingerprint.sketch`: the same results as the array code, in one call a text.

An array operation costs microseconds before it touches a number, and a source file of 6 KiB needs four
hundred of them; these loops need none. Imported only when asked for (`sketch(…, compiled=True)`): numba costs
half a second and 150 MB. All loops are linear and written in this one file, constants included, so that
numba's cache on disk, which looks at this file alone, never meets code of another version. Numbers wrap
modulo 2^64.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_SELECT = np.uint64(0xA0761D6478BD642F)
_LENGTH = np.uint64(0xD6E8FEB86659FD93)
_BAND = np.uint64(0x9FB21C651E98DF25)


@njit(nogil=True)
def mix(z):
    """`corpus.fingerprint.hashing.mix` of one number."""
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(nogil=True)
def finalise(h):
    """MurmurHash3's 32-bit finaliser of one number."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


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
def winnow(tokens, k, window):
    """Looks for the smallest of a window anew only when the last one has left it."""
    grams = run_hashes(tokens, k)
    n = len(grams)
    at = np.empty(n, np.int32)
    if n == 0:
        return grams, at
    kept, best, least = 0, -1, np.uint64(0)
    order = np.empty(n, np.uint64)
    for i in range(n):
        order[i] = mix(grams[i] ^ _SELECT)
    for end in range(min(window, n) - 1, n):
        first = max(0, end - window + 1)
        if best < first:
            best = first
            for i in range(first + 1, end + 1):
                if order[i] <= order[best]:
                    best = i
        elif order[end] <= least:
            best = end
        least = order[best]
        if kept == 0 or at[kept - 1] != best:
            at[kept] = best
            kept += 1
    at = at[:kept].copy()
    return grams[at], at


@njit(nogil=True)
def range_hashes(tokens, first, last):
    out = np.empty(len(first), np.uint64)
    for j in range(len(first)):
        value, power = np.uint64(0), np.uint64(1)
        for i in range(first[j], last[j]):
            value += tokens[i] * power
            power *= _BASE
        out[j] = mix(value + np.uint64(last[j] - first[j]) * _LENGTH)
    return out


@njit(nogil=True)
def signature(shingles, a, b, out):
    """Minima of all permutations over one unit's 32-bit shingles."""
    out[:] = np.uint32(0xFFFFFFFF)
    for h in shingles:
        for p in range(len(out)):
            value = np.uint32(h * a[p] + b[p])
            out[p] = min(out[p], value)


@njit(nogil=True)
def unit_bands(tokens, first, last, k, least, rows, a, b, keys, has):
    """Fill keys[units, bands] and has[units]; a and b hold bands·rows permutations."""
    shingles = run_hashes(tokens, k)
    mixed = np.empty(len(shingles), np.uint32)
    for i in range(len(shingles)):
        mixed[i] = finalise(np.uint32(shingles[i] >> np.uint64(32)))
    row = np.empty(len(a), np.uint32)
    for u in range(len(first)):
        has[u] = last[u] - first[u] >= least
        if not has[u]:
            continue
        signature(mixed[first[u] : last[u] - k + 1], a, b, row)
        for band in range(keys.shape[1]):
            key = mix(np.uint64(band + 1))
            for r in range(rows):
                key = mix((key ^ np.uint64(row[band * rows + r])) * _BAND)
            keys[u, band] = key


@cached
def sketch(raw, renamed, first, last, sizes, a, b, keys, has):
    """(digest, literal, literal_at, renamed, renamed_at); fills keys and has.

    sizes: literal k and window, renamed k and window, shingle k, least tokens of a unit with bands, rows.
    """
    unit_bands(renamed, first, last, sizes[4], sizes[5], sizes[6], a, b, keys, has)
    literal, literal_at = winnow(raw, sizes[0], sizes[1])
    equal, equal_at = winnow(renamed, sizes[2], sizes[3])
    return range_hashes(renamed, first, last), literal, literal_at, equal, equal_at


@njit(nogil=True)
def distinct(values, count):
    """Sort the first `count` values in place and move the distinct ones to the front; how many there are."""
    if count == 0:
        return 0
    values[:count] = np.sort(values[:count])
    kept = 1
    for i in range(1, count):
        if values[i] != values[kept - 1]:
            values[kept] = values[i]
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
    low, high = np.searchsorted(at, first), np.searchsorted(at, last)
    gram_low, gram_high = np.searchsorted(plain, first), np.searchsorted(plain, last)
    room, widest = 0, 0
    for u in range(len(first)):
        if least <= last[u] - first[u] <= most:
            size = (high[u] - low[u]) * keys.shape[1] + 2 * (gram_high[u] - gram_low[u])
            room += size
            widest = max(widest, size)
    out_keys, out_units = np.empty(room, np.uint64), np.empty(room, np.uint32)
    found = np.empty(widest, np.uint64)
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
            found[size] = mix(shorter[i] ^ np.uint64(short))
            size += 1
        for i in range(gram_low[u], gram_high[u] - long + 1):
            found[size] = mix(longer[i] ^ np.uint64(long))
            size += 1
        size = distinct(found, size)
        out_keys[total : total + size] = found[:size]
        out_units[total : total + size] = u
        total += size
    return out_keys[:total].copy(), out_units[:total].copy()
