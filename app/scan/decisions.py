"""What people decided about the findings of one change, applied: credits and accepts in the code, waivers.

The last step of the scan pipeline before the report is put together. A decided finding stays listed; only
its verdict changes. Pure: the day comes in. What people should know about their decisions (expired ones, ones
that match nothing) comes out as sentences.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from packageurl import PackageURL

from app.policy.credits import BEGIN, HEADER, accept_in, accepted, credit_in, with_credit
from app.policy.model import Policy, Waiver
from app.policy.model import Verdict as PolicyVerdict
from app.policy.waivers import apply
from app.report.model import Finding, OriginLines, Report, Verdict, finding_order, worst_of
from corpus.model import ChangedFile

NAMED = 5
"""Ids that one sentence names; it counts the rest."""


@dataclass(frozen=True, slots=True)
class Decided:
    """findings: all, in the order given, with their final verdicts. notes: sentences for the report."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownLines:
    """The lines of a changed file that are known, closed up so that their number bounds all work.

    place: line number of the file → 1-based position in `lines`. number: the other way round.
    added: positions of new lines. Where lines are missing, blank ones stand for the first few: what follows
    is then no header of the file.
    """

    lines: Sequence[str]
    place: Mapping[int, int]
    number: Mapping[int, int]
    added: Collection[int]
    has_snippets: bool

    @classmethod
    def of(cls, changed: ChangedFile) -> ShownLines:
        lines: list[str] = []
        place: dict[int, int] = {}
        added: set[int] = set()
        expected = 1
        for region in changed.regions:
            lines += [""] * min(max(0, region.first_line - expected), HEADER)
            for number, (line, new) in enumerate(
                zip(region.lines, region.added, strict=True), region.first_line
            ):
                lines.append(line.decode("utf-8", "replace"))
                place[number] = len(lines)
                if new:
                    added.add(len(lines))
            expected = region.first_line + len(region.lines)
        number_at = {at: number for number, at in place.items()}
        return cls(lines, place, number_at, added, any(BEGIN in line for line in lines))


def apply_decisions(
    findings: Iterable[Finding], files: Iterable[ChangedFile], policy: Policy, today: date
) -> Decided:
    """Credits first (they settle attribution only), then accepts in the code, then waivers."""
    findings = list(findings)
    touched = {finding.region.path for finding in findings}
    # A series of patches can change one file more than once.
    shown: dict[str, list[ShownLines]] = {}
    for changed in files:
        if changed.path in touched:
            shown.setdefault(changed.path, []).append(ShownLines.of(changed))
    findings = [
        replace(finding, verdict=_in_code(finding, lines, policy))
        if (lines := _holding(finding, shown.get(finding.region.path, ())))
        else finding
        for finding in findings
    ]
    return _waived(findings, policy.waivers, today)


def with_waivers(report: Report, waivers: Iterable[Waiver], today: date) -> Report:
    """A stored report with further decisions, as a service keeps them: applied when it is rendered."""
    decided = _waived(report.findings, waivers, today)
    findings = tuple(sorted(decided.findings, key=finding_order))
    worst = worst_of(findings, searched=report.worst is not None)
    return replace(report, findings=findings, worst=worst, limits=(*report.limits, *decided.notes))


def _waived(findings: Sequence[Finding], waivers: Iterable[Waiver], today: date) -> Decided:
    found = apply(waivers, findings, today)
    decided = tuple(
        replace(f, verdict=_reported(found.verdicts[f.id])) if f.id in found.verdicts else f for f in findings
    )
    return Decided(decided, (*_expired(found.expired), *_stale(found.stale)))


def _holding(finding: Finding, shown: Sequence[ShownLines]) -> ShownLines | None:
    """The lines that hold the region of a finding."""
    region = finding.region
    return next((s for s in shown if region.start_line in s.place and region.end_line in s.place), None)


def _in_code(finding: Finding, shown: ShownLines, policy: Policy) -> Verdict:
    """The verdict once what stands in the code itself is counted."""
    if not {finding.region.start_line, finding.region.end_line} <= shown.place.keys():
        return finding.verdict  # only sketches were sent: nobody here can read what stands in the code
    start, end = shown.place[finding.region.start_line], shown.place[finding.region.end_line]
    path = finding.region.path
    said = finding.verdict
    verdict = PolicyVerdict(said.status, said.rule, said.why, said.what_to_do)
    credit = credit_in(shown.lines, start, end, names_of(finding.origin), snippets=shown.has_snippets)
    if credit:
        credit = replace(credit, line=shown.number[credit.line])
        verdict = with_credit(verdict, credit, finding.license.expression, path)
    accept = accept_in(shown.lines, start, end, shown.added) if policy.inline_accepts != "off" else None
    if accept:
        accept = replace(accept, line=shown.number[accept.line])
        if accept.problem:
            note = f"The accept at line {accept.line} does not hold: {accept.problem}."
            verdict = replace(verdict, why=f"{verdict.why} {note}")
        elif accept.added and policy.inline_accepts == "existing":
            note = f"The accept at line {accept.line} is part of this change and does not count here."
            verdict = replace(verdict, why=f"{verdict.why} {note}")
        else:
            verdict = accepted(accept, path)
    return said if verdict.why == said.why and verdict.status == said.status else _reported(verdict)


def names_of(origin: OriginLines) -> frozenset[str]:
    """What a notice may call an origin: its package and its file."""
    try:
        package = PackageURL.from_string(origin.purl).name
    except ValueError:
        package = ""
    return frozenset({package, origin.path.rsplit("/", 1)[-1]} - {""})


def _reported(verdict: PolicyVerdict) -> Verdict:
    why = f"{verdict.why} ({verdict.where})" if verdict.where else verdict.why
    return Verdict(verdict.status, verdict.rule, why, verdict.what_to_do)


def _expired(waivers: Sequence[Waiver]) -> list[str]:
    return [
        f"The decision of {waiver.owner} about finding {waiver.id} expired on {waiver.expires}; it no longer "
        f"counts ({waiver.where})."
        for waiver in waivers
    ]


def _stale(waivers: Sequence[Waiver]) -> list[str]:
    if not waivers:
        return []
    said = (
        "1 recorded decision matches" if len(waivers) == 1 else f"{len(waivers):,} recorded decisions match"
    )
    named = ", ".join(waiver.id for waiver in waivers[:NAMED])
    more = f" and {len(waivers) - NAMED:,} more" if len(waivers) > NAMED else ""
    return [f"{said} no finding of this change: {named}{more}."]
