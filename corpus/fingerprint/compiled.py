"""Machine code for `corpus.fingerprint.sketch`: the results of the array code, in one call for many texts.

An array operation costs microseconds before it touches a number, and a source file of 6 KiB needs four
hundred of them; these loops need none. Imported only when asked for (`sketch(…, compiled=True)`): numba costs
half a second and 150 MB. All loops are linear and written in this one file, constants included, so that
numba's cache on disk, which looks at this file alone, never meets code of another version. Numbers wrap
modulo 2^64. The inner loops have no step that waits for the one before and no branch, so that the compiler
makes vectors of them.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.addresses import address
from corpus.machine_code import cached

_BASE = 0x9E3779B97F4A7C15
_BLOCK = 1024
_POWERS = np.array([pow(_BASE, i, 1 << 64) for i in range(_BLOCK)], np.uint64)
_INVERSES = np.array([pow(_BASE, -i, 1 << 64) for i in range(_BLOCK)], np.uint64)
_NEXT_BLOCK = np.uint64(pow(_BASE, _BLOCK, 1 << 64))
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
def run_hashes(tokens, k, out):
    """Hashes of all runs of k < _BLOCK tokens, in out; how many. By the sums of all powers before each."""
    count = max(0, len(tokens) - k + 1)
    sums = np.empty(_BLOCK, np.uint64)
    for low in range(0, count, _BLOCK - k):
        size = min(_BLOCK - k, count - low)
        own, hashes, after = tokens[low : low + size + k - 1], out[low : low + size], sums[k:]
        total = np.uint64(0)
        for i in range(len(own)):
            sums[i] = total
            total += own[i] * _POWERS[i]
        sums[len(own)] = total
        for i in range(len(hashes)):
            hashes[i] = mix((after[i] - sums[i]) * _INVERSES[i])
    return count


@njit(nogil=True)
def later_least(order, at, step, least, places):
    """least[i], places[i]: the smaller of order[i] and order[i + step], of equals the later one, and its
    place."""
    count = len(order) - step
    other, other_at = order[step:], at[step:]
    for i in range(count):
        one, two, one_at, two_at = order[i], other[i], at[i], other_at[i]
        least[i] = min(one, two)
        places[i] = two_at if two <= one else one_at
    return least[:count], places[:count]


@njit(nogil=True)
def winnow(tokens, k, window, room, out, at, first):
    """Keep the hashes of runs that are the least of a window, in out and, counted from `first`, at; how many.

    room: five arrays of _BLOCK numbers: so many are done at a time, to stay in the nearest cache. Least ones
    of 2, 4, … neighbours are found from those of half as many.
    """
    n = max(0, len(tokens) - k + 1)
    window = min(window, n)
    step, kept, before = _BLOCK - k - window, np.uint64(0), np.int64(-1)
    for low in range(0, n - window + 1 if n > 0 else 0, step):
        own, base = tokens[low : low + step + window + k - 2], np.int64(low + first)
        grams = room[0]
        count = run_hashes(own, k, grams)
        order, places = room[1][:count], room[2][:count]
        for i in range(count):
            order[i] = mix(grams[i] ^ _SELECT)
            places[i] = i
        spare, spare_places = room[3], room[4]
        width = 1
        while width < window:
            shift = min(width, window - width)
            least, least_at = later_least(order, places, shift, spare, spare_places)
            spare, spare_places, order, places = order, places, least, least_at
            width += shift
        for i in range(len(places)):
            place = base + np.int64(places[i])
            at[kept], out[kept] = place, grams[places[i]]
            kept += np.uint64(place != before)
            before = place
    return np.int64(kept)


@njit(nogil=True)
def range_hashes(tokens, first, last):
    out = np.empty(len(first), np.uint64)
    for j in range(len(first)):
        value, scale = np.uint64(last[j] - first[j]) * _LENGTH, np.uint64(1)
        for low in range(first[j], last[j], _BLOCK):
            own, part = tokens[low : min(low + _BLOCK, last[j])], np.uint64(0)
            for i in range(len(own)):
                part += own[i] * _POWERS[i]
            value += part * scale
            scale *= _NEXT_BLOCK
        out[j] = mix(value)
    return out


@njit(nogil=True)
def signature(shingles, a, b, out):
    """Minima of all permutations over 32-bit shingles, eight of these at a time, the last one repeated."""
    out[:] = np.uint32(0xFFFFFFFF)
    last = len(shingles) - 1
    for i in range(0, len(shingles), 8):
        c, d = shingles[i], shingles[min(i + 1, last)]
        e, f = shingles[min(i + 2, last)], shingles[min(i + 3, last)]
        g, h = shingles[min(i + 4, last)], shingles[min(i + 5, last)]
        j, k = shingles[min(i + 6, last)], shingles[min(i + 7, last)]
        for p in range(len(out)):
            one = min(np.uint32(c * a[p] + b[p]), np.uint32(d * a[p] + b[p]))
            two = min(np.uint32(e * a[p] + b[p]), np.uint32(f * a[p] + b[p]))
            three = min(np.uint32(g * a[p] + b[p]), np.uint32(h * a[p] + b[p]))
            four = min(np.uint32(j * a[p] + b[p]), np.uint32(k * a[p] + b[p]))
            out[p] = min(out[p], min(min(one, two), min(three, four)))


@njit(nogil=True)
def piece_signatures(shingles, first, last, a, b):
    """Signatures of the pieces that the ranges' ends cut a text into: ranges overlap.

    Returns them, and at each place where a piece begins its number. A piece in no range has none.
    """
    turns = np.zeros(len(shingles) + 1, np.int32)
    begins = np.zeros(len(shingles) + 1, np.bool_)
    for u in range(len(first)):
        turns[first[u]] += 1
        turns[last[u]] -= 1
        begins[first[u]] = begins[last[u]] = True
    piece = np.empty(len(shingles) + 1, np.int32)
    found = np.empty((2 * len(first) + 1, len(a)), np.uint32)
    count, depth, low = 0, 0, 0
    for at in range(len(begins)):
        if begins[at]:
            if depth > 0:
                signature(shingles[low:at], a, b, found[count - 1])
            depth += turns[at]
            piece[at], low = count, at
            count += 1
    return found, piece


@njit(nogil=True)
def unit_bands(tokens, first, last, k, least, rows, a, b, keys, has):
    """Fill keys[units, bands] and has[units]; a and b hold rows·bands permutations, row by row, then more."""
    hashes = np.empty(len(tokens), np.uint64)
    mixed = np.empty(run_hashes(tokens, k, hashes), np.uint32)
    for i in range(len(mixed)):
        mixed[i] = finalise(np.uint32(hashes[i] >> np.uint64(32)))
    for u in range(len(first)):
        has[u] = last[u] - first[u] >= least
    begin, end = first[has], last[has] - (k - 1)
    found, piece = piece_signatures(mixed, begin, end, a, b)
    bands = keys.shape[1]
    width = -(-bands // 8) * 8
    row = np.zeros(len(a) + width, np.uint32)
    seeds, key = np.empty(width, np.uint64), np.empty(width, np.uint64)
    for band in range(width):
        seeds[band] = mix(np.uint64(band + 1))
    to = 0
    for u in range(len(first)):
        if not has[u]:
            continue
        row[: len(a)] = np.uint32(0xFFFFFFFF)
        for number in range(piece[begin[to]], piece[end[to]]):
            own = found[number]
            for p in range(len(a)):
                row[p] = min(row[p], own[p])
        key[:] = seeds
        for r in range(rows):
            values = row[r * bands : r * bands + width]
            for band in range(width):
                key[band] = mix((key[band] ^ np.uint64(values[band])) * _BAND)
        keys[u] = key[:bands]
        to += 1


@cached
def sketch(raw, renamed, token_ends, first, last, sizes, a, b, keys, has):
    """(digest, literal, literal_at, renamed, renamed_at); fills keys and has.

    Of texts whose tokens lie one behind the other; token_ends: where those of each end. first, last, *_at:
    counted from the first token of all. sizes: literal k and window, renamed k and window, shingle k, least
    tokens of a unit with bands, rows. a, b: see `unit_bands`.
    """
    unit_bands(renamed, first, last, sizes[4], sizes[5], sizes[6], a, b, keys, has)
    n = len(raw)
    kept = np.empty(n + 1, np.uint64), np.empty(n + 1, np.uint64)
    at = np.empty(n + 1, np.int32), np.empty(n + 1, np.int32)
    room = (
        np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64),
        np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64),
    )  # fmt: skip
    counts, low = [0, 0], 0
    for high in token_ends:
        for layer in range(2):
            tokens, begin = renamed[low:high] if layer else raw[low:high], counts[layer]
            k, window = sizes[2 * layer], sizes[2 * layer + 1]
            counts[layer] += winnow(
                tokens, k, window, room, address(kept[layer][begin:]), address(at[layer][begin:]), low
            )  # fmt: skip
        low = high
    digest = range_hashes(renamed, first, last)
    one, two = counts
    return digest, kept[0][:one].copy(), at[0][:one].copy(), kept[1][:two].copy(), at[1][:two].copy()


@cached
def owners(first, last, number, count, one, two):
    """`corpus.index.record.owners` of the tokens `one` and `two`: the number of the shortest unit that holds
    each, of equals the last. count: of all tokens."""
    owner, least = np.zeros(count, np.uint32), np.full(count, count + 1, np.uint32)
    for u in range(len(first)):
        size, own = np.uint32(last[u] - first[u]), number[u]
        owned, smallest = owner[first[u] : last[u]], least[first[u] : last[u]]
        for i in range(len(owned)):
            owned[i] = own if size <= smallest[i] else owned[i]
            smallest[i] = min(size, smallest[i])
    return owners_of(owner, one), owners_of(owner, two)


@njit(nogil=True)
def owners_of(owner, tokens):
    out = np.empty(len(tokens), np.uint32)
    for i in range(len(tokens)):
        out[i] = owner[np.uint32(tokens[i])]
    return out
