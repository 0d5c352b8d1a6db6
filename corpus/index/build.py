"""Merge segments into a snapshot: streaming by hash, bounded in memory.

`build_snapshot` writes a sealed folder; publishing it is the catalog's work. In memory are the entries of one
part (see corpus.index.merge) and a few numbers a unit.
"""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.blocks import seal_as, write_array, write_manifest
from corpus.index.merge import Merge
from corpus.index.origins import (
    ALGORITHM_CAP,
    CLUSTER_CAP,
    UNITS_PER_CLUSTER,
    WEIGHT_STEPS,
    Neighbours,
    capped,
    rarity,
    summed,
)
from corpus.index.segment import Segment
from corpus.index.table import WHOLE, Layout, Part, Shard, write_table
from corpus.params import Params

__all__ = ["FORMAT", "UNITS_PER_CLUSTER", "Progress", "build_snapshot", "rarity", "write_tables"]

FORMAT = 3
STEPS = 6

Progress = Callable[[str, int, int], None]


class Stream(Protocol):
    """A column of a corpus: entries sorted by hash and value."""

    @property
    def layout(self) -> Layout: ...
    def parts(self, shard: Shard = WHOLE) -> Iterator[Part]: ...


class Columns(Protocol):
    """What the tables of a snapshot are made from."""

    units: int

    def column(self, name: str) -> Stream: ...
    def digests(self) -> U64: ...


def final_parts(
    name: str, parts: Iterator[Part], clusters: NDArray[np.uint32], weights: NDArray[np.int64] | None = None
) -> Iterator[Part]:
    """What the table of a column holds: frequencies capped, copies thinned out, counts of words added up."""
    if name == "lsh":
        return parts
    if name == "words":
        return summed(parts)
    return capped(parts, clusters, ALGORITHM_CAP if name == "algorithm" else CLUSTER_CAP, weights)


def write_tables(
    folder: Path, columns: Columns, step: Callable[[str], None] = lambda name: None
) -> dict[str, dict[str, Any]]:
    """Write all tables and the numbers of each unit (`clusters`, `weights`) into a folder; their facts."""
    tables = {}
    step("near copies")
    neighbours = Neighbours(folder)
    lsh = columns.column("lsh")
    tables["lsh"] = write_table(folder, "lsh", lsh.layout, neighbours.watch(lsh.parts()))
    step("origin clusters")
    clusters = neighbours.clusters(columns.digests())
    write_array(folder, "clusters", clusters)
    weights = np.zeros(columns.units, np.int64)
    for name, what in (
        ("literal", "literal fingerprints"), ("renamed", "renamed fingerprints"),
        ("algorithm", "algorithm features"), ("words", "word frequencies"),
    ):  # fmt: skip
        step(what)
        column = columns.column(name)
        parts = final_parts(name, column.parts(), clusters, weights if name == "algorithm" else None)
        tables[name] = write_table(folder, name, column.layout, parts)
    write_array(folder, "weights", as_bits(weights))
    return tables


def as_bits(weights: NDArray[np.int64]) -> NDArray[np.float32]:
    return (weights / WEIGHT_STEPS).astype(np.float32)


def build_snapshot(
    root: Path, segments: Sequence[Segment], params: Params, progress: Progress | None = None
) -> str:
    """Write a snapshot of the given segments below `root`; returns its id (its folder's name)."""
    merge = Merge(segments)
    folder = root / f".new-{secrets.token_hex(6)}"
    folder.mkdir(parents=True)
    done = iter(range(STEPS + 1))

    def step(name: str) -> None:
        if progress is not None:
            progress(name, next(done), STEPS)

    try:
        tables = write_tables(folder, merge, step)
        identity = write_manifest(folder, snapshot_facts(merge, params, tables, folder))[:16]
        seal_as(folder, root / identity)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    step("done")
    return identity


def snapshot_facts(
    merge: Merge, params: Params, tables: dict[str, dict[str, Any]], folder: Path
) -> dict[str, Any]:
    """What the manifest of a snapshot says beside the digests of its files. folder: holds `clusters`."""
    segments, licenses = merge.segments, Counter[str]()
    for segment in segments:
        licenses.update(segment.counts["licenses"])
    clusters = np.fromfile(folder / "clusters", "<u4")
    return {
        "format": FORMAT,
        "params": params.digest,
        "segments": [
            {"name": s.name, "purl": s.facts.purl, "background": s.facts.background, "first_unit": base,
             "files": s.counts["files"], "languages": s.counts["languages"],
             "content": s.manifest["content"]}
            for s, base in zip(segments, merge.bases[:-1], strict=True)
        ],
        "releases": len(segments),
        "files": sum(s.counts["files"] for s in segments),
        "lines": sum(s.counts["lines"] for s in segments),
        "units": merge.units,
        "clusters": int(clusters.max()) + 1 if len(clusters) else 0,
        "licenses": dict(sorted(licenses.items())),
        "tables": tables,
        "not_covered": sorted(
            f"{s.facts.purl}: {part}" for s in segments for part in s.facts.missing
        ),
    }  # fmt: skip
