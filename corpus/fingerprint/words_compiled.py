"""Machine code for the words in names and strings: `corpus.fingerprint.features.word_keys` of a vocabulary.

Splits, folds, stems and hashes ASCII text; what has other letters, or a word of more than 27, is left to that
function. The hash is XXH3's of 64 bits, by its specification, for inputs of 4 to 32 bytes.
"""

# The compiler knows types by inference, and wants plain loops.
# ruff: noqa: SIM110
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.addresses import address
from corpus.machine_code import cached

# The first words of XXH3's default secret.
_SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    ),
    "<u8",
).copy()
_PREFIX = b"word:"
_LONGEST = 32


@njit(nogil=True)
def read(buffer, at, size):
    """An integer of `size` bytes, the lowest first."""
    value = np.uint64(0)
    for i in range(size):
        value |= np.uint64(buffer[at + i]) << np.uint64(8 * i)
    return value


@njit(nogil=True)
def fold(a, b):
    """The halves of the 128-bit product, one over the other."""
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    a0, a1, b0, b1 = a & low, a >> shift, b & low, b >> shift
    cross = (a0 * b0 >> shift) + (a1 * b0 & low) + a0 * b1
    return (a * b) ^ (a1 * b1 + (a1 * b0 >> shift) + (cross >> shift))


@njit(nogil=True)
def turned(value):
    """The bytes the other way round."""
    out = np.uint64(0)
    for i in range(8):
        out = (out << np.uint64(8)) | ((value >> np.uint64(8 * i)) & np.uint64(255))
    return out


@njit(nogil=True)
def spread(h):
    h = (h ^ (h >> np.uint64(37))) * np.uint64(0x165667919E3779F9)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True)
def hashed(buffer, size):
    """XXH3's 64-bit hash of 4 to 32 bytes."""
    length = np.uint64(size)
    if size <= 8:
        h = read(buffer, size - 4, 4) + (read(buffer, 0, 4) << np.uint64(32))
        h ^= _SECRET[1] ^ _SECRET[2]
        h ^= ((h << np.uint64(49)) | (h >> np.uint64(15))) ^ ((h << np.uint64(24)) | (h >> np.uint64(40)))
        h *= np.uint64(0x9FB21C651E98DF25)
        h ^= (h >> np.uint64(35)) + length
        h *= np.uint64(0x9FB21C651E98DF25)
        return h ^ (h >> np.uint64(28))
    if size <= 16:
        low = read(buffer, 0, 8) ^ _SECRET[3] ^ _SECRET[4]
        high = read(buffer, size - 8, 8) ^ _SECRET[5] ^ _SECRET[6]
        return spread(length + turned(low) + high + fold(low, high))
    total = length * np.uint64(0x9E3779B185EBCA87)
    total += fold(read(buffer, 0, 8) ^ _SECRET[0], read(buffer, 8, 8) ^ _SECRET[1])
    total += fold(read(buffer, size - 16, 8) ^ _SECRET[2], read(buffer, size - 8, 8) ^ _SECRET[3])
    return spread(total)


@njit(nogil=True)
def look_up(aliases, key):
    """Where the row of a word begins, -1 for none; aliases: the address of uint64[size, 3], a word's key, key
    and length of what stands for it, 0 where free; and the size, a power of two."""
    rows, size = aliases
    at = key & np.uint64(size - 1)
    while rows[np.uint64(3) * at] != 0:
        if rows[np.uint64(3) * at] == key:
            return np.int64(3 * at)
        at = (at + np.uint64(1)) & np.uint64(size - 1)
    return -1


@njit(nogil=True)
def part_key(text, first, last, buffer, aliases):
    """Key and length of the word text[first:last], stemmed and aliased; 0 when it is too long."""
    size = last - first
    if len(_PREFIX) + size > _LONGEST:
        return np.uint64(0), 0
    at = len(_PREFIX)
    for i in range(size):
        buffer[at + i] = text[first + i] | 32
    end = at + size
    if buffer[end - 1] == 115:  # s
        if size > 4 and buffer[end - 2] == 101 and buffer[end - 3] == 105:
            buffer[end - 3] = 121
            end -= 2
        elif size > 3 and buffer[end - 2] != 115:
            end -= 1
    key = hashed(buffer, end)
    row = look_up(aliases, key)
    if row >= 0:
        return aliases[0][row + 1], np.int64(aliases[0][row + 2])
    return key, end - at


