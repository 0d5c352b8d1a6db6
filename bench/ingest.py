"""What indexing costs, stage by stage: processor time of all processes together, over real releases.

    python -m bench.ingest [--data DIR] [--cache DIR] [--licenses DIR] [PURL…]

Each release is fetched first, which is not counted, then indexed once in a temporary data folder. --data: a
folder with a corpus, all of whose releases are taken unless some are named, from its downloads and with the
notices read for it. --licenses: a folder with licence detections of an earlier run, for the cost when notices
are known. The last rows are megabytes of kept source text a second of one core.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from bench.measure import Row, table
from corpus.index.catalog import Catalog
from corpus.ingest import Ingester
from corpus.sources import SourceSettings, fetch

RELEASES = (
    "pkg:deb/debian/gsl@2.7.1+dfsg-5+deb12u1?arch=source",
    "pkg:deb/debian/glpk@5.0-1?arch=source",
    "pkg:pypi/networkx@3.7",
)
TICKS = os.sysconf("SC_CLK_TCK")


def descendants_seconds() -> float:
    """Processor seconds of all living descendants, and of those of them that ended."""
    parents: dict[int, int] = {}
    spent: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        spent[int(folder.name)] = sum(map(int, fields[11:15]))  # with its own ended children
    tree = {os.getpid()}
    while grown := {pid for pid, parent in parents.items() if parent in tree} - tree:
        tree |= grown
    ended = os.times()
    living = sum(spent[pid] for pid in tree - {os.getpid()} if pid in spent)
    return living / TICKS + ended.children_user + ended.children_system


class Clock:
    """Processor time by stage, told by the progress of an ingestion."""

    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self._stage, self._since = "", 0.0

    def tell(self, purl: str, step: str, done: int, total: int | None) -> None:
        if step.split()[0] != self._stage:
            now = time.process_time() + descendants_seconds()
            if self._stage:
                self.stages[self._stage] += now - self._since  # type: ignore[assignment]
            self._stage, self._since = step.split()[0], now


def measure(purls: list[str], cache: Path, licenses: Path | None) -> list[Row]:
    settings = SourceSettings.from_environment()
    for purl in purls:
        fetch(purl, cache, settings)
    clock, size, files, units = Clock(), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        catalog = Catalog(Path(folder))
        catalog.cache = cache
        if licenses is not None:
            shutil.copytree(licenses, catalog.licenses)
        with Ingester(catalog, processes=1, settings=settings, progress=clock.tell) as ingester:
            ingester.warm()
            for purl in purls:
                outcome = ingester.ingest(purl)
                if outcome.status == "failed":
                    raise SystemExit(f"{purl}: {outcome.message}")
                clock.tell(purl, "between", 0, None)
        for entry in catalog.entries().values():
            segment = catalog.segment(entry)
            files, units = files + segment.counts["files"], units + segment.counts["units"]
            size += sum(len(segment.text(i) or b"") for i in range(segment.counts["files"]))
    megabytes = size / 1e6
    stages = {name: spent for name, spent in clock.stages.items() if name not in ("between", "fetch")}
    whole = sum(stages.values())
    without = whole - stages.get("licences", 0.0)
    rows = [Row(f"{len(purls)} releases, {files:,} files, {units:,} units", megabytes, "MB")]
    rows += [Row(f"  {name}", spent, "s") for name, spent in stages.items()]
    return [
        *rows,
        Row("all stages" + (", notices known" if licenses else ""), megabytes / whole, "MB/s", "≥ 3"),
        Row("all but licences", megabytes / without, "MB/s", "≥ 20"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--cache", type=Path, default=None)
    parser.add_argument("--licenses", type=Path, default=None)
    parser.add_argument("purls", nargs="*")
    options = parser.parse_args()
    purls, cache, licenses = list(RELEASES), Path(tempfile.gettempdir()) / "whence-cache", None
    if options.data is not None:
        catalog = Catalog(options.data)
        purls, cache, licenses = list(catalog.entries()), catalog.cache, catalog.licenses
    rows = measure(options.purls or purls, options.cache or cache, options.licenses or licenses)
    print(f"{date.today()}, Python {sys.version.split()[0]}, processor time\n")
    print(table(rows))


if __name__ == "__main__":
    main()
