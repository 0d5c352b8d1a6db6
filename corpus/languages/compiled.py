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
