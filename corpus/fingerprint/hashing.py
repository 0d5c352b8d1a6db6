"""64-bit hashes of token runs, all positions of a text at once.

A run h[i..i+k) is read as digits of a polynomial in an odd base B modulo 2^64. With the prefix sums
S[i] = Σ_{j<i} h[j]·B^j the run's value is (S[i+k] − S[i])·B^(−i); odd B is invertible, so no loop is needed
(Karp & Rabin 1987, with prefix sums instead of rolling). A bijective finaliser spreads the low bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_powers: dict[int, U64] = {}


def _power_table(base: int, n: int) -> U64:
    """base^0 … base^(n−1) modulo 2^64; grows by doubling and is kept."""
    table = _powers.get(base)
    if table is None or len(table) < n:
        size = max(1024, 1 << (n - 1).bit_length())
        table = np.full(size, base, np.uint64)
        table[0] = 1
        np.multiply.accumulate(table, out=table)
        _powers[base] = table
    return table[:n]


def mix(values: U64) -> U64:
    """A bijection on 64 bits that makes every output bit depend on every input bit (SplitMix64)."""
    z = values.copy()
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return z


def mix_int(z: int) -> int:
    """`mix` of one number."""
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    z = (z ^ z >> 27) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    return z ^ z >> 31


def run_hashes(tokens: U64, k: int) -> U64:
    """Hash of every run of k tokens: n tokens give max(0, n − k + 1) values."""
    n = len(tokens)
    if n < k:
        return np.empty(0, np.uint64)
    prefix = np.zeros(n + 1, np.uint64)
    np.cumsum(tokens * _power_table(_BASE, n), out=prefix[1:])
    return mix((prefix[k:] - prefix[: n - k + 1]) * _power_table(_INVERSE, n - k + 1))


def range_hashes(tokens: U64, first: NDArray[np.int64], last: NDArray[np.int64]) -> U64:
    """One hash for each half-open token range first[j]..last[j]; equal ranges have equal hashes."""
    n = len(tokens)
    prefix = np.zeros(n + 1, np.uint64)
    np.cumsum(tokens * _power_table(_BASE, max(n, 1))[:n], out=prefix[1:])
    length = (last - first).astype(np.uint64)
    value = (prefix[last] - prefix[first]) * _power_table(_INVERSE, n + 1)[first]
    return mix(value + length * np.uint64(0xD6E8FEB86659FD93))
