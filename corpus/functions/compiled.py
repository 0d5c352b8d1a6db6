"""Machine code for the two loops over all tokens that finding functions begins with; the same results.

Imported only when asked for (`cut(…, compiled=True)`). Called by corpus.functions.source and .brackets.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np

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
def pair(codes, turns):
    """(balanced, openers, closers): which bracket closes which, by a stack; void unless all of them nest."""
    n = len(turns)
    stack, opening, closing = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    height = pairs = 0
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
            opening[pairs], closing[pairs] = stack[height], i
            pairs += 1
    return height == 0, opening[:pairs], closing[:pairs]
