"""Scores of other tools for pairs of files. Run by bench.quality.pairs with an interpreter that has them.

Input: a JSON list of [left, right]; output: JSON, name → a score a pair. Imports nothing of this project.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

LATIN = "latin-1"


def copydetect_scores(pairs: list[list[str]], k: int, window: int) -> list[float]:
    from copydetect import CodeFingerprint, compare_files  # type: ignore[import-not-found]

    @cache
    def prints(path: str) -> Any:
        return CodeFingerprint(path, k, window, encoding=LATIN)

    out = []
    for left, right in pairs:
        one, two = prints(left), prints(right)
        alike = compare_files(one, two)[1] if one.token_coverage and two.token_coverage else (0.0, 0.0)
        out.append(float(max(alike)))
    return out


def scanoss_scores(pairs: list[list[str]]) -> list[float]:
    from scanoss.winnowing import Winnowing  # type: ignore[import-not-found]

    winnowing = Winnowing(quiet=True)

    @cache
    def prints(path: str) -> frozenset[str]:
        found = winnowing.wfp_for_contents("file.c", False, Path(path).read_bytes()) or ""
        rows = re.findall(r"^\d+=(.*)$", found, re.MULTILINE)
        return frozenset(value for row in rows for value in row.split(","))

    out = []
    for left, right in pairs:
        one, two = prints(left), prints(right)
        out.append(len(one & two) / max(1, min(len(one), len(two))))
    return out


def main() -> None:
    pairs = json.loads(Path(sys.argv[1]).read_text())
    scores = {}
    try:
        scores["copydetect (k 25, window 6)"] = copydetect_scores(pairs, 25, 6)
        scores["vendetect's (copydetect, k 25, window 1)"] = copydetect_scores(pairs, 25, 1)
    except ImportError:
        print("copydetect is not installed", file=sys.stderr)
    try:
        scores["SCANOSS winnowing, containment"] = scanoss_scores(pairs)
    except ImportError:
        print("scanoss is not installed", file=sys.stderr)
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