@njit(nogil=True)
def is_upper(c):
    return 65 <= c <= 90


@njit(nogil=True)
def is_lower(c):
    return 97 <= c <= 122


@njit(nogil=True)
def part_end(text, at, last):
    """End of the word that begins at `at`: capitals but one before small letters, or small letters, perhaps
    after one capital; `at` if none does."""
    end = at
    while end < last and is_upper(text[end]):
        end += 1
    if end > at and (end == last or not is_lower(text[end])):
        return end
    if end - at > 1:
        return end - 1
    while end < last and is_lower(text[end]):
        end += 1
    return end


@njit(nogil=True)
def keys_of(text, first, last, least, longest, buffer, aliases, out, row):
    """`word_keys` of the ASCII text[first:last], in out from `row` on; least: letters that count. False when
    a word is too long."""
    size = last - first
    if size <= longest:
        for i in range(size):
            c = text[first + i]
            buffer[len(_PREFIX) + i] = c | 32 if is_upper(c) else c
        alias = look_up(aliases, hashed(buffer, len(_PREFIX) + size))
        if alias >= 0:
            if np.int64(aliases[0][alias + 2]) >= least:
                out[row] = aliases[0][alias + 1]
            return True
    count, kept, at = 0, 0, first
    one, two, three = np.uint64(0), np.uint64(0), np.uint64(0)
    while at < last and count < 4:
        end = part_end(text, at, last)
        if end - at < 2:
            at = max(end, at + 1)
            continue
        key, length = part_key(text, at, end, buffer, aliases)
        if key == 0:
            for k in range(4):
                out[row + k] = 0
            return False
        at = end
        if key != one and key != two and key != three:
            one, two, three = key, one, two
            count += 1
            if length >= least:
                out[row + kept] = key
                kept += 1
    return True


@njit(nogil=True)
def fill_row(text, first, last, string, strings, buffer, aliases, longest, out, row):
    """Fill out[row : row + 4] with the words of a name or string; False when that is left to Python."""
    if string and last - first < strings[0]:
        return True
    stop = min(last, first + strings[2]) if string else last
    high = np.uint8(0)
    for at in range(first, stop):
        high |= text[at]
    if high >= 128:
        return False
    return keys_of(text, first, stop, strings[1] if string else 0, longest, buffer, aliases, out, row)


@njit(nogil=True)
def prefixed():
    """Room for a word to be hashed, with what stands before each."""
    buffer = np.zeros(_LONGEST, np.uint8)
    for i in range(len(_PREFIX)):
        buffer[i] = _PREFIX[i]
    return buffer


@njit(nogil=True)
def same_bytes(text, first, spelling, begin, size):
    for i in range(size):
        if text[first + i] != spelling[begin + i]:
            return False
    return True


@njit(nogil=True)
def kinds_of_words(kind, neutral, ids, dress, name, out):
    """What the first token of each spelling is that is no dress; 0 where all are."""
    for i in range(len(ids)):
        row = ids[i]
        says = (out[row] == 0) & ((kind[i] == name) | (not dress[neutral[i]]))
        out[row] |= kind[i] if says else 0


