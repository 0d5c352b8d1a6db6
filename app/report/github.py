"""Annotations of a GitHub workflow: lines such as `::error file=…,line=…::…`, the worst first.

A step shows at most ten annotations of a type, so what does not fit is said in the tenth.
"""

from __future__ import annotations

from app.report import wording
from app.report.escape import visible
from app.report.model import Finding, Report
from app.report.renderers import RenderContext

MOST = 10
_TYPES = {"conflict": "error", "review": "warning", "attribution": "notice", "ok": "notice"}
_LONGEST_PATH = 4096


def render(report: Report, context: RenderContext) -> str:
    """At most ten lines a type. The summary is the first notice, a partial search the first error."""
    by_type: dict[str, list[str]] = {"error": [], "warning": [], "notice": []}
    if report.status == "partial":
        missed = [wording.skip_words(skip, 100) for skip in report.skipped if skip.partial]
        more = f"; and {len(missed) - 5:,} more" if len(missed) > 5 else ""
        listed = "; ".join(missed[:5]) + more
        by_type["error"].append(
            _command("error", f"{wording.partial_sentence(report)} {listed}", "partial search")
        )
    summary = f"{wording.summary(report)} {wording.scope(report)}"
    by_type["notice"].append(_command("notice", summary, "summary"))
    for finding in report.findings:
        by_type[_TYPES[finding.verdict.status]].append(_annotation(finding))
    lines = []
    for kind, commands in by_type.items():
        if len(commands) > MOST:
            left = wording.count(len(commands) - MOST + 1, "more finding")
            rest = f"{left} of this level did not fit here; the JSON report has all."
            commands = [*commands[: MOST - 1], _command(kind, rest, "more findings")]
        lines += commands
    return "\n".join(lines) + "\n"


def _annotation(finding: Finding) -> str:
    region, verdict = finding.region, finding.verdict
    place = f"line={region.start_line},endLine={region.end_line}"
    if len(region.path) <= _LONGEST_PATH:
        place = f"file={_property(region.path)},{place}"
    text = wording.sentence(finding)
    if verdict.what_to_do:
        text = f"{text} What to do: {visible(verdict.what_to_do, 1000)}"
    return _command(_TYPES[verdict.status], text, f"{verdict.status}: similar code", place)


def _command(kind: str, text: str, title: str, place: str = "") -> str:
    titled = f"title={_property(f'Whence {title}')}"
    return f"::{kind} {f'{place},{titled}' if place else titled}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property's value as the runner unescapes it; hidden characters are shown as escapes."""
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
