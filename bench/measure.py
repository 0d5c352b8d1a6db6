"""Rows of a benchmark's table, and what they are measured with."""

from __future__ import annotations

import resource
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. expected: what it should be, in words, or ""."""

    what: str
    value: float
    unit: str
    expected: str = ""


def resident() -> int:
    """Bytes of memory that this process occupies."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def table(rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = ["| measured | value | unit | expected |", "|---|---|---|---|"]
    for row in rows:
        if row.value != row.value:
            lines.append(f"| {row.what} | measured apart | {row.unit} | {row.expected} |")
            continue
        digits = 0 if row.value >= 100 or row.value == int(row.value) else 1 if row.value >= 10 else 2
        lines.append(f"| {row.what} | {row.value:,.{digits}f} | {row.unit} | {row.expected} |")
    return "\n".join(lines)
