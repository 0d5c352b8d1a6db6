"""What lookups cost on one machine and past it, and how an index grows.

    python -m bench.scaling compare --data DIR        local, sharded readers, PostgreSQL nodes, in one run
    python -m bench.scaling grow 100000 1000000 … --data DIR --out DIR   resampled corpora of so many units

Prints the tables of docs/scaling.md. DIR: a data folder with a published index. Lookups are those of real
300-line changes, recorded once while they are matched and asked again of every implementation.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.resampled import Resampled
from corpus.fingerprint.hashing import U64
from corpus.index.blocks import MappedArray, read_manifest, write_manifest
from corpus.index.build import write_tables
from corpus.index.catalog import Catalog
from corpus.index.lookup import NAMES, Found, Lookup, Mapped
from corpus.index.merge import Merge
from corpus.index.shards import Readers, write_shards
from corpus.index.snapshot import Snapshot
from corpus.match import match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import Query, make_query

DIFF_LINES = 300
CHANGES = 24
SHARDS = 4
Asked = list[tuple[str, U64]]


class Recorder:
    """A lookup that notes what it is asked."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self.asked: Asked = []

    def find(self, table: str, keys: U64) -> Found:
        self.asked.append((table, keys.copy()))
        return self._lookup.find(table, keys)


def recorded(catalog: Catalog) -> list[Asked]:
    """The lookups of changes that add 300 lines of indexed files, a list a change; kept for the next run."""
    path = Path(tempfile.gettempdir()) / f"whence-lookups-{catalog.current()}.npz"
    if path.exists():
        stored = np.load(path)
        names = [name.split() for name in stored.files]
        return [
            [(table, stored[f"{number} {at} {table}"]) for _, at, table in rows]
            for number, rows in itertools.groupby(names, key=lambda name: name[0])
        ]
    local = catalog.open()
    recorder = Recorder(local._lookup)
    index = Snapshot(local.folder, catalog.segments_root, DEFAULT, connect=lambda _: recorder)
    found: list[Asked] = []
    for query in queries(local):
        recorder.asked = []
        match(query, index, DEFAULT)
        found.append(recorder.asked)
        if len(found) == CHANGES:
            break
    rows = {
        f"{number} {at} {table}": keys
        for number, asked in enumerate(found)
        for at, (table, keys) in enumerate(asked)
    }
    np.savez(path, **rows)  # type: ignore[arg-type]
    return found


