"""JUnit XML, for CI pages that show tests: one test case for the search, one for each finding.

A finding from `context.fail_on` on is a failure; a partial search is an error of the first test case.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from app.report import wording
from app.report.escape import visible
from app.report.model import SEVERITY, Finding, Report
from app.report.renderers import RenderContext


def render(report: Report, context: RenderContext) -> str:
    """One `testsuite`; times are 0, because a report carries none."""
    failing = SEVERITY[SEVERITY.index(context.fail_on) :]
    failures = sum(finding.verdict.status in failing for finding in report.findings)
    counts = (
        f'tests="{len(report.findings) + 1}" failures="{failures}" errors="{int(report.status == "partial")}"'
    )
    stamp = f" timestamp={quoteattr(visible(context.time))}" if context.time else ""
    body = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="whence" {counts} time="0">',
        f'  <testsuite name="whence" {counts} skipped="0" time="0"{stamp}>',
        *_search(report),
    ]
    for finding in report.findings:
        body += _case(finding, fails=finding.verdict.status in failing)
    return "\n".join([*body, "  </testsuite>", "</testsuites>"]) + "\n"


def _search(report: Report) -> Iterator[str]:
    yield '    <testcase classname="whence" name="search" time="0">'
    skips = [wording.skip_words(skip) for skip in report.skipped]
    if report.status == "partial":
        missed = "\n".join(wording.skip_words(skip) for skip in report.skipped if skip.partial)
        head = quoteattr(wording.partial_sentence(report))
        yield f'      <error type="partial" message={head}>{escape(missed)}</error>'
    limits = [visible(limit, 1000) for limit in report.limits]
    told = "\n".join([wording.summary(report), *skips, *limits, wording.scope(report)])
    yield f"      <system-out>{escape(told)}</system-out>"
    yield "    </testcase>"


def _case(finding: Finding, fails: bool) -> Iterator[str]:
    verdict = finding.verdict
    name = f"lines {finding.region.start_line}-{finding.region.end_line} and {wording.origin(finding.origin)}"
    text = [
        f"{wording.lines(finding.region)} is similar to {wording.origin(finding.origin)}",
        f"License: {wording.license_words(finding.license)}",
        f"Verdict {verdict.status} (rule {visible(verdict.rule, 200)}): {visible(verdict.why, 1000)}",
        *wording.evidence_words(finding.evidence),
        *([f"What to do: {visible(verdict.what_to_do, 2000)}"] if verdict.what_to_do else []),
    ]
    path = quoteattr(visible(finding.region.path, 500))
    yield f'    <testcase classname={path} name={quoteattr(name)} time="0">'
    told = escape("\n".join(text))
    if fails:
        head = quoteattr(f"{verdict.status}: {wording.license_name(finding.license)}")
        yield f"      <failure type={quoteattr(verdict.status)} message={head}>{told}</failure>"
    else:
        yield f"      <system-out>{told}</system-out>"
    yield "    </testcase>"
