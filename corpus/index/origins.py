"""Which units are copies of one origin, and how many origins have a hash: what document frequencies count.

A hash that many origins share proposes nothing; of copies of one origin only a few are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.merge import run_starts
from corpus.index.table import COMMON, Part

CLUSTER_CAP = 1000
"""A fingerprint that more origin clusters share is stored as common: it proposes nothing (engine trials)."""

ALGORITHM_CAP = 3000
"""The same for features of the algorithm layer, where it is their sum that proposes."""

UNITS_PER_CLUSTER = 16
"""Postings kept for copies of one origin: enough to name other origins of the same text."""

SAME_ORIGIN_BANDS = 8
"""Units that agree in so many of 25 bands (Jaccard about 0.8) count as one origin in document frequencies."""

SPAN = 1 << 18
"""Pairs of units are counted so many first units at a time."""

WEIGHT_STEPS = 1024
"""Weights are summed in whole steps of 1/1024 bit, so that the order of the sum does not matter."""


class Neighbours:
    """Pairs of units that share a band, collected in files of `folder` while the LSH column streams by."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def watch(self, parts: Iterator[Part]) -> Iterator[Part]:
        for keys, ids in parts:
            starts = run_starts(keys)
            run = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(keys)))
            wide = ids.astype(np.uint64)
            head = wide[starts][run]
            self._put((head << np.uint64(32) | wide)[head != wide])
            # Neighbours further on: with the first of the run a unit is paired already.
            same = np.flatnonzero((keys[1:] == keys[:-1]) & (head[1:] != wide[:-1]))
            self._put(wide[same] << np.uint64(32) | wide[same + 1])
            yield keys, ids

    def _put(self, pairs: U64) -> None:
        pairs = np.sort(pairs)
        span = (pairs >> np.uint64(32)).astype(np.int64) // SPAN
        for first, last in pairwise([*run_starts(span).tolist(), len(pairs)]):
            with (self._folder / f"pairs-{span[first]}").open("ab") as out:
                pairs[first:last].tofile(out)

    def _near(self) -> U64:
        """Pairs that share enough bands."""
        near = [np.empty(0, np.uint64)]
        for path in sorted(self._folder.glob("pairs-*")):
            pairs, count = np.unique(np.fromfile(path, np.uint64), return_counts=True)
            near.append(pairs[count >= SAME_ORIGIN_BANDS])
            path.unlink()
        return np.concatenate(near)

    def clusters(self, digests: U64) -> NDArray[np.uint32]:
        """Number of the origin cluster of each unit: near-identical units share one."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        n, near = len(digests), self._near()
        order = np.argsort(digests, kind="stable")
        equal = np.flatnonzero(digests[order][1:] == digests[order][:-1])
        left = np.concatenate([(near >> np.uint64(32)).astype(np.int64), order[equal]])
        right = np.concatenate([(near & np.uint64(0xFFFFFFFF)).astype(np.int64), order[equal + 1]])
        graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
        return connected_components(graph, directed=False)[1].astype(np.uint32)  # type: ignore[no-any-return]


def rarity(origins: NDArray[np.float64], clusters: int) -> NDArray[np.float64]:
    """Bits of surprise of something that so many of the index's origin clusters have."""
    return np.log2((clusters + 1) / (origins + 0.5))


def capped(
    parts: Iterator[Part],
    clusters: NDArray[np.uint32],
    cap: int = CLUSTER_CAP,
    weights: NDArray[np.int64] | None = None,
) -> Iterator[Part]:
    """Replace the postings of a hash that more than `cap` origins share by one COMMON; thin out copies.

    weights: int64[units], to which the rarity of each hash of a unit is added, in 1/WEIGHT_STEPS bit.
    """
    total = int(clusters.max()) + 1 if len(clusters) else 0
    for keys, ids in parts:
        if not len(keys):
            continue
        new_key = np.concatenate(([True], keys[1:] != keys[:-1]))
        run = np.cumsum(new_key) - 1
        # Entries come by key and id: only the clusters of one key are to be put in order.
        order = np.argsort(run.astype(np.uint64) << np.uint64(32) | clusters[ids], kind="stable")
        cluster = clusters[ids[order]]
        new_pair = new_key | np.concatenate(([True], cluster[1:] != cluster[:-1]))
        origins = np.bincount(run, weights=new_pair)
        if weights is not None:
            bits = np.rint(rarity(origins.astype(np.float64), total) * WEIGHT_STEPS).astype(np.int64)
            np.add.at(weights, ids, bits[run])
        origins = origins[run].astype(np.uint32)
        common = origins > cap
        pair_start = np.flatnonzero(new_pair)
        rank = np.empty(len(keys), np.int64)
        rank[order] = np.arange(len(keys)) - pair_start[np.cumsum(new_pair) - 1]
        keep = np.where(common, new_key, rank < UNITS_PER_CLUSTER)
        yield keys[keep], np.where(common, np.uint32(COMMON) + origins, ids)[keep]


def summed(parts: Iterator[Part]) -> Iterator[Part]:
    """Add up the values of equal hashes."""
    for keys, values in parts:
        starts = run_starts(keys)
        if len(starts):
            yield keys[starts], np.add.reduceat(values.astype(np.uint64), starts).astype(np.uint32)
