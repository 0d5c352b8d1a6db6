"""Twelve functions of our own, each ported by hand to another language: shown apart, judged by no threshold.

ports/origin is indexed as one more release beside the corpus (its licence is set to a copyleft one for the
purpose); each file of ports/port is then a change that adds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.policy.model import Policy
from app.scan.pipeline import Scanner
from bench.quality.case import Case, unified
from bench.quality.judge import Row, judge
from bench.quality.pieces import Piece
from bench.quality.shared import source_rank
from bench.quality.tables import table
from corpus.archive.spool import blob_id
from corpus.index.build import build_snapshot
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.record import make_record
from corpus.index.segment import ReleaseFacts, Segment
from corpus.index.snapshot import Snapshot
from corpus.languages import language_of
from corpus.model import LicenseConclusion, TreeFile

FOLDER = Path(__file__).parent / "ports"
PURL = "pkg:generic/ports@1"
LICENSE = LicenseConclusion("GPL-3.0-or-later", "Copyleft", "metadata", 1.0)


def tree(folder: Path) -> list[TreeFile]:
    out = []
    for path in sorted(folder.iterdir()):
        text = path.read_bytes()
        language = language_of(path.name, text)
        if language is not None:
            out.append(TreeFile(path.name, language, text, blob_id(text)))
    return out


def index_with_origins(catalog: Catalog, work: Path) -> Snapshot:
    """The catalogue's releases and the origins, in an index of their own below `work`."""
    root = work / "ports-segments"
    builder = SegmentBuilder(ReleaseFacts(PURL), catalog.params)
    for file in tree(FOLDER / "origin"):
        builder.add(file, LICENSE, make_record(file.text, file.language, catalog.params))
    name = builder.write(root, ())
    segments = [Segment(root, name, catalog.params)]
    for entry in catalog.entries().values():
        link = root / entry.segment
        if not link.exists():
            link.symlink_to((catalog.segments_root / entry.segment).resolve())
        segments.append(Segment(root, entry.segment, catalog.params))
    home = work / "ports-snapshots"
    home.mkdir(parents=True, exist_ok=True)
    return Snapshot(home / build_snapshot(home, segments, catalog.params), root, catalog.params)


def case_of(port: TreeFile, origin: TreeFile) -> Case:
    """The change that adds a port; the truth is the whole of its origin."""
    lines = port.text.rstrip(b"\n").split(b"\n")
    source = tuple(origin.text.split(b"\n"))
    piece = Piece(PURL, origin.path, port.language, LICENSE.expression, source, 1, True)
    target = f"library/{port.path}"
    kind = f"{origin.language} to {port.language}"
    return Case(kind, piece, unified(None, lines, target), target, ((1, len(lines)),), port.text)


def measure_ports(catalog: Catalog, work: Path) -> str:
    """Scan every port; the table as text."""
    index = index_with_origins(catalog, work)
    scanner = Scanner(index, Policy(outbound="BSD-3-Clause"))
    origins = {file.path.split(".")[0]: file for file in tree(FOLDER / "origin")}
    rows: list[Row] = []
    body: list[Sequence[str]] = []
    for port in tree(FOLDER / "port"):
        case = case_of(port, origins[port.path.split(".")[0]])
        row = judge(case, scanner, index)
        rank = source_rank(case.diff, "ports", case.piece.path, index)
        rows.append(row)
        body.append(
            (
                f"{port.path.split('.')[0]}, {case.kind}", "yes" if row.found else "no",
                "yes" if row.lead else "no", f"{row.overlap:.2f}" if row.found else "–", str(rank or "–"),
            )
        )  # fmt: skip
    found, leads = sum(r.found for r in rows), sum(r.lead for r in rows)
    head = ("port", "alert", "first five leads", "lines IoU", "rank by bag")
    summary = f"Alerts {found} of {len(rows)}, first five leads {leads} of {len(rows)}."
    return f"## Ports by hand\n\n{table(head, body)}\n\n{summary}"
