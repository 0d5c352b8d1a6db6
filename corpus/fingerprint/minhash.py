"""MinHash signatures of many code units at once, bit-identical to datasketch's `affine32` scheme.

Scheme: a 32-bit shingle hash is mixed by MurmurHash3's finaliser, then permutation p maps it to a_p·h + b_p
modulo 2^32; the signature holds the minimum of each. a (odd) and b come from `numpy.random.RandomState(seed)`
as datasketch draws them (a test compares signatures).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, mix, mix_int
from corpus.params import Params

U32 = NDArray[np.uint32]
_BAND = 0x9FB21C651E98DF25
_MASK = (1 << 64) - 1


@lru_cache(maxsize=8)
def permutations(num_perm: int, seed: int) -> tuple[U32, U32]:
    """a and b of datasketch's affine32 scheme, each of length num_perm."""
    generator = np.random.RandomState(seed)
    a = generator.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = generator.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return a, b


def _finalise(h: U32) -> U32:
    """MurmurHash3's 32-bit finaliser, a bijection."""
    h = h ^ (h >> np.uint32(16))
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h


def signatures(shingles: U32, first: NDArray[np.int64], num_perm: int, seed: int, used: int) -> U32:
    """Signatures of the sets shingles[first[j]:first[j+1]] (the last one to the end), none of them empty.

    shingles: 32-bit hashes; duplicates change nothing. used: how many of the num_perm columns to compute.
    Returns uint32[len(first), used].
    """
    a, b = permutations(num_perm, seed)
    mixed = _finalise(shingles)
    out = np.empty((len(first), used), np.uint32)
    if len(first):
        for p in range(used):
            out[:, p] = np.minimum.reduceat(mixed * a[p] + b[p], first)
    return out


def bands(signature: U32, params: Params) -> U64:
    """One 64-bit key for each band: uint64[units, lsh_bands] from uint32[units, ≥ bands·rows].

    The band's number is part of its key, so that all bands share one lookup table.
    """
    rows = params.lsh_rows
    columns = signature[:, : params.lsh_bands * rows].reshape(len(signature), params.lsh_bands, rows)
    key = np.empty(columns.shape[:2], np.uint64)
    key[:] = mix(np.arange(1, params.lsh_bands + 1, dtype=np.uint64))
    for r in range(rows):
        key = mix((key ^ columns[:, :, r].astype(np.uint64)) * np.uint64(_BAND))
    return key


def band_key(number: int, rows: Iterable[int]) -> int:
    """The key of one band alone, as `bands` makes it: its number and the values of its rows."""
    key = mix_int(number + 1)
    for value in rows:
        key = mix_int((key ^ value) * _BAND & _MASK)
    return key
