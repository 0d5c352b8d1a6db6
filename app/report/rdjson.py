"""Reviewdog's diagnostic format (rdjson). Its messages become Markdown comments and are escaped as such."""

from __future__ import annotations

import json
from typing import Any

from app.report import wording
from app.report.escape import code, prose, visible
from app.report.model import Finding, Report, Skipped
from app.report.renderers import RenderContext

_SEVERITIES = {"conflict": "ERROR", "review": "WARNING", "attribution": "INFO", "ok": "INFO"}


def render(report: Report, context: RenderContext) -> str:
    """A diagnostic for each finding and for each part that makes the search partial."""
    document = {
        "source": {"name": "whence"},
        "diagnostics": [
            *(_partial(skip) for skip in report.skipped if skip.partial),
            *(_diagnostic(finding) for finding in report.findings),
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _diagnostic(finding: Finding) -> dict[str, Any]:
    verdict, region = finding.verdict, finding.region
    text = [
        f"Similar to {code(finding.origin.purl)} {code(wording.lines(finding.origin))}.",
        f"License: {prose(wording.license_words(finding.license))}.",
        f"Verdict: {verdict.status}, {prose(verdict.why) or wording.VERDICTS[verdict.status]}",
        *(f"{prose(words)}." for words in wording.evidence_words(finding.evidence)),
        *([f"What to do: {prose(verdict.what_to_do)}"] if verdict.what_to_do else []),
    ]
    return {
        "message": "\n".join(text),
        "location": {
            "path": region.path,
            "range": {"start": {"line": region.start_line}, "end": {"line": region.end_line}},
        },
        "severity": _SEVERITIES[verdict.status],
        "code": {"value": f"{verdict.status}/{visible(verdict.rule, 200)}"},
    }


def _partial(skip: Skipped) -> dict[str, Any]:
    return {
        "message": f"Not searched: {code(skip.path or 'the change')}: {prose(skip.reason, 500)}. "
        "This makes the search partial.",
        "location": {"path": skip.path or "."},
        "severity": "ERROR",
        "code": {"value": "not-searched"},
    }
