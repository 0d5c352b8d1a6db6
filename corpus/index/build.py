"""Merge segments into a snapshot: streaming by hash prefix, bounded in memory.

`build_snapshot` writes a sealed folder; publishing it is the catalog's work.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.blocks import seal_as, write_array, write_manifest
from corpus.index.segment import Segment
from corpus.index.table import COMMON, write_table
from corpus.params import Params

FORMAT = 1
PART_ENTRIES = 4_000_000
"""How many entries a merge holds in memory at once (about 12 bytes each, a few copies)."""

CLUSTER_CAP = 1000
"""A fingerprint that more origin clusters share is stored as common: it proposes nothing (engine trials)."""

ALGORITHM_CAP = 3000
"""The same for features of the algorithm layer, where it is their sum that proposes."""

UNITS_PER_CLUSTER = 16
"""Postings kept for copies of one origin: enough to name other origins of the same text."""

SAME_ORIGIN_BANDS = 8
"""Units that agree in so many of 25 bands (Jaccard about 0.8) count as one origin in document frequencies."""

Progress = Callable[[str, int, int], None]
Part = tuple[U64, NDArray[np.uint32]]


def _merged(
    segments: Sequence[Segment], bases: Sequence[int], key: str, value: str, value_dtype: str, shift: bool
) -> Iterator[Part]:
    """The (hash, value) entries of one column of all segments, ascending by hash, part by part."""
    keys = [s.array(key, "<u8") for s in segments]
    values = [s.array(value, value_dtype) for s in segments]
    total = sum(map(len, keys))
    parts = max(1, -(-total // PART_ENTRIES))
    edges = [i * (1 << 64) // parts for i in range(parts)] + [1 << 64]
    columns = [k.all() for k in keys]
    for low, high in pairwise(edges):
        part_keys, part_values = [], []
        for column, value_array, base in zip(columns, values, bases, strict=True):
            first = int(np.searchsorted(column, np.uint64(low)))
            last = len(column) if high >= 1 << 64 else int(np.searchsorted(column, np.uint64(high)))
            part_keys.append(column[first:last])
            chunk = value_array.slice(first, last)
            part_values.append(chunk + np.uint32(base) if shift else chunk)
        merged, ids = np.concatenate(part_keys), np.concatenate(part_values)
        # Segments come in ascending order of their units, each sorted: a stable sort merges them.
        order = np.argsort(merged, kind="stable")
        yield merged[order], ids[order].astype(np.uint32)


def _starts(keys: U64) -> NDArray[np.int64]:
    """Index of the first entry of each run of equal keys."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


class _Neighbours:
    """Pairs of units that share a band, collected while the LSH table streams by."""

    def __init__(self) -> None:
        self._pairs: list[U64] = []

    def watch(self, parts: Iterator[Part]) -> Iterator[Part]:
        for keys, ids in parts:
            starts = _starts(keys)
            run = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(keys))))
            wide = ids.astype(np.uint64)
            head = wide[starts][run] if len(starts) else wide
            self._pairs.append((head << np.uint64(32) | wide)[head != wide])
            # Neighbours further on: with the first of the run a unit is paired already.
            same = np.flatnonzero((keys[1:] == keys[:-1]) & (head[1:] != wide[:-1]))
            self._pairs.append(wide[same] << np.uint64(32) | wide[same + 1])
            yield keys, ids

    def clusters(self, digests: U64) -> NDArray[np.uint32]:
        """Number of the origin cluster of each unit: near-identical units share one."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        n = len(digests)
        pairs, count = np.unique(np.concatenate(self._pairs or [np.empty(0, np.uint64)]), return_counts=True)
        near = pairs[count >= SAME_ORIGIN_BANDS]
        order = np.argsort(digests, kind="stable")
        equal = np.flatnonzero(digests[order][1:] == digests[order][:-1])
        left = np.concatenate([(near >> np.uint64(32)).astype(np.int64), order[equal]])
        right = np.concatenate([(near & np.uint64(0xFFFFFFFF)).astype(np.int64), order[equal + 1]])
        graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
        return connected_components(graph, directed=False)[1].astype(np.uint32)  # type: ignore[no-any-return]


def rarity(origins: NDArray[np.float64], clusters: int) -> NDArray[np.float64]:
    """Bits of surprise of something that so many of the index's origin clusters have."""
    return np.log2((clusters + 1) / (origins + 0.5))


