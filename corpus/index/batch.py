"""Shards of a snapshot built by many workers: segments → Parquet partitions by hash prefix → mapped tables.

    python -m corpus.index.batch DATA WORK OUT --shards 16 [--processes 8 | --scheduler tcp://host:8786]

A step is many jobs that need nothing of each other, each a function of plain values on a folder that all
workers see; a job that is run again writes the same once more. Any `concurrent.futures.Executor` runs them:
processes of this machine, or a Dask cluster's. Shards are byte for byte those that
`corpus.index.shards.write_shards` cuts from a snapshot that one machine built.

WORK/plan.json     what is built, of which segments
WORK/parts/<column>/<shard>/<group>.parquet   hash, value: sorted, units numbered through
WORK/pairs/<shard> units that share a band; WORK/weights/<shard>
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import BadInput, MissingExtra
from corpus.index.blocks import seal_as, write_array, write_manifest
from corpus.index.build import as_bits, final_parts, snapshot_facts
from corpus.index.catalog import Catalog
from corpus.index.entries import Plain
from corpus.index.lookup import NAMES
from corpus.index.merge import SAMPLE, Column, Merge
from corpus.index.origins import Neighbours
from corpus.index.reader import shard_folder
from corpus.index.segment import Segment
from corpus.index.shards import seal_shard
from corpus.index.table import Layout, Shard, write_table
from corpus.params import DEFAULT, Params

MOST_SHARDS = 64


@dataclass(frozen=True)
class Plan:
    """What all jobs know. groups: segments (numbers, in order of their releases) that one job partitions."""

    work: str
    out: str
    segments_root: str
    segments: list[str]
    groups: list[list[int]]
    shards: int
    params: Params = field(default=DEFAULT)

    def merge(self) -> Merge:
        return Merge([Segment(Path(self.segments_root), name, self.params) for name in self.segments])

    def part(self, name: str, shard: int) -> Path:
        return Path(self.work) / "parts" / name / str(shard)

    def folder(self, shard: int) -> Path:
        """Where the tables of a shard are made, until they are sealed."""
        return Path(self.out) / f".new-{shard}"


class _Loaded:
    """A column of a Parquet file, in memory."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def all(self) -> NDArray[Any]:
        return self._values

    def slice(self, first: int, last: int) -> NDArray[Any]:
        return self._values[first:last]

    def release(self) -> None:
        """It is needed until the shard is done."""


def _parquet() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("building in batches", "scale") from None
    return pyarrow


def partition(plan: Plan, group: int) -> None:
    """The entries of some segments, one file for each column and shard."""
    arrow, merge = _parquet(), plan.merge()
    numbers = plan.groups[group]
    some = Merge([merge.segments[number] for number in numbers])
    first_unit = np.uint32(merge.bases[numbers[0]])
    for name in NAMES:
        column = some.column(name)
        for number in range(plan.shards):
            path = plan.part(name, number) / f"{group:06}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            with arrow.parquet.ParquetWriter(path, _schema(arrow), use_dictionary=False) as out:
                for keys, values in column.parts(Shard(number, plan.shards)):
                    shifted = values if name == "words" else values + first_unit
                    out.write_table(arrow.table({"hash": keys, "value": shifted}, schema=_schema(arrow)))


def _schema(arrow: Any) -> Any:
    return arrow.schema([("hash", arrow.uint64()), ("value", arrow.uint32())])


def _column(plan: Plan, name: str, shard: int) -> Column:
    """The entries of one shard, from all groups."""
    arrow = _parquet()
    sources = []
    for path in sorted(plan.part(name, shard).iterdir()):
        table = arrow.parquet.read_table(path)
        sources.append(Plain(_Loaded(table["hash"].to_numpy()), _Loaded(table["value"].to_numpy())))
    return Column(sources, [0] * len(sources))


def lay_out(plan: Plan) -> None:
    """How the tables are laid out: from the partitions that hold the sample."""
    layouts = {}
    for name in NAMES:
        entries = sum(
            _parquet().parquet.read_metadata(path).num_rows
            for shard in range(plan.shards)
            for path in plan.part(name, shard).iterdir()
        )
        hashes = sum(len(np.unique(keys)) for keys, _ in _column(plan, name, 0).parts(SAMPLE))
        layouts[name] = Layout.of(hashes * SAMPLE.of, entries)
    (Path(plan.work) / "layouts.json").write_text(json.dumps(layouts))


def _layout(plan: Plan, name: str) -> Layout:
    return Layout(*json.loads((Path(plan.work) / "layouts.json").read_text())[name])


def _write(plan: Plan, name: str, shard: int, parts: Iterator[Any]) -> None:
    folder = plan.folder(shard)
    folder.mkdir(parents=True, exist_ok=True)
    facts = write_table(folder, name, _layout(plan, name), parts, Shard(shard, plan.shards))
    (Path(plan.work) / f"facts-{name}-{shard}.json").write_text(json.dumps(facts))


def compile_bands(plan: Plan, shard: int) -> None:
    """The table of MinHash bands of one shard, and the pairs of units that share one."""
    pairs = Path(plan.work) / "pairs" / str(shard)
    shutil.rmtree(pairs, ignore_errors=True)
    pairs.mkdir(parents=True)
    own = Shard(shard, plan.shards)
    _write(plan, "lsh", shard, Neighbours(pairs).watch(_column(plan, "lsh", shard).parts(own)))


