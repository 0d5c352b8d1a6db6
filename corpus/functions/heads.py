"""Functions that a head `name(…) {` begins, of many texts at once, by machine code: the door to it.

The words of heads are here, for it and for its twin in corpus.functions.braces. Called by that module and by
corpus.units.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.functions.brackets import CONTROL, DIRECTIVES, TURNS
from corpus.functions.source import DOUBLES, OPERATOR
from corpus.languages.spelling import hash_spelling

# Words before a parenthesis in a head that are not the name of the function.
QUALIFIERS = frozenset(
    b"__attribute__ __attribute __declspec alignas _Alignas decltype noexcept throw throws requires explicit"
    b" __asm__ asm __nonnull __acquires __releases __must_hold".split()
)
ACCESS = frozenset(b"public private protected signals slots default".split())
SPACES = frozenset((b"namespace",))
TYPES = SPACES | frozenset(b"class struct union enum interface record object trait".split())


@lru_cache(maxsize=2)
def _roles(types_first: bool) -> NDArray[np.uint64]:
    """What words are to the machine code: a hash table, uint64[2^b, 2], of their raw hashes and bits."""
    from corpus.functions import heads_compiled as bits

    rows: dict[bytes, int] = {b"operator": bits.OPERATOR, b"new": bits.NEW, b"template": bits.TEMPLATE}
    kin = TYPES if types_first else SPACES
    for words, bit in (
        (QUALIFIERS, bits.QUALIFIER), (CONTROL, bits.CONTROL), (ACCESS, bits.ACCESS), (kin, bits.TYPE)
    ):  # fmt: skip
        for word in words:
            rows[word] = rows.get(word, 0) | bit
    table = np.zeros((1 << (4 * len(rows)).bit_length(), 2), np.uint64)
    for word, bit in rows.items():
        raw = hash_spelling(word)
        at = raw % len(table)
        while table[at, 1]:
            at = (at + 1) % len(table)
        table[at] = raw, bit
    return table


def head_rows(
    data: NDArray[np.uint8],
    ends: NDArray[np.int64],
    token_ends: NDArray[np.int64],
    columns: tuple[NDArray[Any], ...],
    preprocessor: bool,
    types_first: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Functions of texts that lie one behind the other, for dialects without keywords.

    ends, token_ends: where each text and its tokens end. columns: kind, start, end, raw and fresh of all
    tokens. Returns int64[f, 4]: first token, end, the token that names it, all counted from the first of the
    text, and whether that is a method of Objective-C; where each text's functions end; and which texts have
    brackets that nest: of the others nothing is said.
    """
    from corpus.functions.compiled import brackets
    from corpus.functions.heads_compiled import functions

    kind, start, end, raw, fresh = columns
    codes, *partners, balanced = brackets(
        data, ends, token_ends, start, end, kind, fresh, OPERATOR, DOUBLES, TURNS, DIRECTIVES, preprocessor
    )
    table = _roles(types_first)
    rows, row_ends = functions(codes, kind, raw, fresh, *partners, balanced, token_ends, table, preprocessor)
    return rows, row_ends, balanced
