"""What a snapshot covers, in the few numbers that a report tells: `coverage` in short.

Worked out when the snapshot is built, and kept outside of its folder, which is sealed: the same content may
have been added on another day. Made by corpus.coverage, stored by the catalogue, read with the snapshot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Tally:
    """Files, and lines and code units in them."""

    files: int = 0
    lines: int = 0
    units: int = 0

    def add(self, lines: int, units: int) -> None:
        self.files, self.lines, self.units = self.files + 1, self.lines + lines, self.units + units


@dataclass(frozen=True, slots=True)
class Covered:
    """date: of the newest release, ISO; "" when unknown. languages: lines and units are 0 when unknown.

    failed: releases that could not be indexed. lacking: indexed ones without a part that no registry has.
    """

    date: str
    releases: int
    total: Tally
    languages: dict[str, Tally]
    failed: int
    lacking: int

    def encode(self) -> str:
        return json.dumps(asdict(self), indent=1)


def covered_file(folder: Path) -> Path:
    """Where it lies, for a snapshot's folder."""
    return folder.parent.parent / "covered" / f"{folder.name}.json"


def read_covered(folder: Path, facts: dict[str, Any]) -> Covered:
    """As it was noted, else, for a snapshot without a note or with a damaged one, what its manifest tells."""
    try:
        told = json.loads(covered_file(folder).read_text())
        languages = {str(name): Tally(**tally) for name, tally in told.pop("languages").items()}
        return Covered(**told | {"total": Tally(**told["total"]), "languages": languages})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return _of_manifest(facts)


def _of_manifest(facts: dict[str, Any]) -> Covered:
    languages: dict[str, Tally] = defaultdict(Tally)
    for row in facts["segments"]:
        for name, files in row["languages"].items():
            languages[name].files += files
    lacking = {part.partition(": ")[0] for part in facts.get("not_covered", ())}
    total = Tally(facts["files"], facts["lines"], facts["units"])
    return Covered("", facts["releases"], total, dict(languages), 0, len(lacking))