def queries(local: Snapshot) -> Iterator[Query]:
    """Changes that add 300 lines of files chosen by chance."""
    for number in np.random.default_rng(7).permutation(local.facts["files"]).tolist():
        ref = local.ref(number)
        file, text = local.file(ref), local.segment(ref.segment).text(ref.file)
        if text is None or file.lines < DIFF_LINES + 40 or file.tokens < 6 * DIFF_LINES:
            continue
        lines = tuple(text.split(b"\n")[40 : 40 + DIFF_LINES])
        change = ChangedFile(file.path, (Region(1, lines, (True,) * len(lines)),))
        yield make_query(change, file.language, compiled=True)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the lookups of each change: milliseconds (quickest of a few rounds); keys and entries of all.

    processor: seconds of all changes, of this process and of the servers that it started.
    """

    milliseconds: list[float]
    processor: float
    keys: int
    entries: int

    @property
    def row(self) -> str:
        ordered = sorted(self.milliseconds)
        each = len(ordered)
        return (
            f"{statistics.median(ordered):.1f} | {ordered[int(0.95 * (each - 1))]:.1f} | "
            f"{self.processor / each * 1e3:.1f} | {self.entries / self.processor / 1e6:.1f}"
        )


def processor_time() -> float:
    """Seconds of processor time of this process and of all that it started."""
    own = psutil.Process()
    return sum(sum(one.cpu_times()[:4]) for one in (own, *own.children(recursive=True)))


def cost(lookup: Lookup, changes: Sequence[Asked], rounds: int = 5) -> Cost:
    """What the lookups of all changes cost."""
    best = [float("inf")] * len(changes)
    keys = entries = 0
    begin = processor_time()
    for _ in range(rounds):
        keys = entries = 0
        for number, asked in enumerate(changes):
            start = time.perf_counter()
            for table, hashes in asked:
                found = lookup.find(table, hashes)
                keys, entries = keys + len(hashes), entries + len(found.values)
                assert not found.gaps, found.gaps
            best[number] = min(best[number], (time.perf_counter() - start) * 1e3)
    return Cost(best, (processor_time() - begin) / rounds, keys, entries)


class Comparison:
    """Rows of one table: the same lookups, asked of several implementations in one run."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.local = catalog, catalog.open()
        self.changes = recorded(catalog)
        self.mapped = Mapped(self.local.folder, self.local.manifest)
        self.entries = sum(facts["entries"] for facts in self.local.facts["tables"].values())
        self.size = sum(size_of(self.local.folder, name) for name in NAMES)
        asked = sum(len(keys) for change in self.changes for _, keys in change) / len(self.changes)
        print(
            f"{self.local.units:,} units; {len(self.changes)} changes of 300 lines, {asked:,.0f} hashes each"
        )
        print("| lookup | ms a change, median | 95 % | processor of all, ms | million entries/s of it "
              "| bytes an entry | made, units/s of processor |\n|---|---|---|---|---|---|---|")  # fmt: skip

    def tell(self, name: str, lookup: Lookup, size: float, seconds: float) -> None:
        rate = f"{self.local.units / seconds:,.0f}" if seconds else ""
        row = cost(lookup, self.changes).row
        print(f"| {name} | {row} | {size / self.entries:.1f} | {rate} |", flush=True)

    def here(self) -> None:
        merge = Merge([self.catalog.segment(entry) for entry in self.catalog.entries().values()])
        begin = processor_time()
        with tempfile.TemporaryDirectory(dir=self.catalog.data) as scratch:
            write_tables(Path(scratch), merge)
        self.tell("local, mapped", self.mapped, self.size, processor_time() - begin)

    def readers(self, folder: Path) -> None:
        from tests.corpus.index.readers import reader_processes

        begin = processor_time()
        write_shards(self.local.folder, folder, SHARDS)
        seconds = processor_time() - begin
        with reader_processes(folder, 2) as (one, other):
            both = Readers(self.local.identity, [[one.address, other.address]] * SHARDS)
            self.tell(f"{SHARDS} shards, each on two readers", both, self.size, seconds)
            one.end()
            self.tell("the same, one reader lost", both, self.size, 0)

    def nodes(self, number: int) -> None:
        from app.lookup.postgres import PostgresLookup, load_snapshot
        from tests.service.servers import Postgres

        with ExitStack() as stack:
            servers = [Postgres() for _ in range(number)]
            for server in servers:
                stack.callback(server.destroy)
                server.create()
            urls = [server.database() for server in servers]
            begin = processor_time()
            load_snapshot(self.local.folder, urls)
            seconds = processor_time() - begin
            stored = sum(
                int(server.sql("SELECT pg_database_size(current_database())", url.rpartition("/")[2]))
                for server, url in zip(servers, urls, strict=True)
            )
            lookup = PostgresLookup(self.local.manifest, urls)
            stack.callback(lookup.close)
            for table, hashes in itertools.chain(*self.changes[:4]):
                ours, theirs = self.mapped.find(table, hashes), lookup.find(table, hashes)
                assert all((a == b).all() for a, b in zip(ours[:2], theirs[:2], strict=True))
            self.tell(f"{number} PostgreSQL nodes", lookup, stored, seconds)
            servers[-1].stop()
            begin = time.perf_counter()
            gaps = {gap for table, hashes in self.changes[0] for gap in lookup.find(table, hashes).gaps}
            lost = (time.perf_counter() - begin) * 1e3
            print(f"\nOne node lost: {lost:.0f} ms for the next change; {sorted(gaps)}")


def compare(catalog: Catalog, nodes: int) -> None:
    """Local, sharded and PostgreSQL lookups of the same changes, with equal answers, in one run."""
    comparison = Comparison(catalog)
    comparison.here()
    with tempfile.TemporaryDirectory(dir=catalog.data) as folder:
        comparison.readers(Path(folder))
    comparison.nodes(nodes)


