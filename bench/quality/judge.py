"""Scan a case and say what was found: source named, lines, licence. Tables are made from the rows."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.scan.diff import read_diff
from app.scan.pipeline import Scanner, scan
from bench.quality.case import Case
from corpus.index.snapshot import Snapshot

LEAST_OVERLAP = 0.3
"""Intersection over union of lines from which a finding counts."""

FIRST_LEADS = 5
FIRST_ALSO = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One case. found: an alert names the source (or a file of the corpus that holds the same lines: `twin`).

    lead: found, or among the first five leads. overlap: best IoU of the lines of those that found it.
    license: whether the finding states the source file's licence; None when nothing was found.
    """

    kind: str
    language: str
    found: bool
    lead: bool
    twin: bool
    overlap: float
    license: bool | None
    milliseconds: float
    where: str


def package_of(purl: str) -> str:
    return urllib.parse.unquote(purl).split("@")[0].split("?")[0].rsplit("/", 1)[-1].lower()


def same_file(a: str, b: str) -> bool:
    return a == b or a.endswith("/" + b) or b.endswith("/" + a)


def licences(text: str | None) -> set[str]:
    words = (text or "").replace("(", " ").replace(")", " ").replace("-only", "").split()
    return {w for w in words if w.upper() not in {"AND", "OR", "WITH"}}


def overlap(region: dict[str, Any], target: str, spans: Sequence[tuple[int, int]]) -> float:
    """Best intersection over union with a span, or with all of them together."""
    if not same_file(region["path"], target):
        return 0.0
    best = 0.0
    for first, last in (*spans, (spans[0][0], spans[-1][1])):
        low, high = max(region["start_line"], first), min(region["end_line"], last)
        union = max(region["end_line"], last) - min(region["start_line"], first) + 1
        best = max(best, (high - low + 1) / union)
    return best


def origins(finding: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding["origin"], *finding["origin"].get("also", [])[:FIRST_ALSO]]


def names_source(finding: dict[str, Any], purl: str, path: str) -> bool:
    return any(
        package_of(o["purl"]) == package_of(purl) and same_file(o["path"], path) for o in origins(finding)
    )


def _squeezed(text: bytes) -> bytes:
    return b"\n".join(b"".join(line.split()) for line in text.split(b"\n") if line.strip())


def names_twin(finding: dict[str, Any], case: Case, index: Snapshot) -> bool:
    """Whether an origin's file holds the very lines of the piece (white space apart)."""
    wanted = _squeezed(b"\n".join(case.piece.lines))
    for origin in origins(finding):
        text = index.text_of(origin["purl"], origin["path"])
        if text is not None and wanted in _squeezed(text):
            return True
    return False


def judge(case: Case, scanner: Scanner, index: Snapshot) -> Row:
    """Scan the diff of a case in this process, with leads."""
    piece, started = case.piece, time.perf_counter()
    report = scan(read_diff(case.diff), scanner, leads=True).to_dict()
    milliseconds = (time.perf_counter() - started) * 1e3
    here = [f for f in report["findings"] if overlap(f["region"], case.target, case.spans) >= LEAST_OVERLAP]
    hits = [f for f in here if names_source(f, case.piece.purl, case.piece.path)]
    twins = [] if hits else [f for f in here if names_twin(f, case, index)]
    told = hits or twins
    leads = [
        x
        for x in (report.get("leads") or [])[:FIRST_LEADS]
        if overlap(x["region"], case.target, case.spans) >= LEAST_OVERLAP
        and (names_source(x, case.piece.purl, case.piece.path) or names_twin(x, case, index))
    ]
    licensed = any(licences(f["license"]["expression"]) == licences(case.piece.license) for f in told)
    return Row(
        kind=case.kind,
        language=case.piece.language,
        found=bool(told),
        lead=bool(told or leads),
        twin=bool(twins),
        overlap=max((overlap(f["region"], case.target, case.spans) for f in told), default=0.0),
        license=licensed if told else None,
        milliseconds=milliseconds,
        where=f"{package_of(piece.purl)} {piece.path}:{piece.start_line}-{piece.end_line}",
    )
