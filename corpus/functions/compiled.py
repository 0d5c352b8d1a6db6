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


@njit(nogil=True)
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
def brackets(
    data, text_ends, token_ends, start, end, kind, leads, operator, doubles, change, words, preprocessor
):
    """Codes and brackets of texts that lie one behind the other, in tokens counted from each text's first.

    (codes, closers, openers, directives, balanced): see `codes` and `pair`; directives: the first token of
    the preprocessor line that ends with a token, or -1; balanced: of each text, without it closers and
    openers are void. change: what a code does to the depth, by code. words: see `mask_directives`.
    """
    n = len(kind)
    code, turns = np.empty(n, np.uint8), np.empty(n, np.int8)
    closing, opening, directives = np.empty(n, np.int32), np.empty(n, np.int32), np.full(n, -1, np.int32)
    balanced = np.empty(len(text_ends), np.bool_)
    before, low = 0, 0
    for t in range(len(text_ends)):
        text, high = data[before : text_ends[t]], token_ends[t]
        code[low:high] = codes(text, start[low:high], end[low:high], kind[low:high], operator, doubles)
        for i in range(low, high):
            turns[i] = change[code[i]]
        if preprocessor:
            firsts, lasts = mask_directives(
                text, start[low:high], leads[low:high], code[low:high], turns[low:high], words
            )
            for i in range(len(firsts)):
                directives[low + lasts[i]] = firsts[i]
        balanced[t], closers, openers = pair(code[low:high], turns[low:high])
        closing[low:high], opening[low:high] = closers, openers
        before, low = text_ends[t], high
    return code, closing, opening, directives, balanced


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
def unit_rows(data, text_ends, token_ends, keep, line, start, end, firsts, lasts, kinds, span_ends, sizes):
    """`corpus.units.cut` of texts that lie one behind the other: a row a unit: first, last, lines, kind
    (function, class, window, rest), span or -1; and where each text's units and significant tokens end.

    All numbers count from the beginning of their text. firsts, lasts, kinds: int64[s] of the spans.
    span_ends: where each text's end.
    """
    longest, room = 0, 0
    for t in range(len(text_ends)):
        size = token_ends[t] - (token_ends[t - 1] if t > 0 else 0)
        longest, room = max(longest, size), room + size // sizes[1] + 2
    for s in range(len(firsts)):
        room += (lasts[s] - firsts[s]) // sizes[1] + 4
    position, index = np.empty(longest + 1, np.int64), np.empty(longest, np.int64)
    rows, unit_ends, kept_ends = np.empty((room, 6), np.int64), np.empty_like(token_ends), token_ends.copy()
    count, total, before, low, span = 0, 0, 0, 0, 0
    for t in range(len(text_ends)):
        text, high = data[before : text_ends[t]], token_ends[t]
        lines, starts, ends = line[low:high], start[low:high], end[low:high]
        kept, covered = 0, 0
        for i in range(high - low):
            position[i] = kept
            index[kept] = i
            kept += keep[low + i]
        position[high - low] = kept
        first_span = span
        for s in range(first_span, span_ends[t] if kept > 0 else first_span):
            first, last = position[firsts[s]], position[lasts[s]]
            if first == last:
                continue
            own = s - first_span
            if covered < first:
                count = put_all(rows, count, covered, first, 3, -1, sizes, index, text, lines, starts, ends)
            covered = max(covered, last)
            at = count
            count = put_all(rows, count, first, last, kinds[s], own, sizes, index, text, lines, starts, ends)
            if rows[at, 4] == kinds[s]:
                rows[at, 2] = lines[firsts[s]]
                rows[at, 3] = end_line(text, lines, starts, ends, lasts[s] - 1)
        if covered < kept:
            count = put_all(rows, count, covered, kept, 3, -1, sizes, index, text, lines, starts, ends)
        total += kept
        unit_ends[t], kept_ends[t], before, low, span = count, total, text_ends[t], high, span_ends[t]
    return rows[:count].copy(), unit_ends, kept_ends
