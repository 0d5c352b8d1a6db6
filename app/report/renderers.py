"""The formats that a report can be rendered in, and what a renderer may be told besides the report.

A format is one file with `render(report, context) -> str` and one line in `RENDERERS`; it is imported when
it is used. Promises of all (one exam holds them): the same input gives the same output; a partial search is
visible; no text of the change or the index can break out of the format; wording is neutral. Called by
`whence check` and the service. Pure.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.report.model import Lead, Report, VerdictStatus


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What only the caller knows. Everything is optional, and a renderer takes what its format can use.

    submitted_lines: text of lines of the change by (path, line). Private: shown, never stored.
    origin_lines: text of lines of origins by (purl, path, line).
    added_lines: ranges (first, last) of added lines by path, to clip a region to.
    files: whole contents after the change by path, for formats with checksums and byte offsets.
    project_url: where the project that was searched lives. time: RFC 3339, for formats that carry one.
    width: columns. color: a terminal, with colours and all of Unicode; otherwise plain ASCII.
    max_bytes: size budget of the output where a format has one (Markdown comments).
    fail_on: from which verdict a finding is a failure, for formats that know only pass and fail.
    today: the day of the search (`2026-11-25`), for decisions to be dated.
    """

    submitted_lines: Mapping[tuple[str, int], str] = field(default_factory=dict)
    origin_lines: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    added_lines: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    project_url: str = ""
    time: str = ""
    width: int = 100
    color: bool = False
    max_bytes: int = 60_000
    fail_on: VerdictStatus = "conflict"
    today: str = ""


class LinePair(NamedTuple):
    """A line of the change beside the line of the origin that it was aligned with."""

    region_line: int
    region_text: str
    origin_line: int
    origin_text: str


def side_by_side(entry: Lead, context: RenderContext, most: int) -> list[LinePair]:
    """The first `most` line pairs of which the caller gave both texts and that are not blank."""
    region, origin = entry.region, entry.origin
    pairs: list[LinePair] = []
    for region_line, origin_line in entry.evidence.line_pairs:
        if len(pairs) == most:
            break
        ours = context.submitted_lines.get((region.path, region_line), "")
        theirs = context.origin_lines.get((origin.purl, origin.path, origin_line), "")
        if ours.strip() and theirs.strip():
            pairs.append(LinePair(region_line, ours, origin_line, theirs))
    return pairs


class Renderer(NamedTuple):
    """Where a format is rendered, what it is served as, and how a file of it ends."""

    module: str
    media_type: str
    suffix: str


RENDERERS: dict[str, Renderer] = {
    "json": Renderer("app.report.json", "application/json", ".json"),
    "text": Renderer("app.report.text", "text/plain", ".txt"),
    "markdown": Renderer("app.report.markdown", "text/markdown", ".md"),
    "sarif": Renderer("app.report.sarif", "application/sarif+json", ".sarif"),
    "gitlab": Renderer("app.report.gitlab", "application/json", ".gitlab.json"),
    "rdjson": Renderer("app.report.rdjson", "application/json", ".rdjson"),
    "github": Renderer("app.report.github", "text/plain", ".github.txt"),
    "spdx": Renderer("app.report.spdx", "application/spdx+json", ".spdx.json"),
    "cyclonedx": Renderer("app.report.cyclonedx", "application/vnd.cyclonedx+json", ".cdx.json"),
    "junit": Renderer("app.report.junit", "application/xml", ".junit.xml"),
}


def render(name: str, report: Report, context: RenderContext | None = None) -> str:
    """The report in the format `name`, a key of RENDERERS (KeyError otherwise)."""
    module = importlib.import_module(RENDERERS[name].module)
    output: str = module.render(report, context or RenderContext())
    return output
