"""Machine code for `corpus.functions.ends`, of many texts at once; the same results.

What is here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

WORD, FUNCTION, OPENER, CLOSER, NOT_IN_BRACKETS, LINE_FIRST, TYPE, ABSTRACT, ASSIGN = (
    1, 2, 4, 8, 16, 32, 64, 128, 256,
)  # fmt: skip
"""What a token can be, as bits of its role: see `Grammar`; then Julia's `type` and what stands before it, and
`:=`."""
DEF, BEFORE, END, MIDDLE = 2, 4, 8, 16
"""The same for Ruby."""
LEFT, RIGHT, SQUARE_LEFT, SQUARE_RIGHT, OPEN, CLOSE = b"()[]{}"
EQUALS, COLON, DOT, SEMICOLON = b"=:.;"
MAX_HEAD = 40


@njit(nogil=True)
def is_word(start, end, code, token):
    if token > 0 and (code[token - 1] == DOT or code[token - 1] == COLON) and end[token - 1] == start[token]:
        return False
    return not (token + 1 < len(code) and code[token + 1] == EQUALS)


@njit(nogil=True)
def opens(role, leads, token, in_bracket):
    if in_bracket and role[token] & NOT_IN_BRACKETS:
        return False
    if role[token] & LINE_FIRST and not leads[token]:
        return False
    if role[token] & TYPE:
        return token > 0 and role[token - 1] & ABSTRACT != 0
    return True


@njit(nogil=True)
def put(code, role, leads, rows, count, head, lead, last):
    """A row for the function whose keyword is `head`; lead: where its line begins, which may hold the end of
    the function before."""
    if count > 0:
        lead = max(lead, rows[count - 1, 1])
    at = head + 1
    stop, name, name_last, limit = at, -1, -1, min(len(code), at + MAX_HEAD)
    while stop < limit and not leads[stop] and code[stop] != LEFT and code[stop] != SEMICOLON:
        stop += 1
    for place in range(at, stop):
        if code[place] == EQUALS:
            at = place + 1
            break
    if at < stop and role[at] & WORD:
        name = name_last = at
        while name_last + 2 < stop and role[name_last + 2] & WORD:
            if code[name_last + 1] != DOT and code[name_last + 1] != COLON:
                break
            name_last += 2
    elif head > 1 and (code[head - 1] == EQUALS or role[head - 1] & ASSIGN) and role[head - 2] & WORD:
        name = name_last = head - 2
    rows[count, 0], rows[count, 1], rows[count, 2] = lead, last, 0
    rows[count, 3], rows[count, 4] = name, name_last
    return count + 1


@njit(nogil=True)
def find_functions(start, end, code, role, leads, indent, endless, stack, rows):
    """How many functions of one text there are; their rows are put into `rows`.

    stack: int32[3, n]: tokens, roles (0 for brackets) and beginnings of the lines of what is open.
    """
    count, height, functions, lead = 0, 0, 0, 0
    for token in range(len(code)):
        if leads[token]:
            lead = token
        sign, word = code[token], role[token] & (FUNCTION | OPENER | CLOSER) if role[token] & WORD else 0
        in_bracket = height > 0 and stack[1, height - 1] == 0
        if word == 0:
            if sign in (LEFT, SQUARE_LEFT, OPEN):
                stack[0, height], stack[1, height] = token, 0
                height += 1
            elif sign in (RIGHT, SQUARE_RIGHT, CLOSE) and in_bracket:
                height -= 1
        elif not is_word(start, end, code, token):
            continue
        elif word & CLOSER:
            if leads[token] and indent[token] == 0:
                while height > 0 and stack[1, height - 1] == 0:
                    height -= 1
            if height > 0 and stack[1, height - 1] != 0:
                height -= 1
                if stack[1, height] & FUNCTION:
                    functions -= 1
                    if functions == 0:
                        head = stack[0, height]
                        count = put(code, role, leads, rows, count, head, stack[2, height], token + 1)
        elif opens(role, leads, token, in_bracket):
            stack[0, height], stack[1, height], stack[2, height] = token, word, lead
            height += 1
            functions += word & FUNCTION != 0
    for place in range(height):
        if stack[1, place] & FUNCTION:
            head, lead = stack[0, place], stack[2, place]
            if endless:
                return without_ends(start, end, code, role, leads, head, lead, rows, count)
            return put(code, role, leads, rows, count, head, lead, len(code))
    return count


@njit(nogil=True)
def without_ends(start, end, code, role, leads, first, lead, rows, count):
    """From `first` on, whose line begins at `lead`, each function ends where the next begins."""
    head, line = -1, lead
    for token in range(first, len(code)):
        if leads[token]:
            line = token
        if role[token] & (WORD | FUNCTION) == WORD | FUNCTION and is_word(start, end, code, token):
            if head >= 0:
                count = put(code, role, leads, rows, count, head, lead, token)
            head, lead = token, line
    return put(code, role, leads, rows, count, head, lead, len(code))


@cached
def end_rows(token_ends, start, end, code, role, leads, indent, endless):
    """`corpus.functions.texts.Spans`."""
    n, low, count = len(code), 0, 0
    stack = np.empty((3, n), np.int32)
    rows, row_ends = np.empty((n, 5), np.int64), np.empty(len(token_ends), np.int64)
    for t in range(len(token_ends)):
        high = token_ends[t]
        count += find_functions(
            start[low:high], end[low:high], code[low:high], role[low:high], leads[low:high], indent[low:high],
            endless, stack, rows[count:],
        )  # fmt: skip
        row_ends[t], low = count, high
    return rows[:count].copy(), row_ends


# Ruby.


@njit(nogil=True)
def ruby_end(code, role, leads, indent, lead):
    margin = indent[lead]
    for at in range(lead + 1, len(code)):
        if not leads[at] or indent[at] > margin:
            continue
        if role[at] & END and indent[at] == margin:
            return at + 1
        sign = code[at]
        if not role[at] & MIDDLE and sign != RIGHT and sign != SQUARE_RIGHT and sign != CLOSE:
            return at
    return len(code)


@cached
def ruby_rows(token_ends, code, role, leads, indent):
    """`corpus.functions.texts.Spans`."""
    rows, row_ends = np.empty((len(code), 5), np.int64), np.empty(len(token_ends), np.int64)
    low, count = 0, 0
    for t in range(len(token_ends)):
        high, last, n = token_ends[t], 0, token_ends[t] - low
        codes, roles, lines, indents = code[low:high], role[low:high], leads[low:high], indent[low:high]
        for lead in range(n):
            if not lines[lead] or lead < last:
                continue
            named = roles[lead] & BEFORE and lead + 1 < n and roles[lead + 1] & (WORD | DEF) == WORD | DEF
            head = lead + 1 if named else lead
            if roles[head] & (WORD | DEF) != WORD | DEF:
                continue
            last = ruby_end(codes, roles, lines, indents, lead)
            at = head + 1
            if at + 2 < last and codes[at + 1] == DOT:
                at += 2
            name = at if at < n else -1
            rows[count, 0], rows[count, 1], rows[count, 2] = lead, last, 0
            rows[count, 3], rows[count, 4] = name, name
            count += 1
        row_ends[t], low = count, high
    return rows[:count].copy(), row_ends
