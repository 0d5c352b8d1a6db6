"""Machine code for `corpus.functions.brackets`, of many texts at once; the same results.

What is here bears the name of its twin there. Imported only when asked for (`cut(…, compiled=True)`).
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np
from numba import njit

from corpus.machine_code import cached

WORD = 1
LEFT, RIGHT, SQUARE_LEFT, SQUARE_RIGHT, OPEN, CLOSE, NUMBER_SIGN = b"()[]{}#"


@njit(nogil=True)
def logical_end(text, begin):
    """Where the line at `begin` ends, continuation lines included."""
    at, n = np.uint64(begin), np.uint64(len(text))
    while True:
        while at < n and text[at] != 10:
            at += np.uint64(1)
        end = np.int64(at)
        if at == n:
            return end
        last, least = end - 1, max(begin, end - 2)
        if last >= least and text[last] == 13:
            last -= 1
        if last < least or text[last] != 92:
            return end
        at += np.uint64(1)
        begin = end + 1


@njit(nogil=True)
def directive_word(text, begin):
    """The small letters after `#` and blanks as a number in base 256; 0 for none, 1 for more than eight."""
    at, n = np.uint64(begin + 1), np.uint64(len(text))
    while at < n and (text[at] == 32 or text[at] == 9):
        at += np.uint64(1)
    word, first = np.uint64(0), at
    while at < n and 97 <= text[at] <= 122:
        word = (word << np.uint64(8)) | np.uint64(text[at])
        at += np.uint64(1)
    return word if at - first <= np.uint64(8) else np.uint64(1)


@njit(nogil=True)
def mask_directives(text, start, code, turns, heads, places, words, partner, branches):
    """Changes `turns`, and notes in `partner` of the last token of each line its first, as -2 - first.

    heads: the signs that begin lines. places: the brackets. words: numbers of if, ifdef, ifndef, then of
    those that begin another branch, then of endif. branches: int32[5, n]; three serve: where the branch of
    each open #if begins, how many braces were open there, and whether it is not the first one.
    """
    n, height, after, place, depth = len(start), 0, 0, np.uint64(0), 0
    for token in heads:
        if token < after:
            continue
        word = directive_word(text, start[token])
        if word == 0:
            continue
        after, end = token, logical_end(text, start[token])
        while after < n and start[after] < end:
            turns[after] = 0
            after += 1
        partner[after - 1] = -2 - token
        known = 0
        while known < len(words) and words[known] != word:
            known += 1
        if known == len(words):
            continue
        while place < len(places) and places[place] < token:
            brace = code[places[place]] in (OPEN, CLOSE)
            depth += turns[places[place]] if brace else 0
            place += np.uint64(1)
        if known < 3:
            branches[0, height], branches[1, height], branches[2, height] = after, depth, 0
            height += 1
        elif height > 0:
            top = height - 1
            if branches[2, top] and branches[1, top] != depth:
                turns[branches[0, top] : token] = 0
            branches[0, top], branches[1, top], branches[2, top] = after, depth, 1
            height -= known == 7


@njit(nogil=True)
def pair(code, turns, places, partner, stack):
    """Which bracket closes which, by a stack; void unless it returns that all of them nest."""
    height = 0
    for place in places:
        if turns[place] > 0:
            stack[height] = place
            height += 1
        elif turns[place] < 0:
            height -= 1
            if height < 0:
                return False
            start = stack[height]
            gap = np.int64(code[place]) - np.int64(code[start])
            if gap != 1 and gap != 2:
                return False
            partner[start], partner[place] = place, start
    return height == 0


@njit(nogil=True)
def drop(keep, token, partner, stack, braces, sizes):
    """End all braces from the index `keep` on before `token`. braces: see `pair_carefully`.

    sizes: how many there are on the stack, of braces, of margins and of bodies.
    """
    for brace in range(keep, sizes[1]):
        partner[braces[0, brace]] = token
    if keep < sizes[1]:
        first = braces[0, keep]
        while sizes[0] > 0 and stack[sizes[0] - 1] >= first:
            sizes[0] -= 1
    sizes[1] = min(sizes[1], keep)
    for kind in (2, 3):
        while sizes[kind] > 0 and braces[kind + 1, sizes[kind] - 1] >= keep:
            sizes[kind] -= 1


@njit(nogil=True)
def heads_function(role, leads, indent, control, brace, start):
    if start == 0 or not leads[brace] or indent[brace] or indent[start]:
        return False
    return role[start - 1] & (WORD | control) == WORD


@njit(nogil=True)
def pair_carefully(code, role, leads, indent, line, control, turns, places, partner, stack, braces, sizes):
    """Pairs of brackets that do not nest; an opening brace that is never closed has a partner that does not
    point back.

    braces: int32[5, n]: token, head and here of the open braces; then margins and bodies.
    """
    sizes[:] = 0
    for place in places:
        partner[place] = min(partner[place], -1)
    for place in places:
        token, sign = np.int64(place), code[place]
        if turns[token] == 0:
            continue
        if sign in (LEFT, SQUARE_LEFT):
            stack[sizes[0]] = token
            sizes[0] += 1
        elif sign == OPEN:
            here = head = indent[token]
            start = partner[token - 1] if token > 0 and code[token - 1] in (RIGHT, SQUARE_RIGHT) else -1
            if start >= 0:
                head = min(here, indent[start])
            if head == 0 and start >= 0:
                if sizes[3] > 0 and heads_function(role, leads, indent, control, token, start):
                    drop(braces[4, 0], token, partner, stack, braces, sizes)
                braces[4, sizes[3]] = sizes[1]
                sizes[3] += 1
            if head == 0:
                braces[3, sizes[2]] = sizes[1]
                sizes[2] += 1
            stack[sizes[0]] = token
            sizes[0] += 1
            top = sizes[1]
            braces[0, top], braces[1, top], braces[2, top] = token, head, here
            sizes[1] += 1
        elif sign == CLOSE:
            if sizes[1] == 0:
                continue
            keep = sizes[1] - 1
            if leads[token]:
                top = braces[0, keep]
                outer = braces[1, keep] == 0 and indent[token] > braces[2, keep]
                if outer and line[token] != line[top]:
                    continue
                if indent[token] == 0 and sizes[2] > 0:
                    keep = braces[3, sizes[2] - 1]
            closed = braces[0, keep]
            drop(keep, token, partner, stack, braces, sizes)
            partner[token] = closed
        elif sizes[0] > 0:
            start = stack[sizes[0] - 1]
            gap = np.int64(sign) - np.int64(code[start])
            if gap == 1 or gap == 2:
                sizes[0] -= 1
                partner[start], partner[token] = token, start
    drop(0, len(code), partner, stack, braces, sizes)


@cached
def brackets(
    data, text_ends, token_ends, start, code, role, leads, indent, line, control, change, words, preprocessor
):
    """The partner of each bracket, or -1; for the last token of a preprocessor line -2 - its first.

    Of texts that lie one behind the other; tokens count from their text's first. An opening brace that is
    never closed has the token before which it must have ended, whose partner is another. control: the role
    of words that begin a statement. change: what a code does to the depth, by code. words: see
    `mask_directives`.
    """
    longest, low = 0, 0
    for t in range(len(text_ends)):
        longest, low = max(longest, token_ends[t] - low), token_ends[t]
    partner, turn = np.full(len(code), -1, np.int32), np.empty(longest, np.int8)
    places, heads = np.empty(longest + 1, np.uint32), np.empty(longest + 1, np.uint32)
    stack, spare, sizes = (
        np.empty(longest, np.uint32),
        np.empty((5, longest + 1), np.int32),
        np.zeros(4, np.int64),
    )
    before, low = 0, 0
    for t in range(len(text_ends)):
        high = token_ends[t]
        codes, lead, partners, turns = code[low:high], leads[low:high], partner[low:high], turn[: high - low]
        count, headed = np.uint64(0), np.uint64(0)
        for i in range(len(codes)):
            turns[i] = change[codes[i]]
            places[count] = i
            count += np.uint64(turns[i] != 0)
        if preprocessor:
            for i in range(len(lead)):
                heads[headed] = i
                headed += np.uint64(codes[i] == NUMBER_SIGN) & np.uint64(lead[i])
            mask_directives(
                data[before : text_ends[t]], start[low:high], codes, turns, heads[:headed], places[:count],
                words, partners, spare,
            )  # fmt: skip
        if not pair(codes, turns, places[:count], partners, stack):
            pair_carefully(
                codes, role[low:high], lead, indent[low:high], line[low:high], control, turns, places[:count],
                partners, stack, spare, sizes,
            )  # fmt: skip
        before, low = text_ends[t], high
    return partner
