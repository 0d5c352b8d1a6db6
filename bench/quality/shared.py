"""Cases given as folders with meta.json and one diff a variant (verbatim … independent): the table over them.

A finding counts when its verdict is conflict or review, it names the source file and overlaps the derived
lines (IoU ≥ 0.3). Beside it the algorithm layer's retrieval: the source file's rank as a candidate, before
anything is aligned.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.scan.diff import read_diff
from app.scan.pipeline import Scanner, scan
from bench.quality.judge import (
    FIRST_LEADS,
    LEAST_OVERLAP,
    licences,
    names_source,
    overlap,
    package_of,
    same_file,
)
from corpus.disguise import look_up, query_ranges, sharing_units
from corpus.fingerprint.features import elements, unit_features
from corpus.index.snapshot import Snapshot
from corpus.languages import language_of
from corpus.query import Query, make_query
from corpus.resemblance import spelled

ALERT = {"conflict", "review"}
KINDS = ("verbatim", "renamed", "rewritten", "translated")


@dataclass(frozen=True, slots=True)
class Variant:
    """One diff of a case. rank: of the source file as a candidate, from 1; None when it shares no feature."""

    case: str
    file: str
    kind: str
    found: bool
    lead: bool
    overlap: float
    license: bool | None
    rank: int | None
    wrong: tuple[str, ...]
    milliseconds: float


def variants(folder: Path, scanner: Scanner, index: Snapshot) -> Iterator[Variant]:
    """Score every variant of every case below a folder."""
    for meta in sorted(folder.glob("*/meta.json")):
        case = json.loads(meta.read_text())
        for variant in case["variants"]:
            yield _score(case, variant, (meta.parent / variant["file"]).read_bytes(), scanner, index)


def _score(
    case: dict[str, Any], variant: dict[str, Any], diff: bytes, scanner: Scanner, index: Snapshot
) -> Variant:
    source = case["source"]
    started = time.perf_counter()
    report = scan(read_diff(diff), scanner, leads=True).to_dict()
    milliseconds = (time.perf_counter() - started) * 1e3
    findings = [f for f in report["findings"] if f["verdict"]["status"] in ALERT]
    if not source or variant["kind"] == "independent":
        wrong = tuple(_told(f) for f in findings)
        return Variant(
            case["id"], variant["file"], "independent", False, False, 0.0, None, None, wrong, milliseconds
        )
    spans = ((variant["first_line"], variant["last_line"]),)

    def hit(finding: dict[str, Any]) -> bool:
        return (
            names_source(finding, f"pkg:generic/{source['package']}@0", source["path"])
            and overlap(finding["region"], variant["target"], spans) >= LEAST_OVERLAP
        )

    hits = [f for f in findings if hit(f)]
    licensed = any(licences(f["license"]["expression"]) == licences(source["license"]) for f in hits)
    return Variant(
        case=case["id"],
        file=variant["file"],
        kind=variant["kind"],
        found=bool(hits),
        lead=bool(hits) or any(hit(x) for x in (report.get("leads") or [])[:FIRST_LEADS]),
        overlap=max((overlap(f["region"], variant["target"], spans) for f in hits), default=0.0),
        license=licensed if hits else None,
        rank=source_rank(diff, source["package"], source["path"], index),
        wrong=(),
        milliseconds=milliseconds,
    )


def _told(finding: dict[str, Any]) -> str:
    origin, evidence = finding["origin"], finding["evidence"]
    region = finding["region"]
    return (
        f"{region['path']}:{region['start_line']}-{region['end_line']} ~ {origin['purl']} {origin['path']}:"
        f"{origin['start_line']}-{origin['end_line']} ({evidence['kind']}, chance {evidence['chance']:.1e})"
    )


def source_rank(diff: bytes, package: str, path: str, index: Snapshot) -> int | None:
    """Rank of the source file among those that can be an origin, by their best proposal over the functions
    of a diff (background has candidates of its own).
    """
    best: dict[int, float] = {}
    for changed in read_diff(diff).files:
        language = language_of(changed.path, b"")
        if language is not None:
            _collect(make_query(changed, language), index, best)
    background = [segment["background"] for segment in index.facts["segments"]]
    order = sorted(
        (file for file in best if not background[index.ref(file).segment]), key=lambda file: -best[file]
    )
    for rank, file in enumerate(order, 1):
        ref = index.ref(file)
        purl = index.segment(ref.segment).facts.purl
        if package_of(purl) == package.lower() and same_file(index.file(ref).path, path):
            return rank
    return None


def _collect(query: Query, index: Snapshot, best: dict[int, float]) -> None:
    ranges = query_ranges(query, query.added)
    if not ranges:
        return
    numbers: dict[tuple[int, bytes], int] = {}
    pairs = zip(query.kind.tolist(), query.spelling, strict=True)
    ids = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
    made = elements(
        query.kind, query.neutral, query.renamed, np.array(ids, np.int64), [text for _, text in numbers]
    )
    firsts, lasts = (np.array(column, np.int64) for column in zip(*ranges, strict=True))
    keys, owner = unit_features(made, firsts, lasts)
    found, words = look_up(np.unique(keys), index), spelled([made])
    for number in range(len(ranges)):
        shared = sharing_units(found, keys[owner == number], words, index)
        files = index.files_of(shared.units.astype(np.uint32))
        for file, score in zip(files.tolist(), shared.proposal.tolist(), strict=True):
            best[file] = max(best.get(file, 0.0), score)
