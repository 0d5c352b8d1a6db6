"""The report: what one search of one change found, as frozen values with a versioned JSON form.

Every other output is rendered from it. `assemble` (app.report.assemble) makes one; `Report.to_dict` and
`Report.from_dict` are the JSON form, described by `schema.json` beside this file. Unknown texts are "".
Read by the renderers, the command line, the service and its pages. Pure, and light to import.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

from app.report.codec import AtMost, BadReport, Between, Matching, NotEmpty, decode, encode

SCHEMA_VERSION: Literal["1"] = "1"
MAX_ALSO = 10

Status = Literal["complete", "partial"]
VerdictStatus = Literal["ok", "attribution", "review", "conflict"]
Kind = Literal["literal", "renamed", "rewritten", "translated"]
# The words of corpus.model.EstablishedBy, repeated because that module loads numpy (a test compares).
EstablishedBy = Literal["header", "spdx-tag", "dep5", "license-file", "metadata", "unknown"]

AiRole = Literal["disclosure", "co-author", "sign-off", "stamp", "statement"]

Line = Annotated[int, Between(1)]
Count = Annotated[int, Between(0)]
Share = Annotated[float, Between(0, 1)]
NonNegative = Annotated[float, Between(0)]
Name = Annotated[str, NotEmpty()]

# From mild to severe.
SEVERITY: tuple[VerdictStatus, ...] = ("ok", "attribution", "review", "conflict")


@dataclass(frozen=True, slots=True)
class Engine:
    """The version that searched, and the digest of its parameters (`corpus.params.Params.digest`)."""

    version: Name
    params_digest: Name


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was searched: the index's id and size. `licenses`: files by licence expression."""

    id: Name
    releases: Count
    files: Count
    units: Count
    licenses: dict[str, Count]


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """The policy that gave the verdicts."""

    name: Name
    digest: Name


@dataclass(frozen=True, slots=True)
class RegionRef:
    """Lines of the change that a finding or lead is about (1-based, inclusive, numbers of the new file)."""

    path: Name
    start_line: Line
    end_line: Line


@dataclass(frozen=True, slots=True)
class LicenseConflict:
    """Another licence that was stated for the same file, and where it stood."""

    expression: str
    established_by: EstablishedBy


@dataclass(frozen=True, slots=True)
class License:
    """The licence of an origin's file: SPDX expression ("" when unknown), scancode's category, how sure."""

    expression: str
    category: str
    established_by: EstablishedBy
    confidence: Share
    conflicts: tuple[LicenseConflict, ...]


@dataclass(frozen=True, slots=True)
class OriginLines:
    """Lines of a file of an indexed release; `path` in the upstream tree without its top folder."""

    purl: Annotated[str, Matching("^pkg:[a-z][a-z0-9.+-]*/[^ ]")]
    path: Name
    start_line: Line
    end_line: Line
    url: str
    swhid: Annotated[str, Matching("^(swh:1:cnt:[0-9a-f]{40})?$")]


@dataclass(frozen=True, slots=True)
class AlsoOrigin(OriginLines):
    """A further origin that explains the region about as well, aligned itself, with its own licence."""

    license: License