def resident_peak() -> dict[str, float]:
    """Most memory that this process had, and what of it is its own now (not mapped files), in MB."""
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"peak": peak, "own": int(status["RssAnon"].split()[0]) / 1024}


def size_of(folder: Path, table: str) -> int:
    """Bytes of one table."""
    return sum(path.stat().st_size for path in folder.glob(f"{table}.*"))


def grow_one(catalog: Catalog, out: Path, units: int) -> dict[str, float]:
    """Build a resampled corpus, then say what it costs. Runs in a process of its own."""
    merge = Merge([catalog.segment(entry) for entry in catalog.entries().values()])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    wall, processor = time.perf_counter(), time.process_time()
    tables = write_tables(out, Resampled(merge, units), lambda name: print(f"  {name}", file=sys.stderr))
    facts = {"units": units, "tables": tables, "build_wall": time.perf_counter() - wall}
    facts |= {"build_processor": time.process_time() - processor, "build_memory": resident_peak()["peak"]}
    write_manifest(out, facts)
    return facts


def look_up(catalog: Catalog, out: Path) -> dict[str, float]:
    """Opening and lookups of a resampled corpus, cold (its pages dropped) and warm, in a fresh process."""
    changes = recorded(catalog)
    for path in out.iterdir():
        with path.open("rb") as stream:
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before = resident_peak()["own"]
    begin = time.perf_counter()
    manifest = read_manifest(out)
    mapped = Mapped(out, manifest)
    columns = [
        MappedArray(out, name, dtype, manifest) for name, dtype in (("clusters", "<u4"), ("weights", "<f4"))
    ]
    opening = (time.perf_counter() - begin) * 1e3

    def one(asked: Asked) -> float:
        start = time.perf_counter()
        for table, hashes in asked:
            units = mapped.find(table, hashes).values
            if table != "words":
                at = units[units < manifest["units"]].astype(np.int64)
                for column in columns:
                    column.take(at)
        return (time.perf_counter() - start) * 1e3

    cold = [one(asked) for asked in changes]
    warm = [min(one(asked) for _ in range(5)) for asked in changes]
    begin = time.process_time()
    for asked in changes:
        one(asked)
    processor = (time.process_time() - begin) / len(changes) * 1e3
    size = sum(path.stat().st_size for path in out.iterdir())
    return {
        "units": manifest["units"], "opening": opening, "cold": statistics.median(cold),
        "warm": statistics.median(warm), "warm95": sorted(warm)[int(0.95 * len(warm))],
        "processor": processor, "memory": resident_peak()["own"] - before,
        "bytes": size / manifest["units"],
        **{f"bytes_{name}": size_of(out, name) / manifest["units"] for name in NAMES},
        "build_processor": manifest["build_processor"], "build_wall": manifest["build_wall"],
        "build_memory": manifest["build_memory"],
    }  # fmt: skip


def grow(data: Path, out: Path, sizes: Sequence[int]) -> None:
    """All sizes, each built and asked in processes of its own; one JSON object a line."""
    for units in sizes:
        folder = out / str(units)
        for step in ("build", "ask"):
            if step == "build" and (folder / "MANIFEST.json").exists():
                continue
            command = [sys.executable, "-m", "bench.scaling", step, str(units)]
            command += ["--data", str(data), "--out", str(folder)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(done.stdout.strip(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["compare", "grow", "build", "ask"])
    parser.add_argument("units", type=int, nargs="*")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--nodes", type=int, default=2)
    options = parser.parse_args()
    catalog = Catalog(options.data)
    steps: dict[str, Callable[[], Any]] = {
        "compare": lambda: compare(catalog, options.nodes),
        "grow": lambda: grow(options.data, options.out, options.units),
        "build": lambda: grow_one(catalog, options.out, options.units[0]),
        "ask": lambda: print(json.dumps(look_up(catalog, options.out))),
    }
    steps[options.what]()


if __name__ == "__main__":
    main()
