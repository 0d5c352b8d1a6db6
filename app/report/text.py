"""The report for a person at a terminal who has little time: one line, then what each finding needs.

With `context.color` it has colours and shows all of Unicode; without, it is plain ASCII for logs and pipes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from app.policy.waivers import template
from app.report import wording
from app.report.escape import ascii_only, visible
from app.report.model import Finding, Lead, Report
from app.report.renderers import RenderContext, side_by_side

_STYLES = {"conflict": "bold red", "review": "bold yellow", "attribution": "bold cyan", "ok": "bold green"}
_LABEL = 14  # columns of the labels, their indent included
_BULLET = "  - "
_PAIRS = 6
_MOST_SKIPS = 50


@dataclass(frozen=True, slots=True)
class _Row:
    """One printed paragraph: a label in the margin, or "" for none, and its text. `cut`: never wrapped."""

    label: str
    text: str
    style: str = ""
    cut: bool = False


def render(report: Report, context: RenderContext) -> str:
    """Lines of at most `context.width` columns, except paths and package URLs: those stay in one piece."""
    output = io.StringIO()
    width = max(40, context.width)
    console = Console(
        file=output,
        width=width,
        force_terminal=context.color,
        color_system="standard" if context.color else None,
        no_color=not context.color,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    lines = [line for row in _rows(report, context, width) for line in _wrapped(row, console, context.color)]
    if not context.color:
        return "\n".join(line.plain for line in lines) + "\n"
    console.print(Text("\n").join(lines), soft_wrap=True)
    return output.getvalue()


def _wrapped(row: _Row, console: Console, color: bool) -> Iterator[Text]:
    # Escaped before it is wrapped, or the escapes would make lines too long.
    body = Text(row.text if color else ascii_only(row.text), style=row.style)
    margin = _LABEL if row.label else 0
    if row.label == _BULLET:
        margin = len(_BULLET)
    fits = row.cut or margin + body.cell_len <= console.width
    lines = [body] if fits else body.wrap(console, max(20, console.width - margin))
    for position, line in enumerate(lines):
        line.rstrip()
        head = row.label if position == 0 else ""
        yield Text.assemble((head.ljust(margin), "dim"), line)


def _rows(report: Report, context: RenderContext, width: int) -> Iterator[_Row]:
    style = _STYLES[report.worst] if report.worst and report.status == "complete" else "bold yellow"
    yield _Row("", f"Whence: {wording.summary(report)}", style)
    for number, finding in enumerate(report.findings, 1):
        yield _Row("", "")
        yield from _finding(number, finding, context, width)
    if report.leads is not None:
        yield _Row("", "")
        yield from _leads(report.leads, context, width)
    if report.ai_use is not None:
        yield _Row("", "")
        yield _Row(
            "", f"{wording.ai_use_title(report.ai_use)}:", "bold" if report.ai_use.fits else "bold red"
        )
        yield from (_Row(_BULLET, sentence) for sentence in wording.ai_use_words(report.ai_use))
    yield _Row("", "")
    yield from _decision(report, context)
    yield from _ending(report)


def _finding(number: int, finding: Finding, context: RenderContext, width: int) -> Iterator[_Row]:
    verdict = finding.verdict
    title = f"[{number}] {verdict.status.upper()}  {wording.lines(finding.region)}"
    yield _Row("", title, _STYLES[verdict.status], cut=True)
    yield from _match(finding)
    why = visible(verdict.why, 1000) or wording.VERDICTS[verdict.status]
    yield _Row("  verdict", f"{why} (rule {visible(verdict.rule, 100)})")
    if verdict.what_to_do:
        yield _Row("  what to do", visible(verdict.what_to_do, 2000), "bold")
    yield from _why(finding, context, width)


def _decision(report: Report, context: RenderContext) -> Iterator[_Row]:
    """How to record a decision, with a block to complete for the first finding that could need one."""
    first = next((finding for finding in report.findings if finding.verdict.status != "ok"), None)
    if first is None:
        return
    yield _Row("", wording.DECIDE)
    for line in template(first, context.today).splitlines():
        yield _Row("", f"    {visible(line, 300)}", cut=True)
    yield _Row("", "")


def _leads(leads: tuple[Lead, ...], context: RenderContext, width: int) -> Iterator[_Row]:
    head = "Leads, weaker candidates for a person to look at; they decide nothing"
    yield _Row("", f"{head}: {wording.count(len(leads), 'lead')}", "bold")
    for number, lead in enumerate(leads, 1):
        yield _Row("", "")
        yield _Row("", f"[lead {number}]  {wording.lines(lead.region)}", "bold", cut=True)
        yield from _match(lead)
        yield from _why(lead, context, width)


def _match(entry: Lead) -> Iterator[_Row]:
    yield _Row("  similar to", visible(entry.origin.purl, 200), cut=True)
    yield _Row(" ", wording.lines(entry.origin), cut=True)
    if entry.origin.url:
        yield _Row(" ", visible(entry.origin.url, 300), "dim", cut=True)
    yield _Row("  license", wording.license_words(entry.license))


def _why(entry: Lead, context: RenderContext, width: int) -> Iterator[_Row]:
    evidence = entry.evidence
    for position, sentence in enumerate(wording.evidence_words(evidence)):
        yield _Row("  evidence" if position == 0 else " ", sentence)
    column = (width - _LABEL - 3) // 2
    for position, pair in enumerate(side_by_side(entry, context, _PAIRS)):
        left = _cell(pair.region_line, pair.region_text, column, context.color)
        right = _cell(pair.origin_line, pair.origin_text, column, context.color).rstrip()
        yield _Row("  lines" if position == 0 else " ", f"{left} | {right}", cut=True)
    if renames := wording.renames_words(evidence):
        yield _Row("  names", renames)
    for position, discount in enumerate(evidence.discounts):
        yield _Row("  discounts" if position == 0 else " ", visible(discount, 500))
    for position, other in enumerate(entry.origin.also):
        text = f"{wording.origin(other)}  {wording.license_name(other.license)}"
        yield _Row("  also" if position == 0 else " ", text, cut=True)
    yield _Row("  id", visible(entry.id, 80), "dim", cut=True)


def _cell(line: int, text: str, columns: int, color: bool) -> str:
    shown = visible(text.expandtabs(4).rstrip(), 400)
    shown = f"{line:>5}  {shown if color else ascii_only(shown)}"
    return shown if cell_len(shown) == columns else set_cell_size(shown, columns)


def _ending(report: Report) -> Iterator[_Row]:
    if report.skipped:
        yield _Row("", f"Not searched ({len(report.skipped):,}):")
        ordered = sorted(report.skipped, key=lambda skip: not skip.partial)
        for skip in ordered[:_MOST_SKIPS]:
            yield _Row(_BULLET, wording.skip_words(skip), "yellow" if skip.partial else "")
        if len(ordered) > _MOST_SKIPS:
            yield _Row(_BULLET, f"and {len(ordered) - _MOST_SKIPS:,} more; the JSON report has all")
    if report.limits:
        yield _Row("", "Limits of this search:")
        for limit in report.limits:
            yield _Row(_BULLET, visible(limit, 500))
    settings = (
        f"outbound {visible(report.outbound, 100) or 'not given'}, policy {visible(report.policy.name, 100)}"
    )
    yield _Row(
        "", f"{wording.scope(report)} ({settings}, engine {visible(report.engine.version, 40)})", "dim"
    )