@dataclass(frozen=True, slots=True)
class Origin(OriginLines):
    """The origin that explains the region best, and at most ten others."""

    also: Annotated[tuple[AlsoOrigin, ...], AtMost(MAX_ALSO)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why region and origin are said to agree.

    chance: expected number of unrelated units of this index that agree as well.
    line_pairs: (line of the region, line of the origin). renames: name of one side → name of the
    other; submitted text, see `Report.without_submitted_text`. discounts: sentences on what was not counted.
    """

    kind: Kind
    similarity: Share
    containment_region: Share
    containment_origin: Share
    tokens: Count
    longest_run: Count
    chance: NonNegative
    line_pairs: tuple[tuple[Line, Line], ...]
    renames: dict[str, str]
    discounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says, the rule that decided, why, and what a person can do."""

    status: VerdictStatus
    rule: Name
    why: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Lead:
    """A weaker candidate under the alert threshold, for a person who asks; it never decides anything."""

    id: Name
    region: RegionRef
    origin: Origin
    license: License
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Finding(Lead):
    """A match above the alert threshold, with its verdict.

    id: digest of the region's normalised tokens and the origin's package: stable when lines move. The same
    code added twice has the same id twice.
    """

    verdict: Verdict


AnyLead = TypeVar("AnyLead", bound=Lead)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something of the change that was not searched. `partial`: text that should have been."""

    path: str
    reason: Name
    partial: bool


@dataclass(frozen=True, slots=True)
class AiStatement:
    """One declaration about AI use, in a commit message or the text of a pull request.

    where: `commit 3` or `pull request`. used: false where it says that none was used. tool, trailer: as
    recognised, or "". text: quoted in short; submitted text, see `Report.without_submitted_text`.
    """

    where: Name
    used: bool
    tool: str
    role: AiRole
    trailer: str
    text: str


@dataclass(frozen=True, slots=True)
class AiUse:
    """What a change declares about AI use, and whether that fits the project's rule. Never read from code.

    rule: its name in app.disclosure.rules. asks, source: of a published rule, else "". fits: false fails a
    check. notes: sentences beside the statements.
    """

    rule: Name
    asks: str
    source: str
    fits: bool
    statements: tuple[AiStatement, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one search of one change.

    worst: the most severe verdict, `ok` without findings, None when nothing was searched.
    status: `partial` exactly when a skip is. ai_use, leads: None when they were not asked for.
    """

    schema_version: Literal["1"]
    engine: Engine
    snapshot: Snapshot
    outbound: str
    policy: PolicyRef
    status: Status
    worst: VerdictStatus | None
    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    limits: tuple[str, ...]
    ai_use: AiUse | None = None
    leads: tuple[Lead, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; NUL and lone surrogates in texts become visible escapes."""
        encoded: dict[str, Any] = encode(self)
        return encoded

    @classmethod
    def from_dict(cls, data: object) -> Report:
        """The report that `data` (as json.loads gives it) describes. Raises BadReport, naming the field."""
        if isinstance(data, dict) and data.get("schema_version", SCHEMA_VERSION) != SCHEMA_VERSION:
            raise BadReport(f"this version reads schema_version {SCHEMA_VERSION} only", ".schema_version")
        report: Report = decode(cls, data)
        check(report)
        return report

    def without_submitted_text(self) -> Report:
        """A copy without rename maps and quotes of messages: they are submitted text and expire with it."""
        leads = None if self.leads is None else tuple(_without_renames(lead) for lead in self.leads)
        findings = tuple(_without_renames(each) for each in self.findings)
        use = self.ai_use
        if use is not None:
            use = replace(use, statements=tuple(replace(each, text="") for each in use.statements))
        return replace(self, findings=findings, ai_use=use, leads=leads)


def finding_order(finding: Finding) -> tuple[int, float, tuple[str | int, ...]]:
    """Sort key: the most severe verdict first, then the least likely by chance; the rest breaks ties."""
    region, origin = finding.region, finding.origin
    return (
        -SEVERITY.index(finding.verdict.status),
        finding.evidence.chance,
        (
            region.path,
            region.start_line,
            region.end_line,
            origin.purl,
            origin.path,
            origin.start_line,
            finding.id,
        ),
    )


def leads_not_told(leads: Iterable[Lead], findings: Iterable[Finding]) -> tuple[Lead, ...]:
    """The leads without those whose origin a finding names for some of the same lines (also in `also`)."""
    told: dict[tuple[str, str, str], list[RegionRef]] = {}
    for finding in findings:
        for origin in (finding.origin, *finding.origin.also):
            told.setdefault((finding.region.path, origin.purl, origin.path), []).append(finding.region)
    return tuple(
        lead
        for lead in leads
        if not any(
            region.start_line <= lead.region.end_line and lead.region.start_line <= region.end_line
            for region in told.get((lead.region.path, lead.origin.purl, lead.origin.path), ())
        )
    )


def worst_of(findings: tuple[Finding, ...], searched: bool) -> VerdictStatus | None:
    """The most severe verdict; `ok` without findings; None when nothing was searched."""
    if findings:
        return max((finding.verdict.status for finding in findings), key=SEVERITY.index)
    return "ok" if searched else None


def check(report: Report) -> None:
    """The rules that join several fields. Raises BadReport."""
    if (report.status == "partial") != any(skip.partial for skip in report.skipped):
        raise BadReport("partial exactly when a skip is", ".status")
    if report.worst != worst_of(report.findings, searched=report.worst is not None):
        raise BadReport("not the most severe verdict of the findings", ".worst")
    if list(report.findings) != sorted(report.findings, key=finding_order):
        raise BadReport("not in the order of verdict, then chance", ".findings")
    leads = report.leads or ()
    for name, entries in (("findings", report.findings), ("leads", leads)):
        for position, entry in enumerate(entries):
            _check_lines(entry, f".{name}[{position}]")
    if len(leads_not_told(leads, report.findings)) != len(leads):
        raise BadReport("one repeats the region and origin of a finding", ".leads")


def _check_lines(entry: Lead, where: str) -> None:
    spans: tuple[RegionRef | OriginLines, ...] = (entry.region, entry.origin, *entry.origin.also)
    if any(span.end_line < span.start_line for span in spans):
        raise BadReport("end_line is before start_line", where)


def _without_renames(entry: AnyLead) -> AnyLead:
    return replace(entry, evidence=replace(entry.evidence, renames={}))
