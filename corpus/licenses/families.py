"""GNU licence versions as sets, so that statements about one work can be merged and compared.

`GPL-2.0-or-later` is the set of GPL versions from 2.0 on, `GPL-2.0-only` has one element. Terms that
hold together (AND) are an intersection: a notice that scancode reads as GPL-1.0-or-later (the bare word
"GPL") AND GPL-3.0-or-later (the sentence) says GPL-3.0-or-later: the most specific of its sub-matches.
Called by detect (sub-matches of one notice) and conclude (does metadata agree with a licence text?).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_GNU = re.compile(r"(AGPL|LGPL|GPL|GFDL)-(\d+\.\d+)(-invariants|-no-invariants)?(-only|-or-later)$")

# Former versions that a permission "or any later version" can start from.
_VERSIONS = {
    "GPL": ("1.0", "2.0", "3.0"),
    "LGPL": ("2.0", "2.1", "3.0"),
    "AGPL": ("1.0", "3.0"),
    "GFDL": ("1.1", "1.2", "1.3"),
}


@dataclass(frozen=True, slots=True)
class Gnu:
    """One licence of a GNU family. family: `GPL`, …, or with its variant: `GFDL-no-invariants`."""

    family: str
    version: str
    scope: Literal["only", "or-later"]

    @property
    def versions(self) -> frozenset[str]:
        every = _VERSIONS[self.family.partition("-")[0]]
        if self.scope == "only":
            return frozenset({self.version})
        return frozenset(v for v in every if v >= self.version)

    @property
    def spdx(self) -> str:
        name, _, variant = self.family.partition("-")
        return f"{name}-{self.version}{'-' + variant if variant else ''}-{self.scope}"


def gnu(spdx_id: str) -> Gnu | None:
    """The id as a member of a GNU family; None for every other licence."""
    found = _GNU.match(spdx_id)
    if found is None or found[2] not in _VERSIONS[found[1]]:
        return None
    return Gnu(found[1] + (found[3] or ""), found[2], "only" if found[4] == "-only" else "or-later")


def intersect(one: Gnu, other: Gnu) -> Gnu | None:
    """What both allow; None when they are of different families or have no version in common."""
    if one.family != other.family or not one.versions & other.versions:
        return None
    narrower, wider = (one, other) if one.versions <= other.versions else (other, one)
    assert narrower.versions <= wider.versions  # intervals that end at the newest, or points
    return narrower


def merge(ids: list[str]) -> list[str]:
    """The ids of statements that hold together, GNU ids of one family narrowed to what all allow.

    Order of first appearance is kept; ids with nothing in common with others stay.
    """
    kept: list[str] = []
    for name in ids:
        place, merged = len(kept), name
        for at in reversed(range(len(kept))):
            known, new = gnu(kept[at]), gnu(merged)
            common = intersect(known, new) if known and new else None
            if common is not None or kept[at] == merged:
                place, merged = at, common.spdx if common else merged
                del kept[at]
        kept.insert(place, merged)
    return kept


def same_version(one: str, other: str) -> bool:
    """Whether two ids name the same family and version, be it only or or-later."""
    left, right = gnu(one), gnu(other)
    if left is None or right is None:
        return one == other
    return (left.family.partition("-")[0], left.version) == (right.family.partition("-")[0], right.version)


def refines(specific: str, general: str) -> bool:
    """Whether `specific` allows a subset of what `general` allows, both of one GNU family."""
    left, right = gnu(specific), gnu(general)
    return (
        left is not None
        and right is not None
        and left.family == right.family
        and left.versions <= right.versions
    )
