"""The kernel's compiled twin: the same files, loaded a second time with numba's compiler as `jit`.

Imported only when asked for: numba costs half a second and 150 MB. The machine code is cached on disk under a
name that holds a digest of all the kernel's files, so that a change in one of them never meets code compiled
from another.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from corpus.languages import spelling
from corpus.languages.syntax import Rules
from corpus.machine_code import cached

_FILES = ("layout", "lexemes", "literals", "kernel")


def _load() -> ModuleType:
    """The kernel's module with every function compiled on first call."""
    folder = Path(__file__).parent
    sources = b"".join((folder / f"{name}.py").read_bytes() for name in _FILES)
    digest = hashlib.sha256(sources).hexdigest()[:12]

    def jit(function: Any) -> Any:
        # Only the entry is cached: it holds the code of all that it calls.
        function.__qualname__ = f"{function.__name__}_{digest}"
        return cached(function) if function.__name__ == "scan" else njit(nogil=True)(function)

    loaded: dict[str, ModuleType] = {}
    for name in _FILES[1:]:
        full = f"{__package__}._compiled_{name}"
        spec = spec_from_file_location(full, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        module.__dict__.update(loaded, jit=jit)
        sys.modules[full] = module  # numba's cache looks the functions' module up by name
        spec.loader.exec_module(module)
        loaded[name] = module
    return loaded["kernel"]


@lru_cache(maxsize=1)
def kernel() -> Callable[..., tuple[int, int, int]]:
    """The compiled `kernel.scan`."""
    scan: Callable[..., tuple[int, int, int]] = _load().scan
    return scan


@lru_cache(maxsize=128)
def arrays(rules: Rules) -> tuple[Any, ...]:
    """The rules as arrays, in the order of the kernel's arguments; options last."""
    as_bytes = [np.frombuffer(part, np.uint8) for part in (rules.klass, rules.ident, rules.hot)]
    first = np.array(rules.first, np.int32)
    pool = np.frombuffer(rules.pool + b"\0", np.uint8)
    flat = np.array(rules.rules, np.int32)
    return (*as_bytes, first, pool, flat, np.array(rules.options, np.int32))


@lru_cache(maxsize=128)
def slots(language: str) -> NDArray[np.int16]:
    """A hash table over the vocabulary of a language: rows by the low bits of their hash, -1 is free."""
    raw = spelling.vocabulary(language).raw.tolist()
    table = np.full(max(64, 1 << (4 * len(raw)).bit_length()), -1, np.int16)
    for row, value in enumerate(raw):
        at = value % len(table)
        while table[at] >= 0:
            at = (at + 1) % len(table)
        table[at] = row
    return table


@njit(nogil=True)
def statement_end(start, turns, separators, fresh, directive):  # type: ignore[no-untyped-def]
    """`corpus.languages.marks`: where the statement ends that begins at `start`."""
    depth = 0
    for token in range(start + 1, len(fresh)):
        depth += turns[token - 1]
        if fresh[token] and (directive or depth <= 0):
            return token
        if separators[token] and not directive:
            return token
    return len(fresh)


@njit(nogil=True)
def mark_statements(bits, raw, neutral, fresh, turn, signs, flags, keep):  # type: ignore[no-untyped-def]
    """`corpus.languages.marks.empty_statements`: keep[i] = False for their tokens."""
    n = len(raw)
    words, after_sign, separator = flags[1] | flags[3], flags[2], flags[4]
    turns, separators = np.empty(n, np.int32), np.empty(n, np.bool_)
    for i in range(n):
        turns[i] = turn[neutral[i]] + (raw[i] == signs[0]) - (raw[i] == signs[1])
        separators[i] = bits[i] & separator != 0
    i = 0
    while i < n:
        directive = raw[i] == signs[2] and fresh[i] and i + 1 < n and bits[i + 1] & after_sign != 0
        begins = (fresh[i] or (i > 0 and separators[i - 1])) and bits[i] & words != 0
        if directive or begins:
            end = statement_end(i, turns, separators, fresh, directive)
            keep[i:end] = False
            i = end
        else:
            i += 1


@cached
def meanings(  # type: ignore[no-untyped-def]
    raw, found, fresh, slots, words, kinds, symbols, marks, plain, turn, signs, flags, name,
):  # fmt: skip
    """(kind, neutral, keep, renamed) of all tokens, numbers' renamed hashes left as they are spelled.

    found: kinds by the kernel. slots, words, kinds, symbols, marks: the vocabulary, its rows in `slots`.
    plain: symbol of each kind. turn: 1 or -1 for the symbols of brackets. signs: hashes of the braces, of
    `#`, and the renamed hash of names. flags: DROP, IMPORT, HASH_IMPORT, END_STATEMENT, SEPARATOR. name: the
    kind of names.
    """
    n = len(raw)
    kind, neutral, bits = found.copy(), np.empty(n, np.uint16), np.zeros(n, np.uint8)
    keep, renamed = np.empty(n, np.bool_), raw.copy()
    for i in range(n):
        neutral[i] = plain[found[i]]
        at = np.int64(raw[i] & np.uint64(len(slots) - 1))
        while slots[at] >= 0:
            row = slots[at]
            if words[row] == raw[i]:
                kind[i], neutral[i], bits[i] = kinds[row], symbols[row], marks[row]
                break
            at = (at + 1) & (len(slots) - 1)
        keep[i] = bits[i] & flags[0] == 0
        if kind[i] == name:
            renamed[i] = signs[3]
    mark_statements(bits, raw, neutral, fresh, turn, signs, flags, keep)
    return kind, neutral, keep, renamed


@cached
def span_sums(data, starts, ends, table, base, out):  # type: ignore[no-untyped-def]
    """out[i] = Σ table[data[starts[i] + k]] · B^k: the sums of `corpus.languages.spelling`, span by span."""
    for i in range(len(starts)):
        total = np.uint64(0)
        power = np.uint64(1)
        for at in range(starts[i], ends[i]):
            total += table[data[at]] * power
            power *= base
        out[i] = total
