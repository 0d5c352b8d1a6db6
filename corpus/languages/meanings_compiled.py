"""Machine code for what follows the kernel: hashes, meanings, values of numbers, what is kept.

The same results as `corpus.languages.scan`, `.marks` and `.spelling`; numbers that are rare in source text
are left to the last of them.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.languages import numbers_compiled
from corpus.languages.numbers_compiled import value_text
from corpus.machine_code import cached_with

_BASE = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_BASE, k, 1 << 64) for k in range(64)], np.uint64)
_NEXT = np.uint64(pow(_BASE, 64, 1 << 64))
_FREE = np.uint16(0xFFFF)


@njit(nogil=True)
def span_hash(data, first, last, table, seed, step):
    """`corpus.languages.spelling`: the hash of data[first:last]. step: of lengths."""
    total, scale = np.uint64(last - first) * step + seed, np.uint64(1)
    at, end = np.uint64(first), np.uint64(last)
    while at < end:  # no product waits for the one before
        part, k = np.uint64(0), np.uint64(0)
        while at < end and k < np.uint64(64):
            part += table[data[at]] * _POWERS[k]
            at += np.uint64(1)
            k += np.uint64(1)
        total += part * scale
        scale *= _NEXT
    total = (total ^ (total >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    total = (total ^ (total >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return total ^ (total >> np.uint64(31))


@njit(nogil=True)
def statement_end(start, bits, raw, neutral, fresh, turn, signs, separator, directive):
    """`corpus.languages.marks`: where the statement ends that begins at `start`."""
    depth = 0
    for token in range(start + 1, len(fresh)):
        last = token - 1
        depth += turn[neutral[last]] + (raw[last] == signs[0]) - (raw[last] == signs[1])
        if fresh[token] and (directive or depth <= 0):
            return token
        if bits[token] & separator and not directive:
            return token
    return len(fresh)


@njit(nogil=True)
def mark_statements(candidates, bits, raw, neutral, fresh, turn, signs, flags, keep):
    """`corpus.languages.marks.empty_statements`: keep[i] = False for their tokens.

    candidates: tokens whose bits say that they, or the signs before them, may begin one.
    """
    words, after_sign, separator = flags[1] | flags[3], flags[2], flags[4]
    done = 0
    for c in range(len(candidates)):
        token = np.int64(candidates[c])
        sign = token - 1
        if sign >= done and bits[token] & after_sign != 0 and fresh[sign] and raw[sign] == signs[2]:
            done = statement_end(sign, bits, raw, neutral, fresh, turn, signs, separator, True)
            keep[sign:done] = False
        begins = bits[token] & words != 0 and (fresh[token] or (token > 0 and bits[sign] & separator != 0))
        if token >= done and begins:
            done = statement_end(token, bits, raw, neutral, fresh, turn, signs, separator, False)
            keep[token:done] = False


@njit(nogil=True)
def documentation(kind, neutral, fresh, roles, out):
    """`corpus.languages.marks.documentation`; roles: bits by symbol (1 before, 2 waiting, 4 after)."""
    n = len(kind)
    for i in range(n):
        out[i] = kind[i] == 3 and fresh[i] and (i + 1 == n or fresh[i + 1])
        if out[i] and i > 0:
            role = roles[neutral[i - 1]]
            out[i] = not (role & 2 or (kind[i - 1] == 4 and not role & 1))
        if out[i] and i + 1 < n:
            out[i] = not (neutral[i + 1] == 3 or (kind[i + 1] == 4 and not roles[neutral[i + 1]] & 4))


@njit(nogil=True)
def row_of(value, slots, words, unknown):
    """The row of the vocabulary with this raw hash, or `unknown`."""
    mask = np.uint64(len(slots) - 1)
    at = value & mask
    while slots[at] != _FREE:
        if words[slots[at]] == value:
            return np.uint64(slots[at])
        at = (at + np.uint64(1)) & mask
    return unknown


@njit(nogil=True)
def extended(rows, plain):
    """What the rows of the vocabulary say, then what the kinds of unknown tokens do."""
    out = np.empty(len(rows) + len(plain), rows.dtype)
    out[: len(rows)] = rows
    out[len(rows) :] = plain
    return out


@njit(nogil=True)
def meanings(
    text, strings, kind, start, end, neutral, keep, raw, renamed, bits, fresh, bytes_known, tables, numbers,
    vocabulary, rows, turn, signs, flags, options, room, hard, first,
):  # fmt: skip
    """Fill the columns of one text: neutral, keep, raw, renamed, bits; kind where a word is known.

    Returns how many numbers are left to Python: their places, from `first` on, are in `hard`. room: for the
    candidates of `mark_statements`, digits, a number's text. bytes_known: hashes and rows of single bytes,
    which every other token is.
    """
    (byte_raw, byte_row), (table, plain_table) = bytes_known, tables
    (slots, words), (kinds, symbols, marks), (candidates, digits, out) = vocabulary, rows, room
    step, seed, string_seed, value_seed = numbers
    drop, of_statements = flags[0], flags[1] | flags[2] | flags[3]
    string, waiting, hards, unknown = 0, np.uint64(0), 0, np.uint64(len(words))
    next_string = np.int64(strings[0]) if len(strings) > 0 else -1
    for i in range(len(kind)):
        low, high = np.uint32(start[i]), np.uint32(end[i])
        known = unknown + np.uint64(kind[i])
        if i == next_string:
            low, high = np.uint32(strings[3 * string + 1]), np.uint32(strings[3 * string + 2])
            value = span_hash(text, low, high, table, string_seed, step)
            row = row_of(value, slots, words, known)
            string += 1
            next_string = np.int64(strings[3 * string]) if 3 * string < len(strings) else -1
        elif high - low == 1:
            value, row = byte_raw[text[low]], np.uint64(byte_row[text[low]])
            row = known if row == unknown else row
        else:
            value = span_hash(text, low, high, table, seed, step)
            row = row_of(value, slots, words, known)
        what, says = kinds[row], marks[row]
        raw[i], kind[i], neutral[i], bits[i], keep[i] = value, what, symbols[row], says, says & drop == 0
        candidates[waiting] = i
        waiting += np.uint64(says & of_statements != 0)
        renamed[i] = signs[3] if what == options[0] else value
        if what == options[1]:
            size = value_text(text, np.int64(start[i]), np.int64(end[i]), options[2], digits, out)
            if size > 0:
                renamed[i] = span_hash(out, 0, size, plain_table, value_seed, step)
            else:
                hard[hards] = first + i
                hards += 1
    mark_statements(candidates[:waiting], bits, raw, neutral, fresh, turn, signs, flags, keep)
    return hards


@njit(nogil=True)
def set_aside(
    aside, counts, remarks, hard, kind, start, end, line, indent, raw, renamed, neutral, keep, fresh,
    token_ends, comments,
):  # fmt: skip
    """Move the tokens that are documentation to the comments; how many of both there are then."""
    to, at, hards = 0, 0, 0
    for t in range(len(token_ends)):
        remark = counts[t, 2]
        for i in range(counts[t, 0], counts[t + 1, 0]):
            if aside[i]:
                while remark < counts[t + 1, 2] and remarks[3 * remark] <= start[i]:
                    comments[at] = remarks[3 * remark : 3 * remark + 3]
                    remark += 1
                    at += 1
                comments[at, 0], comments[at, 1], comments[at, 2] = start[i], end[i], line[i]
                at += 1
                continue
            if hards < len(hard) and hard[hards] == i:
                hard[hards] = to
                hards += 1
            kind[to], raw[to], neutral[to], keep[to] = kind[i], raw[i], neutral[i], keep[i]
            start[to], end[to], line[to], indent[to] = start[i], end[i], line[i], indent[i]
            renamed[to], fresh[to] = renamed[i], fresh[i]
            to += 1
        for one in range(remark, counts[t + 1, 2]):
            comments[at] = remarks[3 * one : 3 * one + 3]
            at += 1
        token_ends[t] = to
    return to, at


@cached_with(numbers_compiled.__file__)
def complete(
    data, text_ends, counts, kind, start, end, line, indent, fresh, strings, remarks,
    table, plain_table, numbers, slots, words, kinds, symbols, marks, plain, turn, signs, flags, roles,
    options,
):  # fmt: skip
    """What `corpus.languages.scan` makes of the kernel's lexemes of texts that lie one behind the other: how
    many tokens there are, the fields of a `Scan` that the kernel did not find, its comments; which numbers'
    renamed hashes are still to be computed from their values; where each text's tokens end.

    The kernel's columns are changed in place. counts: tokens, strings, comments before each text, and in all.
    table, plain_table: values of bytes, case folded where the language does, and as they are. numbers: step
    of lengths, seeds of words, strings and values. slots, words, kinds, symbols, marks: the vocabulary.
    plain: symbol of each kind. turn: 1 or -1 for brackets. signs: hashes of the braces, of `#`, and the
    renamed hash of names. flags: DROP, IMPORT, HASH_IMPORT, END_STATEMENT, SEPARATOR. roles: see
    `documentation`. options: kind of names, kind of numbers, whether what follows `_` in a number is a kind,
    whether strings that are statements are comments.
    """
    n, all_strings, notes = counts[-1]
    neutral, bits, keep = np.empty(n, np.uint16), np.empty(n, np.uint8), np.empty(n, np.bool_)
    aside = np.empty(n if options[3] else 0, np.bool_)
    raw, renamed, hard = np.empty(n, np.uint64), np.empty(n, np.uint64), np.empty(n, np.int64)
    room = np.empty(n + 1, np.uint32), np.empty(64, np.uint8), np.empty(96, np.uint8)
    byte_raw, byte_row, byte = np.empty(256, np.uint64), np.empty(256, np.uint64), np.empty(1, np.uint8)
    for c in range(256):
        byte[0] = c
        byte_raw[c] = span_hash(byte, 0, 1, table, numbers[1], numbers[0])
        byte_row[c] = row_of(byte_raw[c], slots, words, np.uint64(len(words)))
    same, none = np.arange(len(plain)).astype(np.uint8), np.zeros(len(plain), np.uint8)
    rows = extended(kinds, same), extended(symbols, plain), extended(marks, none)
    token_ends, hards, before = np.empty(len(text_ends), np.int64), 0, 0
    for t in range(len(text_ends)):
        low, high, text_end = counts[t, 0], counts[t + 1, 0], text_ends[t]
        hards += meanings(
            data[before:text_end], strings[3 * counts[t, 1] : 3 * counts[t + 1, 1]], kind[low:high],
            start[low:high], end[low:high], neutral[low:high], keep[low:high], raw[low:high],
            renamed[low:high], bits[low:high], fresh[low:high], (byte_raw, byte_row), (table, plain_table),
            numbers, (slots, words), rows, turn, signs, flags, options, room, hard[hards:], low,
        )  # fmt: skip
        before, token_ends[t] = text_end, high
        if options[3]:
            documentation(kind[low:high], neutral[low:high], fresh[low:high], roles, aside[low:high])
    if options[3]:
        comments = np.empty((notes + all_strings, 3), np.int32)
        n, notes = set_aside(
            aside, counts, remarks, hard[:hards], kind, start, end, line, indent, raw, renamed, neutral,
            keep, fresh, token_ends, comments,
        )  # fmt: skip
    else:
        comments = remarks[: 3 * notes].copy().reshape(-1, 3)
    return (
        n, raw[:n], renamed[:n], neutral[:n], keep[:n], comments[:notes], hard[:hards].copy(), token_ends,
    )  # fmt: skip