def _capped(
    parts: Iterator[Part],
    clusters: NDArray[np.uint32],
    cap: int = CLUSTER_CAP,
    weights: NDArray[np.float32] | None = None,
) -> Iterator[Part]:
    """Replace the postings of a hash that more than `cap` origins share by one COMMON; thin out copies.

    weights: float32[units], to which the rarity of each hash of a unit is added.
    """
    total = int(clusters.max()) + 1 if len(clusters) else 0
    for keys, ids in parts:
        if not len(keys):
            continue
        cluster = clusters[ids]
        new_key = np.concatenate(([True], keys[1:] != keys[:-1]))
        run = np.cumsum(new_key) - 1
        # Entries come by key and id: only the clusters of one key are to be put in order.
        order = np.argsort(run.astype(np.uint64) << np.uint64(32) | cluster, kind="stable")
        ids, cluster = ids[order], cluster[order]
        new_pair = new_key | np.concatenate(([True], cluster[1:] != cluster[:-1]))
        origins = np.bincount(run, weights=new_pair)
        if weights is not None:
            np.add.at(weights, ids, rarity(origins.astype(np.float64), total)[run].astype(np.float32))
        origins = origins[run]
        common = origins > cap
        pair_start = np.flatnonzero(new_pair)
        rank = np.arange(len(keys)) - pair_start[np.cumsum(new_pair) - 1]
        keep = np.where(common, new_key, rank < UNITS_PER_CLUSTER)
        yield keys[keep], np.where(common, COMMON + origins, ids)[keep].astype(np.uint32)


def _summed(parts: Iterator[Part]) -> Iterator[Part]:
    """Add up the values of equal hashes."""
    for keys, values in parts:
        starts = _starts(keys)
        if len(starts):
            yield keys[starts], np.add.reduceat(values.astype(np.uint64), starts).astype(np.uint32)


def build_snapshot(
    root: Path, segments: Sequence[Segment], params: Params, progress: Progress | None = None
) -> str:
    """Write a snapshot of the given segments below `root`; returns its id (its folder's name)."""
    segments = sorted(segments, key=lambda s: s.facts.purl)
    bases = np.cumsum([0, *(s.counts["units"] for s in segments)]).tolist()
    folder = root / f".new-{secrets.token_hex(6)}"
    folder.mkdir(parents=True)

    def step(name: str, number: int) -> None:
        if progress is not None:
            progress(name, number, 6)

    def column(name: str) -> Iterator[Part]:
        return _merged(segments, bases[:-1], f"{name}.key", f"{name}.unit", "<u4", shift=True)

    def entries(name: str) -> int:
        return sum(len(s.array(name, "<u8")) for s in segments)

    try:
        neighbours = _Neighbours()
        step("near copies", 0)
        sizes = {"lsh": write_table(folder, "lsh", entries("lsh.key"), neighbours.watch(column("lsh")))}
        step("origin clusters", 1)
        digests = np.concatenate(
            [s.array("digest", "<u8").all() for s in segments] or [np.empty(0, np.uint64)]
        )
        clusters = neighbours.clusters(digests)
        del neighbours
        write_array(folder, "clusters", clusters)
        for number, name in enumerate(("literal", "renamed"), 2):
            step(f"{name} fingerprints", number)
            sizes[name] = write_table(folder, name, entries(f"{name}.key"), _capped(column(name), clusters))
        step("algorithm features", 4)
        weights = np.zeros(len(digests), np.float32)
        capped = _capped(column("algorithm"), clusters, ALGORITHM_CAP, weights)
        sizes["algorithm"] = write_table(folder, "algorithm", entries("algorithm.key"), capped)
        write_array(folder, "weights", weights)
        step("word frequencies", 5)
        words = _merged(segments, bases[:-1], "vocab_raw.u8", "vocab_files.u4", "<u4", shift=False)
        sizes["words"] = write_table(folder, "words", entries("vocab_raw.u8"), _summed(words))
        facts = _facts(segments, bases, params, sizes, clusters)
        identity = write_manifest(folder, facts)[:16]
        seal_as(folder, root / identity)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    step("done", 6)
    return identity


def _facts(
    segments: Sequence[Segment],
    bases: Sequence[int],
    params: Params,
    sizes: dict[str, int],
    clusters: NDArray[np.uint32],
) -> dict[str, Any]:
    licenses: Counter[str] = Counter()
    for segment in segments:
        licenses.update(segment.counts["licenses"])
    return {
        "format": FORMAT,
        "params": params.digest,
        "segments": [
            {"name": s.name, "purl": s.facts.purl, "background": s.facts.background, "first_unit": base,
             "files": s.counts["files"], "content": s.manifest["content"]}
            for s, base in zip(segments, bases[:-1], strict=True)
        ],
        "releases": len(segments),
        "files": sum(s.counts["files"] for s in segments),
        "lines": sum(s.counts["lines"] for s in segments),
        "units": bases[-1],
        "clusters": int(clusters.max()) + 1 if len(clusters) else 0,
        "licenses": dict(sorted(licenses.items())),
        "entries": sizes,
        "not_covered": sorted(
            f"{s.facts.purl}: {part}" for s in segments for part in s.facts.missing
        ),
    }  # fmt: skip
