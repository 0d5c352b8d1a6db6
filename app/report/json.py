"""The report itself as JSON: the form that `schema.json` describes and `Report.from_dict` reads."""

from __future__ import annotations

import json
import re

from app.report.model import Report
from app.report.renderers import RenderContext

# A raw newline never stands inside a JSON string, so this touches line pairs only.
_PAIR = re.compile(r"\[\n\s*(\d+),\n\s*(\d+)\n\s*\]")


def render(report: Report, context: RenderContext) -> str:
    """Indented, ASCII only (so hostile characters stay escapes in a terminal), a line pair on one line."""
    text = json.dumps(report.to_dict(), indent=2, allow_nan=False)
    return _PAIR.sub(r"[\1, \2]", text) + "\n"
