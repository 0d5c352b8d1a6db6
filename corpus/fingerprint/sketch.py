"""sketch(tokens, units, params): everything computed once from a text for finding its code again.

Layers: *literal* (runs of raw tokens), *renamed* (the same with identifiers made equal). The algorithm
layer's language-neutral features have their place here too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, range_hashes, run_hashes
from corpus.fingerprint.minhash import bands, permutations, signatures
from corpus.fingerprint.winnow import winnow
from corpus.model import Tokens, Unit
from corpus.params import Params


@dataclass(frozen=True, slots=True)
class Sketch:
    """The sketch of one text with u units.

    digest: uint64[u], equal for units whose renamed layers are equal.
    bands: uint64[u, lsh_bands]; has_bands: bool[u], False where a unit is too short for a MinHash.
    literal, renamed: kept fingerprints; literal_at, renamed_at: index of each one's first token.
    """

    digest: U64
    bands: U64
    has_bands: NDArray[np.bool_]
    literal: U64
    literal_at: NDArray[np.int32]
    renamed: U64
    renamed_at: NDArray[np.int32]


def sketch(tokens: Tokens, units: Sequence[Unit], params: Params, *, compiled: bool = False) -> Sketch:
    """Sketch one tokenised text; units are half-open ranges of its tokens.

    compiled: use machine code (numba; the first call loads it). The result is the same.
    """
    first = np.array([u.first for u in units], np.int64)
    last = np.array([u.last for u in units], np.int64)
    if compiled:
        raw, other = (np.require(layer, np.uint64, ("C", "W")) for layer in (tokens.raw, tokens.renamed))
        return sketch_ranges(raw, other, np.array([len(tokens)]), first, last, params)
    literal, literal_at = winnow(tokens.raw, params.literal_k, params.literal_window)
    renamed, renamed_at = winnow(tokens.renamed, params.renamed_k, params.renamed_window)
    keys, has = _unit_bands(tokens.renamed, first, last, params)
    return Sketch(
        range_hashes(tokens.renamed, first, last), keys, has, literal, literal_at, renamed, renamed_at
    )


def sketch_ranges(
    raw: U64,
    renamed: U64,
    token_ends: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    params: Params,
) -> Sketch:
    """`sketch` by machine code of texts whose tokens lie one behind the other, with units given as ranges.

    token_ends: where each text's tokens end. All numbers of tokens count from the first of all.
    """
    from corpus.fingerprint import compiled

    sizes = (params.literal_k, params.literal_window, params.renamed_k, params.renamed_window,
             params.shingle_k, params.min_unit_tokens, params.lsh_rows)  # fmt: skip
    keys, has = np.zeros((len(first), params.lsh_bands), np.uint64), np.empty(len(first), np.bool_)
    digest, literal, literal_at, found, found_at = compiled.sketch(
        raw, renamed, token_ends, first, last, sizes, *_row_by_row(params), keys, has
    )  # fmt: skip
    return Sketch(digest, keys, has, literal, literal_at, found, found_at)


@lru_cache(maxsize=8)
def _row_by_row(params: Params) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The permutations: the first row of all bands, the second one, …; then those that are in no band."""
    used = params.lsh_bands * params.lsh_rows
    order = np.arange(params.num_perm)
    order[:used] = order[:used].reshape(params.lsh_bands, params.lsh_rows).T.ravel()
    a, b = permutations(params.num_perm, params.seed)
    return a[order], b[order]


def unit_shingles(
    renamed: U64, first: NDArray[np.int64], last: NDArray[np.int64], params: Params
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """32-bit shingle hashes of the given units, laid end to end, and where each unit's begin."""
    shingles = (run_hashes(renamed, params.shingle_k) >> np.uint64(32)).astype(np.uint32)
    counts = last - first - (params.shingle_k - 1)
    starts = np.zeros(len(first), np.int64)
    np.cumsum(counts[:-1], out=starts[1:])
    index = np.arange(int(counts.sum())) + np.repeat(first - starts, counts)
    return shingles[index], starts


def _unit_bands(
    renamed: U64, first: NDArray[np.int64], last: NDArray[np.int64], params: Params
) -> tuple[U64, NDArray[np.bool_]]:
    has = (last - first) >= params.min_unit_tokens
    keys = np.zeros((len(first), params.lsh_bands), np.uint64)
    if has.any():
        shingles, starts = unit_shingles(renamed, first[has], last[has], params)
        used = params.lsh_bands * params.lsh_rows
        keys[has] = bands(signatures(shingles, starts, params.num_perm, params.seed, used), params)
    return keys, has
