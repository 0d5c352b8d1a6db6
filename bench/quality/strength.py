"""What a threshold on the bits of a copy costs and brings: excerpts found, honest functions flagged.

    python -m bench.quality.strength --data DIR [--sample 40] [--honest 250] [--work DIR]

Only matches of the literal and renamed layers are looked at. Honest functions are those of packages left out
of the index (0: none are measured); the strongest of their matches are printed for a person to read. The
first row is the level from which a match is a finding in the given index.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from app.scan.diff import read_diff
from bench.quality.case import Case, excerpt_case, take
from bench.quality.filler import FILLERS
from bench.quality.honest import PACKAGES, added
from bench.quality.judge import package_of
from bench.quality.left_out import index_without
from bench.quality.pieces import Piece, sample_honest, sample_sources
from bench.quality.tables import table
from corpus.index.catalog import Catalog
from corpus.index.snapshot import Snapshot
from corpus.languages import language_of
from corpus.match import Match, match
from corpus.matches import ALERT_CHANCE
from corpus.model import ChangedFile
from corpus.params import DEFAULT
from corpus.query import make_query

LEVELS = (80, 70, 60, 50, 45, 40, 35, 30)
SHOWN = 15


def copies(files: Sequence[ChangedFile], index: Snapshot) -> Iterator[Match]:
    """Matches of the literal and renamed layers, whatever their strength."""
    for changed in files:
        language = language_of(changed.path, b"")
        if language is not None:
            yield from (m for m in match(make_query(changed, language), index, DEFAULT) if m.standing is None)


def bits_of_case(case: Case, index: Snapshot) -> float:
    """Bits of the best match that names the case's source file, or its package under `also`; 0: none."""
    package = package_of(case.piece.purl)
    return max(
        (
            m.evidence.bits
            for m in copies(read_diff(case.diff).files, index)
            if (package_of(m.origin.purl) == package and index.file(m.origin.ref).path == case.piece.path)
            or any(package_of(origin.purl) == package for origin, _ in m.also)
        ),
        default=0.0,
    )


def level_of_findings(index: Snapshot) -> float:
    """Bits from which a copy is a finding in an index of this size."""
    tail = index.null.copies
    return tail.reached(ALERT_CHANCE / tail.chance(tail.level, index.units) * tail.rate)


def honest_bits(
    catalog: Catalog, purl: str, number: int, seed: int, work: Path
) -> Iterator[tuple[float, str]]:
    """For each of the package's own functions: bits of its strongest match, and what it is."""
    index, _ = index_without(catalog, [purl], (), work)
    for piece in (p for p in sample_honest(catalog, purl, number, seed) if p.own):
        best = max(copies(added(piece).files, index), key=lambda m: m.evidence.bits, default=None)
        yield (best.evidence.bits, _told(piece, best, index)) if best else (0.0, "")


def _told(piece: Piece, found: Match, index: Snapshot) -> str:
    origin = found.origin
    where = f"{package_of(origin.purl)} {index.file(origin.ref).path}:{origin.start_line}"
    return (
        f"{piece.path}:{piece.start_line} ~ {where} ({found.evidence.kind}, {found.evidence.tokens} tokens)"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.strength")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--honest", type=int, default=250)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    catalog = Catalog(options.data)
    index = catalog.open()
    pool = sample_sources(catalog, FILLERS.__contains__, 8 * options.sample, options.seed)
    columns: dict[str, list[float]] = {}
    for how in ("verbatim", "renamed"):
        for size in (6, 10):
            name = f"{how}, {size} lines"
            made = take(f"{how} {size}", pool, options.sample, options.seed, partial(excerpt_case, size, how))
            columns[name] = [bits_of_case(case, index) for case in made]
    with tempfile.TemporaryDirectory(prefix="whence-quality-") as temporary:
        work = options.work or Path(temporary)
        honest = [
            row
            for purl in PACKAGES
            if options.honest
            for row in honest_bits(catalog, purl, options.honest, options.seed, work)
        ]
    body = []
    for level in (level_of_findings(index), *LEVELS):
        cells = [f"{sum(b >= level for b in bits) / max(1, len(bits)):.2f}" for bits in columns.values()]
        body.append((f"{level:.0f}", *cells, str(sum(b >= level for b, _ in honest))))
    print(table(("bits asked for", *columns, f"of {len(honest)} honest functions"), body))
    print()
    for bits, told in sorted(honest, reverse=True)[:SHOWN]:
        print(f"- {bits:.1f} bits: {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
