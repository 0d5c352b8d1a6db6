"""Machine code for `corpus.functions.braces`, of many texts at once; the same results.

What is here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

WORD, OPERATOR, NEW, TEMPLATE, QUALIFIER, CONTROL, ACCESS, TYPE, ASYNC, INLINE, KEYWORD = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024,
)  # fmt: skip
"""What a token can be, as bits of its role: name or keyword, and the words of `corpus.functions.dialects`."""
ARROW, ASSIGN_LEFT = 1, 2
LEFT, RIGHT, SQUARE_LEFT, SQUARE_RIGHT, OPEN, CLOSE = b"()[]{}"
SEMICOLON, COMMA, COLON, EQUALS, LESS, MORE, STAR, PLUS, MINUS = b";,:=<>*+-"
MAX_OLD_STYLE = 256
MAX_NESTING = 3


@njit(nogil=True)
def last_of(code, partner, brace):
    """The end of the block: after its closing brace, or where it must have ended."""
    close = np.int64(partner[brace])
    return close + 1 if close < len(code) and partner[close] == brace else min(close, len(code))


@njit(nogil=True)
def follow(code, role, partner, token, anonymous):
    """The brace that opens the body of the function whose keyword is `token`, and its name; -1 for none."""
    n, at, name = len(code), token + 1, -1
    if at < n and code[at] == STAR:
        at += 1
    named = False
    receiver = at < n and code[at] == LEFT and partner[at] >= 0
    if receiver and not anonymous:
        return -1, -1
    while at < n and role[at] & (WORD | KEYWORD) != WORD | KEYWORD:
        sign = code[at]
        if sign == OPEN:
            if role[at - 1] & INLINE:
                at = partner[at] + 1
                continue
            return at, name
        if sign in (LEFT, SQUARE_LEFT):
            if partner[at] < 0:
                return -1, -1
            if not named and not receiver:
                before = before_generics(code, at - 1) if code[at - 1] == MORE else at - 1
                name = before if before > token and role[before] & WORD else name
                named = True
            at = partner[at] + 1
            if receiver and at + 1 < n and role[at] & WORD and code[at + 1] == LEFT:
                name, named = at, True
            receiver = False
            continue
        if (
            sign in (SEMICOLON, CLOSE, RIGHT, SQUARE_RIGHT, EQUALS, ARROW)
        ):  # fmt: skip
            return -1, -1
        if at == token + 1 and role[at] & WORD:
            name = at
        at += 1
    return -1, -1


@njit(nogil=True)
def statement_start(code, leads, token):
    while token > 0 and not leads[token]:
        sign = code[token - 1]
        if sign in (OPEN, CLOSE, SEMICOLON, LEFT, COMMA):
            break
        token -= 1
    return token


@njit(nogil=True)
def assigned_name(code, role, token):
    if token > 0 and role[token - 1] & ASYNC:
        token -= 1
    if token > 1 and role[token - 2] & WORD:
        sign = code[token - 1]
        if sign in (EQUALS, COLON, ASSIGN_LEFT):
            return token - 2
    return -1


@njit(nogil=True)
def from_keywords(code, role, leads, partner, anonymous, firsts, names):
    """Where each brace's function begins, by `firsts`, -1 for none, and its name, by `names`."""
    firsts[:] = -1
    for token in range(len(code)):
        if role[token] & (WORD | KEYWORD) == WORD | KEYWORD:
            brace, name = follow(code, role, partner, token, anonymous)
            if brace >= 0:
                firsts[brace] = statement_start(code, leads, token)
                names[brace] = name if name >= 0 else assigned_name(code, role, token)


@njit(nogil=True)
def initialises_member(code, role, partner, brace):
    before = code[max(brace - 2, 0)]
    if brace == 0 or (before != COLON and before != COMMA) or not role[brace - 1] & WORD:
        return False
    after = partner[brace] + 1
    return after < len(code) and (code[after] == COMMA or code[after] == OPEN)


@njit(nogil=True)
def before_generics(code, at):
    depth = np.int64(0)
    for back in range(at, max(at - 64, -1), -1):
        depth += np.int64(code[back] == MORE) - np.int64(code[back] == LESS)
        if depth == 0:
            return back - 1
    return -1


@njit(nogil=True)
def read_head(code, role, leads, partner, brace, commas, groups):
    """(first, count of groups, equals, colon, type) of the head before `brace`; groups: where they open."""
    first, count, equals, colon, kin = brace, 0, -1, -1, -1
    at = brace - 1
    while at >= 0:
        sign = code[at]
        if partner[at] < -1:  # of a preprocessor line
            if count > 0:
                break
            at = -3 - partner[at]
            continue
        if sign in (RIGHT, SQUARE_RIGHT):
            start = partner[at]
            if start < 0:
                break
            if sign == RIGHT:
                groups[count] = start
                count += 1
            at = start
        elif sign == CLOSE:
            start = partner[at]
            if start < 0 or not initialises_member(code, role, partner, start):
                break
            at = start
        elif sign in (LEFT, SQUARE_LEFT):
            return brace, 0, -1, -1, -1
        elif sign in (PLUS, MINUS) and leads[at] and code[at + 1] == LEFT:
            first = at
            break
        elif sign in (OPEN, SEMICOLON) or (sign == COMMA and commas and count > 0):
            break
        elif sign == MORE and count > 0 and at + 1 == groups[count - 1]:
            name = before_generics(code, at)
            at = name + 1 if name >= 0 else at
        elif sign == EQUALS:
            if not role[at - 1] & OPERATOR:
                equals = at
        elif sign == COLON:
            if role[at - 1] & ACCESS:
                break
            colon = at
        elif role[at] & (WORD | TYPE) == WORD | TYPE:
            kin = at
        first = at
        at -= 1
    return first, count, equals, colon, kin


