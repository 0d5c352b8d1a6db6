"""The sentences that all renderers share. They state what was compared and what agrees, and no more.

Neutral on purpose: similarity is no proof of descent, so the direction is always said to be unknown, and
the absence of findings never reads as an approval. Texts go through `visible`; escaping for a format is
the renderer's part. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice

from app.policy.waivers import REASONS
from app.report.escape import visible
from app.report.model import (
    SEVERITY,
    AiUse,
    Evidence,
    Finding,
    License,
    OriginLines,
    RegionRef,
    Report,
    Skipped,
    Snapshot,
    VerdictStatus,
)

DIRECTION = "direction unknown"

KINDS = {
    "literal": "literal (the same text)",
    "renamed": "renamed (the same statements under other names)",
    "rewritten": "rewritten (the same steps in another form)",
    "translated": "translated (the same steps in another language)",
}

ESTABLISHED = {
    "header": "stated in the file's header",
    "spdx-tag": "stated by an SPDX tag in the file",
    "dep5": "stated for the file in debian/copyright",
    "license-file": "stated by a license file of the release",
    "metadata": "stated in the release's metadata",
    "unknown": "not established",
}

DECIDE = (
    "To record a decision about a finding, by its id, run `whence waive ID --reason REASON`, or complete "
    f"such a block in .whence/waivers.toml (reasons: {', '.join(REASONS)}):"
)

VERDICTS: dict[VerdictStatus, str] = {
    "conflict": "the license does not fit the project's",
    "review": "a person should look at it",
    "attribution": "may be used with attribution",
    "ok": "fits the project's license",
}


def count(number: int, noun: str) -> str:
    """`1 finding`, `2,000 findings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def searched(snapshot: Snapshot) -> str:
    """`53 releases (17,739 files, 107,000 code units; snapshot a1b2)`."""
    size = f"{count(snapshot.files, 'file')}, {count(snapshot.units, 'code unit')}"
    return f"{count(snapshot.releases, 'release')} ({size}; snapshot {visible(snapshot.id, 64)})"


def summary(report: Report) -> str:
    """What was found, in what; whether the search is partial comes first, an unmet rule on AI use last."""
    if report.findings:
        tally = Counter(finding.verdict.status for finding in report.findings)
        parts = ", ".join(f"{tally[status]:,} {status}" for status in reversed(SEVERITY) if tally[status])
        sentence = f"{count(len(report.findings), 'finding')} ({parts}) in {searched(report.snapshot)}."
    elif report.worst is None:
        sentence = f"Nothing was searched: no added text line was compared with {searched(report.snapshot)}."
    else:
        sentence = f"No similar code found in {searched(report.snapshot)}."
    if report.status == "partial":
        sentence = f"{partial_sentence(report)} {sentence}"
    use = report.ai_use
    if use is not None and not use.fits:
        sentence += f" The project's rule on declared AI use ({visible(use.rule, 40)}) is not met."
    return sentence


def partial_sentence(report: Report) -> str:
    """`PARTIAL: 2 parts of the change were not searched.`, or "" for a complete search."""
    missed = sum(skip.partial for skip in report.skipped)
    verb = "was" if missed == 1 else "were"
    return f"PARTIAL: {count(missed, 'part')} of the change {verb} not searched." if missed else ""


def scope(report: Report) -> str:
    """What the result means and does not mean; for the end of a rendering."""
    if report.findings:
        return (
            f"A match says that two texts agree, not which came first: {DIRECTION}. "
            "Code outside this index was not compared."
        )
    return (
        "This states what was searched and is no approval: code outside this index was not compared, "
        "and short or thoroughly rewritten pieces can go unnoticed."
    )


def lines(place: RegionRef | OriginLines, limit: int = 200) -> str:
    """`path:3-9`."""
    span = str(place.start_line)
    if place.end_line != place.start_line:
        span += f"-{place.end_line}"
    return f"{visible(place.path, limit)}:{span}"


def origin(place: OriginLines, limit: int = 200) -> str:
    """`pkg:… path:3-9`."""
    return f"{visible(place.purl, limit)} {lines(place, limit)}"


def license_name(license: License) -> str:
    """The expression, or that it is unknown."""
    return visible(license.expression, 300) or "license unknown"


def license_words(license: License) -> str:
    """Expression, category, how it was established, how sure, and what else was stated."""
    category = f" ({visible(license.category, 60)})" if license.category else ""
    how = ESTABLISHED[license.established_by]
    text = f"{license_name(license)}{category}, {how}, confidence {license.confidence:.2f}"
    others = "; ".join(
        f"{visible(other.expression, 300)} {ESTABLISHED[other.established_by]}"
        for other in license.conflicts[:5]
    )
    return f"{text}. Also: {others}" if others else text


def chance_words(chance: float) -> str:
    """An expected number of unrelated units in words: `about 1 in 10^6`, `about 12 unrelated pieces`."""
    if chance >= 0.95:
        number = f"10^{round(math.log10(chance))}" if chance >= 1e6 else f"{round(chance):,}"
        noun = "piece" if number == "1" else "pieces"
        return f"about {number} unrelated {noun} of this index would agree as well"
    if chance <= 1e-15:
        return "less than 1 in 10^15"
    if chance < 1e-3:
        return f"about 1 in 10^{round(-math.log10(chance))}"
    inverse = 1 / chance
    digits = 1 - len(str(round(inverse))) if inverse >= 10 else 0
    return f"about 1 in {round(inverse, digits):,.0f}"


def evidence_words(evidence: Evidence) -> list[str]:
    """The evidence in two sentences."""
    return [
        f"{KINDS[evidence.kind]}; similarity {percent(evidence.similarity)}, "
        f"covering {percent(evidence.containment_region)} of the added code and "
        f"{percent(evidence.containment_origin)} of the origin's; {DIRECTION}",
        f"{count(evidence.tokens, 'token')} agree, the longest run is {evidence.longest_run:,}; "
        f"expected by chance: {chance_words(evidence.chance)}",
    ]


def percent(share: float) -> str:
    """`83%`; 100% only when it is exact."""
    return f"{math.floor(share * 100 + 1e-9)}%"


def renames_words(evidence: Evidence, most: int = 12) -> str:
    """`a = x, b = y`, at most `most` of them, or ""."""
    shown = islice(evidence.renames.items(), most)
    pairs = [f"{visible(one, 60)} = {visible(other, 60)}" for one, other in shown]
    more = len(evidence.renames) - len(pairs)
    return ", ".join([*pairs, f"and {more:,} more"] if more > 0 else pairs)


def sentence(finding: Finding) -> str:
    """A finding in one line: where, what it is similar to, license, evidence, verdict."""
    verdict, evidence = finding.verdict, finding.evidence
    why = visible(verdict.why, 600) or VERDICTS[verdict.status]
    return (
        f"{lines(finding.region)} is similar to {origin(finding.origin)}, "
        f"{license_name(finding.license)} ({evidence.kind}, {percent(evidence.similarity)}, "
        f"by chance {chance_words(evidence.chance)}; {DIRECTION}). {verdict.status}: {why.rstrip('.')}."
    )


def ai_use_title(use: AiUse) -> str:
    """`Declared AI use (rule require, not met)`."""
    return f"Declared AI use (rule {visible(use.rule, 40)}{'' if use.fits else ', not met'})"


def ai_use_words(use: AiUse) -> list[str]:
    """A sentence for each statement, what there is to note, and what the rule asks."""
    said = []
    for each in use.statements:
        tool = f"{visible(each.tool, 60)} ({each.role})" if each.tool else each.role
        quote = f": {visible(each.text, 200)}" if each.text else ""
        said.append(f"{visible(each.where, 60)} declares {tool if each.used else 'no use'}{quote}")
    said += [visible(note, 600) for note in use.notes]
    if use.source:
        said.append(f"The rule: {visible(use.rule, 40)} {visible(use.asks, 300)} {visible(use.source, 300)}")
    return said


def skip_words(skip: Skipped, limit: int = 200) -> str:
    """`path: reason (this makes the search partial)`."""
    subject = visible(skip.path, limit) or "the change"
    note = " (this makes the search partial)" if skip.partial else ""
    return f"{subject}: {visible(skip.reason, 500)}{note}"
