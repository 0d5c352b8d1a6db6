"""Machine code for functions that a head `name(…) {` begins: `corpus.functions.braces`, the same results.

Serves the languages without keywords for functions (C and its kin, Java), where all brackets nest; what is
here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

ARROW = 1
OPERATOR, NEW, TEMPLATE, QUALIFIER, CONTROL, ACCESS, TYPE = 1, 2, 4, 8, 16, 32, 64
"""What a word can be, as bits."""


@njit(nogil=True)
def role(token, raw, table):
    """What the word at `token` can be, -1 is the last one; table: uint64[2^b, 2], hashes and bits."""
    mask = np.uint64(len(table) - 1)
    at = raw[token] & mask
    while table[at, 1] != 0:
        if table[at, 0] == raw[token]:
            return np.int64(table[at, 1])
        at = (at + np.uint64(1)) & mask
    return 0


@njit(nogil=True)
def is_word(kind, token):
    return kind[token] == 1 or kind[token] == 5


@njit(nogil=True)
def initialises_member(code, kind, close, brace):
    before = code[max(brace - 2, 0)]
    if brace == 0 or (before != 58 and before != 44) or not is_word(kind, brace - 1):
        return False
    after = close[brace] + 1
    return after < len(code) and (code[after] == 44 or code[after] == 123)


@njit(nogil=True)
def before_generics(code, at):
    depth = np.int64(0)
    for back in range(at, max(at - 64, -1), -1):
        depth += np.int64(code[back] == 62) - np.int64(code[back] == 60)
        if depth == 0:
            return back - 1
    return -1


@njit(nogil=True)
def read_head(code, kind, raw, leads, close, opening, directives, table, brace, groups):
    """(first, count of groups, equals, colon, type) of the head before `brace`; groups: where they open."""
    first, count, equals, colon, kin = brace, 0, -1, -1, -1
    at = brace - 1
    while at >= 0:
        sign = code[at]
        if directives[at] >= 0:
            if count > 0:
                break
            at = directives[at] - 1
            continue
        if sign == 41 or sign == 93:
            start = opening[at]
            if start < 0:
                break
            if sign == 41:
                groups[count] = start
                count += 1
            at = start
        elif sign == 125:
            start = opening[at]
            if start < 0 or not initialises_member(code, kind, close, start):
                break
            at = start
        elif sign == 40 or sign == 91:
            return brace, 0, -1, -1, -1
        elif (sign == 43 or sign == 45) and leads[at] and code[at + 1] == 40:
            first = at
            break
        elif sign == 123 or sign == 59:
            break
        elif sign == 62 and count > 0 and at + 1 == groups[count - 1]:
            name = before_generics(code, at)
            at = name + 1 if name >= 0 else at
        elif sign == 61:
            if not role(at - 1, raw, table) & OPERATOR:
                equals = at
        elif sign == 58:
            if role(at - 1, raw, table) & ACCESS:
                break
            colon = at
        elif is_word(kind, at) and role(at, raw, table) & TYPE:
            kin = at
        first = at
        at -= 1
    return first, count, equals, colon, kin


@njit(nogil=True)
def old_style(code, kind, raw, leads, opening, table, brace):
    at, stop = brace - 1, max(brace - 256, -1)
    while at > stop:
        sign = code[at]
        if sign == 41 and opening[at] >= 0:
            before = opening[at] - 1
            named = before >= 0 and is_word(kind, before) and is_word(kind, at + 1)
            if named and leads[brace] and not role(before, raw, table) & CONTROL:
                return at + 1
            at = before
        elif sign == 93 and opening[at] >= 0:
            at = opening[at] - 1
        elif sign == 59 or sign == 44 or sign == 42 or is_word(kind, at):
            at -= 1
        else:
            return -1
    return -1


@njit(nogil=True)
def function_name(code, kind, raw, opening, table, first, groups, count, colon):
    for group in range(count):
        start = groups[group]
        if 0 <= colon < start:
            continue
        at = start - 1
        if at > first and (role(at - 1, raw, table) | role(max(at - 2, 0), raw, table)) & OPERATOR:
            return at
        if at >= 0 and code[at] == 62:
            at = before_generics(code, at)
        if at < first:
            continue
        if code[at] == 41 and opening[at] >= 0:
            for inner in range(opening[at] + 1, at):
                if is_word(kind, inner):
                    return inner
            return -1
        if is_word(kind, at):
            what = role(at, raw, table)
            if what & QUALIFIER:
                continue
            return -1 if what & CONTROL else at
    return -1


@cached
def functions(
    codes, kinds, raws, lead, closers, openers, directive, balanced, token_ends, table, preprocessor
):
    """Rows of int64: first token, end, the token that names it, whether that is a method of Objective-C; and
    where each text's rows end.

    Of texts that lie one behind the other; tokens count from their text's first. closers, openers: the
    partner of each bracket, or -1. directive: first token of the preprocessor line that ends with a token,
    or -1. balanced: which texts to read. table: see `role`.
    """
    rows, groups, low, count = np.empty((len(codes), 4), np.int64), np.empty(len(codes), np.int64), 0, 0
    row_ends = np.empty(len(token_ends), np.int64)
    for t in range(len(token_ends)):
        high = token_ends[t]
        if balanced[t]:
            count = text_functions(
                codes[low:high], kinds[low:high], raws[low:high], lead[low:high], closers[low:high],
                openers[low:high], directive[low:high], table, preprocessor, rows, count, groups,
            )  # fmt: skip
        row_ends[t], low = count, high
    return rows[:count].copy(), row_ends


@njit(nogil=True)
def text_functions(
    code, kind, raw, leads, closing, opening, directives, table, preprocessor, rows, count, groups
):
    """The rows of one text behind the first `count`; how many there are then."""
    n = len(code)
    end = -1
    for brace in range(n):
        if brace < end or code[brace] != 123 or closing[brace] < 0:
            continue
        before = code[brace - 1] if brace > 0 else 0
        name, method, first = -1, 0, -1
        if before != ARROW and not initialises_member(code, kind, closing, brace):
            first, size, equals, colon, kin = read_head(
                code, kind, raw, leads, closing, opening, directives, table, brace, groups
            )
            if size == 0 and preprocessor and before == 59:
                after = old_style(code, kind, raw, leads, opening, table, brace)
                if after >= 0:
                    first, size, equals, colon, kin = read_head(
                        code, kind, raw, leads, closing, opening, directives, table, after, groups
                    )
            if size > 0 and (code[first] == 43 or code[first] == 45) and code[first + 1] == 40:
                method = 1
                name = (closing[first + 1] if closing[first + 1] >= 0 else first) + 1
            elif size > 0:
                name = function_name(code, kind, raw, opening, table, first, groups, size, colon)
                created = name > first and role(max(name - 1, 0), raw, table) & NEW
                assigned = 0 <= equals < name and not role(first, raw, table) & TEMPLATE
                if created or assigned or 0 <= kin < name:
                    name = -1
        if name >= 0:
            last = min(closing[brace] + 1, n)
            rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = first, last, name, method
            count += 1
            end = last
        elif before == 61:
            end = closing[brace]  # an initialiser
    return count
