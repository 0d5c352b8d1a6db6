"""THE SCAN PIPELINE: diff + index + policy → report. Pure: what it needs comes in, a report goes out.

read (app.scan.diff) → exclude → queries (tokenise, sketch) → match → choose origin → decide by the policy
→ decisions of people → assemble
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.metadata import version

import numpy as np

from app.policy.compat import decide
from app.policy.model import Policy
from app.report.assemble import assemble
from app.report.model import (
    AiUse,
    AlsoOrigin,
    Engine,
    Evidence,
    Finding,
    Lead,
    License,
    LicenseConflict,
    PolicyRef,
    RegionRef,
    Report,
    Snapshot,
    Verdict,
)
from app.report.model import Origin as ReportOrigin
from app.report.wording import count
from app.scan.decisions import apply_decisions
from app.scan.diff import Diff
from corpus import match as engine
from corpus.covered import Covered, Tally
from corpus.index.segment import SegmentFile
from corpus.index.snapshot import Index
from corpus.languages import language_of
from corpus.model import ChangedFile, LicenseConclusion, Skip
from corpus.params import DEFAULT, Params
from corpus.purl import package_name
from corpus.query import Query, make_query

LEADS = 20
"""Leads that a report holds; a person looks at the first five."""

LANGUAGES = 4
"""Languages of a change of which a report says how much is indexed."""

NAMED = 2
"""Missing parts of releases that a report names; more are counted."""

_CLOSING = frozenset({b")", b"]"})
PERMISSIVE = frozenset({"Permissive", "Public Domain"})

MakeQuery = Callable[[ChangedFile, str], Query]
Excluded = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Scanner:
    """What stays the same from scan to scan.

    query: how a changed file is tokenised (a server does it in a sandbox child; errors become skips).
    excluded: paths that the project's policy leaves out. notes: sentences on the policy itself, for `limits`.
    today: the day on which decisions are looked at: some expire.
    """

    index: Index
    policy: Policy
    params: Params = DEFAULT
    query: MakeQuery = make_query
    excluded: Excluded = lambda path: False
    notes: tuple[str, ...] = ()
    today: date = field(default_factory=date.today)


def scan(diff: Diff, scanner: Scanner, *, leads: bool = False, ai_use: AiUse | None = None) -> Report:
    """Search every added line of a change and say what it resembles. ai_use: shown beside the findings."""
    skips = list(diff.skips)
    findings: list[Finding] = []
    weaker: list[tuple[float, float, Lead]] = []
    searched, under = False, 0
    gaps: dict[str, None] = {}
    languages = set()
    for query in queries(diff, scanner, skips):
        languages.add(query.language)
        searched = searched or bool(query.added.any())
        index = scanner.index.view()
        found_here = engine.match(query, index, scanner.params, _accept(scanner.policy))
        skips += [Skip(query.path, gap, partial=True) for gap in index.gaps]
        gaps |= dict.fromkeys(index.gaps)
        for found in found_here:
            alert = engine.is_alert(found)
            if alert and reaches_thresholds(found, scanner):
                findings.append(_finding(found, query, scanner))
                continue
            under += alert
            if leads:
                weaker.append((found.chance, -found.strength, _lead(found, query, scanner)))
    weaker.sort(key=lambda row: (*row[:2], row[2].region.path, row[2].region.start_line))
    decided = apply_decisions(findings, diff.files, scanner.policy, scanner.today)
    facts = scanner.index.facts
    return assemble(
        engine=Engine(version("whence"), scanner.params.digest),
        snapshot=Snapshot(
            scanner.index.identity, facts["releases"], facts["files"], facts["units"], facts["licenses"]
        ),
        outbound=scanner.policy.outbound,
        policy=PolicyRef(scanner.policy.name, scanner.policy.digest),
        searched=searched,
        findings=decided.findings,
        leads=[lead for *_, lead in weaker[:LEADS]] if leads else None,
        skipped=skips,
        limits=(
            *limits(scanner.index, languages),
            *gaps,
            *under_thresholds(under, scanner.policy),
            *scanner.notes,
            *decided.notes,
        ),
        ai_use=ai_use,
    )


def reaches_thresholds(found: engine.Match, scanner: Scanner) -> bool:
    """Whether a match is as strong as the project's policy asks for; without thresholds each one is."""
    wanted, evidence = scanner.policy.thresholds, found.evidence
    return (
        evidence.tokens >= wanted.get("min_tokens", 0)
        and min(1.0, evidence.similarity) >= wanted.get("min_similarity", 0)
        and found.chance <= wanted.get("max_chance", float("inf"))
    )


