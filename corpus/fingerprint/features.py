"""Language-neutral features of code units: the algorithm layer.

    value  a number by value
    word   a sub-word of a name or of a long string, aliased across languages
    gram   3 and 5 consecutive symbols of control flow and arithmetic; names dropped, numbers kept

What only dresses an algorithm in a language (types, modifiers, brackets, separators) is in none of them.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, mix, run_hashes
from corpus.fingerprint.words import MOST_PARTS, aliased, parts, word_key
from corpus.languages import Kind
from corpus.languages.neutral import Symbol

GRAMS = (3, 5)
LEAST_TOKENS = 12
MOST_TOKENS = 1200
"""Longer units are left to their windows."""

LEAST_STRING = 5
LEAST_STRING_WORD = 4
MOST_STRING = 200

_DRESS = (
    Symbol.TYPE, Symbol.MODIFIER, Symbol.COLON, Symbol.COMMA, Symbol.SCOPE, Symbol.MEMBER, Symbol.OPEN,
    Symbol.CLOSE, Symbol.OPEN_INDEX, Symbol.CLOSE_INDEX, Symbol.OTHER, Symbol.NEW, Symbol.CALL, Symbol.IMPORT,
)  # fmt: skip
_SAME = {
    Symbol.ELIF: Symbol.IF, Symbol.INCREMENT: Symbol.ADD_ASSIGN, Symbol.DECREMENT: Symbol.SUBTRACT_ASSIGN,
    Symbol.GREATER: Symbol.LESS, Symbol.GREATER_EQUAL: Symbol.LESS_EQUAL,
}  # fmt: skip

# As plain numbers: members of an enum are slow to look up and compare.
_NAME, _NUMBER, _STRING = int(Kind.NAME), int(Kind.NUMBER), int(Kind.STRING)
_SYMBOLS = ((_NAME, int(Symbol.NAME)), (_NUMBER, int(Symbol.NUMBER)), (_STRING, int(Symbol.STRING)))
_ROW = struct.Struct(f"={MOST_PARTS}Q")

_IS_DRESS = np.zeros(1 << 16, bool)
_IS_DRESS[list(_DRESS)] = True
_CANON = np.arange(1 << 16, dtype=np.uint16)
for _symbol, _same in _SAME.items():
    _CANON[_symbol] = _same


@lru_cache(maxsize=1 << 17)
def word_keys(kind: int, spelling: bytes) -> bytes:
    """Keys of the words in a name or a string as uint64[MOST_PARTS], zeroes last."""
    found: Sequence[str] = ()
    if kind == _NAME:
        found = parts(spelling.decode("utf-8", "replace"))
    elif kind == _STRING and len(spelling) >= LEAST_STRING:
        words = parts(spelling[:MOST_STRING].decode("utf-8", "replace"))
        found = [part for part in words if len(part) >= LEAST_STRING_WORD]
    keys = [word_key("word", part) for part in found]
    return _ROW.pack(*keys, *[0] * (MOST_PARTS - len(keys)))


@dataclass(frozen=True, slots=True)
class Elements:
    """The m tokens of a text that say something in any language, in order.

    at: int64[m], index of the token. symbol: uint16[m] (NAME, NUMBER, STRING or an operator's symbol).
    keys: uint64[m, MOST_PARTS], feature keys of names, strings (words) and numbers (value first); 0 is none.
    """

    at: NDArray[np.int64]
    symbol: NDArray[np.uint16]
    keys: U64

    def slice(self, first: int, last: int) -> Elements:
        """The elements of the half-open token range first..last."""
        low, high = np.searchsorted(self.at, (first, last)).tolist()
        return Elements(self.at[low:high], self.symbol[low:high], self.keys[low:high])

    def head(self, count: int) -> Elements:
        """The first `count` elements."""
        return Elements(self.at[:count], self.symbol[:count], self.keys[:count])


def elements(
    kind: NDArray[np.uint8],
    neutral: NDArray[np.uint16],
    renamed: U64,
    ids: NDArray[Any],
    spelling: Sequence[bytes],
) -> Elements:
    """Elements of n tokens; ids: int[n] into `spelling`, the distinct spellings, each of one kind."""
    at = np.flatnonzero(~_IS_DRESS[neutral] | (kind == _NAME))
    kinds = kind[at]
    symbol = _CANON[neutral[at]]
    for one, named in _SYMBOLS:
        symbol[kinds == one] = named
    numbered = ids[at]
    worded = np.zeros(len(spelling), np.uint8)
    worded[numbered[::-1]] = kinds[::-1]  # of what is spelled alike, the first one counts
    worded[(worded != _NAME) & (worded != _STRING)] = 0
    which = np.flatnonzero(worded)
    table = np.zeros((len(spelling), MOST_PARTS), np.uint64)
    rows = [
        word_keys(worded_as, spelling[i])
        for i, worded_as in zip(which.tolist(), worded[which].tolist(), strict=True)
    ]
    table[which] = np.frombuffer(b"".join(rows), np.uint64).reshape(-1, MOST_PARTS)
    keys = table[numbered]
    numbers = kinds == _NUMBER
    keys[numbers, 0] = renamed[at[numbers]]
    return Elements(at.astype(np.int64), symbol, keys)


def vocabulary_elements(
    kind: NDArray[np.uint8],
    neutral: NDArray[np.uint16],
    renamed: U64,
    ids: NDArray[np.uint32],
    spellings: tuple[NDArray[np.uint8], NDArray[np.uint32]],
) -> Elements:
    """`elements` of n tokens, by machine code.

    spellings: those of a whole vocabulary, one after the other, and the ends of each, from a 0 on; ids:
    uint32[n] into it. What has one id is of one kind.
    """
    from corpus.fingerprint.words_compiled import token_elements

    text, ends = spellings
    kinds, symbols = zip(*_SYMBOLS, strict=True)
    least = (LEAST_STRING, LEAST_STRING_WORD, MOST_STRING)
    at, symbol, keys, hard = token_elements(
        kind, neutral, renamed, ids, text, ends, _IS_DRESS, _CANON, kinds, symbols, least, *aliased()
    )
    for i in hard.tolist():
        token = at[i]
        spelling = text[ends[ids[token]] : ends[ids[token] + 1]].tobytes()
        keys[i] = np.frombuffer(word_keys(int(kind[token]), spelling), np.uint64)
    return Elements(at, symbol, keys)


_MEMORY = threading.local()


def _memory() -> tuple[NDArray[np.uint8], NDArray[np.uint8], U64]:
    """This thread's memory of words that were read before: names recur from text to text."""
    if not hasattr(_MEMORY, "kept"):
        size = 1 << 12
        kept = (
            np.zeros(size, np.uint8),
            np.zeros((size, 32), np.uint8),
            np.zeros((size, MOST_PARTS), np.uint64),
        )
        _MEMORY.kept = kept
    memory: tuple[NDArray[np.uint8], NDArray[np.uint8], U64] = _MEMORY.kept
    return memory


def text_features(
    columns: tuple[NDArray[np.uint8], NDArray[np.uint16], U64, NDArray[np.uint32]],
    vocabulary: tuple[U64, NDArray[np.uint8], NDArray[np.uint32]],
    units: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]],
    ends: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> tuple[U64, NDArray[np.uint32], NDArray[np.int64]]:
    """`unit_features` of the `elements` of texts that lie one behind the other, by machine code; where those
    of each text end.

    columns: kind, neutral, renamed, number in its text's vocabulary, of n tokens. vocabulary: raw hashes,
    spellings one after the other, and where each ends, from its text's first on. units: first and last token,
    number to be given. ends: where each text's tokens, words, spellings and units end.
    """
    from corpus.fingerprint.features_compiled import token_features
    from corpus.fingerprint.words_compiled import word_rows

    kind, neutral, _, ids = columns
    table = np.zeros((len(vocabulary[0]), MOST_PARTS), np.uint64)
    least = (LEAST_STRING, LEAST_STRING_WORD, MOST_STRING)
    hard = word_rows(
        (kind, neutral, ids), vocabulary, ends[:3], _IS_DRESS, (_NAME, _STRING), least, *aliased(), _memory(),
        table,
    )  # fmt: skip
    for row, worded, begin, end in hard.tolist():
        table[row] = np.frombuffer(word_keys(worded, vocabulary[1][begin:end].tobytes()), np.uint64)
    kinds, symbols = zip(*_SYMBOLS, strict=True)
    found: tuple[U64, NDArray[np.uint32], NDArray[np.int64]] = token_features(
        columns, table, _IS_DRESS, _CANON, kinds, symbols, units, (ends[0], ends[1], ends[3]),
        (*GRAMS, LEAST_TOKENS, MOST_TOKENS),
    )  # fmt: skip
    return found


