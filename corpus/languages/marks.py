"""Which tokens carry no meaning of their own: import statements, words that close a block, documentation
strings.

Loops over a few tokens a statement, never over a text. Called by `corpus.languages.scan`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.languages import spelling
from corpus.languages.neutral import Symbol
from corpus.languages.table import Kind

TURN = np.zeros(1 << 16, np.int8)
TURN[[Symbol.OPEN, Symbol.OPEN_INDEX]] = 1
TURN[[Symbol.CLOSE, Symbol.CLOSE_INDEX]] = -1
# Before a documentation string may stand a word, a value, `:`, or a closing bracket; after it anything that
# begins a statement. Words that wait for a value, and operators, make the string part of an expression.
_WAITING = [Symbol.AND, Symbol.OR, Symbol.NOT, Symbol.IN, Symbol.IF, Symbol.ELIF, Symbol.RETURN, Symbol.THROW,
            Symbol.IMPORT, Symbol.YIELD, Symbol.LAMBDA, Symbol.STRING]  # fmt: skip
_BEFORE = [Symbol.COLON, Symbol.CLOSE, Symbol.CLOSE_INDEX]
_AFTER = [
    Symbol.OPEN,
    Symbol.OPEN_INDEX,
    Symbol.MATRIX_MULTIPLY,
    Symbol.BIT_NOT,
    Symbol.SUBTRACT,
    Symbol.MULTIPLY,
]
# The same as bits, for the compiled twin of `documentation`.
ROLES = np.zeros(1 << 16, np.uint8)
for _bit, _symbols in ((1, _BEFORE), (2, _WAITING), (4, _AFTER)):
    ROLES[_symbols] |= _bit
_OPEN_BRACE, _CLOSE_BRACE = (np.uint64(spelling.hash_spelling(sign)) for sign in (b"{", b"}"))
_NUMBER_SIGN = np.uint64(spelling.hash_spelling(b"#"))
# What the compiled twin of `empty_statements` is given.
SIGNS = np.array([_OPEN_BRACE, _CLOSE_BRACE, _NUMBER_SIGN, spelling.NAME_HASH], np.uint64)


def documentation(
    kind: NDArray[np.uint8], neutral: NDArray[np.uint16], fresh: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Strings that are a whole statement: alone on their lines, no operator round them."""
    after = np.append(fresh[1:], True)
    marked: NDArray[np.bool_] = (kind == Kind.STRING) & fresh & after
    at = np.flatnonzero(marked)
    operator = kind == Kind.OPERATOR
    before, behind = at - 1, np.minimum(at + 1, len(kind) - 1)
    joined = (at > 0) & (
        (operator[before] & ~np.isin(neutral[before], _BEFORE)) | np.isin(neutral[before], _WAITING)
    )
    follows = (at + 1 < len(kind)) & (
        (operator[behind] & ~np.isin(neutral[behind], _AFTER)) | (neutral[behind] == Symbol.STRING)
    )
    marked[at[joined | follows]] = False
    return marked


def empty_statements(
    bits: NDArray[np.uint8], raw: NDArray[np.uint64], neutral: NDArray[np.uint16], fresh: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tokens of import statements, and of statements that only close a block.

    A statement runs to a separator, or to the end of its line outside brackets; a directive to the end of its
    line.
    """
    marked = np.zeros(len(raw), np.bool_)
    separators = (bits & spelling.SEPARATOR) != 0
    begins = fresh.copy()
    begins[1:] |= separators[:-1]
    directive = np.zeros(len(raw), np.bool_)
    directive[:-1] = (raw[:-1] == _NUMBER_SIGN) & fresh[:-1] & ((bits[1:] & spelling.HASH_IMPORT) != 0)
    starts = np.flatnonzero((begins & ((bits & (spelling.IMPORT | spelling.END_STATEMENT)) != 0)) | directive)
    if not len(starts):
        return marked
    # Directives end with their lines, whatever is open.
    change = np.zeros(0, np.int8) if directive[starts].all() else _turns(raw, neutral)
    depth = np.cumsum(change, dtype=np.int32)
    done = 0
    for start in starts.tolist():
        if start < done:
            continue
        outside = 0 if directive[start] else int(depth[start] - change[start])
        done = _statement_end(start, outside, depth, separators, fresh, bool(directive[start]))
        marked[start:done] = True
    return marked


def _turns(raw: NDArray[np.uint64], neutral: NDArray[np.uint16]) -> NDArray[np.int8]:
    """1 for each token that opens a bracket, -1 for each that closes one."""
    change = TURN[neutral]
    change += raw == _OPEN_BRACE
    change -= raw == _CLOSE_BRACE
    return change


def _statement_end(
    start: int,
    outside: int,
    depth: NDArray[np.int32],
    separators: NDArray[np.bool_],
    fresh: NDArray[np.bool_],
    directive: bool,
) -> int:
    for token in range(start + 1, len(fresh)):
        if fresh[token] and (directive or depth[token - 1] <= outside):
            return token
        if separators[token] and not directive:
            return token
    return len(fresh)
