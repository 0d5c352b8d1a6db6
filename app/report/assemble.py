"""Putting a report together: worst verdict, status, order. Called at the end of the scan pipeline. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from app.report.model import (
    SCHEMA_VERSION,
    AiUse,
    Engine,
    Finding,
    Lead,
    PolicyRef,
    Report,
    Skipped,
    Snapshot,
    finding_order,
    leads_not_told,
    worst_of,
)


class Skip(Protocol):
    """What `corpus.model.Skip` and `Skipped` have in common."""

    @property
    def path(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def partial(self) -> bool: ...


def assemble(
    *,
    engine: Engine,
    snapshot: Snapshot,
    outbound: str,
    policy: PolicyRef,
    searched: bool,
    findings: Iterable[Finding] = (),
    leads: Iterable[Lead] | None = None,
    skipped: Iterable[Skip] = (),
    limits: Iterable[str] = (),
    ai_use: AiUse | None = None,
) -> Report:
    """The report of one search.

    searched: whether any added text line was searched (false for a change without any).
    findings: in any order. leads: best first, None when not asked for; one that repeats the region and origin
    of a finding is left out, because the finding says more. skipped, limits: in the order of the change.
    ai_use: None where nobody asks about it.

    Raises BadReport when a value is out of range: such a report would mislead whoever reads it.
    """
    ordered = tuple(sorted(findings, key=finding_order))
    skips = tuple(Skipped(skip.path, skip.reason, skip.partial) for skip in skipped)
    report = Report(
        schema_version=SCHEMA_VERSION,
        engine=engine,
        snapshot=snapshot,
        outbound=outbound,
        policy=policy,
        status="partial" if any(skip.partial for skip in skips) else "complete",
        worst=worst_of(ordered, searched),
        findings=ordered,
        skipped=skips,
        limits=tuple(limits),
        ai_use=ai_use,
        leads=None if leads is None else leads_not_told(leads, ordered),
    )
    # Through the JSON form: what is handed on is exactly what can be stored and read again.
    return Report.from_dict(report.to_dict())
