"""Machine code that cuts texts: what their tokens are to the finders of functions, and units from functions.

Imported only when asked for (`cut(…, compiled=True)`). Called by corpus.functions.texts and corpus.units.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached


@cached
def codes(data, text_ends, token_ends, kind, start, end, raw, kinds, keys, values):
    """`corpus.functions.texts.Texts.read`. kinds: of operators, names and keywords. keys, values: what
    `role_table` gives.
    """
    code, role = np.empty(len(kind), np.uint8), np.empty(len(kind), np.uint16)
    operator, name, keyword = kinds
    mask, one = np.uint64(len(keys) - 1), np.uint64(1)
    # Nothing is to be guessed here, for kinds alternate: no branches, and no signed indices, which may count
    # from the end.
    before, low = np.uint64(0), np.uint64(0)
    for t in range(len(text_ends)):
        high = np.uint64(token_ends[t])
        for i in range(low, high):
            single = np.uint8(kind[i] == operator) & np.uint8(end[i] - start[i] == 1)
            code[i] = data[before + np.uint64(start[i])] * single
            role[i] = np.uint16(kind[i] == name) | np.uint16(kind[i] == keyword)
            slot = raw[i] & mask
            while values[slot] != 0:
                if keys[slot] == raw[i]:
                    role[i] |= np.uint16(values[slot])
                    if kind[i] == operator:
                        code[i] |= np.uint8(values[slot] >> 16)
                    break
                slot = (slot + one) & mask
        before, low = np.uint64(text_ends[t]), high
    return code, role


@njit(nogil=True)
def put(rows, count, first, last, kind, span, index):
    """A row: first, last, the tokens where it begins and ends, kind, span."""
    rows[count, 0], rows[count, 1], rows[count, 4], rows[count, 5] = first, last, kind, span
    rows[count, 2], rows[count, 3] = index[first], index[last - 1]
    return count + 1


@njit(nogil=True)
def put_all(rows, count, first, last, kind, span, sizes, index):
    """Rows of the pieces of a range: `corpus.units._pieces`; sizes: window, stride, windows of a whole."""
    size = last - first
    if size <= sizes[0] or (kind != 3 and size <= sizes[2] * sizes[0]):
        count = put(rows, count, first, last, kind, span, index)
    if size > sizes[0]:
        for at in range(first, last - sizes[0] + sizes[1], sizes[1]):
            count = put(rows, count, at, min(at + sizes[0], last), 2, span, index)
    return count


@njit(nogil=True)
def place(rows, data, line, start, end):
    """Lines instead of tokens: that of the first, and that of the last byte of the last."""
    for row in range(len(rows)):
        token = rows[row, 3]
        rows[row, 2], rows[row, 3] = line[rows[row, 2]], line[token]
        for at in range(start[token], end[token]):
            rows[row, 3] += data[at] == 10


@cached
def unit_rows(data, text_ends, token_ends, keep, line, start, end, spans, span_ends, sizes):
    """`corpus.units.cut` of texts that lie one behind the other: a row a unit: first, last, lines, kind
    (function, class, window, rest), span or -1; and where each text's units and significant tokens end.

    All numbers count from the beginning of their text. spans, span_ends: `corpus.functions.texts.Spans`.
    """
    longest, room = 0, 0
    for t in range(len(text_ends)):
        size = token_ends[t] - (token_ends[t - 1] if t > 0 else 0)
        longest, room = max(longest, size), room + size // sizes[1] + 2
    for s in range(len(spans)):
        room += (spans[s, 1] - spans[s, 0]) // sizes[1] + 4
    position, index = np.empty(longest + 1, np.int32), np.empty(longest, np.int32)
    rows, unit_ends, kept_ends = np.empty((room, 6), np.int64), np.empty_like(token_ends), token_ends.copy()
    count, total, before, low, span = 0, 0, 0, 0, 0
    for t in range(len(text_ends)):
        high, begun, covered, kept = token_ends[t], count, 0, np.uint64(0)
        for i in range(high - low):
            position[i] = kept
            index[kept] = i
            kept += np.uint64(keep[low + i])
        position[high - low] = kept
        size = int(position[high - low])
        first_span = span
        for s in range(first_span, span_ends[t] if size > 0 else first_span):
            begin, stop, kind = spans[s, 0], spans[s, 1], spans[s, 2]
            first, last = int(position[begin]), int(position[stop])
            if first == last:
                continue
            if covered < first:
                count = put_all(rows, count, covered, first, 3, -1, sizes, index)
            covered = max(covered, last)
            at = count
            count = put_all(rows, count, first, last, kind, s - first_span, sizes, index)
            if rows[at, 4] == kind:
                rows[at, 2], rows[at, 3] = begin, stop - 1
        if covered < size:
            count = put_all(rows, count, covered, size, 3, -1, sizes, index)
        place(rows[begun:count], data[before : text_ends[t]], line[low:high], start[low:high], end[low:high])
        total += size
        unit_ends[t], kept_ends[t], before, low, span = count, total, text_ends[t], high, span_ends[t]
    return rows[:count].copy(), unit_ends, kept_ends
