"""GitLab's Code Quality report: a list of issues with fingerprints that are unique and stay when lines move.

The format has no place for the search itself, so an empty list says nothing about coverage; parts that make
a search partial are issues of their own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from app.report import wording
from app.report.escape import visible
from app.report.identity import digest, numbered
from app.report.model import Report
from app.report.renderers import RenderContext

_SEVERITIES = {"conflict": "critical", "review": "major", "attribution": "minor", "ok": "info"}


def render(report: Report, context: RenderContext) -> str:
    """The list; parts that were not searched come first."""
    return json.dumps([*_partial(report), *_findings(report)], indent=1) + "\n"


def _findings(report: Report) -> Iterator[dict[str, Any]]:
    for finding, key, occurrence in numbered(report.findings):
        yield _issue(
            wording.sentence(finding),
            f"whence/{finding.verdict.status}/{visible(finding.verdict.rule, 200)}",
            digest("finding", key, str(occurrence)),
            _SEVERITIES[finding.verdict.status],
            finding.region.path,
            (finding.region.start_line, finding.region.end_line),
        )


def _partial(report: Report) -> Iterator[dict[str, Any]]:
    seen: Counter[tuple[str, str]] = Counter()
    for skip in report.skipped:
        if skip.partial:
            seen[skip.path, skip.reason] += 1
            yield _issue(
                f"Not searched: {wording.skip_words(skip)}",
                "whence/not-searched",
                digest("skip", skip.path, skip.reason, str(seen[skip.path, skip.reason])),
                "major",
                skip.path or ".",
                (1, 1),
            )


def _issue(
    description: str, check: str, fingerprint: str, severity: str, path: str, lines: tuple[int, int]
) -> dict[str, Any]:
    return {
        "description": description,
        "check_name": check,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": path, "lines": {"begin": lines[0], "end": lines[1]}},
    }
