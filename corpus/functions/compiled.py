"""Machine code for the loops over all tokens and lines that cutting a text needs; the same results.

Imported only when asked for (`cut(…, compiled=True)`). Called by corpus.units and the finders of functions.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached


@cached
def codes(data, start, end, kind, operator, doubles):
    """`Source._codes`; doubles: uint8[d, 3], first and second byte of an operator and its code."""
    out = np.zeros(len(kind), np.uint8)
    for i in range(len(kind)):
        if kind[i] != operator:
            continue
        at, length = start[i], end[i] - start[i]
        if length == 1:
            out[i] = data[at]
        elif length == 2:
            for d in range(len(doubles)):
                if data[at] == doubles[d, 0] and data[at + 1] == doubles[d, 1]:
                    out[i] = doubles[d, 2]
    return out


@cached
def find(data, start, end, kind, kinds, words, lengths, fold):
    """`Source.find`: the tokens spelled as a word, and which; words: uint8[w, longest], lengths: int64[w]."""
    tokens, which = np.empty(len(kind), np.int64), np.empty(len(kind), np.int64)
    count = 0
    for i in range(len(kind)):
        if kind[i] != kinds[0] and kind[i] != kinds[1]:
            continue
        for w in range(len(lengths)):
            if end[i] - start[i] != lengths[w]:
                continue
            k = 0
            while k < lengths[w]:
                c = data[start[i] + k]
                if fold and 65 <= c <= 90:
                    c |= 32
                if c != words[w, k]:
                    break
                k += 1
            if k == lengths[w]:
                tokens[count], which[count] = i, w
                count += 1
                break
    return tokens[:count].copy(), which[:count].copy()


@cached
def pair(codes, turns):
    """(balanced, closers, openers): which bracket closes which, by a stack; void unless all of them nest.

    closers: the closing token of each opening one; openers: the reverse; -1 for all others.
    """
    n = len(turns)
    stack, closing, opening = np.empty(n, np.int64), np.full(n, -1), np.full(n, -1)
    height = 0
    for i in range(n):
        if turns[i] > 0:
            stack[height] = i
            height += 1
        elif turns[i] < 0:
            height -= 1
            if height < 0:
                break
            gap = np.int64(codes[i]) - np.int64(codes[stack[height]])
            if gap != 1 and gap != 2:
                height = -1
                break
            closing[stack[height]], opening[i] = i, stack[height]
    return height == 0, closing, opening


@njit(nogil=True)
def logical_end(text, at):
    """Where the line at `at` ends, continuation lines included."""
    n, begin = len(text), at
    while True:
        while at < n and text[at] != 10:
            at += 1
        if at == n:
            return n
        last = at - 1
        if last >= max(begin, at - 2) and text[last] == 13:
            last -= 1
        if last < max(begin, at - 2) or text[last] != 92:
            return at
        at += 1
        begin = at


@njit(nogil=True)
def directive_word(text, at):
    """The small letters after `#` and blanks as a number in base 256; 0 for none, or more than eight."""
    at += 1
    while at < len(text) and (text[at] == 32 or text[at] == 9):
        at += 1
    word, count = np.uint64(0), 0
    while at < len(text) and 97 <= text[at] <= 122:
        word = (word << np.uint64(8)) | np.uint64(text[at])
        count += 1
        at += 1
    return word if count <= 8 else np.uint64(1), count


@cached
def mask_directives(text, start, leads, codes, turns, words):
    """`corpus.functions.brackets._mask_directives`: (first, last token) of each line; changes `turns`.

    words: numbers of if, ifdef, ifndef, then of those that begin another branch, then of endif.
    """
    n = len(start)
    firsts, lasts = np.empty(n, np.int64), np.empty(n, np.int64)
    branch, several, height = np.empty(n, np.int64), np.empty(n, np.bool_), 0
    others, count, others_count, token = np.empty((n, 2), np.int64), 0, 0, 0
    while token < n:
        if text[start[token]] != 35 or not leads[token]:
            token += 1
            continue
        word, letters = directive_word(text, start[token])
        if letters == 0:
            token += 1
            continue
        stop, end = token, logical_end(text, start[token])
        while stop < n and start[stop] < end:
            turns[stop] = 0
            stop += 1
        firsts[count], lasts[count] = token, stop - 1
        count += 1
        if word == words[0] or word == words[1] or word == words[2]:
            branch[height], several[height] = stop, False
            height += 1
        elif height > 0 and (word == words[7] or (words[3:7] == word).any()):
            if several[height - 1]:
                others[others_count] = branch[height - 1], token
                others_count += 1
            branch[height - 1], several[height - 1] = stop, True
            height -= word == words[7]
        token = stop
    if others_count > 0:
        total = np.zeros(n + 1, np.int64)
        for i in range(n):
            brace = codes[i] == 123 or codes[i] == 125
            total[i + 1] = total[i] + (turns[i] if brace else 0)
        for a in range(others_count):
            if total[others[a, 0]] != total[others[a, 1]]:
                turns[others[a, 0] : others[a, 1]] = 0
    return firsts[:count].copy(), lasts[:count].copy()


@cached
def block_end(leads, indent, depth, stops, at):
    """`corpus.functions.indents`: index of the first line after the block that begins with line `at`."""
    token = leads[at]
    for index in range(at + 1, len(leads)):
        lead = leads[index]
        if indent[lead] <= indent[token] and (depth[lead] <= depth[token] or stops[index]):
            return index
    return len(leads)


@njit(nogil=True)
def end_line(data, line, start, end, token):
    """Line of the last byte of a token."""
    at = np.int64(line[token])
    for i in range(start[token], end[token]):
        at += data[i] == 10
    return at


@njit(nogil=True)
def put(rows, count, first, last, kind, span, index, data, line, start, end):
    rows[count, 0], rows[count, 1] = first, last
    rows[count, 2] = line[index[first]]
    rows[count, 3] = end_line(data, line, start, end, index[last - 1])
    rows[count, 4], rows[count, 5] = kind, span
    return count + 1


@njit(nogil=True)
def put_all(rows, count, first, last, kind, span, sizes, index, data, line, start, end):
    """Rows of the pieces of a range: `corpus.units._pieces`; sizes: window, stride, windows of a whole."""
    size = last - first
    if size <= sizes[0] or (kind != 3 and size <= sizes[2] * sizes[0]):
        count = put(rows, count, first, last, kind, span, index, data, line, start, end)
    if size > sizes[0]:
        for at in range(first, last - sizes[0] + sizes[1], sizes[1]):
            stop = min(at + sizes[0], last)
            count = put(rows, count, at, stop, 2, span, index, data, line, start, end)
    return count


@cached
def unit_rows(data, keep, line, start, end, firsts, lasts, kinds, sizes):
    """`corpus.units.cut`: a row a unit: first, last, lines, kind (function, class, window, rest), span or -1.

    firsts, lasts, kinds: int64[s] of the spans.
    """
    n = len(keep)
    position, index, kept = np.empty(n + 1, np.int64), np.empty(n, np.int64), 0
    for i in range(n):
        position[i] = kept
        index[kept] = i
        kept += keep[i]
    position[n] = kept
    room = kept // sizes[1] + 2
    for s in range(len(firsts)):
        room += (position[lasts[s]] - position[firsts[s]]) // sizes[1] + 4
    rows, count, covered = np.empty((room, 6), np.int64), 0, 0
    for s in range(len(firsts)):
        first, last = position[firsts[s]], position[lasts[s]]
        if first == last:
            continue
        if covered < first:
            count = put_all(rows, count, covered, first, 3, -1, sizes, index, data, line, start, end)
        covered = max(covered, last)
        at = count
        count = put_all(rows, count, first, last, kinds[s], s, sizes, index, data, line, start, end)
        if rows[at, 4] == kinds[s]:
            rows[at, 2] = line[firsts[s]]
            rows[at, 3] = end_line(data, line, start, end, lasts[s] - 1)
    if covered < kept:
        count = put_all(rows, count, covered, kept, 3, -1, sizes, index, data, line, start, end)
    return rows[:count].copy()
