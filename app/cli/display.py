"""What a renderer may show beside the report: lines of the change and, where texts are kept, of origins."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from app.report.renderers import RenderContext

if TYPE_CHECKING:
    from app.report.model import OriginLines, Report
    from app.scan.diff import Diff

_BREAK = re.compile(r"\r\n?|\n")  # as the index counts lines


class Texts(Protocol):
    """Where texts of origins are, if they are kept: a snapshot, or nowhere."""

    def text_of(self, purl: str, path: str) -> bytes | None: ...


def context_for(
    report: Report,
    change: Diff,
    index: Texts,
    files: Mapping[str, bytes],
    *,
    to_terminal: bool,
    fail_on: str = "conflict",
    today: str = "",
) -> RenderContext:
    """Snippets for every finding and lead, and the ranges of added lines."""
    submitted: dict[tuple[str, int], str] = {}
    added: dict[str, list[tuple[int, int]]] = {}
    for changed in change.files:
        for region in changed.regions:
            for number, (line, new) in enumerate(
                zip(region.lines, region.added, strict=True), region.first_line
            ):
                submitted[changed.path, number] = line.decode("utf-8", "replace")
                if new:
                    ranges = added.setdefault(changed.path, [])
                    if ranges and ranges[-1][1] == number - 1:
                        ranges[-1] = (ranges[-1][0], number)
                    else:
                        ranges.append((number, number))
    origin_lines: dict[tuple[str, str, int], str] = {}
    for entry in (*report.findings, *(report.leads or ())):
        origin_lines.update(_lines_of(entry.origin, index))
    return RenderContext(
        submitted_lines=submitted,
        origin_lines=origin_lines,
        added_lines={path: tuple(ranges) for path, ranges in added.items()},
        files=files,
        width=shutil.get_terminal_size((100, 40)).columns,
        color=to_terminal,
        fail_on="conflict" if fail_on == "never" else fail_on,  # type: ignore[arg-type]
        today=today,
    )


def _lines_of(origin: OriginLines, index: Texts) -> dict[tuple[str, str, int], str]:
    text = index.text_of(origin.purl, origin.path)
    if text is None:
        return {}
    lines = _BREAK.split(text.decode("utf-8", "replace"))
    first, last = origin.start_line, min(origin.end_line, len(lines))
    return {(origin.purl, origin.path, n): lines[n - 1] for n in range(first, last + 1)}
