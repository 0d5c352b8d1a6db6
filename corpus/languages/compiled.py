"""The kernel's compiled twin: the same files, loaded a second time with numba's compiler as `jit`.

Imported only when asked for: numba costs half a second and 150 MB. The machine code is cached on disk under a
name that holds a digest of all the kernel's files, so that a change in one of them never meets code compiled
from another.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from corpus.addresses import address
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
        return cached(function) if function.__name__ == "scan_each" else njit(nogil=True)(function)

    loaded: dict[str, ModuleType] = {}
    for name in _FILES[1:]:
        full = f"{__package__}._compiled_{name}"
        spec = spec_from_file_location(full, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        module.__dict__.update(loaded, jit=jit, address=address)
        sys.modules[full] = module  # numba's cache looks the functions' module up by name
        spec.loader.exec_module(module)
        loaded[name] = module
    return loaded["kernel"]


@lru_cache(maxsize=1)
def kernel() -> Callable[..., None]:
    """The compiled `kernel.scan_each`."""
    scan_each: Callable[..., None] = _load().scan_each
    return scan_each


@lru_cache(maxsize=128)
def arrays(rules: Rules) -> tuple[Any, ...]:
    """The rules as arrays, in the order of the kernel's arguments; options last."""
    as_bytes = [np.frombuffer(part, np.uint8) for part in (rules.klass, rules.ident, rules.hot, rules.signs)]
    first = np.array(rules.first, np.int32)
    pool = np.frombuffer(rules.pool + b"\0", np.uint8)
    flat = np.array(rules.rules, np.int32)
    return (*as_bytes, first, pool, flat, np.array(rules.options, np.int32))


_BUFFERS = threading.local()
KEPT_TEXT = 1 << 20
"""Buffers for texts of up to so many bytes are kept: the first touch of new memory is slow."""


def buffers(length: int) -> list[NDArray[Any]]:
    """What the kernel fills for texts of `length` bytes, two more for each text but one; at least so long."""
    if length > KEPT_TEXT:
        return _new_buffers(length)
    if not hasattr(_BUFFERS, "kept"):
        _BUFFERS.kept = _new_buffers(KEPT_TEXT)
    kept: list[NDArray[Any]] = _BUFFERS.kept
    return kept


def _new_buffers(length: int) -> list[NDArray[Any]]:
    tokens, triples = length + 2, 3 * (length // 2 + 2)
    sizes = (tokens,) * 6 + (triples,) * 2
    kinds = (np.uint8, np.int32, np.int32, np.int32, np.int32, np.uint8, np.int32, np.int32)
    return [np.empty(size, kind) for size, kind in zip(sizes, kinds, strict=True)]


_FREE = 0xFFFF


@lru_cache(maxsize=128)
def slots(language: str) -> NDArray[np.uint16]:
    """A hash table over the vocabulary of a language: rows by the low bits of their hash; all bits: free."""
    raw = spelling.vocabulary(language).raw.tolist()
    table = np.full(max(64, 1 << (4 * len(raw)).bit_length()), _FREE, np.uint16)
    for row, value in enumerate(raw):
        at = value % len(table)
        while table[at] != _FREE:
            at = (at + 1) % len(table)
        table[at] = row
    return table


@cached
def significant(kind, start, end, line, raw, renamed, neutral, keep):  # type: ignore[no-untyped-def]
    """The same columns of the tokens that are kept, and the index of each of them.

    Each token is written, and stays if it is kept: what the next one is cannot be foreseen.
    """
    n, to = len(keep), np.uint64(0)
    index, kinds, neutrals = np.empty(n, np.int32), np.empty(n, np.uint8), np.empty(n, np.uint16)
    starts, ends, lines = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    raws, others = np.empty(n, np.uint64), np.empty(n, np.uint64)
    for i in range(n):
        index[to], kinds[to], neutrals[to] = i, kind[i], neutral[i]
        starts[to], ends[to], lines[to] = start[i], end[i], line[i]
        raws[to], others[to] = raw[i], renamed[i]
        to += np.uint64(keep[i])
    return (
        kinds[:to], starts[:to], ends[:to], lines[:to], raws[:to], others[:to], neutrals[:to], index[:to]
    )  # fmt: skip


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
