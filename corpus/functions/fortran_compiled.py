"""Machine code for `corpus.functions.fortran`, of many texts at once; the same results.

What is here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

WORD, UNIT, PROGRAM, PROCEDURE, END, UNIT_END, MODULE = 1, 2, 4, 8, 16, 32, 64
"""What a token can be, as bits of its role. UNIT: any that begins one; UNIT_END: any that ends one."""
LEFT, RIGHT, SQUARE_LEFT, SQUARE_RIGHT = b"()[]"
EQUALS, COLON, SEMICOLON = b"=:;"
MAX_PREFIX = 40


@njit(nogil=True)
def spells_end(text, start, end):
    """Whether a word begins with `end`, in any case."""
    if end - start < 3:
        return False
    return text[start] | 32 == 101 and text[start + 1] | 32 == 110 and text[start + 2] | 32 == 100


@njit(nogil=True)
def begins_unit(text, start, end, code, role, leads, lead, token):
    if token + 1 >= len(code) or not role[token + 1] & WORD or leads[token + 1]:
        return False
    if token - lead > MAX_PREFIX:
        return False
    before, after_module = 0, False
    for at in range(lead, token):
        if role[at] & WORD:
            if before == 0:
                if spells_end(text, start[at], end[at]):
                    return False
                after_module = role[at] & MODULE != 0
            before += 1
    depth, assigned = 0, False
    for at in range(lead, token):
        sign = code[at]
        if sign in (EQUALS, COLON) and code[at + 1] == COLON:
            return False
        if sign in (LEFT, SQUARE_LEFT):
            depth += 1
        elif sign in (RIGHT, SQUARE_RIGHT):
            depth -= 1
        assigned |= sign == EQUALS and depth == 0
    if role[token] & PROCEDURE:
        return before == 1 and after_module and code[token + 1] != LEFT
    if role[token] & PROGRAM:
        return token == lead
    return depth == 0 and not assigned


@njit(nogil=True)
def ends_unit(code, role, leads, lead, token):
    if token != lead and not (token == lead + 1 and code[lead] == 0):
        return False
    after = token + 1
    if not role[token] & END or after >= len(code) or leads[after] or code[after] == SEMICOLON:
        return True
    return role[after] & (WORD | UNIT) == WORD | UNIT


@njit(nogil=True)
def line_stop(leads, token):
    token += 1
    while token < len(leads) and not leads[token]:
        token += 1
    return token


@njit(nogil=True)
def find_functions(text, start, end, code, role, leads, opened, rows):
    """How many program units of one text there are; their rows are put into `rows`. opened: where the lines
    of open units begin, and their names."""
    count, height, lead = 0, 0, 0
    for token in range(len(code)):
        if leads[token]:
            lead = token
        if not role[token] & WORD or not role[token] & (UNIT | UNIT_END):
            continue
        if role[token] & UNIT:
            if begins_unit(text, start, end, code, role, leads, lead, token):
                opened[0, height], opened[1, height] = lead, token + 1
                height += 1
        elif height > 0 and ends_unit(code, role, leads, lead, token):
            height -= 1
            if height == 0:
                count = put(rows, count, opened, line_stop(leads, token))
    return put(rows, count, opened, len(code)) if height > 0 else count


@njit(nogil=True)
def put(rows, count, opened, last):
    """A row for the outermost open unit."""
    rows[count, 0], rows[count, 1], rows[count, 2] = opened[0, 0], last, 0
    rows[count, 3], rows[count, 4] = opened[1, 0], opened[1, 0]
    return count + 1


@cached
def fortran_rows(data, text_ends, token_ends, start, end, code, role, leads):
    """`corpus.functions.texts.Spans`."""
    n, before, low, count = len(code), 0, 0, 0
    opened = np.empty((2, n), np.int32)
    rows, row_ends = np.empty((n, 5), np.int64), np.empty(len(token_ends), np.int64)
    for t in range(len(token_ends)):
        high = token_ends[t]
        count += find_functions(
            data[before : text_ends[t]], start[low:high], end[low:high], code[low:high], role[low:high],
            leads[low:high], opened, rows[count:],
        )  # fmt: skip
        row_ends[t], before, low = count, text_ends[t], high
    return rows[:count].copy(), row_ends
