"""False findings on honest code: functions of permissive packages, each scanned as a change that adds it.

    python -m bench.quality.honest --data DIR [--sample 300] [PURL …]

The packages are fetched at run time. A release under measurement is left out of the index, and so is every indexed
file that has the same content as a file of it; what else is found is printed for a person to read.
"""

from __future__ import annotations

import argparse
import random
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.policy.model import Policy
from app.scan.diff import Diff
from app.scan.pipeline import Scanner, scan
from app.data import data_dir
from corpus.index.catalog import Catalog
from corpus.languages import language_of, scan as tokenise
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.purl import same_package
from corpus.sources import fetch
from corpus.units import cut

PACKAGES = (
    "pkg:pypi/numpy@2.4.6", "pkg:pypi/scipy@1.17.1", "pkg:pypi/scikit-learn@1.9.1",
    "pkg:pypi/scikit-image@0.26.0", "pkg:pypi/sympy@1.14.0", "pkg:pypi/networkx@3.6.1",
)  # fmt: skip
LEAST_LINES = 8


def functions(archive: Path) -> Iterator[tuple[str, int, tuple[bytes, ...]]]:
    """(path, first line, lines) of every function of at least LEAST_LINES lines in an sdist, tests left out."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name.split("/", 1)[-1]
            if not member.isfile() or member.size > 1 << 20 or "test" in path:
                continue
            handle = tar.extractfile(member)
            text = handle.read() if handle else b""
            language = language_of(path, text[:4096])
            if language in (None, "text") or b"\0" in text:
                continue
            lines = text.split(b"\n")
            for unit in cut(tokenise(text, language, compiled=True), text, language, DEFAULT):
                if unit.kind == "function" and unit.end_line - unit.start_line + 1 >= LEAST_LINES:
                    yield path, unit.start_line, tuple(lines[unit.start_line - 1 : unit.end_line])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("purls", nargs="*", default=PACKAGES)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sample", type=int, default=300, help="functions of each package")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    catalog = Catalog(data_dir(options.data))
    index = catalog.open()
    total = alerts = 0
    print(f"index {index.identity}: {index.facts['releases']} releases, {index.units} units")
    for purl in options.purls:
        fetched = fetch(purl, catalog.cache)
        found = list(functions(fetched.artifacts[0].path))
        random.Random(options.seed).shuffle(found)
        own = [e.purl for e in catalog.entries().values() if same_package(e.purl, purl)]
        scanner = Scanner(index, Policy(outbound="BSD-3-Clause", self_purls=tuple(own)))
        flagged, started, sample = 0, time.perf_counter(), found[: options.sample]
        for path, line, lines in sample:
            added = sum(bool(text.strip()) for text in lines)
            change = Diff((ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)),), (), added, 0, ())
            report = scan(change, scanner)
            if report.findings:
                flagged += 1
                for f in report.findings:
                    print(
                        f"  {path}:{line + f.region.start_line - 1}-{line + f.region.end_line - 1} ~ {f.origin.purl} "
                        f"{f.origin.path}:{f.origin.start_line} {f.evidence.kind} {f.evidence.tokens} tokens, "
                        f"chance {f.evidence.chance:.1e}, {f.license.expression}"
                    )
        total, alerts = total + len(sample), alerts + flagged
        milliseconds = (time.perf_counter() - started) / max(1, len(sample)) * 1e3
        print(f"{purl}: {flagged} of {len(sample)} functions flagged, {milliseconds:.1f} ms a function", flush=True)
    print(f"all: {alerts} of {total}, {1000 * alerts / max(1, total):.2f} per 1,000")


if __name__ == "__main__":
    main()
