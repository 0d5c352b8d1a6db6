"""From ranked candidates of the algorithm layer to matches: rewritten and translated code."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from corpus.disguise import Candidate, Disguise, standing
from corpus.evidence import Evidence, line_pairs
from corpus.index.snapshot import Index
from corpus.languages import Kind
from corpus.matches import Match, Origin
from corpus.purl import package_name
from corpus.query import Query

PER_RANGE = 5
"""Candidates of one range that become matches: one may be an alert, all may be leads."""

_FAMILIES = (
    {"c", "cpp", "objc"},
    {"python", "cython"},
    {"fortran", "fortran-fixed"},
    {"javascript", "typescript"},
)


def derived(query: Query, index: Index, accept: Callable[[str], bool] = lambda purl: True) -> list[Match]:
    """Matches of the algorithm layer, best first; regions may overlap. Background is never an origin here."""
    disguise = Disguise(query, index, accept)
    found: list[Match] = []
    for number in range(len(disguise.ranges)):
        ranked = disguise.candidates(number)
        for place, candidate in enumerate(c for c in ranked[:PER_RANGE] if not c.background):
            best = place == 0 and candidate is ranked[0]
            height = standing(ranked, package_name) if best else -math.inf
            match = _match(query, index, disguise, candidate, height)
            if match is not None:
                found.append(match)
    return sorted(found, key=lambda m: (-m.rank, m.start_line, m.origin.purl))


def _match(
    query: Query, index: Index, disguise: Disguise, candidate: Candidate, height: float
) -> Match | None:
    mine = query.added[candidate.left]
    if not mine.any():
        return None
    left, right = candidate.left[mine], candidate.right[mine]
    segment, lines, _ = disguise.file(candidate.ref)
    start, end = int(lines[right].min()), int(lines[right].max())
    first, last = int(query.line[left].min()), int(query.line[left].max())
    language = index.file(candidate.ref).language
    evidence = Evidence(
        kind="rewritten" if _same_family(query.language, language) else "translated",
        similarity=_share(disguise, candidate),
        containment_region=_share(disguise, candidate),
        containment_origin=min(1.0, len(candidate.left) / max(1, disguise.unit_elements(candidate))),
        tokens=len(left),
        longest_run=_longest_run(left, right),
        bits=candidate.aligned,
        terms={"aligned": candidate.aligned, "bag": candidate.bag, "standing": height},
        line_pairs=line_pairs(query.line[left], lines[right].astype(np.int64)),
        renames=_renames(query, index, candidate, left, right),
        discounts=(),
    )
    origin = Origin(candidate.ref, candidate.purl, candidate.background, start, end)
    return Match(
        query.path,
        first,
        last,
        origin,
        evidence,
        standing=height,
        rank=math.log(max(candidate.product, 1e-9)),
    )


def _same_family(one: str, other: str) -> bool:
    return one == other or any({one, other} <= family for family in _FAMILIES)


def _share(disguise: Disguise, candidate: Candidate) -> float:
    """Matched elements as a part of the elements between the first and the last of the region."""
    spanned = disguise.elements_between(int(candidate.left[0]), int(candidate.left[-1]))
    return min(1.0, len(candidate.left) / max(1, spanned))


def _longest_run(left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    """Most matched elements in a row with at most one token between them on both sides."""
    if not len(left):
        return 0
    breaks = np.flatnonzero((np.diff(left) > 2) | (np.diff(right) > 2))
    return int(np.diff(np.concatenate(([-1], breaks, [len(left) - 1]))).max())


def _renames(
    query: Query, index: Index, candidate: Candidate, left: NDArray[np.int64], right: NDArray[np.int64]
) -> dict[str, str]:
    """Names that stand for another name at least twice, and mostly."""
    tokens, segment = index.tokens(candidate.ref), index.segment(candidate.ref.segment)
    votes: dict[bytes, dict[int, int]] = {}
    for q, t in zip(left.tolist(), right.tolist(), strict=True):
        if query.kind[q] == Kind.NAME and tokens.kind[t] == Kind.NAME:
            row = votes.setdefault(query.spelling[q], {})
            row[int(tokens.vocab[t])] = row.get(int(tokens.vocab[t]), 0) + 1
    out = {}
    for name, row in sorted(votes.items()):
        best = max(row, key=row.__getitem__)
        if row[best] >= 2 and 2 * row[best] > sum(row.values()):
            ours, theirs = name.decode("utf-8", "replace"), segment.spelling(best)
            if ours != theirs:
                out[ours] = theirs
    return out
