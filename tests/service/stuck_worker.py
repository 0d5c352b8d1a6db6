"""A scan worker that marked submissions make stand still, holding the interpreter's lock."""

from __future__ import annotations

import re
import sys
from typing import Any

from app.scan import guarded
from app.scan.diff import Diff
from workers import base

MARK = b"standstill_mark"
honest = guarded.scan


def stuck(diff: Diff, *arguments: Any, **more: Any) -> Any:
    if any(MARK in line for changed in diff.files for region in changed.regions for line in region.lines):
        re.match(r"(a+)+$", "a" * 60 + "!")  # takes longer than the world will last
    return honest(diff, *arguments, **more)


if __name__ == "__main__":
    guarded.scan = stuck
    base.STALL_SECONDS["scan"] = 2.0
    base.main(sys.argv[1])
