"""What a token is worth: hashes of spellings, values of numbers, and the vocabulary of a language.

Hash of a spelling b_0 … b_{m-1} (one definition, compared with a naive loop in the tests):

    h = Σ v(b_k) · B^k  mod 2^64,    raw = mix(h + m · LENGTH_STEP + kind seed)

with B odd, v a table of 64-bit values from the splitmix64 sequence, mix the splitmix64 finaliser (Steele,
Lea, Flood 2014). Prefix sums S[i] = Σ_{k<i} v(b_k) · B^k give every span at once: h = (S[end] - S[start]) ·
B^{-start}. Callers: `corpus.languages.scan` (all tokens of a text), tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.languages.neutral import Symbol, symbols
from corpus.languages.syntax import Language
from corpus.languages.table import LANGUAGES, Kind

MASK = (1 << 64) - 1
BASE = 0x9E3779B97F4A7C15 | 1
INVERSE = pow(BASE, -1, 1 << 64)
LENGTH_STEP = 0xD6E8FEB86659FD93
# Strings have a seed of their own: "end" is not the word `end`. So have number values.
WORD_SEED, STRING_SEED, VALUE_SEED = 0x1B873593CC9E2D51, 0x85EBCA6BC2B2AE35, 0x27D4EB2F165667C5
# Positions a prefix sum runs over before it starts anew: its powers stay in the processor's cache.
BLOCK = 1 << 15
# What compiled code is given.
SEEDS = tuple(np.uint64(value) for value in (LENGTH_STEP, WORD_SEED, STRING_SEED, VALUE_SEED))


def mix(value: int) -> int:
    """The splitmix64 finaliser."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


_BYTE_VALUES = tuple(mix((byte + 1) * 0x9E3779B97F4A7C15 & MASK) for byte in range(256))


def hash_spelling(spelling: bytes, seed: int = WORD_SEED) -> int:
    """The hash of one spelling, by the definition."""
    total, power = 0, 1
    for byte in spelling:
        total = (total + _BYTE_VALUES[byte] * power) & MASK
        power = power * BASE & MASK
    return mix((total + len(spelling) * LENGTH_STEP + seed) & MASK)


@lru_cache(maxsize=2)
def byte_values(caseless: bool) -> NDArray[np.uint64]:
    """v of each byte, of its lower case where case does not count."""
    lower = bytes(range(256)).lower() if caseless else bytes(range(256))
    return np.array([_BYTE_VALUES[byte] for byte in lower], np.uint64)


def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


@lru_cache(maxsize=1)
def _cached_powers() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    return _powers(BASE, BLOCK), _powers(INVERSE, BLOCK)


