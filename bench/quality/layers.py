"""What each table of an index brings, beside what it takes: recall with all, without one, with one alone.

    python -m bench.quality.layers --data DIR [--cases DIR] [--sample 30]

Excerpts and transformed functions of the corpus, and the rewritten and translated variants of given cases,
are scanned as changes by an index whose other tables answer nothing. What is asked of a finding stays the
same.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from app.policy.model import Policy
from app.scan.pipeline import Scanner
from bench.quality.case import Case, cases
from bench.quality.filler import FILLERS
from bench.quality.judge import judge
from bench.quality.pieces import sample_sources
from bench.quality.shared import variants
from bench.quality.tables import table
from corpus.fingerprint.hashing import U64
from corpus.index.catalog import Catalog
from corpus.index.segment import TABLES
from corpus.index.snapshot import Postings, Snapshot
from corpus.params import DEFAULT

KINDS = {
    "verbatim, 6 lines": "verbatim, 6 lines",
    "verbatim, 25 lines": "verbatim, 25 lines",
    "renamed, 10 lines": "renamed, 10 lines",
    "renamed, 25 lines": "renamed, 25 lines",
    "combined": "all changes at once",
}


class Partial(Snapshot):
    """A snapshot some of whose tables answer nothing."""

    def __init__(self, folder: Path, segments_root: Path, kept: Collection[str]) -> None:
        super().__init__(folder, segments_root, DEFAULT)
        self._kept = frozenset(kept)

    def postings(self, layer: str, keys: U64) -> Postings:
        if layer in self._kept:
            return super().postings(layer, keys)
        return Postings(np.empty(0, np.int64), np.empty(0, np.uint32))


def arms() -> Iterator[tuple[str, frozenset[str]]]:
    """Names of the trials and the tables that each keeps."""
    yield "all tables", frozenset(TABLES)
    for name in TABLES:
        yield f"without {name}", frozenset(TABLES) - {name}
    for name in TABLES:
        yield f"{name} alone", frozenset({name})


def bytes_of(index: Snapshot) -> dict[str, float]:
    """Bytes a unit of each table's files."""
    found: dict[str, float] = defaultdict(float)
    for path in index.folder.iterdir():
        found[path.name.split(".")[0]] += path.stat().st_size / index.units
    return found


def recall(index: Snapshot, made: list[Case], folder: Path | None) -> dict[str, float]:
    """Part of the cases of each kind that a finding names."""
    scanner = Scanner(index, Policy(outbound="BSD-3-Clause"))
    found: dict[str, list[bool]] = defaultdict(list)
    for case in made:
        found[KINDS[case.kind]].append(judge(case, scanner, index).found)
    for variant in variants(folder, scanner, index) if folder else ():
        if variant.kind in ("rewritten", "translated"):
            found[variant.kind].append(variant.found)
    return {kind: sum(hits) / len(hits) for kind, hits in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.layers")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--sample", type=int, default=30)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    catalog = Catalog(options.data)
    whole = catalog.open()
    pool = sample_sources(catalog, FILLERS.__contains__, 8 * options.sample, options.seed)
    made = [case for case in cases(pool, options.sample, options.seed) if case.kind in KINDS]
    sizes, body = bytes_of(whole), []
    columns: list[str] = []
    for name, kept in arms():
        rates = recall(Partial(whole.folder, catalog.segments_root, kept), made, options.cases)
        columns = columns or list(rates)
        cells = [f"{rates[column]:.2f}" for column in columns]
        body.append((name, f"{sum(sizes[one] for one in kept):.0f}", *cells))
        print(f"{name}: done", file=sys.stderr)
    print(table(("tables", "bytes a unit", *columns), body))
    return 0


if __name__ == "__main__":
    sys.exit(main())
