"""Machine code for the vocabularies of texts and for `corpus.fingerprint.features`: the distinct features of
units of many texts, in one call each.

Linear loops. Numbers wrap modulo 2^64.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.addresses import address
from corpus.fingerprint import compiled
from corpus.fingerprint.compiled import mix
from corpus.machine_code import cached_with

_BASE = np.uint64(0x9E3779B97F4A7C15)
# Which bit of a number is its only one: by the high bits of the product with a sequence of de Bruijn.
_ONE_BIT = np.uint64(0x03F79D71B4CB0A89)
_PLACE = np.zeros(64, np.uint64)
for _bit in range(64):
    _PLACE[(int(_ONE_BIT) << _bit & (1 << 64) - 1) >> 58] = _bit


_FREE = np.uint32(0xFFFFFFFF)
_cached = cached_with(compiled.__file__)


@njit(nogil=True)
def gram_keys(stream, k, out):
    """Keys of all runs of k, which is small; how many."""
    count = max(0, len(stream) - k + 1)
    for i in range(count):
        out[i] = np.uint64(0)
    power = np.uint64(1)
    for j in range(k):
        later = stream[j:]
        for i in range(count):
            out[i] += later[i] * power
        power *= _BASE
    for i in range(count):
        out[i] = mix(mix(out[i]) ^ np.uint64(k))
    return count


@njit(nogil=True)
def slot_bits(count):
    """So many bits number the slots of a table that leaves at least every other one free."""
    bits = 4
    while 1 << bits < 2 * count:
        bits += 1
    return bits


@njit(nogil=True)
def rank_all(keys, slots, order, room, ranks):
    """The distinct ones of the keys, which are hashes, in order, and the rank of each key; how many.

    The slot of a key in the table is given by its high bits, so that the table holds them nearly in order.
    room: for values, ranks and places of the distinct ones as they come. `slots` has their places at last.
    """
    bits, count, to = slot_bits(len(keys)), np.uint64(0), np.uint64(0)
    shift, mask = np.uint64(64 - bits), np.uint64((1 << bits) - 1)
    slots[: 1 << bits] = _FREE
    values, rank_of, places = room
    for i in range(len(keys)):
        key = keys[i]
        slot = key >> shift
        while slots[slot] != _FREE and values[slots[slot]] != key:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] == _FREE:
            slots[slot], values[count], places[count] = count, key, i
            count += np.uint64(1)
        ranks[i] = slots[slot]
    for slot in range(mask + np.uint64(1)):
        number = slots[slot]
        slots[to] = number
        to += np.uint64(number != _FREE)
    for i in range(count):
        number, j = slots[i], np.uint64(i)
        key = values[number]
        while j > 0 and order[j - np.uint64(1)] > key:
            before = j - np.uint64(1)
            order[j], slots[j] = order[before], slots[before]
            j = before
        order[j], slots[j] = key, number
    for i in range(count):
        rank_of[slots[i]] = i
        slots[i] = places[slots[i]]
    for i in range(len(keys)):
        ranks[i] = rank_of[ranks[i]]
    return np.int64(count)


@njit(nogil=True)
def mark(bits, rank):
    bits[rank >> np.uint32(6)] |= np.uint64(1) << (np.uint64(rank) & np.uint64(63))


@njit(nogil=True)
def take_marked(bits, order, out):
    """Move the keys whose ranks are marked to `out`, and take the marks away; how many."""
    to, first = np.uint64(0), np.uint64(0)
    for at in range(len(bits)):
        left = bits[at]
        while left != 0:
            lowest = left & (~left + np.uint64(1))
            out[to] = order[first + _PLACE[lowest * _ONE_BIT >> np.uint64(58)]]
            to += np.uint64(1)
            left ^= lowest
        bits[at] = 0
        first += np.uint64(64)
    return np.int64(to)


@njit(nogil=True)
def longest_part(ends):
    longest, low = 0, 0
    for high in ends:
        longest, low = max(longest, high - low), high
    return longest


@njit(nogil=True)
def text_elements(kind, neutral, renamed, ids, first_key, dress, same, kinds, symbols, words, room, found):
    """The elements of a text's tokens: how many numbers and symbols they have.

    room: of each token, how many words and symbols stand before it; the places of words in `found`, which
    gets the values of numbers; the symbols. first_key: where the keys of each spelling begin in `found`.
    Written whether there are such or not, and counted if so: what a token is cannot be foreseen.
    """
    words_before, plain_before, places, stream = room
    after_key, n = first_key[1:], len(kind)
    begin, none = np.uint64(after_key[len(after_key) - 1]), np.uint64(0)
    keys, worded, plain = begin, none, none
    for i in range(n):
        words_before[i], plain_before[i] = worded, plain
        known, meaning, row = kind[i], neutral[i], ids[i]
        is_element = (known == kinds[0]) | (not dress[meaning])
        first, count = np.uint64(first_key[row]), np.uint64(after_key[row] - first_key[row])
        for place in range(4):
            places[worded + np.uint64(place)] = first + np.uint64(place)
        symbol = same[meaning]
        symbol = symbols[0] if known == kinds[0] else symbol
        symbol = symbols[2] if known == kinds[2] else symbol
        stream[plain] = symbol
        if known == kinds[1] and is_element:
            stream[plain] = found[keys] = renamed[i]
            places[worded] = keys
            symbol, keys, count = symbols[1], keys + np.uint64(1), max(count, np.uint64(1))
        elif symbol == symbols[1] and is_element:
            stream[plain] = words[row, 0]
        worded += count if is_element else none
        plain += np.uint64(is_element & (symbol != symbols[0]))
    words_before[n], plain_before[n] = worded, plain
    return np.int64(keys - begin), np.int64(plain)


@_cached
def token_features(columns, words, dress, same, kinds, symbols, units, ends, sizes):
    """`elements`, then `unit_features`, of units of texts that lie one behind the other: the keys, the number
    of each one's unit, where those of each text end.

    columns: kind, neutral, renamed, id in its text's vocabulary, of tokens. words: uint64[v, 4] of the
    spellings of all vocabularies, zeroes last. dress, same: by symbol, whether it is dress, what stands for
    it. kinds, symbols: of names, numbers, strings. units: first, last, number. ends: where each text's
    tokens, words and units end. sizes: lengths of the two kinds of grams, least and most tokens of a unit
    with features.
    """
    kind, neutral, renamed, ids = columns
    first, last, number = units
    token_ends, word_ends, unit_ends = ends
    short, long, least, most = sizes
    longest, most_words = longest_part(token_ends), longest_part(word_ends)
    words_before, plain_before = np.empty(longest + 1, np.uint32), np.empty(longest + 1, np.uint32)
    places, stream = np.empty(4 * longest + 4, np.uint32), np.empty(longest + 1, np.uint64)
    # The keys of words, numbers, short and long grams of a text.
    size = 4 * most_words + 3 * longest
    found, order, ranks = np.empty(size, np.uint64), np.empty(size, np.uint64), np.empty(size, np.uint32)
    spare = np.empty(size, np.uint64), np.empty(size, np.uint32), np.empty(size, np.uint32)
    slots, first_key = np.empty(1 << slot_bits(size), np.uint32), np.empty(most_words + 1, np.uint32)
    bits = np.zeros((size >> 6) + 1, np.uint64)
    out_size = 0
    for u in range(len(first)):
        out_size += 6 * (last[u] - first[u]) if least <= last[u] - first[u] <= most else 0
    out_keys, out_units = np.empty(out_size, np.uint64), np.empty(out_size, np.uint32)
    out_ends, total, low, word_low, unit_low = np.empty(len(token_ends), np.int64), 0, 0, 0, 0
    for t in range(len(token_ends)):
        high, word_high = token_ends[t], word_ends[t]
        keys = 0
        own_words = words[word_low:word_high]
        for row in range(len(own_words)):
            first_key[row] = keys
            for k in range(4):
                found[keys] = own_words[row, k]
                keys += own_words[row, k] != 0
        first_key[len(own_words)] = keys
        values, plain = text_elements(
            kind[low:high], neutral[low:high], renamed[low:high], ids[low:high],
            first_key[: len(own_words) + 1], dress, same, kinds, symbols, own_words,
            (address(words_before), address(plain_before), address(places), address(stream)), address(found),
        )  # fmt: skip
        for i in range(plain):
            stream[i] = mix(stream[i])
        shorter = keys + values
        longer = shorter + gram_keys(stream[:plain], short, found[shorter:])
        keys = longer + gram_keys(stream[:plain], long, found[longer:])
        count = rank_all(found[:keys], slots, order, spare, ranks)
        own_bits = bits[: (count + 63) >> 6]
        for u in range(unit_low, unit_ends[t]):
            if not least <= last[u] - first[u] <= most:
                continue
            begin, end = first[u] - low, last[u] - low
            for place in places[words_before[begin] : words_before[end]]:
                mark(own_bits, ranks[place])
            a, b = np.int64(plain_before[begin]), np.int64(plain_before[end])
            for rank in ranks[shorter + a : max(shorter + a, shorter + b - short + 1)]:
                mark(own_bits, rank)
            for rank in ranks[longer + a : max(longer + a, longer + b - long + 1)]:
                mark(own_bits, rank)
            taken = take_marked(own_bits, order, out_keys[total:])
            out_units[total : total + taken] = number[u]
            total += taken
        out_ends[t], low, word_low, unit_low = total, high, word_high, unit_ends[t]
    return out_keys[:total].copy(), out_units[:total].copy(), out_ends


@_cached
def lexicon(data, text_ends, token_ends, kind, neutral, raw, renamed, start, end):
    """The vocabularies of texts that lie one behind the other: of each text's tokens the distinct ones by raw
    hash, each as it first stands.

    (raw, renamed, kind, neutral, ends of the spellings, the spellings, the rank of every token in its text's
    vocabulary, where each text's vocabulary ends, where its spellings end)
    """
    n, longest = len(raw), longest_part(token_ends)
    slots = np.empty(1 << slot_bits(longest), np.uint32)
    spare = np.empty(longest, np.uint64), np.empty(longest, np.uint32), np.empty(longest, np.uint32)
    words, others, kinds = np.empty(n, np.uint64), np.empty(n, np.uint64), np.empty(n, np.uint8)
    neutrals, ends, ids = np.empty(n, np.uint16), np.empty(n, np.uint32), np.empty(n, np.uint32)
    text, word_ends, spelling_ends = np.empty(len(data), np.uint8), token_ends.copy(), token_ends.copy()
    word, to, before, low = 0, np.uint64(0), 0, 0
    for t in range(len(token_ends)):
        high, begin = token_ends[t], to
        count = rank_all(raw[low:high], slots, words[word:], spare, ids[low:high])
        own, starts, stops = data[before : text_ends[t]], start[low:high], end[low:high]
        own_ends, own_others = ends[word : word + count], others[word : word + count]
        own_kinds, own_neutrals = kinds[word : word + count], neutrals[word : word + count]
        kind_of, neutral_of, renamed_of = kind[low:high], neutral[low:high], renamed[low:high]
        for r in range(count):
            i = slots[r]
            own_others[r], own_kinds[r], own_neutrals[r] = renamed_of[i], kind_of[i], neutral_of[i]
            for place in range(np.uint32(starts[i]), np.uint32(stops[i])):
                text[to] = own[place]
                to += np.uint64(1)
            own_ends[r] = to - begin
        word += count
        word_ends[t], spelling_ends[t], before, low = word, np.int64(to), text_ends[t], high
    return (
        words[:word].copy(), others[:word].copy(), kinds[:word].copy(), neutrals[:word].copy(),
        ends[:word].copy(), text[:to].copy(), ids, word_ends, spelling_ends,
    )  # fmt: skip
