"""What a receipt states, and how it is put together from a report. Pure.

The body holds no time and no text of the change: its regions stand there as digests. The same search of the
same change in the same index gives the same body, byte for byte.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from app.receipt.canonical import canonical
from app.report import model
from app.report.codec import Between, Matching, NotEmpty, decode, encode
from app.report.model import Count, Engine, Line, Name, Report, Skipped, Status, VerdictStatus
from app.scan.diff import Diff
from corpus.model import ChangedFile

VERSION: Literal["1"] = "1"

Digest = Annotated[str, Matching("^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class SearchedRegion:
    """A run of added lines. sha256: over the lines, each ended by one newline. findings: ids, [] for none."""

    path: Name
    start_line: Line
    end_line: Line
    sha256: Digest
    findings: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class IndexState:
    """What was searched in. releases_sha256: over the canonical list of [purl, digest of its segment]."""

    snapshot: Name
    releases: Count
    releases_sha256: Digest
    files: Count
    units: Count
    licenses: dict[str, Count]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in short. similarity: whole percent."""

    id: Name
    path: Name
    start_line: Line
    end_line: Line
    purl: Name
    origin_path: Name
    license: str
    kind: Name
    similarity: Annotated[int, Between(0, 100)]
    status: VerdictStatus
    rule: Name


@dataclass(frozen=True, slots=True)
class AiUse:
    """What was declared about AI use, and by which rule that was looked at."""

    rule: Name
    fits: bool
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The policy that gave the verdicts."""

    name: Name
    digest: Name
    outbound: str


@dataclass(frozen=True, slots=True)
class Body:
    """The signed statement. limits: what was not covered, in sentences."""

    receipt: Annotated[Literal["1"], NotEmpty()]
    engine: Engine
    index: IndexState
    policy: PolicyState
    status: Status
    worst: VerdictStatus | None
    regions: tuple[SearchedRegion, ...]
    not_searched: tuple[Skipped, ...]
    limits: tuple[str, ...]
    findings: tuple[Found, ...]
    ai_use: AiUse | None

    def to_dict(self) -> dict[str, Any]:
        encoded: dict[str, Any] = encode(self)
        return encoded

    @property
    def digest(self) -> str:
        """64 hex digits over the canonical body: equal for equal searches."""
        return hashlib.sha256(canonical(self.to_dict())).hexdigest()

    @classmethod
    def from_dict(cls, data: Any) -> Body:
        """Raises BadReport, naming the field."""
        body: Body = decode(cls, data)
        return body


def body_of(report: Report, change: Diff, facts: Mapping[str, Any]) -> Body:
    """The body for a report on `change`. facts: the snapshot's manifest; its `segments` name the releases."""
    findings = _found(report)
    left_out = Counter(report.skipped) - Counter(Skipped(s.path, s.reason, s.partial) for s in change.skips)
    unsearched = {skip.path for skip in left_out}
    by_path: dict[str, list[Found]] = {}
    for found in findings:
        by_path.setdefault(found.path, []).append(found)
    regions = tuple(
        SearchedRegion(path, first, last, digest, _ids(by_path.get(path, []), first, last))
        for path, first, last, digest in added_runs(change)
        if path not in unsearched
    )
    return Body(
        VERSION, report.engine, index_state(report, facts),
        PolicyState(report.policy.name, report.policy.digest, report.outbound),
        report.status, report.worst, regions, report.skipped, report.limits, findings,
        ai_use_of(report.ai_use),
    )  # fmt: skip


def restated(body: Body, report: Report) -> Body:
    """The body with the verdicts of a report on the same search, on which more was decided since."""
    policy = PolicyState(report.policy.name, report.policy.digest, report.outbound)
    return replace(body, policy=policy, worst=report.worst, limits=report.limits, findings=_found(report))


def _found(report: Report) -> tuple[Found, ...]:
    return tuple(
        Found(
            f.id, f.region.path, f.region.start_line, f.region.end_line, f.origin.purl, f.origin.path,
            f.license.expression, f.evidence.kind, math.floor(f.evidence.similarity * 100 + 1e-9),
            f.verdict.status, f.verdict.rule,
        )
        for f in report.findings
    )  # fmt: skip


def index_state(report: Report, facts: Mapping[str, Any]) -> IndexState:
    """The index of a report, with the digest of its list of releases."""
    rows = sorted([row["purl"], row["content"]] for row in facts["segments"])
    snapshot = report.snapshot
    return IndexState(
        snapshot.id, snapshot.releases, hashlib.sha256(canonical(rows)).hexdigest(),
        snapshot.files, snapshot.units, snapshot.licenses,
    )  # fmt: skip


def added_runs(change: Diff) -> Iterator[tuple[str, int, int, str]]:
    """(path, first line, last line, SHA-256) of every run of added lines, in the order of the change."""
    for changed in change.files:
        yield from _runs(changed)


def _runs(changed: ChangedFile) -> Iterator[tuple[str, int, int, str]]:
    path: str = encode(changed.path)
    for region in changed.regions:
        first, digest = 0, hashlib.sha256()
        for number, (line, new) in enumerate(zip(region.lines, region.added, strict=True), region.first_line):
            if new:
                if not first:
                    first, digest = number, hashlib.sha256()
                digest.update(line + b"\n")
            elif first:
                yield path, first, number - 1, digest.hexdigest()
                first = 0
        if first:
            yield path, first, region.first_line + len(region.lines) - 1, digest.hexdigest()


def _ids(findings: list[Found], first: int, last: int) -> tuple[str, ...]:
    touching = (f.id for f in findings if f.start_line <= last and first <= f.end_line)
    return tuple(sorted(set(touching)))


def ai_use_of(use: model.AiUse | None) -> AiUse | None:
    """The part of a receipt about declared AI use: who named what where; the texts themselves stay out."""
    if use is None:
        return None
    said = tuple(
        f"{each.where}: {' '.join(filter(None, (each.tool, each.role))) if each.used else 'no use'}"
        for each in use.statements
    )
    return AiUse(use.rule, use.fits, said)