def under_thresholds(number: int, policy: Policy) -> list[str]:
    """How many matches the thresholds of the policy keep out of the findings, as at most one sentence."""
    if not number:
        return []
    named = ", ".join(f"{name} {value:g}" for name, value in policy.thresholds.items())
    return [
        f"{number:,} match{'es' if number > 1 else ''} under the policy's thresholds ({named}) not listed."
    ]


def limits(index: Index, languages: Iterable[str] = ()) -> list[str]:
    """What a reader must know about what was not searched. languages: of the files of the change."""
    covered, missing = index.covered, index.facts.get("not_covered", ())
    total = covered.total
    size = (
        f"{count(total.files, 'file')}, {count(total.lines, 'line')}, {count(total.units, 'code unit')}"
        + f"; the newest of {covered.date}" * bool(covered.date)
    )
    said = [
        f"Only {count(covered.releases, 'indexed release')} ({size}) could be compared with; "
        "code from anywhere else is not known here."
    ]
    if held := [_held(name, covered.languages.get(name, Tally())) for name in _rarest(languages, covered)]:
        listed = " and ".join(part for part in (", ".join(held[:-1]), held[-1]) if part)
        said.append(f"Of the languages of this change the index has {listed}.")
    said.append("Only added lines were compared; removed and unchanged lines were not.")
    gaps = []
    if len(missing) > NAMED:
        gaps.append(f"parts of {count(covered.lacking, 'indexed release')}")
    if covered.failed:
        gaps.append(f"{count(covered.failed, 'release')} that could not be indexed")
    if gaps:
        said.append(f"Not in the index: {' and '.join(gaps)}; `whence corpus coverage` names them.")
    return said + [f"Not in the index: {part}." for part in missing if len(missing) <= NAMED]


def _rarest(languages: Iterable[str], covered: Covered) -> list[str]:
    """Those of which least is indexed: there a search says least."""
    known = covered.languages
    rarest = sorted(set(languages), key=lambda name: (known[name].files if name in known else 0, name))
    return rarest[:LANGUAGES]


def _held(language: str, tally: Tally) -> str:
    if not tally.files:
        return f"no {language}"
    lines = f" ({count(tally.lines, 'line')})" * bool(tally.lines)
    return f"{count(tally.files, f'{language} file')}{lines}"


def queries(diff: Diff, scanner: Scanner, skips: list[Skip]) -> Iterator[Query]:
    """What there is to search, a query a file; what is left out is added to `skips`."""
    for changed in diff.files:
        if not adds(changed):
            continue
        if scanner.excluded(changed.path):
            skips.append(Skip(changed.path, "excluded by the policy"))
            continue
        language = language_of_change(changed)
        if language is None:
            skips.append(Skip(changed.path, "not source code"))
            continue
        try:
            query = scanner.query(changed, language)
        except Exception as error:
            skips.append(Skip(changed.path, f"could not be read as {language}: {error}"[:300], partial=True))
            continue
        yield query


def adds(changed: ChangedFile) -> bool:
    """Whether a line was added: only such files are searched."""
    return any(any(region.added) for region in changed.regions)


def language_of_change(changed: ChangedFile) -> str | None:
    """What its path says, or its beginning where the change shows it; None: not source code."""
    head = b"\n".join(changed.regions[0].lines[:60]) if changed.regions[0].first_line == 1 else b""
    return language_of(changed.path, head)


def _accept(policy: Policy) -> Callable[[str], bool]:
    own = {package_name(purl) for purl in policy.self_purls}
    return lambda purl: package_name(purl) not in own