def cluster(plan: Plan) -> None:
    """Origin clusters of all units, from the pairs of all shards."""
    together = Path(plan.work) / "pairs" / "all"
    shutil.rmtree(together, ignore_errors=True)
    together.mkdir()
    for path in sorted((Path(plan.work) / "pairs").glob("[0-9]*/pairs-*")):
        with path.open("rb") as source, (together / path.name).open("ab") as out:
            shutil.copyfileobj(source, out)
    Neighbours(together).clusters(plan.merge().digests()).tofile(Path(plan.work) / "clusters")


def compile_rest(plan: Plan, shard: int) -> None:
    """The other tables of one shard, and its share of the weight of each unit."""
    clusters = np.fromfile(Path(plan.work) / "clusters", np.uint32)
    weights = np.zeros(len(clusters), np.int64)
    for name in NAMES:
        if name != "lsh":
            parts = _column(plan, name, shard).parts(Shard(shard, plan.shards))
            own = weights if name == "algorithm" else None
            _write(plan, name, shard, final_parts(name, parts, clusters, own))
    weights.tofile(Path(plan.work) / f"weights-{shard}")


def finish(plan: Plan) -> str:
    """The folder of the snapshot without its tables; returns the snapshot's id."""
    work, head = Path(plan.work), Path(plan.out) / ".new-head"
    shutil.rmtree(head, ignore_errors=True)
    head.mkdir(parents=True)
    weights = np.zeros(0, np.int64)
    for shard in range(plan.shards):
        own = np.fromfile(work / f"weights-{shard}", np.int64)
        weights = own if shard == 0 else weights + own
    write_array(head, "clusters", np.fromfile(work / "clusters", np.uint32))
    write_array(head, "weights", as_bits(weights))
    tables = {}
    for name in NAMES:
        facts = [_facts(plan, name, shard) for shard in range(plan.shards)]
        tables[name] = {**facts[0], "shard": [0, 1]} | {
            count: sum(one[count] for one in facts) for count in ("hashes", "entries", "list_bytes")
        }
    identity = write_manifest(head, snapshot_facts(plan.merge(), plan.params, tables, head))[:16]
    seal_as(head, Path(plan.out) / "snapshots" / identity)
    return identity


def _facts(plan: Plan, name: str, shard: int) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((Path(plan.work) / f"facts-{name}-{shard}.json").read_text())
    return facts


def seal(plan: Plan, identity: str, shard: int) -> None:
    """Give a shard its manifest and its place."""
    own = Shard(shard, plan.shards)
    target = shard_folder(Path(plan.out) / "shards", identity, own)
    target.parent.mkdir(parents=True, exist_ok=True)
    seal_shard(plan.folder(shard), identity, own, {name: _facts(plan, name, shard) for name in NAMES})
    shutil.rmtree(target, ignore_errors=True)
    plan.folder(shard).rename(target)


def build(plan: Plan, executor: Executor, step: Callable[[str], None] = lambda name: None) -> str:
    """Run all steps; returns the id of the snapshot in OUT/snapshots, its shards in OUT/shards."""
    shards = range(plan.shards)
    for folder in (Path(plan.work) / "parts", Path(plan.out) / "snapshots"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, function, numbers in (
        ("partitions", partition, range(len(plan.groups))),
        ("layout", lambda plan, _: lay_out(plan), None),
        ("bands", compile_bands, shards),
        ("origin clusters", lambda plan, _: cluster(plan), None),
        ("tables", compile_rest, shards),
    ):  # fmt: skip
        step(name)
        if numbers is None:
            function(plan, 0)
        else:
            _all(executor, partial(function, plan), numbers)
    step("sealing")
    identity = finish(plan)
    _all(executor, partial(seal, plan, identity), shards)
    return identity


def _all(executor: Executor, function: Callable[[int], None], numbers: Sequence[int]) -> None:
    """One job a number; the first error is raised."""
    for done in [executor.submit(function, number) for number in numbers]:
        done.result()


def plan_of(catalog: Catalog, work: Path, out: Path, shards: int, groups: int) -> Plan:
    """A plan for all releases of a catalogue, its segments in about so many groups of like size."""
    if shards & shards - 1 or not 1 <= shards <= MOST_SHARDS:
        raise BadInput(f"{shards} shards: the number must be a power of two, at most {MOST_SHARDS}")
    merge = Merge([catalog.segment(entry) for entry in catalog.entries().values()])
    edges = np.searchsorted(merge.bases[:-1], np.linspace(0, merge.units, groups + 1)[1:-1])
    cuts = sorted({0, len(merge.segments), *edges.tolist()})
    return Plan(
        str(work), str(out), str(catalog.segments_root), [s.name for s in merge.segments],
        [list(range(first, last)) for first, last in pairwise(cuts)], shards, catalog.params,
    )  # fmt: skip


def _executor(options: argparse.Namespace) -> AbstractContextManager[Executor]:
    if not options.scheduler:
        return ProcessPoolExecutor(options.processes)
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("a Dask cluster", "scale") from None
    client: Any = Client
    executor: AbstractContextManager[Executor] = client(options.scheduler).get_executor(pure=False)
    return executor


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("data", "work", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--groups", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--scheduler", default="")
    options = parser.parse_args()
    with _executor(options) as executor:
        plan = plan_of(Catalog(options.data), options.work, options.out, options.shards, options.groups)
        print(build(plan, executor, print))


if __name__ == "__main__":
    main()
