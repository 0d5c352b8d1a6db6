"""Matches: a region of a changed file and the origins that it resembles; which are shown, and how often.

Pure values and rules on them; made by corpus.match (copies) and corpus.derived (rewritten, translated).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from corpus.evidence import Evidence
from corpus.index.snapshot import FileRef

Item = TypeVar("Item")

ALERT_CHANCE = 0.001
"""What a match must not exceed to be shown to everybody: of 1,000 functions that nobody copied, one resembles
something as well in the whole index."""

DERIVED_CHANCE = 0.0005
"""The same for rewritten and translated code: a person needs longer to see that it is none."""

BACKGROUND_CHANCE = 1e-5
"""The same for a copy of background: permissive code that much else resembles is worth attention where it is
beyond doubt."""

ALERT_TOKENS = 24
ALERT_APART = 8.0
ALERT_LINES = 4
RENAMING_BITS, RENAMING_SLOPE = 10.0, 1.5
APART_BITS, APART_SLOPE = 20.0, 2.5
NUMBERS_SLOPE = 0.15
RESEMBLANCE, RESEMBLANCE_SLOPE = 0.25, 2.5
LEAST_CONTAINMENT, CONTAINMENT_SLOPE = 0.2, 1.3
SPREAD_SLOPE = -1.0
"""Strength of an algorithm-layer match: its standing, how consistently names stand for each other and what
agrees with no other origin (both against some bits; natural logarithms), how many different rare numbers
agree, the resemblance of what both sides spell, how much of the origin's unit agrees, and over how many more
lines than the origin's the region of the change is spread (negative).
Chosen on functions of copyleft packages that were rewritten and translated as assistants do, and on functions
of permissive packages; docs/quality.md has them, and what each term is worth."""

PART_BITS = 25.0
NEIGHBOUR_LINES = 8
NEIGHBOUR_ORIGIN_LINES = 150
SAME_REGION = 0.5
WITHIN_BEST = 0.95
MAX_ALSO = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the matched text stands in the index. license: SPDX expression of its file, "" when unknown."""

    ref: FileRef
    purl: str
    background: bool
    start_line: int
    end_line: int
    license: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One region of a changed file and the origins that it resembles, best first.

    start_line..end_line: the added lines of the new file that the match spans (tight).
    standing: how far the origin stands above the best other one (algorithm layer; natural logarithm), or None
    for a match of the literal and renamed layers. chance: expected number of unrelated
    code units in the index that would agree as well (corpus.null).
    """

    path: str
    start_line: int
    end_line: int
    origin: Origin
    evidence: Evidence
    standing: float | None = None
    also: tuple[tuple[Origin, Evidence], ...] = ()
    chance: float = math.inf

    @property
    def strength(self) -> float:
        """See APART_SLOPE; minus infinity for a copy, which is judged by its bits."""
        if self.standing is None:
            return -math.inf
        return self.standing + sum(contributions(self.evidence).values())


def contributions(evidence: Evidence) -> dict[str, float]:
    """What each term of an algorithm-layer match adds to its strength, beside the standing."""
    terms = evidence.terms
    return {
        "renaming": RENAMING_SLOPE * math.log1p(terms["renaming"] / RENAMING_BITS),
        "apart": APART_SLOPE * math.log1p(terms["apart"] / APART_BITS),
        "numbers": NUMBERS_SLOPE * math.log1p(terms["numbers"]),
        "resemblance": RESEMBLANCE_SLOPE * math.log(terms["resemblance"] / RESEMBLANCE),
        "containment": CONTAINMENT_SLOPE * math.log(max(LEAST_CONTAINMENT, evidence.containment_origin)),
        "spread": SPREAD_SLOPE * terms["spread"],
    }


def merge_neighbours(parts: Sequence[Match]) -> list[Match]:
    """Join matches with one origin file that follow each other closely, as a function and its helper do."""
    merged: list[Match] = []
    for part in sorted(parts, key=lambda m: (m.start_line, m.end_line)):
        last = merged[-1] if merged else None
        if (
            last is None
            or part.evidence.bits < PART_BITS
            or last.evidence.bits < PART_BITS
            or not 0 < part.start_line - last.end_line <= NEIGHBOUR_LINES
            or abs(part.origin.start_line - last.origin.end_line) > NEIGHBOUR_ORIGIN_LINES
            or overlap(part.origin, last.origin) >= SAME_REGION  # once copied, twice said: no more evidence
        ):
            merged.append(part)
            continue
        origin = replace(
            last.origin,
            start_line=min(last.origin.start_line, part.origin.start_line),
            end_line=max(last.origin.end_line, part.origin.end_line),
        )
        merged[-1] = replace(
            last, end_line=part.end_line, origin=origin, evidence=last.evidence.joined(part.evidence)
        )
    return merged


def overlap(a: Match | Origin, b: Match | Origin) -> float:
    """Shared lines as a part of the shorter of two ranges."""
    shared = min(a.end_line, b.end_line) - max(a.start_line, b.start_line) + 1
    return max(0, shared) / (min(a.end_line - a.start_line, b.end_line - b.start_line) + 1)


def is_substantial(match: Match) -> bool:
    """Whether enough agrees for an alert, however rare it is: what is less is a lead at most."""
    if match.evidence.tokens < ALERT_TOKENS:
        return False
    return match.standing is None or (
        match.evidence.terms["apart"] >= ALERT_APART and match.end_line - match.start_line + 1 >= ALERT_LINES
    )


def is_alert(match: Match) -> bool:
    """Whether a match is strong enough to be shown to everybody."""
    if match.standing is not None:
        allowed = DERIVED_CHANCE
    else:
        allowed = BACKGROUND_CHANCE if match.origin.background else ALERT_CHANCE
    return match.chance <= allowed and is_substantial(match)


def select(found: Sequence[Match]) -> list[Match]:
    """One match a region: the origin that explains it best; near equals stand under `also`.

    Each licence has its turn first: forty copies under one licence do not hide the copy under another.
    """
    kept: list[Match] = []
    for match in sorted(
        found, key=lambda m: (-m.evidence.bits, m.origin.background, m.origin.purl, m.origin.ref)
    ):
        rival = next((k for k in kept if overlap(k, match) >= SAME_REGION), None)
        if rival is None:
            kept.append(match)
        elif match.evidence.bits >= WITHIN_BEST * rival.evidence.bits and match.origin.ref not in {
            rival.origin.ref,
            *(o.ref for o, _ in rival.also),
        }:
            at = kept.index(rival)
            kept[at] = replace(rival, also=(*rival.also, (match.origin, match.evidence)))
    return [
        replace(m, also=tuple(one_of_each(m.also, lambda pair: pair[0].license)[:MAX_ALSO])) for m in kept
    ]


def one_of_each(ranked: Sequence[Item], key: Callable[[Item], str]) -> list[Item]:
    """The best of each key first, then the rest; otherwise in the order given."""
    seen: set[str] = set()
    first: list[Item] = []
    rest: list[Item] = []
    for item in ranked:
        (rest if key(item) in seen else first).append(item)
        seen.add(key(item))
    return first + rest


def absorb(found: Sequence[Match], copies: Sequence[Match]) -> tuple[list[Match], list[Match]]:
    """(found, copies) where a shown derived match takes the place of the small copies of its origin in it.

    A port that keeps a table or a few lines as they were is one finding, not the table alone.
    """
    left = list(copies)
    out = []
    for match in found:
        inside = [
            c
            for c in left
            if is_alert(match)
            and c.origin.ref == match.origin.ref
            and match.start_line <= c.start_line
            and c.end_line <= match.end_line
            and 2 * (c.end_line - c.start_line + 1) <= match.end_line - match.start_line + 1
        ]
        left = [c for c in left if c not in inside]
        out.append(replace(match, also=(*match.also, *(a for c in inside for a in c.also))[:MAX_ALSO]))
    return out, left


def select_derived(found: Sequence[Match], copies: Sequence[Match]) -> list[Match]:
    """Algorithm-layer matches of regions that no shown copy explains: one alert a region, then leads.

    found: strongest first. Of the same file and overlapping regions only the best stays.
    """
    kept: list[Match] = []
    for match in sorted(found, key=lambda m: (not is_alert(m), -m.strength)):
        rivals = [k for k in (*copies, *kept) if overlap(k, match) >= SAME_REGION]
        told = any(
            k.origin.ref == match.origin.ref or match.origin.ref in {o.ref for o, _ in k.also} for k in rivals
        )
        explained = any(is_alert(k) for k in rivals)
        if told or (explained and is_alert(match)):
            continue
        kept.append(match)
    return kept