def unit_features(
    made: Elements, first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[U64, NDArray[np.uint32]]:
    """Distinct features of each token range: keys and the number of the range, by range."""
    plain = np.flatnonzero(made.symbol != int(Symbol.NAME))
    values = np.where(
        made.symbol[plain] == int(Symbol.NUMBER), made.keys[plain, 0], made.symbol[plain].astype(np.uint64)
    )
    stream = mix(values.astype(np.uint64))
    grams = [mix(run_hashes(stream, k) ^ np.uint64(k)) for k in GRAMS]
    gram_at = made.at[plain]
    some = made.keys != 0
    key_at = np.repeat(made.at, some.sum(axis=1))
    flat = made.keys[some]
    out_keys: list[U64] = []
    out_units: list[NDArray[np.uint32]] = []
    low, high = np.searchsorted(key_at, first), np.searchsorted(key_at, last)
    gram_low, gram_high = np.searchsorted(gram_at, first), np.searchsorted(gram_at, last)
    for unit, size in enumerate((last - first).tolist()):
        if not LEAST_TOKENS <= size <= MOST_TOKENS:
            continue
        a, b = int(gram_low[unit]), int(gram_high[unit])
        found = np.concatenate(
            [
                flat[low[unit] : high[unit]],
                *(g[a : max(a, b - k + 1)] for g, k in zip(grams, GRAMS, strict=True)),
            ]
        )
        found.sort()
        new = np.ones(len(found), bool)
        np.not_equal(found[1:], found[:-1], out=new[1:])
        found = found[new]
        out_keys.append(found)
        out_units.append(np.full(len(found), unit, np.uint32))
    if not out_keys:
        return np.empty(0, np.uint64), np.empty(0, np.uint32)
    return np.concatenate(out_keys), np.concatenate(out_units)
