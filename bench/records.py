"""What it costs to make the records of indexed releases anew, and to write their segments.

    python -m bench.records --data DIR [PURL…]

--data: a data folder that holds the releases and their texts. Megabytes of kept source text a second of a
core, in three parts: making records, in a child of the sandbox; the frames, on the parent's side; the
segment. Stops when a segment holds anything else than before, compression aside.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from bench.measure import Row, table
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.record import received, record_batch
from corpus.index.segment import Segment
from corpus.ingest import _batches
from corpus.machine_code import warm_writing
from corpus.model import TreeFile
from corpus.sandbox import Limits, Pool

RELEASES = (  # C, C++, Fortran, R, Python
    "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5%2Bdeb12u1?arch=source",
    "pkg:deb/debian/mrtrix3@3.0.3-3?arch=source",
    "pkg:deb/debian/elpa@2022.11.001-2%2Bdeb12u1?arch=source",
    "pkg:deb/debian/r-cran-lavaan@0.6.19-1?arch=source",
    "pkg:deb/debian/brian@2.10.1-3?arch=source",
)


COMPRESSED = ("texts", "text_offsets", "tokens", "token_offsets")


class Clock:
    """Processor time by part."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        begin = time.process_time()
        yield
        self.spent[name] += time.process_time() - begin  # type: ignore[assignment]


def files_of(segment: Segment) -> list[TreeFile]:
    return [
        TreeFile(file.path, file.language, segment.text(number) or b"", file.sha1, file.labels)
        for number, file in enumerate(segment.files)
    ]


def timed_batch(batch: list[list[Any]]) -> list[Any]:
    """`record_batch`, and the processor time it took."""
    begin = time.process_time()
    made = record_batch(batch)
    return [made, time.process_time() - begin]


def differing(one: Segment, other: Segment) -> list[str]:
    """Which parts of two segments differ, where their bytes count; of what is compressed, the contents."""
    if one.name == other.name:
        return []
    names = one.manifest["arrays"].keys() | other.manifest["arrays"].keys()
    plain = [name for name in names if name not in COMPRESSED]
    found = [n for n in plain if len({s.array(n, "u1").all().tobytes() for s in (one, other)}) > 1]
    aside = {"sealed": None, "content": None, "arrays": None}
    contents = (
        ("manifest", one.manifest | aside, other.manifest | aside),
        ("files", one.files, other.files),
        ("skips", one.skips, other.skips),
        ("spellings", one.spellings[0].tobytes(), other.spellings[0].tobytes()),
    )
    found += [name for name, mine, theirs in contents if mine != theirs]
    if one.files == other.files:
        for number, file in enumerate(one.files):
            if one.text(number) != other.text(number):
                found.append(f"text of {file.path}")
            if one.token_bytes(number) != other.token_bytes(number):
                found.append(f"tokens of {file.path}")
    return found


def again(segment: Segment, catalog: Catalog, pool: Pool, clock: Clock) -> int:
    """Make a segment once more; bytes of its texts."""
    files = files_of(segment)
    builder = SegmentBuilder(segment.facts, catalog.params)
    known = {file.path: file.license for file in segment.files}
    for batch in _batches(files):
        with clock.part("frames"):
            sent = [[file.text, file.language] for file in batch]
            made, spent = pool.run("bench.records:timed_batch", sent)
            records = received(made, len(batch))
        clock.spent["records"] += spent
        with clock.part("segment"):
            for numbers, some in records:
                assert not isinstance(some, str), some
                own = [batch[number] for number in numbers]
                builder.add_all(own, [known[file.path] for file in own], some)
    with tempfile.TemporaryDirectory() as folder:
        with clock.part("segment"):
            name = builder.write(Path(folder), segment.skips)
        if found := differing(segment, Segment(Path(folder), name, catalog.params)):
            raise SystemExit(f"{segment.facts.purl}: not as before: {', '.join(found)}")
    return sum(len(file.text) for file in files)


def measure(purls: list[str], data: Path) -> list[Row]:
    catalog = Catalog(data)
    entries = catalog.entries()
    rows, total, whole = [], Clock(), 0
    warm_writing()
    with Pool(1, Limits(), ("corpus.machine_code:warm",)) as pool:
        for purl in purls:
            clock = Clock()
            size = again(catalog.segment(entries[purl]), catalog, pool, clock)
            rows += _rows(purl.split("/")[-1].split("@")[0], size, clock)
            total.spent.update(clock.spent)
            whole += size
    return rows + _rows("all of them", whole, total)


def _rows(what: str, size: int, clock: Clock) -> list[Row]:
    megabytes = size / 1e6
    return [
        Row(what, megabytes, "MB"),
        *(Row(f"  {name}", megabytes / spent, "MB/s") for name, spent in clock.spent.items()),
        Row("  together", megabytes / clock.spent.total(), "MB/s", "≥ 20"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("purls", nargs="*", default=list(RELEASES))
    options = parser.parse_args()
    print(f"{date.today()}, Python {sys.version.split()[0]}, processor time\n")
    print(table(measure(options.purls, options.data)))


if __name__ == "__main__":
    main()
