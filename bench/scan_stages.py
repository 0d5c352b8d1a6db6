"""Where the time of a scan goes, by stage, and what a change of other people's code costs.

A profiler's clock counts what small functions cost twice, so the shares are of its own total.
"""

from __future__ import annotations

import cProfile
import pstats
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from bench.measure import Row
from corpus.index.snapshot import Snapshot
from corpus.match import match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.purl import package_name
from corpus.query import make_query

STAGES = {
    "tokens and sketches of the change": ("query.py", "make_query"),
    "lookups in the tables": ("snapshot.py", "postings"),
    "copies: fingerprints and candidates": ("match.py", "find_prints", "candidates"),
    "copies: alignment": ("align.py", "align"),
    "copies: evidence": ("match.py", "_confirm", "_weighed"),
    "algorithm: lookup, units that share": ("disguise.py", "look_up", "sharing_units"),
    "algorithm: tokens of candidates": ("disguise.py", "unit"),
    "algorithm: alignment of candidates": ("disguise.py", "_align"),
    "algorithm: regions of the best files": ("derived.py", "_gather"),
    "algorithm: evidence": ("derived.py", "_match"),
}
"""Functions by file. Lookups are part of the stages that ask; tokens are part of the alignment."""

INSIDE = {
    "copies: fingerprints and candidates": "lookups in the tables",
    "algorithm: alignment of candidates": "algorithm: tokens of candidates",
}
LANGUAGES = frozenset({"python", "c", "cpp", "cython", "fortran"})


def strangers(index: Snapshot, lines: int, number: int) -> Iterator[Callable[[], object]]:
    """Scans of changes that add part of a file of a background package, which is no origin then."""
    rng = Random(5)
    rows = [n for n, row in enumerate(index.facts["segments"]) if row["background"]]
    rng.shuffle(rows)
    for row in rows:
        segment = index.segment(row)
        long = [
            i
            for i, file in enumerate(segment.files)
            if file.lines > lines + 120 and file.language in LANGUAGES and not file.labels
        ]
        chosen = rng.choice(long) if long else None
        text = None if chosen is None else segment.text(chosen)
        if chosen is None or text is None:
            continue
        file = segment.files[chosen]
        part = tuple(text.split(b"\n")[60 : 60 + lines])
        changed = ChangedFile(file.path, (Region(1, part, (True,) * len(part)),))
        own = package_name(segment.facts.purl)
        yield partial(_scan, index, changed, file.language, own)
        number -= 1
        if not number:
            return


def _scan(index: Snapshot, changed: ChangedFile, language: str, own: str) -> object:
    return match(
        make_query(changed, language, compiled=True), index, DEFAULT, lambda purl: package_name(purl) != own
    )


def stages(title: str, scans: Sequence[Callable[[], object]], rounds: int = 3) -> list[Row]:
    """Median milliseconds of a scan, the best of some rounds of each, and the share of each stage."""
    for scan in scans:
        scan()
    times = []
    for scan in scans:
        best = float("inf")
        for _ in range(rounds):
            begin = time.process_time()
            scan()
            best = min(best, time.process_time() - begin)
        times.append(best * 1e3)
    profile = cProfile.Profile()
    profile.enable()
    for scan in scans:
        scan()
    profile.disable()
    measured = pstats.Stats(profile)
    spent = {name: _cumulative(measured, *where) for name, where in STAGES.items()}
    for outer, inner in INSIDE.items():
        spent[outer] -= min(spent[outer], spent[inner])
    total = measured.total_tt  # type: ignore[attr-defined]
    rows = [Row(f"{title}, median of {len(scans)}, processor", statistics.median(times), "ms", "≤ 200")]
    return [*rows, *(Row(f"  {name}", 100 * part / total, "%") for name, part in spent.items())]


def _cumulative(measured: pstats.Stats, file: str, *functions: str) -> float:
    """Seconds in these functions of a file, with what they call."""
    found: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    found = measured.stats  # type: ignore[attr-defined]
    return sum(
        row[3] for (path, _, name), row in found.items() if path.endswith(f"/{file}") and name in functions
    )
