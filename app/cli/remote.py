"""The search of `whence check` on a server instead of here; its report is then treated like one of our own.

With `fingerprints_only` the change is tokenised here and only sketches leave: no line of source text does.
"""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, cast

import typer

from app.client import Client

if TYPE_CHECKING:
    from app.cli.change import Change
    from app.cli.project import Project
    from app.report.model import Report
    from corpus.index.snapshot import Index
    from corpus.model import Skip


class NoTexts:
    """Stands for the index: texts of origins are on the server, and it keeps them."""

    def text_of(self, purl: str, path: str) -> bytes | None:
        return None


def search(server: str, key: str, change: Change, project: Project, *, fingerprints_only: bool) -> Report:
    """A server's report on this change, with this project's decisions. Raises ServerError, BadInput."""
    from app.report.assemble import assemble
    from app.scan.decisions import apply_decisions
    from corpus.model import ChangedFile

    policy, outbound = project.text, project.policy.outbound
    skips: list[Skip] = []
    with Client(server, key) as client:
        if fingerprints_only:
            sketches = _sketches(change, project, skips)
            report = client.scan_sketches(sketches, policy=policy, outbound=outbound, progress=_tell)
        elif change.files:
            report = client.scan(None, change.files, policy=policy, outbound=outbound, progress=_tell)
        else:
            report = client.scan(change.raw, policy=policy, outbound=outbound, progress=_tell)
    seen = [ChangedFile(path) for path in {finding.region.path for finding in report.findings}]
    decided = apply_decisions(report.findings, seen, project.policy, date.today())
    return assemble(
        engine=report.engine,
        snapshot=report.snapshot,
        outbound=report.outbound,
        policy=report.policy,
        searched=report.worst is not None,
        findings=decided.findings,
        leads=report.leads,
        skipped=(*report.skipped, *skips),
        limits=(*report.limits, *project.notes, *change.notes, *decided.notes),
    )


def _sketches(change: Change, project: Project, skips: list[Skip]) -> list[dict[str, object]]:
    """Every searchable file of the change as the API takes it; what is left out goes to `skips`."""
    from app.cli.project import exclusion
    from app.fingerprints import to_json
    from app.scan.pipeline import Scanner, queries
    from app.scan.wire import encode_query

    skips += change.diff.skips
    nowhere = cast("Index", NoTexts())  # making sketches needs no index
    scanner = Scanner(nowhere, project.policy, excluded=exclusion(project.policy))
    return [to_json(encode_query(query, spelling=False)) for query in queries(change.diff, scanner, skips)]


def _tell(state: str) -> None:
    """Only to a person who is watching: a log of CI wants no progress."""
    if sys.stderr.isatty():
        typer.echo(f"scan: {state}", err=True)
