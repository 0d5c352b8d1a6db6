"""In what a change and the origins that resemble it agree, and how far one origin stands above the others.

Agreements are aligned tokens of the algorithm layer with the bits of each; a region is a token range of the
submitted file, and only its added lines count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.disguise import Candidate, Part
from corpus.languages import Kind
from corpus.purl import package_name
from corpus.query import Query

AGAIN = 0.35
"""What a name or number counts for that the region has had."""

VALUES_SHARE = 2.0
WORDS_SHARE = 1.2
WORDS_FREE = 10.0
"""Words alone are a common subject or a common library (glue), numbers alone a common table: they count as
far as what is done with them agrees too."""

SKIPPED = 0.5
SECOND_ALIGNED = 4.0
SECOND_BAG = 0.5
LEAST_RIVAL = (18.0, 1.5)
"""What some origin of the world would agree in (bits, bag score) even where a small index holds none such.
Chosen by hand: with a background, the best rivals of honest functions mostly reach more."""

RARE_BITS = 3.0
"""An agreement of fewer bits is one in what much code says."""

SHARED = 0.5
"""Part of the bits of a region from which another origin is said to share it."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A candidate with the parts of its file that agree with the change.

    renaming: bits by which names stand for each other in all of them.
    """

    candidate: Candidate
    parts: list[Part]
    renaming: float


Agreed = tuple[Gathered, float]
"""A candidate and the bits that it agrees in within a region."""


def worth(query: Query, parts: Sequence[Part], first: int, last: int) -> dict[str, float]:
    """Bits of the pairs within a token range of the query, by what agrees; added lines only.

    values: numbers; words: names and strings; structure: operators and control flow; skipped: what the
    alignments passed over (negative). A name or number counts in full once: an agreement is not two.
    """
    left, weight = agreements(query, parts, first, last)
    weight = np.where(_fresh(query, left), 1.0, AGAIN) * weight
    named, numbered = _classes(query, left)
    values, words = float(weight[numbered].sum()), float(weight[named].sum())
    structure = float(weight[~named & ~numbered].sum())
    share = len(left) / max(1, sum(len(part.left) for part in parts))
    return {
        "values": min(values, VALUES_SHARE * (structure + words)),
        "words": min(words, WORDS_SHARE * (structure + values) + WORDS_FREE),
        "structure": structure,
        "skipped": -SKIPPED * share * sum(float(part.weight.sum()) - part.bits for part in parts),
    }


def agreements(
    query: Query, parts: Sequence[Part], first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Matched tokens of a range of the query, added lines only, and the bits of each."""
    if not parts:
        return np.empty(0, np.int64), np.empty(0)
    left = np.concatenate([part.left for part in parts])
    weight = np.concatenate([part.weight for part in parts])
    inside = (left >= first) & (left <= last) & query.added[left]
    return left[inside], weight[inside]


def sharing(bits: float, others: Sequence[Agreed]) -> int:
    """How many packages of other origins agree in at least SHARED of the bits of a region."""
    return len({package_name(o.candidate.purl) for o, theirs in others if theirs >= SHARED * bits})


def _classes(query: Query, at: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which tokens are names or strings, and which are numbers."""
    kind = query.kind[at]
    return (kind == Kind.NAME) | (kind == Kind.STRING), kind == Kind.NUMBER


def _fresh(query: Query, at: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the tokens count in full: operators, and the first of each name and number."""
    named, numbered = _classes(query, at)
    fresh = ~(named | numbered)
    fresh[np.unique(query.raw[at], return_index=True)[1]] = True
    return fresh


def apart(query: Query, one: Gathered, first: int, last: int, others: Sequence[Gathered]) -> float:
    """Bits that an origin agrees in where no other one agrees as much: glue and idioms have none."""
    left, weight = agreements(query, one.parts, first, last)
    weight = np.where(_fresh(query, left), 1.0, AGAIN) * weight
    best = np.zeros(len(query))
    for other in others:
        at, bits = agreements(query, other.parts, first, last)
        np.maximum.at(best, at, bits)
    return float(np.maximum(0.0, weight - best[left]).sum())


def rare_numbers(query: Query, parts: Sequence[Part], first: int, last: int) -> int:
    """How many different numbers worth RARE_BITS or more agree in a token range of the query."""
    left, weight = agreements(query, parts, first, last)
    rare = left[(weight >= RARE_BITS) & (query.kind[left] == Kind.NUMBER)]
    return len(np.unique(query.raw[rare]))


def agreed(query: Query, gathered: Sequence[Gathered], first: int, last: int) -> list[Agreed]:
    """Each candidate with the bits that it agrees in within a region."""
    return [(one, sum(worth(query, one.parts, first, last).values())) for one in gathered]


def rivals(one: Gathered, others: Sequence[Agreed]) -> list[Agreed]:
    """Those of another origin: copies (same cluster) and other files of the package are none."""
    package, cluster = package_name(one.candidate.purl), one.candidate.cluster
    return [
        (o, bits)
        for o, bits in others
        if package_name(o.candidate.purl) != package and o.candidate.cluster != cluster
    ]


def standing(one: Gathered, bits: float, others: Sequence[Agreed]) -> float:
    """How far an origin stands above the best of its rivals in a region (natural logarithms)."""
    found = [(max(0.0, theirs), o.candidate.bag) for o, theirs in others]
    aligned, bag = max(found, key=lambda r: r[0] * r[1], default=LEAST_RIVAL)
    aligned, bag = max(aligned, LEAST_RIVAL[0]), max(bag, LEAST_RIVAL[1])
    return math.log(bits / (aligned + SECOND_ALIGNED)) + math.log(one.candidate.bag / (bag + SECOND_BAG))