def finding_id(query: Query, found: engine.Match) -> str:
    """Digest of the region's normalised tokens and the origin's package: not of path, lines or version.

    A comma before a closing bracket is left out: formatters add and remove it with the line break.
    """
    inside = (query.line >= found.start_line) & (query.line <= found.end_line) & query.added
    at = np.flatnonzero(inside)
    spelt = [query.spelling[i] for i in at.tolist()]
    kept = [not (a == b"," and b in _CLOSING) for a, b in zip(spelt, [*spelt[1:], b""], strict=True)]
    digest = hashlib.sha256(query.renamed[at[np.array(kept, bool)]].tobytes())
    digest.update(package_name(found.origin.purl).encode())
    return digest.hexdigest()[:32]


def _file_of(origin: engine.Origin, index: Index) -> SegmentFile:
    return index.file(origin.ref)


def _license(conclusion: LicenseConclusion) -> License:
    return License(
        conclusion.expression,
        conclusion.category,
        conclusion.established_by,
        conclusion.confidence,
        tuple(LicenseConflict(text, where) for where, text in conclusion.conflicts),
    )


def _origin(found: engine.Match, index: Index) -> ReportOrigin:
    def lines(origin: engine.Origin) -> dict[str, str | int]:
        file = _file_of(origin, index)
        return {
            "purl": origin.purl,
            "path": file.path,
            "start_line": origin.start_line,
            "end_line": origin.end_line,
            "url": index.segment(origin.ref.segment).facts.url,
            "swhid": f"swh:1:cnt:{file.sha1}",
        }

    also = tuple(
        AlsoOrigin(**lines(origin), license=_license(_file_of(origin, index).license))  # type: ignore[arg-type]
        for origin, _ in found.also
    )
    return ReportOrigin(**lines(found.origin), also=also)  # type: ignore[arg-type]


def _evidence(found: engine.Match, index: Index) -> Evidence:
    e = found.evidence
    return Evidence(
        kind=e.kind,  # type: ignore[arg-type]
        similarity=min(1.0, e.similarity),
        containment_region=min(1.0, e.containment_region),
        containment_origin=min(1.0, e.containment_origin),
        tokens=e.tokens,
        longest_run=e.longest_run,
        chance=found.chance,
        line_pairs=e.line_pairs,
        renames=e.renames,
        discounts=e.discounts,
    )


def _lead(found: engine.Match, query: Query, scanner: Scanner) -> Lead:
    return Lead(
        id=finding_id(query, found),
        region=RegionRef(found.path, found.start_line, found.end_line),
        origin=_origin(found, scanner.index),
        license=_license(_file_of(found.origin, scanner.index).license),
        evidence=_evidence(found, scanner.index),
    )


def _finding(found: engine.Match, query: Query, scanner: Scanner) -> Finding:
    found = _severe_first(found, scanner)
    file = _file_of(found.origin, scanner.index)
    twin = None
    if file.license.category not in PERMISSIVE:
        twins = [o for o, _ in found.also if _file_of(o, scanner.index).license.category in PERMISSIVE]
        twin = f"{twins[0].purl} {_file_of(twins[0], scanner.index).path}" if twins else None
    decided = decide(
        scanner.policy, file.license, kind=found.evidence.kind, permissive_twin=twin, labels=file.labels
    )
    lead = _lead(found, query, scanner)
    why = decided.why if not decided.where else f"{decided.why} ({decided.where})"
    return Finding(
        lead.id, lead.region, lead.origin, lead.license, lead.evidence,
        Verdict(decided.status, decided.rule, why, decided.what_to_do),
    )  # fmt: skip


def _severe_first(found: engine.Match, scanner: Scanner) -> engine.Match:
    """Where two origins explain a region equally well, the one with more duties stands first."""
    best = found.evidence.bits
    equal = [(o, e) for o, e in found.also if e.bits >= 0.999 * best]
    if not equal or _file_of(found.origin, scanner.index).license.category not in PERMISSIVE:
        return found
    for origin, evidence in equal:
        if _file_of(origin, scanner.index).license.category not in PERMISSIVE:
            also = tuple(pair for pair in found.also if pair[0] != origin)
            return replace(
                found, origin=origin, evidence=evidence, also=((found.origin, found.evidence), *also)
            )
    return found