@njit(nogil=True)
def old_style(code, role, leads, partner, brace):
    at, stop = brace - 1, max(brace - MAX_OLD_STYLE, -1)
    while at > stop:
        sign = code[at]
        if sign == RIGHT and partner[at] >= 0:
            before = partner[at] - 1
            named = before >= 0 and role[before] & WORD and role[at + 1] & WORD
            if named and leads[brace] and not role[before] & CONTROL:
                return at + 1
            at = before
        elif sign == SQUARE_RIGHT and partner[at] >= 0:
            at = partner[at] - 1
        elif sign in (SEMICOLON, COMMA, STAR) or role[at] & WORD:
            at -= 1
        else:
            return -1
    return -1


@njit(nogil=True)
def function_name(code, role, partner, first, groups, count, colon):
    for group in range(count):
        start = groups[group]
        if 0 <= colon < start:
            continue
        at = start - 1
        if at > first and (role[at - 1] | role[max(at - 2, 0)]) & OPERATOR:
            return at
        if at >= 0 and code[at] == MORE:
            at = before_generics(code, at)
        if at < first:
            continue
        if code[at] == RIGHT and partner[at] >= 0:
            for inner in range(partner[at] + 1, at):
                if role[inner] & WORD:
                    return inner
            return -1
        if role[at] & WORD:
            if role[at] & QUALIFIER:
                continue
            return -1 if role[at] & CONTROL else at
    return -1


@njit(nogil=True)
def from_head(code, role, leads, partner, brace, preprocessor, commas, groups):
    """(first, name's first, name's last) of the function whose body `brace` opens; first -1 if it is none."""
    before = code[brace - 1] if brace > 0 else 0
    if before == ARROW:
        return arrow(code, role, leads, partner, brace) if commas else (-1, -1, -1)
    if initialises_member(code, role, partner, brace):
        return -1, -1, -1
    first, count, equals, colon, kin = read_head(code, role, leads, partner, brace, commas, groups)
    if count == 0 and preprocessor and before == SEMICOLON:
        after = old_style(code, role, leads, partner, brace)
        if after >= 0:
            first, count, equals, colon, kin = read_head(code, role, leads, partner, after, False, groups)
    if count == 0:
        return -1, -1, -1
    if (code[first] == PLUS or code[first] == MINUS) and code[first + 1] == LEFT:
        name = (partner[first + 1] if partner[first + 1] >= 0 else first) + 1
        return first, name, name
    name = function_name(code, role, partner, first, groups, count, colon)
    created = name > first and role[max(name - 1, 0)] & NEW
    assigned = 0 <= equals < name and not role[first] & TEMPLATE
    if name < 0 or created or assigned or 0 <= kin < name:
        return -1, -1, -1
    for back in range(1, min(name, 2) + 1):
        if role[name - back] & OPERATOR:
            return first, name - back, name
    return first, name, name


@njit(nogil=True)
def arrow(code, role, leads, partner, brace):
    before = brace - 2
    if before > 1 and code[before - 1] == COLON and 0 <= partner[before - 2] < before - 2:
        before -= 2
    if before >= 0 and 0 <= partner[before] < before:
        before = np.int64(partner[before])
    before = max(before, 0)
    name = assigned_name(code, role, before)
    return statement_start(code, leads, before), name, name


@njit(nogil=True)
def find_functions(code, role, leads, partner, options, long, firsts, names, groups, rows):
    """How many functions of one text there are; their rows are put into `rows`."""
    keywords, heads, preprocessor, anonymous, nested, commas = options
    if keywords:
        from_keywords(code, role, leads, partner, anonymous, firsts, names)
    around = np.empty(MAX_NESTING, np.int64)
    depth, end, count = 0, -1, 0
    for brace in range(len(code)):
        if code[brace] != OPEN or brace < end or partner[brace] < 0:
            continue
        first = name = left = -1
        if keywords and firsts[brace] >= 0:
            first, left, name = firsts[brace], names[brace], names[brace]
        elif heads:
            first, left, name = from_head(code, role, leads, partner, brace, preprocessor, commas, groups)
        if first < 0:
            if heads and not nested and brace > 0 and code[brace - 1] == EQUALS:
                end = partner[brace]  # an initialiser
            continue
        last = last_of(code, partner, brace)
        rows[count, 0], rows[count, 1], rows[count, 2] = first, last, 0
        rows[count, 3], rows[count, 4] = left, name
        count += 1
        while depth > 0 and around[depth - 1] <= first:
            depth -= 1
        if nested and last - first > long and depth < MAX_NESTING:
            around[depth] = last
            depth += 1
        else:
            end = last
    return count


@cached
def brace_rows(code, role, leads, partner, token_ends, options, long):
    """`corpus.functions.texts.Spans`. partner: of `brackets_compiled.brackets`.

    options: whether there are keywords; heads, preprocessor, anonymous, nested, commas: see `Dialect`.
    """
    n, longest, low = len(code), 1, 0
    for t in range(len(token_ends)):
        longest, low = max(longest, token_ends[t] - low), token_ends[t]
    firsts, names = np.empty(longest, np.int32), np.empty(longest, np.int32)
    groups = np.empty(longest, np.int32)
    rows, row_ends, low, count = np.empty((n, 5), np.int64), np.empty(len(token_ends), np.int64), 0, 0
    for t in range(len(token_ends)):
        high = token_ends[t]
        own = slice(low, high)
        size = high - low
        count += find_functions(
            code[own], role[own], leads[own], partner[own], options, long,
            firsts[:size], names[:size], groups, rows[count:],
        )  # fmt: skip
        row_ends[t], low = count, high
    return rows[:count].copy(), row_ends
