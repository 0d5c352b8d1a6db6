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
        start = end
        if best < first:
            best, least, start = first, order[first], first + 1
        for i in range(start, end + 1):
            smaller = order[i] <= least
            best = i if smaller else best
            least = order[i] if smaller else least
        at[kept] = best
        kept += 1 if kept == 0 or at[kept - 1] != best else 0
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
    """Minima of all permutations over one unit's 32-bit shingles, four of these at a time."""
    out[:] = np.uint32(0xFFFFFFFF)
    whole = len(shingles) - len(shingles) % 4
    for i in range(0, whole, 4):
        h, j, k, m = shingles[i], shingles[i + 1], shingles[i + 2], shingles[i + 3]
        for p in range(len(out)):
            one = min(np.uint32(h * a[p] + b[p]), np.uint32(j * a[p] + b[p]))
            other = min(np.uint32(k * a[p] + b[p]), np.uint32(m * a[p] + b[p]))
            out[p] = min(out[p], min(one, other))
    for i in range(whole, len(shingles)):
        h = shingles[i]
        for p in range(len(out)):
            out[p] = min(out[p], np.uint32(h * a[p] + b[p]))


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
def sketch(raw, renamed, token_ends, first, last, sizes, a, b, keys, has):
    """(digest, literal, literal_at, renamed, renamed_at); fills keys and has.

    Of texts whose tokens lie one behind the other; token_ends: where those of each end. first, last, *_at:
    counted from the first token of all. sizes: literal k and window, renamed k and window, shingle k, least
    tokens of a unit with bands, rows.
    """
    unit_bands(renamed, first, last, sizes[4], sizes[5], sizes[6], a, b, keys, has)
    n = len(raw)
    kept, at = (
        (np.empty(n, np.uint64), np.empty(n, np.uint64)),
        (np.empty(n, np.int32), np.empty(n, np.int32)),
    )
    counts, low = [0, 0], 0
    for high in token_ends:
        for layer in range(2):
            tokens = renamed[low:high] if layer else raw[low:high]
            hashes, places = winnow(tokens, sizes[2 * layer], sizes[2 * layer + 1])
            begin = counts[layer]
            counts[layer] = begin + len(hashes)
            kept[layer][begin : counts[layer]] = hashes
            at[layer][begin : counts[layer]] = places + low
        low = high
    digest = range_hashes(renamed, first, last)
    one, two = counts
    return digest, kept[0][:one].copy(), at[0][:one].copy(), kept[1][:two].copy(), at[1][:two].copy()


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


@cached
def lexicon(data, text_ends, token_ends, kind, neutral, raw, renamed, start, end):
    """The vocabularies of texts that lie one behind the other: of each text's tokens the distinct ones by raw
    hash, each as it first stands.

    (raw, renamed, kind, neutral, ends of the spellings, the spellings, the rank of every token in its text's
    vocabulary and in all of them, where each text's vocabulary ends, where its spellings end)
    """
    n, longest, low = len(raw), 0, 0
    for high in token_ends:
        longest, low = max(longest, high - low), high
    slots = np.empty(slot_count(longest), np.int32)
    numbers, at, values = (
        np.empty(longest, np.uint32),
        np.empty(longest, np.int64),
        np.empty(longest, np.uint64),
    )
    rank, spare, heads = (
        np.empty(longest, np.uint32),
        np.empty(longest, np.uint64),
        np.empty(2 * longest + 2, np.int64),
    )
    words, others, kinds = np.empty(n, np.uint64), np.empty(n, np.uint64), np.empty(n, np.uint8)
    neutrals, ends = np.empty(n, np.uint16), np.empty(n, np.uint32)
    ids, every = np.empty(n, np.uint32), np.empty(n, np.uint32)
    text, word_ends, spelling_ends = np.empty(len(data), np.uint8), token_ends.copy(), token_ends.copy()
    word, to, before, low = 0, 0, 0, 0
    for t in range(len(token_ends)):
        own, high = data[before : text_ends[t]], token_ends[t]
        mask, count, begin = slot_count(high - low) - 1, 0, to
        slots[: mask + 1] = -1
        for i in range(low, high):
            slot = np.int64(raw[i] & np.uint64(mask))
            while slots[slot] >= 0 and values[slots[slot]] != raw[i]:
                slot = (slot + 1) & mask
            if slots[slot] < 0:
                slots[slot], values[count], at[count] = count, raw[i], i
                count += 1
            numbers[i - low] = slots[slot]
        ordered = words[word : word + count]
        ordered[:] = values[:count]
        sort(ordered, count, spare, heads)
        for r in range(count):
            slot = np.int64(ordered[r] & np.uint64(mask))
            while values[slots[slot]] != ordered[r]:
                slot = (slot + 1) & mask
            rank[slots[slot]] = r
            i = at[slots[slot]]
            others[word + r], kinds[word + r], neutrals[word + r] = renamed[i], kind[i], neutral[i]
            for place in range(start[i], end[i]):
                text[to] = own[place]
                to += 1
            ends[word + r] = to - begin
        for i in range(high - low):
            ids[low + i] = rank[numbers[i]]
            every[low + i] = word + ids[low + i]
        word += count
        word_ends[t], spelling_ends[t], before, low = word, to, text_ends[t], high
    return (
        words[:word].copy(), others[:word].copy(), kinds[:word].copy(), neutrals[:word].copy(),
        ends[:word].copy(), text[:to].copy(), ids, every, word_ends, spelling_ends,
    )  # fmt: skip


@cached
def owners(first, last, number, count):
    """`corpus.index.record.owners`: for each of `count` tokens the number of the shortest unit, of equals
    the last."""
    owner, least = np.zeros(count, np.uint32), np.full(count, count + 1)
    for u in range(len(first)):
        size = last[u] - first[u]
        for token in range(first[u], last[u]):
            if size <= least[token]:
                owner[token], least[token] = number[u], size
    return owner


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
