"""How well derived code is found and honest code left alone: the tables of docs/quality.md.

    python -m bench.quality --data DIR [--cases DIR] [--sample N] [--thresholds FILE] [--json OUT]

Measures the corpus in DIR, which is only read (without --data: a small one in .cache/quality, made by
`whence corpus add` when there is none). Exit code 1: a threshold is missed; 2: nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from app.policy.model import Policy
from app.scan.pipeline import Scanner
from bench.quality.case import cases
from bench.quality.filler import FILLERS
from bench.quality.honest import PACKAGES, Measured, measure
from bench.quality.judge import Row, judge
from bench.quality.pieces import sample_sources
from bench.quality.ported import measure_ports
from bench.quality.shared import Variant, variants
from bench.quality.tables import cases_table, honest_table, latency, missed, recall_table
from corpus.errors import WhenceError
from corpus.index.catalog import Catalog

HERE = Path(__file__).parent
SMALL = HERE / "small.toml"
POOL = 400
"""Functions that cases are made from at most; each kind takes those that it can change."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, help="the corpus to measure")
    parser.add_argument("--cases", type=Path, help="folder of cases to score too")
    parser.add_argument("--sample", type=int, default=8, help="cases of each transformation (8)")
    parser.add_argument("--honest", type=int, default=60, help="functions of each honest package (60)")
    parser.add_argument(
        "--share", type=float, default=1.0, help="part of the releases that honest functions meet (1.0: all)"
    )
    parser.add_argument("--packages", nargs="*", default=list(PACKAGES), help="honest packages, as purls")
    parser.add_argument("--no-ports", action="store_true", help="leave the hand-written ports out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--thresholds", type=Path, default=HERE / "thresholds.toml")
    parser.add_argument("--json", type=Path, help="write all rows there")
    parser.add_argument("--work", type=Path, help="keep the indexes without a package there for the next run")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    limits = tomllib.loads(options.thresholds.read_text())
    data = options.data or small_corpus()
    catalog = Catalog(data)
    try:
        index = catalog.open()
    except WhenceError as error:
        print(error.message, file=sys.stderr)
        return 2
    facts, load = index.facts, os.getloadavg()[0]
    print(
        f"Index {index.identity}: {facts['releases']} releases, {facts['files']:,} files, {facts['units']:,} "
        f"code units. {time.strftime('%Y-%m-%d')}, seed {options.seed}, {os.cpu_count()} cores, "
        f"load {load:.1f}.\n"
    )
    scanner = Scanner(index, Policy(outbound="BSD-3-Clause"))
    pieces = sample_sources(catalog, FILLERS.__contains__, min(POOL, 40 * options.sample), options.seed)
    rows = [judge(case, scanner, index) for case in cases(pieces, options.sample, options.seed)]
    print(f"## Transformed copies\n\n{recall_table(rows)}\n")
    print("Not found as an alert:")
    print_lines(
        f"{r.kind}: {r.where} ({r.language}{', a lead' if r.lead else ''})" for r in rows if not r.found
    )
    found: list[Variant] = []
    if options.cases:
        found = list(variants(options.cases, scanner, index))
        print(f"## Given cases\n\n{cases_table(found)}\n")
        print_lines(f"false: {v.case} {v.file}: {told}" for v in found for told in v.wrong)
        print("Not found as an alert:")
        print_lines(
            f"{v.case} {v.file}{' (a lead)' if v.lead else ''}, source retrieved at rank {v.rank}"
            for v in found
            if v.kind != "independent" and not v.found
        )
    with ExitStack() as stack:
        work = options.work or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="whence-quality-"))
        )
        measured = honest(catalog, options, work)
        if not options.no_ports:
            print(measure_ports(catalog, work))
    times = [r.milliseconds for r in rows] + [v.milliseconds for v in found]
    print(f"\nLatency of a scan of a case, all layers, leads included: {latency(times)}.")
    misses = missed(limits, rows, measured, found)
    if options.json:
        write_json(options.json, index.identity, rows, measured, found, misses)
    print("\nThresholds: " + ("all reached." if not misses else ""))
    print_lines(misses)
    return 1 if misses else 0


def honest(catalog: Catalog, options: argparse.Namespace, work: Path) -> list[Measured]:
    """Measure and print the honest packages, one index each."""
    if not options.honest:
        return []
    measured = []
    for purl in options.packages:
        try:
            measured.append(measure(catalog, purl, options.honest, options.seed, work, options.share))
        except WhenceError as error:
            print(f"{purl} could not be measured: {error.message}", file=sys.stderr)
    print(f"## Honest functions\n\n{honest_table(measured)}\n")
    for one in measured:
        print_lines(
            f"{'' if f.own else '(not its own code) '}{f.told}{': ' + f.explained if f.explained else ''}"
            for f in one.findings
        )
    for one in measured:
        print(f"{one.purl} was measured {one.exclusion}.")
    times = [t for one in measured for t in one.milliseconds]
    print(f"\nLatency of a scan of one function: {latency(times)}.\n")
    return measured


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(f"- {line}")
    print()


def write_json(
    path: Path,
    identity: str,
    rows: Sequence[Row],
    measured: Sequence[Measured],
    found: Sequence[Variant],
    misses: Sequence[str],
) -> None:
    document = {
        "snapshot": identity,
        "cases": [asdict(r) for r in rows],
        "honest": [asdict(m) for m in measured],
        "given": [asdict(v) for v in found],
        "missed": list(misses),
    }
    path.write_text(json.dumps(document, indent=1))


def small_corpus() -> Path:
    """The small corpus of `small.toml`, indexed by the real command when it is not there yet."""
    data = Path(".cache/quality").resolve()
    if Catalog(data).current() is None:
        command = [str(Path(sys.executable).with_name("whence")), "corpus", "add", "--manifest", str(SMALL)]
        subprocess.run([*command, "--data", str(data)], check=True)
    return data


if __name__ == "__main__":
    sys.exit(main())