@cached
def word_rows(columns, vocabulary, ends, dress, kinds, strings, aliases, longest, memory, table):
    """Fill table[v, 4] with the words of v spellings; row, kind, begin and end of those still to be filled.

    Of texts that lie one behind the other. columns: kind, neutral, id in its text's vocabulary, of tokens.
    vocabulary: hashes; spellings, one after the other; where each ends, from its text's first on. ends: where
    each text's tokens, words and spellings end. kinds: of names and of strings. strings: least length of one,
    least length of a word in it, bytes of it that are read. aliases: see `look_up`; longest: length of the
    longest word in it. memory: length and kind, spelling, and words, of some that were read before; by hash.
    """
    kind, neutral, ids = columns
    raw, spelled, spelling_ends = vocabulary
    hard, hards, worded = np.empty((len(raw), 4), np.int64), 0, np.zeros(len(raw), np.uint8)
    buffer, entries, widest = prefixed(), len(memory[0]), memory[1].shape[1]
    text, out, marks = address(spelled), address(table), address(memory[0])
    spellings, rows, known = address(memory[1]), address(memory[2]), (address(aliases), len(aliases))
    low, word_low, base = 0, 0, 0
    for t in range(len(ends[0])):
        high, word_high = ends[0][t], ends[1][t]
        kinds_of_words(
            kind[low:high], neutral[low:high], ids[low:high], dress, kinds[0], worded[word_low:word_high]
        )
        first = np.int64(base)
        for j in range(word_low, word_high):
            last = base + np.int64(spelling_ends[j])
            string, size, row = worded[j] == kinds[1], last - first, 4 * j
            if string or worded[j] == kinds[0]:
                entry, mark = np.int64(raw[j] & np.uint64(entries - 1)), np.uint8(size + 64 * string)
                begin, kept = widest * entry, 4 * entry
                short = size <= widest
                if short and marks[entry] == mark and same_bytes(text, first, spellings, begin, size):
                    for k in range(4):
                        out[row + k] = rows[kept + k]
                elif not fill_row(
                    text, first, last, string, strings, address(buffer), known, longest, out, row
                ):
                    hard[hards] = j, np.int64(worded[j]), first, last
                    hards += 1
                elif short:
                    marks[entry] = mark
                    for k in range(4):
                        rows[kept + k] = out[row + k]
                    for i in range(size):
                        spellings[begin + i] = text[first + i]
            first = last
        low, word_low, base = high, word_high, ends[2][t]
    return hard[:hards].copy()


@cached
def token_elements(kind, neutral, renamed, ids, text, ends, dress, canon, kinds, symbols, strings, aliases,
                   longest):  # fmt: skip
    """See corpus.fingerprint.features.elements: index, symbol and keys of each element, and of which the keys
    are still to be filled.

    text, ends: the spellings that ids number, one after the other, and the ends of each, from a 0 on. kinds,
    symbols: of names, numbers and strings. The rest as for `word_rows`.
    """
    n = len(kind)
    at, symbol = np.empty(n, np.int64), np.empty(n, np.uint16)
    keys, hard = np.zeros((n, 4), np.uint64), np.empty(n, np.int64)
    buffer, known = prefixed(), (address(aliases), len(aliases))
    slots = 64
    while slots < 2 * n:
        slots *= 2
    first_of = np.full(slots, -1, np.int64)  # a hash table: the first element with each id
    count, hards = 0, 0
    for i in range(n):
        if dress[neutral[i]] and kind[i] != kinds[0]:
            continue
        at[count] = i
        symbol[count] = canon[neutral[i]]
        for one in range(len(kinds)):
            if kind[i] == kinds[one]:
                symbol[count] = symbols[one]
        if kind[i] == kinds[1]:
            keys[count, 0] = renamed[i]
        elif kind[i] == kinds[0] or kind[i] == kinds[2]:
            slot = np.int64(ids[i]) * 0x9E3779B1 & (slots - 1)
            while first_of[slot] >= 0 and ids[at[first_of[slot]]] != ids[i]:
                slot = slot + 1 & (slots - 1)
            first, last = np.int64(ends[ids[i]]), np.int64(ends[ids[i] + 1])
            if first_of[slot] >= 0:
                keys[count] = keys[first_of[slot]]
            elif fill_row(
                address(text), first, last, kind[i] == kinds[2], strings, address(buffer), known, longest,
                address(keys), 4 * count,
            ):  # fmt: skip
                first_of[slot] = count
            else:
                hard[hards] = count
                hards += 1
        count += 1
    return at[:count], symbol[:count], keys[:count], hard[:hards]
