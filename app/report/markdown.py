"""The report as a comment on a pull request: a table, the details folded, within a size budget.

Everything that is not ours is a code span, a code block or a sentence of harmless words (app.report.escape):
no markup, link, mention or HTML of a submitted text can take effect. Leads are left out: they wait for a
person who asks.
"""

from __future__ import annotations

from app.policy.waivers import template
from app.report import wording
from app.report.escape import code, fenced, prose, web_address
from app.report.model import AiUse, Finding, Report, Skipped
from app.report.renderers import RenderContext, side_by_side

MARKER = "<!-- whence report -->"  # by which a bot finds its own comment
_PAIRS = 12
_MOST_BULLETS = 40


def render(report: Report, context: RenderContext) -> str:
    """At most `context.max_bytes` of UTF-8 (at least 4,000); says how many findings did not fit."""
    budget = max(4_000, context.max_bytes)
    head = [MARKER, f"### Whence: {_title(report)}", "", _summary(report), ""]
    head += _ai_use(report.ai_use, budget // 4)
    tail = _tail(report, budget // 3)
    # What is left for the table and the details, after a line for each that says what was left out.
    room = budget - _size(head) - _size(tail) - 400
    table, in_table = _fitting([_row(finding) for finding in report.findings], room * 2 // 3)
    room -= _size(table)
    blocks = [_details(number, finding, context) for number, finding in enumerate(report.findings, 1)]
    details, in_details = _fitting(blocks, room)
    body = list(head)
    if table:
        body += ["| verdict | lines | similar to | license | evidence |", "|---|---|---|---|---|", *table, ""]
    if left := len(report.findings) - in_table:
        body += [f"{wording.count(left, 'more finding')} did not fit here; the JSON report has all.", ""]
    body += details
    if left := in_table - in_details:
        body += [
            f"Details of {wording.count(left, 'finding')} did not fit here; the JSON report has all.",
            "",
        ]
    return "\n".join(body + tail) + "\n"


def _title(report: Report) -> str:
    if report.findings:
        title = f"{wording.count(len(report.findings), 'finding')}, worst: {report.worst}"
    else:
        title = "nothing was searched" if report.worst is None else "no similar code found"
    return f"{title} (partial search)" if report.status == "partial" else title


def _summary(report: Report) -> str:
    sentence = prose(wording.summary(report))
    partial = wording.partial_sentence(report)
    return sentence.replace(partial, f"**{partial}**", 1) if partial else sentence


def _ai_use(use: AiUse | None, room: int) -> list[str]:
    if use is None:
        return []
    sentences = wording.ai_use_words(use)
    bullets, number = _fitting([f"- {prose(sentence, 600)}" for sentence in sentences], room)
    if left := len(sentences) - number:
        bullets.append(f"- and {left:,} more")
    return [f"**{prose(wording.ai_use_title(use))}**", "", *bullets, ""]


def _row(finding: Finding) -> str:
    evidence = finding.evidence
    cells = (
        f"**{finding.verdict.status}**",
        code(wording.lines(finding.region, 120)),
        f"{code(finding.origin.purl, 120)} {code(wording.lines(finding.origin, 120))}",
        code(wording.license_name(finding.license), 120),
        f"{evidence.kind}, {wording.percent(evidence.similarity)}, "
        f"by chance {wording.chance_words(evidence.chance)}",
    )
    return f"| {' | '.join(cells)} |"


def _details(number: int, finding: Finding, context: RenderContext) -> str:
    verdict, evidence, origin = finding.verdict, finding.evidence, finding.origin
    title = f"{number}. {verdict.status}: evidence and what to do"
    url = web_address(origin.url)
    why = prose(verdict.why) or wording.VERDICTS[verdict.status]
    where = f"{code(origin.purl)} {code(wording.lines(origin))}"
    block = [
        f"<details><summary>{title}</summary>",
        "",
        f"- **Lines**: {code(wording.lines(finding.region))}",
        f"- **Similar to**: {where}{f' ([source](<{url}>))' if url else ''}",
        f"- **License**: {prose(wording.license_words(finding.license))}",
        f"- **Verdict**: {why} (rule {code(verdict.rule)})",
    ]
    if verdict.what_to_do:
        block.append(f"- **What to do**: {prose(verdict.what_to_do)}")
    block += [f"- **Evidence**: {prose('. '.join(wording.evidence_words(evidence)))}"]
    if evidence.renames:
        block.append(f"- **Names**: {code(wording.renames_words(evidence), 900)}")
    block += [f"- **Discount**: {prose(discount, 500)}" for discount in evidence.discounts]
    for other in origin.also:
        place = f"{code(other.purl)} {code(wording.lines(other))}"
        block.append(f"- **Also**: {place}, {code(wording.license_name(other.license))}")
    block += [f"- **Id**: {code(finding.id)}", "", *_lines(finding, context)]
    if verdict.status != "ok":
        waiver = [line[:120] for line in template(finding, context.today).splitlines()]
        block += ["A decision, to complete in `.whence/waivers.toml`:", "", *fenced(waiver), ""]
    block += ["</details>", ""]
    return "\n".join(block)


def _lines(finding: Finding, context: RenderContext) -> list[str]:
    pairs = side_by_side(finding, context, _PAIRS)
    if not pairs:
        return []
    shown = []
    for pair in pairs:
        shown.append(f"{pair.region_line:>6} change  {pair.region_text.expandtabs(4).rstrip()[:160]}")
        shown.append(f"{pair.origin_line:>6} origin  {pair.origin_text.expandtabs(4).rstrip()[:160]}")
    return [*fenced(shown), ""]


def _tail(report: Report, room: int) -> list[str]:
    settings = f"outbound {code(report.outbound or 'not given', 100)}, policy {code(report.policy.name, 100)}"
    scope = f"<sub>{wording.scope(report)} ({settings}, engine {code(report.engine.version, 40)})</sub>"
    if not (report.skipped or report.limits):
        return [scope]
    ordered = sorted(report.skipped, key=lambda skip: not skip.partial)
    bullets = [_skip(skip) for skip in ordered] + [f"- Limit: {prose(limit, 300)}" for limit in report.limits]
    shown, number = _fitting(bullets[:_MOST_BULLETS], room)
    if left := len(bullets) - number:
        shown.append(f"- and {left:,} more; the JSON report has all")
    head = f"<details><summary>Not searched ({len(ordered):,}), and limits ({len(report.limits):,})</summary>"
    return [head, "", *shown, "", "</details>", "", scope]


def _skip(skip: Skipped) -> str:
    note = " (**makes the search partial**)" if skip.partial else ""
    return f"- {code(skip.path or 'the change', 120)}: {prose(skip.reason, 120)}{note}"


def _fitting(blocks: list[str], room: int) -> tuple[list[str], int]:
    """The first blocks that fit into `room` bytes, and how many they are."""
    for position, block in enumerate(blocks):
        room -= _size([block])
        if room < 0:
            return blocks[:position], position
    return blocks, len(blocks)


def _size(lines: list[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)
