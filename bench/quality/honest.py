"""False findings on honest code: functions of permissive packages, each scanned as a change that adds it.

The package, and every copy of its files, is left out of the index while it is measured (see left_out).
Every finding is kept with where it stands, for a person to read and explain.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.policy.model import Policy
from app.report.model import Finding
from app.scan.diff import Diff, read_diff
from app.scan.pipeline import Scanner, scan
from bench.quality.case import unified
from bench.quality.left_out import Exclusion, index_without
from bench.quality.pieces import Piece, files_of_archive, sample_honest
from corpus.archive.spool import blob_id
from corpus.index.catalog import Catalog
from corpus.purl import same_package

PACKAGES = (
    "pkg:pypi/numpy@2.4.6",
    "pkg:pypi/scipy@1.17.1",
    "pkg:pypi/scikit-learn@1.9.1",
    "pkg:pypi/scikit-image@0.26.0",
    "pkg:pypi/sympy@1.14.0",
    "pkg:pypi/networkx@3.6.1",
)
EXPLAINED = Path(__file__).with_name("explained.toml")
KINDS = ("literal", "renamed", "rewritten", "translated")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A finding on honest code: kind of its evidence, and one line that says what resembles what.

    explained: why it is no false one (`explained.toml`), or "".
    """

    own: bool
    kind: str
    told: str
    explained: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """One package. own, others: functions scanned of its own code; of tests, vendored and generated files.

    flagged: by own (True) and others (False), functions with a finding; explained: those all of whose
    findings are explained.
    """

    purl: str
    exclusion: Exclusion
    own: int
    others: int
    flagged: dict[bool, int]
    explained: dict[bool, int]
    findings: tuple[Wrong, ...]
    milliseconds: tuple[float, ...]


def added(piece: Piece) -> Diff:
    """The change that adds a function as a new file of its path."""
    return read_diff(unified(None, piece.lines, piece.path))


def told(piece: Piece, finding: Finding) -> str:
    region, origin, evidence = finding.region, finding.origin, finding.evidence
    first = piece.start_line + region.start_line - 1
    last = piece.start_line + region.end_line - 1
    return (
        f"{piece.path}:{first}-{last} ~ {origin.purl} {origin.path}:{origin.start_line}-{origin.end_line} "
        f"({evidence.kind}, {evidence.tokens} tokens, chance {evidence.chance:.1e}, "
        f"{finding.license.expression or 'no licence known'}, {finding.verdict.status})"
    )


@cache
def _explanations() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = tomllib.loads(EXPLAINED.read_text())["finding"]
    return rows


def reason(line: str) -> str:
    """Why a finding, as `told` words it, is no false one; "" when nobody has explained it."""
    ours, _, theirs = line.partition(" ~ ")
    rows = (r for r in _explanations() if ours.startswith(r["path"]) and r["origin"] in theirs)
    return next((r["reason"] for r in rows), "")


def measure(
    catalog: Catalog, purl: str, number: int, seed: int, folder: Path, share: float = 1.0
) -> Measured:
    """Scan `number` functions of a package against the index without it. share: see `index_without`."""
    pieces = sample_honest(catalog, purl, number, seed)
    indexed = any(same_package(e.purl, purl) for e in catalog.entries().values())
    contents = set() if indexed else {blob_id(text) for text in _texts(catalog, purl)}
    index, exclusion = index_without(catalog, [purl], contents, folder, share)
    scanner = Scanner(index, Policy(outbound="BSD-3-Clause"))
    flagged, explained = {True: 0, False: 0}, {True: 0, False: 0}
    findings: list[Wrong] = []
    milliseconds: list[float] = []
    for piece in pieces:
        started = time.perf_counter()
        report = scan(added(piece), scanner)
        milliseconds.append((time.perf_counter() - started) * 1e3)
        flagged[piece.own] += bool(report.findings)
        here = [
            Wrong(piece.own, f.evidence.kind, told(piece, f), reason(told(piece, f))) for f in report.findings
        ]
        explained[piece.own] += bool(here) and all(f.explained for f in here)
        findings += here
    own = sum(piece.own for piece in pieces)
    return Measured(
        purl, exclusion, own, len(pieces) - own, flagged, explained, tuple(findings), tuple(milliseconds)
    )


def _texts(catalog: Catalog, purl: str) -> Iterator[bytes]:
    return (file.text for file, _ in files_of_archive(purl, catalog.cache, lambda language: True))


def rate(measured: Sequence[Measured], *, own: bool) -> tuple[int, int, float]:
    """(functions with a finding that is not explained, functions, per 1,000) over packages."""
    flagged = sum(m.flagged[own] - m.explained[own] for m in measured)
    total = sum(m.own if own else m.others for m in measured)
    return flagged, total, 1000 * flagged / max(1, total)
