"""How fast the stages are, how large an index is, how long a scan takes.

    python -m bench.speed [--cache DIR] [--data DIR] [--keys N]

Prints the table of docs/performance.md. The stages read the C files of gsl. --data: a data folder with an
index that holds gsl, for the rows on scanning; without it the benchmark indexes gsl (licences left out) in a
temporary folder. --keys: how many signatures the comparison with datasketch's MinHashLSH inserts. Stages are
measured in processor time of one core, which other work on the machine changes little; scans in wall-clock
time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path

from app.policy.model import Policy
from app.scan.diff import read_diff
from app.scan.pipeline import Scanner
from app.scan.pipeline import scan as scan_change
from bench import lsh
from bench.measure import Row, resident, table
from bench.scan_stages import stages as stages_of_scans
from bench.scan_stages import strangers
from corpus.fingerprint.sketch import sketch
from corpus.index.build import build_snapshot
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.record import make_record, record_batch
from corpus.index.segment import ReleaseFacts
from corpus.index.snapshot import Snapshot
from corpus.ingest import BATCH_FILES
from corpus.languages import scan, significant
from corpus.machine_code import warm
from corpus.model import UNKNOWN_LICENSE, TreeFile
from corpus.params import DEFAULT
from corpus.query import make_query
from corpus.sources import fetch
from corpus.units import cut

GSL = "pkg:deb/debian/gsl@2.7.1+dfsg-5+deb12u1?arch=source"
DIFF_LINES = 300
EXCERPTS, WARM_SCANS, STRANGERS = 7, 7, 15


def c_files(cache: Path) -> dict[str, bytes]:
    """The C files of gsl, by path."""
    texts = {}
    for artifact in fetch(GSL, cache).artifacts:
        if artifact.role != "upstream":
            continue
        with tarfile.open(artifact.path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name.endswith((".c", ".h")) else None
                if stream is not None:
                    texts[member.name.partition("/")[2]] = stream.read().decode("latin-1").encode()
    return texts


def stages(files: Sequence[bytes]) -> list[Row]:
    """Megabytes a second of one core, stage by stage and all together."""
    size = sum(map(len, files)) / 1e6
    warm()
    scanning = cutting = sketching = 0.0
    units = 0
    for text in files:
        clock = [time.process_time()]
        scanned = scan(text, "c", compiled=True)
        tokens, _ = significant(scanned, compiled=True)
        clock.append(time.process_time())
        own = cut(scanned, text, "c", DEFAULT, compiled=True)
        clock.append(time.process_time())
        sketch(tokens, own, DEFAULT, compiled=True)
        clock.append(time.process_time())
        a, b, c = (later - earlier for earlier, later in pairwise(clock))
        scanning, cutting, sketching = scanning + a, cutting + b, sketching + c
        units += len(own)
    begin = time.process_time()
    for first in range(0, len(files), BATCH_FILES):
        record_batch([[text, "c"] for text in files[first : first + BATCH_FILES]])
    whole = time.process_time() - begin
    some = files[:: max(1, len(files) // 60)]
    begin = time.process_time()
    for text in some:
        make_record(text, "c")
    plain = time.process_time() - begin
    return [
        Row(f"C files of gsl, {len(files):,}", size, "MB"),
        Row("scan: tokens, hashes, layers", size / scanning, "MB/s"),
        Row("cut: functions and windows", size / cutting, "MB/s"),
        Row("sketch: winnowing, MinHash", size / sketching, "MB/s"),
        Row("all of these and the rest of a record", size / whole, "MB/s", "≥ 8"),
        Row("the same, units", units / whole, "units/s"),
        Row("the same without machine code", sum(map(len, some)) / 1e6 / plain, "MB/s"),
    ]


def index_files(data: Path, files: dict[str, bytes]) -> None:
    """Publish an index of the given C files, without licences."""
    catalog = Catalog(data)
    builder = SegmentBuilder(ReleaseFacts(GSL), DEFAULT)
    for path, text in sorted(files.items()):
        name = hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()
        builder.add(TreeFile(path, "c", text, name), UNKNOWN_LICENSE, make_record(text, "c", compiled=True))
    catalog.put(GSL, builder.write(catalog.segments_root, []), background=False)
    catalog.build()


def sizes(catalog: Catalog) -> list[Row]:
    """Bytes a unit of each table of the snapshot, and of the segments behind it."""
    index = catalog.open()
    by_table: dict[str, int] = {}
    for path in index.folder.iterdir():
        name = path.name.split(".")[0]
        by_table[name] = by_table.get(name, 0) + path.stat().st_size
    segments = sum(
        entry["bytes"]
        for number in range(len(index.facts["segments"]))
        for entry in index.segment(number).manifest["sealed"].values()
    )
    facts = f"{index.facts['releases']} releases, {index.facts['files']:,} files"
    rows = [Row(f"Index of {facts}", index.units, "units")]
    for name, size in sorted(by_table.items(), key=lambda item: -item[1]):
        rows.append(Row(f"  table {name}", size / index.units, "bytes a unit", "≤ 250" * (name == "lsh")))
    rows.append(Row("  segments, texts included", segments / index.units, "bytes a unit"))
    return rows


def building(catalog: Catalog) -> list[Row]:
    """A snapshot merged from the segments, again."""
    segments = [catalog.segment(entry) for entry in catalog.entries().values()]
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        build_snapshot(Path(folder), segments, DEFAULT)
        seconds = time.perf_counter() - begin
    units = sum(segment.counts["units"] for segment in segments)
    return [Row("Snapshot built from segments", seconds, "s"), Row("  the same", units / seconds, "units/s")]


def opening(data: Path) -> list[Row]:
    """What opening costs, in a fresh process."""
    code = (
        "import sys, time; from pathlib import Path; from corpus.index.catalog import Catalog;"
        "from bench.measure import resident; before = resident(); begin = time.perf_counter();"
        "index = Catalog(Path(sys.argv[1])).open();"
        "print(time.perf_counter() - begin, resident() - before)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, grown = min(tuple(map(float, run.stdout.split())) for run in runs)
    return [Row("Snapshot opened", seconds * 1e3, "ms"), Row("  memory it takes", grown / 1e6, "MB")]


def excerpts(files: dict[str, bytes]) -> list[bytes]:
    """Changes that add a part of an indexed file, spread over the release; tests (tables) are left out."""
    long = [
        text
        for path, text in sorted(files.items())
        if text.count(b"\n") > DIFF_LINES + 40 and "test" not in path
    ]
    return [make_diff(text) for text in long[:: max(1, len(long) // EXCERPTS)][:EXCERPTS]]


def make_diff(text: bytes) -> bytes:
    """A change that adds DIFF_LINES lines of a text to a new file."""
    lines = text.splitlines()[40 : 40 + DIFF_LINES]
    body = b"".join(b"+" + line + b"\n" for line in lines)
    head = b"diff --git a/src/new.c b/src/new.c\nnew file mode 100644\n--- /dev/null\n+++ b/src/new.c\n"
    return head + b"@@ -0,0 +1,%d @@\n" % len(lines) + body


def scanning(data: Path, diffs: Sequence[bytes]) -> list[Row]:
    """From a 300-line diff to its report: by the command, and in a process that has the index open."""
    command = [sys.executable, "-m", "app.cli.main", "check", "--diff", "-", "--outbound", "BSD-3-Clause"]
    command += ["--data", str(data), "--exit-zero", "--format", "json"]
    if (whence := Path(sys.executable).with_name("whence")).exists():
        command[:3] = [str(whence)]
    cold = []
    for diff in diffs:
        begin = time.perf_counter()
        subprocess.run(command, input=diff, capture_output=True, check=True)
        cold.append(time.perf_counter() - begin)
    before = resident()
    query = partial(make_query, compiled=True)
    index = Catalog(data).open()
    scanner = Scanner(index, Policy(outbound="BSD-3-Clause"), query=query)
    warm_runs, busy = [], []
    for diff in diffs:
        assert scan_change(read_diff(diff), scanner).findings, "an excerpt of an indexed file was not found"
        for _ in range(WARM_SCANS):
            begin, worked = time.perf_counter(), time.process_time()
            scan_change(read_diff(diff), scanner)
            warm_runs.append(time.perf_counter() - begin)
            busy.append(time.process_time() - worked)
    return [
        Row(f"{DIFF_LINES}-line diff, `whence check`, median of {len(cold)}", statistics.median(cold), "s",
            "≤ 1.5"),
        Row("  the fastest of them", min(cold), "s"),
        Row(f"{DIFF_LINES}-line diff, index open, median of {len(warm_runs)}",
            statistics.median(warm_runs) * 1e3, "ms", "≤ 100"),
        Row("  processor time, median", statistics.median(busy) * 1e3, "ms"),
        Row("  memory that scanning takes", (resident() - before) / 1e6, "MB"),
        *where_it_goes(scanner, index, diffs),
    ]  # fmt: skip


def where_it_goes(scanner: Scanner, index: Snapshot, diffs: Sequence[bytes]) -> list[Row]:
    """Stages of scans of copied and, where the index has a background, of other people's code."""
    copied = [partial(scan_change, read_diff(diff), scanner) for diff in diffs]
    rows = stages_of_scans(f"{DIFF_LINES} copied lines", copied)
    if others := list(strangers(index, DIFF_LINES, STRANGERS)):
        rows += stages_of_scans(f"{DIFF_LINES} lines of others", others)
    return rows


@contextmanager
def data_folder(given: Path | None, files: dict[str, bytes]) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        index_files(Path(folder), files)
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "whence-cache")
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--keys", type=int, default=20_000)
    options = parser.parse_args()
    files = c_files(options.cache)
    rows = stages(list(files.values()))
    rows.append(Row("licences: `python -m bench.licenses`", float("nan"), "files/s", "≥ 150"))
    with data_folder(options.data, files) as data:
        catalog = Catalog(data)
        rows += [*sizes(catalog), *building(catalog), *opening(data)]
        rows += scanning(data, excerpts(files))
    rows += lsh.compare(options.keys, min(1000, options.keys))
    print(f"{date.today()}, Python {sys.version.split()[0]}, {os.cpu_count()} processors, load"
          f" {os.getloadavg()[1]:.1f}\n")  # fmt: skip
    print(table(rows))


if __name__ == "__main__":
    main()
