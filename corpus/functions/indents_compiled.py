"""Machine code for `corpus.functions.indents`, of many texts at once; the same results.

What is here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

WORD, DEF, CLASS, CDEF, ASYNC = 1, 2, 4, 8, 16
"""What a token can be, as bits of its role; CDEF is cpdef too."""
HEADS = DEF | CLASS | CDEF | ASYNC
LEFT, COLON, EQUALS, AT = b"(:=@"
NONE, FUNCTION, PLAIN_CLASS = -1, 0, 1


@njit(nogil=True)
def is_head(role, token):
    return role[token] & WORD and role[token] & HEADS


@njit(nogil=True)
def ends_decorator(code, role, indent, depth, decorator, token):
    outside = not is_head(role, token) and code[token] != AT and depth[token] <= depth[decorator]
    return outside or indent[token] < indent[decorator]


@njit(nogil=True)
def head_of(code, role, depth, leads, at):
    """(kind, name) of what the line begins; NONE, if it does not begin a block with a name."""
    token, n = np.int64(leads[at]), len(code)
    if is_head(role, token) and role[token] & ASYNC:
        token += 1
    if token == n or not is_head(role, token):
        return NONE, -1
    if role[token] & (DEF | CLASS):
        named = token + 1 < n and role[token + 1] & WORD
        return PLAIN_CLASS if role[token] & CLASS else FUNCTION, token + 1 if named else -1
    return cython_head(code, role, depth, leads, at, token) if role[token] & CDEF else (NONE, -1)


@njit(nogil=True)
def cython_head(code, role, depth, leads, at, token):
    stop = len(code)
    for lead in leads[at + 1 : at + 200]:
        if depth[lead] <= depth[token]:
            stop = lead
            break
    name = -1
    for place in range(token, min(stop, token + 1000)):
        if role[place] & (WORD | CLASS) == WORD | CLASS:
            return PLAIN_CLASS, place + 1 if place + 1 < len(code) else -1
        if depth[place] > depth[token]:
            continue
        if code[place] == LEFT and name < 0:
            name = place - 1
        elif code[place] == EQUALS:
            break
        elif code[place] == COLON:
            return FUNCTION if name >= 0 else NONE, name
    return NONE, -1


@njit(nogil=True)
def block_end(code, role, indent, depth, leads, at):
    token = leads[at]
    for index in range(at + 1, len(leads)):
        lead = leads[index]
        if indent[lead] <= indent[token] and (
            depth[lead] <= depth[token] or is_head(role, lead) or code[lead] == AT
        ):
            return index
    return len(leads)


@njit(nogil=True)
def find_functions(code, role, indent, depth, leads, rows):
    """How many functions and classes of one text there are; their rows are put into `rows`."""
    at, decorator, count = 0, -1, 0
    while at < len(leads):
        token = leads[at]
        if decorator < 0 and code[token] != AT and not is_head(role, token):
            at += 1
            continue
        if decorator >= 0 and ends_decorator(code, role, indent, depth, decorator, token):
            decorator = -1
        if code[token] == AT:
            decorator = token if decorator < 0 else decorator
            at += 1
            continue
        kind, name = head_of(code, role, depth, leads, at)
        if kind == NONE:
            at += 1
            continue
        stop = block_end(code, role, indent, depth, leads, at)
        last = leads[stop] if stop < len(leads) else len(code)
        first = decorator if decorator >= 0 and indent[decorator] == indent[token] else token
        if count > 0 and rows[count - 1, 2] == PLAIN_CLASS and rows[count - 1, 1] > token:
            count -= 1  # the class around this one is not plain
        rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3], rows[count, 4] = (
            first, last, kind, name, name,
        )  # fmt: skip
        count += 1
        at = at + 1 if kind == PLAIN_CLASS else stop
        decorator = -1
    return count


@cached
def indent_rows(code, role, fresh, indent, token_ends, change):
    """`corpus.functions.texts.Spans`. change: what a code does to the depth, by code."""
    n = len(code)
    depth, leads = np.empty(n, np.int32), np.empty(n, np.int32)
    rows, row_ends, low, count = np.empty((n, 5), np.int64), np.empty(len(token_ends), np.int64), 0, 0
    for t in range(len(token_ends)):
        high, lines, opened = token_ends[t], np.uint64(0), np.int32(0)
        codes, begins = code[low:high], fresh[low:high]
        for i in range(high - low):
            depth[i] = opened
            opened += change[codes[i]]
            leads[lines] = i
            lines += np.uint64(begins[i])
        count += find_functions(codes, role[low:high], indent[low:high], depth, leads[:lines], rows[count:])
        row_ends[t], low = count, high
    return rows[:count].copy(), row_ends
