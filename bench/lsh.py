"""Our memory-mapped LSH beside datasketch's in memory: same signatures, same run, same answers."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure import Row, resident
from corpus.fingerprint.minhash import bands, signatures
from corpus.index.blocks import read_manifest, write_manifest
from corpus.index.lsh import minhash_lsh
from corpus.index.table import Layout, Table, write_table
from corpus.params import DEFAULT

SHINGLES = 100


def make_signatures(count: int) -> NDArray[np.uint32]:
    """Signatures of random sets of shingles; half of them are near duplicates of the others."""
    rng = np.random.default_rng(3)
    sets = rng.integers(0, 1 << 32, (count, SHINGLES), dtype=np.uint32)
    half = count // 2
    kept = rng.random((half, SHINGLES)) < rng.random((half, 1))
    sets[-half:] = np.where(kept, sets[:half], sets[-half:])
    starts = np.arange(count, dtype=np.int64) * SHINGLES
    return signatures(sets.ravel(), starts, DEFAULT.num_perm, DEFAULT.seed, DEFAULT.num_perm)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result and seconds of processor time."""
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def build_mapped(folder: Path, rows: NDArray[np.uint32]) -> Table:
    keys = bands(rows, DEFAULT).ravel()
    units = np.repeat(np.arange(len(rows), dtype=np.uint32), DEFAULT.lsh_bands)
    order = np.argsort(keys, kind="stable")
    layout = Layout.of(len(np.unique(keys)), len(keys))
    facts = write_table(folder, "lsh", layout, [(keys[order], units[order])])
    write_manifest(folder, {"tables": {"lsh": facts}})
    return Table(folder, "lsh", read_manifest(folder))


def batch(table: Table, rows: NDArray[np.uint32]) -> list[set[int]]:
    """The units that share a band with each row, all rows in one lookup."""
    which, units = table.lookup(bands(rows, DEFAULT).ravel())
    found: list[set[int]] = [set() for _ in rows]
    for row, unit in zip((which // DEFAULT.lsh_bands).tolist(), units.tolist(), strict=True):
        found[row].add(unit)
    return found


def compare(count: int, queries: int) -> Sequence[Row]:
    """The rows of the comparison. Raises AssertionError where the answers differ."""
    from datasketch import MinHash, MinHashLSH

    rows = make_signatures(count)
    hashes = [
        MinHash(num_perm=DEFAULT.num_perm, seed=DEFAULT.seed, scheme=DEFAULT.scheme, hashvalues=row)
        for row in rows
    ]
    gc.collect()
    before = resident()
    memory = MinHashLSH(threshold=DEFAULT.lsh_threshold, num_perm=DEFAULT.num_perm)

    def insert() -> None:
        for unit, one in enumerate(hashes):
            memory.insert(unit, one)

    _, inserting = timed(insert)
    gc.collect()
    held = resident() - before
    asked = hashes[:: max(1, count // queries)][:queries]
    wanted, in_memory = timed(lambda: [set(memory.query(one)) for one in asked])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table, building = timed(lambda: build_mapped(folder, rows))
        stored = sum(path.stat().st_size for path in folder.iterdir())
        begin = time.perf_counter()
        served = minhash_lsh(Table(folder, "lsh", read_manifest(folder)), DEFAULT)
        opening = time.perf_counter() - begin
        answers, one_by_one = timed(lambda: [set(served.query(one)) for one in asked])
        signature = np.stack([one.hashvalues for one in asked])
        together, at_once = timed(lambda: batch(table, signature))
    assert answers == wanted, "the mapped index answers other than the one in memory"
    assert together == wanted, "one lookup for all answers other than one for each"
    n = len(asked)
    return [
        Row(f"LSH, datasketch in memory, {count:,} keys", held / count, "bytes a key"),
        Row("  inserting", count / inserting, "keys/s"),
        Row("  query()", in_memory / n * 1e6, "µs"),
        Row("LSH, memory-mapped", stored / count, "bytes a key", "≤ 250"),
        Row("  building", count / building, "keys/s"),
        Row("  opening", opening * 1e3, "ms"),
        Row("  datasketch's query() over it", one_by_one / n * 1e6, "µs"),
        Row(f"  {n:,} queries in one lookup", at_once / n * 1e6, "µs each"),
        Row("  queries with equal answers, all three ways", n, f"of {n:,}"),
    ]