def hash_spans(
    text: bytes,
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    seeds: NDArray[np.uint64],
    *,
    caseless: bool,
    compiled: bool = False,
) -> NDArray[np.uint64]:
    """Hashes of the ascending, disjoint spans of a text, shape (n,)."""
    data = np.frombuffer(text, np.uint8)
    table = byte_values(caseless)
    if compiled:
        from corpus.languages.compiled import span_sums

        sums = np.empty(len(starts), np.uint64)
        span_sums(data, starts, ends, table, np.uint64(BASE), sums)
    else:
        sums = _span_sums(data, starts, ends, table)
    sums += (ends - starts).astype(np.uint64) * np.uint64(LENGTH_STEP) + seeds
    sums = (sums ^ (sums >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    sums = (sums ^ (sums >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return sums ^ (sums >> np.uint64(31))


def _span_sums(
    data: NDArray[np.uint8], starts: NDArray[np.int32], ends: NDArray[np.int32], table: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """The sums by prefix sums, block by block."""
    sums = np.zeros(len(starts), np.uint64)
    at = 0
    while at < len(starts):
        low = int(starts[at])
        # As many spans as fit in one block, but at least one.
        stop = max(at + 1, int(np.searchsorted(ends, low + BLOCK, side="right")))
        high = int(ends[stop - 1])
        powers, inverses = _cached_powers()
        if high - low > BLOCK:
            powers = _powers(BASE, high - low)
        prefix = np.zeros(high - low + 1, np.uint64)
        np.cumsum(table[data[low:high]] * powers[: high - low], out=prefix[1:])
        begin = starts[at:stop] - low
        sums[at:stop] = (prefix[ends[at:stop] - low] - prefix[begin]) * inverses[begin]
        at = stop
    return sums


_RADIX = re.compile(r"0(?:x([0-9a-f]+)|b([01]+)|o([0-7]+))(?:u|l|n|i|im|j|(?:[iu](?:8|16|32|64|128|size)))*$")
_DECIMAL = re.compile(r"(\d+\.?\d*|\.\d+)(?:[edf]([+-]?\d+))?(.*)$", re.DOTALL)
_RUST_TYPE = re.compile(r"_(?:[iuf]\d+|[iu]size)$")
_IMAGINARY = re.compile(r"(?:i|j|im)$")


@lru_cache(maxsize=1 << 14)
def number_value(spelling: str, kinds: bool = False) -> str:
    """One text for all spellings of a number: `1.0e-3`, `0.001`, `1d-3`, `1.E-3f` and `0x10`, `16` agree.

    kinds: what follows an underscore is a kind (Fortran), not digits. Suffixes of types are dropped, an
    imaginary unit is kept. What is no number we know, or longer than 64 characters, stays as it is spelled.
    """
    if spelling.isdecimal() and len(spelling) <= 64 and spelling.isascii():
        return spelling.lstrip("0") or "0"
    plain = spelling.lower().replace("'", "")
    if "_" in plain:
        plain = plain.split("_")[0] if kinds else _RUST_TYPE.sub("", plain).replace("_", "")
    if len(plain) > 64:
        return spelling
    if radix := _RADIX.match(plain):
        return str(int(radix[1] or radix[2] or radix[3], 16 if radix[1] else 2 if radix[2] else 8))
    if not (decimal := _DECIMAL.match(plain)):
        return plain
    mantissa, exponent, suffix = decimal[1], decimal[2] or "0", decimal[3]
    value = float(f"{mantissa}e{exponent}")
    unit = "i" if _IMAGINARY.match(suffix) else ""
    if "." not in mantissa and exponent == "0":
        return str(int(mantissa)) + unit
    return (str(int(value)) if abs(value) < 2.0**53 and value == int(value) else repr(value)) + unit


NAME_HASH = hash_spelling(b"NAME", VALUE_SEED)

# What the vocabulary says of a word or sign, as bits.
DROP, IMPORT, HASH_IMPORT, END_STATEMENT, SEPARATOR = FLAGS = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Words and signs of one language that mean more than their spelling, ascending by raw hash.

    raw uint64, kind uint8, neutral uint16, bits uint8: arrays of one length.
    """

    raw: NDArray[np.uint64]
    kind: NDArray[np.uint8]
    neutral: NDArray[np.uint16]
    bits: NDArray[np.uint8]

    def look_up(self, raw: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Row of each hash, -1 where it is no word of the vocabulary."""
        rows = np.searchsorted(self.raw, raw)
        rows[rows == len(self.raw)] = 0
        return np.where(self.raw[rows] == raw, rows, -1)


def _bits(language: Language) -> dict[str, int]:
    bits = dict.fromkeys(("{", "}", ";", *language.closers.split()), DROP)
    bits[";"] = DROP | SEPARATOR
    for word in language.imports.split():
        name, bit = (word[1:], HASH_IMPORT) if word.startswith("#") else (word, IMPORT)
        bits[name] = bits.get(name, 0) | bit
    for word in language.end_statements.split():
        bits[word] = bits.get(word, 0) | END_STATEMENT
    return bits


@lru_cache(maxsize=128)
def vocabulary(name: str) -> Vocabulary:
    """The vocabulary of a language of the table."""
    language = LANGUAGES[name]
    keywords = set(language.keywords.split())
    bits = _bits(language)
    meanings = symbols(name)
    signs = {word for word in meanings if not (word[0].isalpha() or word[0] == "_")}
    rows: dict[int, tuple[int, int, int]] = {}
    for word in keywords | signs | set(bits):
        spelling = word.encode()
        alphabetic = word[0].isalpha() or word[0] == "_"
        kind = Kind.KEYWORD if word in keywords else Kind.NAME if alphabetic else Kind.OPERATOR
        meaning = Symbol.NAME if kind == Kind.NAME else meanings.get(word, Symbol.OTHER)
        raw = hash_spelling(spelling.lower() if language.caseless else spelling)
        rows[raw] = (int(kind), int(meaning), bits.get(word, 0))
    order = sorted(rows)
    columns = np.array([rows[raw] for raw in order], np.int64).reshape(-1, 3)
    return Vocabulary(
        np.array(order, np.uint64),
        columns[:, 0].astype(np.uint8),
        columns[:, 1].astype(np.uint16),
        columns[:, 2].astype(np.uint8),
    )
