"""Changed file × index → matches: candidates by shared fingerprints, confirmed by alignment, one a region.

Pure: an `Index` and values in, values out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from corpus.align import Alignment, align
from corpus.derived import derived
from corpus.disguise import distinct_counts
from corpus.evidence import IDIOM, IDIOM_PACKAGES, MAX_RARITY, Evidence, Scales, scales, told, weigh
from corpus.index.record import UNIT_KINDS
from corpus.index.snapshot import FileRef, Index
from corpus.index.table import COMMON
from corpus.index.tokens import FileTokens
from corpus.local_alignment import compile_pays
from corpus.matches import (
    ALERT_TOKENS,
    SAME_REGION,
    Match,
    Origin,
    absorb,
    is_alert,
    merge_neighbours,
    one_of_each,
    overlap,
    select,
    select_derived,
)
from corpus.params import Params
from corpus.purl import package_name
from corpus.query import Query

CANDIDATES = 30
PER_PRINT = 5
"""For each fingerprint the best so many of the files with it are aligned: every region gets its turn."""

LEAST_BITS = 20.0

WINDOW = UNIT_KINDS.index("window")
LEAST_TOUCHED = 8
"""Tokens from which a match touches a function of its origin."""


Accept = Callable[[str], bool]
"""Whether a release, by its purl, may be an origin."""


@dataclass(frozen=True, slots=True)
class Prints:
    """Fingerprints of a query that the index knows: position, length, snapshot file, number of origins and of
    packages that have it.
    """

    at: NDArray[np.int64]
    length: NDArray[np.int64]
    file: NDArray[np.int64]
    origins: NDArray[np.int64]
    packages: NDArray[np.int64]
    common_at: NDArray[np.int64]
    common_length: NDArray[np.int64]


def find_prints(query: Query, index: Index, params: Params) -> Prints:
    """Look up all fingerprints of a query in both layers."""
    segments = index.facts["segments"]
    first = np.array([segment["first_unit"] for segment in segments])
    names = [package_name(segment["purl"]) for segment in segments]
    packages = np.unique(names, return_inverse=True)[1].astype(np.uint32)
    columns: list[list[NDArray[np.int64]]] = [[] for _ in range(7)]
    for layer, (keys, at), k in (
        ("literal", query.literal, params.literal_k),
        ("renamed", query.renamed_prints, params.renamed_k),
    ):
        which, unit = index.postings(layer, keys)
        common = unit >= COMMON
        columns[5].append(at[which[common]])
        columns[6].append(np.full(int(common.sum()), k))
        which, unit = which[~common], unit[~common]
        columns[0].append(at[which])
        columns[1].append(np.full(len(which), k))
        columns[2].append(index.files_of(unit))
        columns[3].append(distinct_counts(which, index.clusters(unit), len(keys))[which])
        columns[4].append(
            distinct_counts(which, packages[first.searchsorted(unit, "right") - 1], len(keys))[which]
        )
    return Prints(*(np.concatenate(c).astype(np.int64) for c in columns))


def idioms(query: Query, prints: Prints) -> NDArray[np.bool_]:
    """Tokens that stand only in runs shared by many packages."""
    n = len(query)
    often = prints.packages >= IDIOM_PACKAGES
    return _covered(n, np.concatenate([prints.at[often], prints.common_at]),
                    np.concatenate([prints.length[often], prints.common_length])) & ~_covered(
        n, prints.at[~often], prints.length[~often]
    )  # fmt: skip


def _covered(n: int, at: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.bool_]:
    edges = np.zeros(n + 1, np.int64)
    np.add.at(edges, at, 1)
    np.add.at(edges, np.minimum(at + length, n), -1)
    return np.cumsum(edges[:-1]) > 0


def accepted(files: NDArray[np.int64], index: Index, accept: Accept) -> NDArray[np.bool_]:
    """Which of the snapshot-wide file numbers belong to a release that may be an origin."""
    distinct, inverse = np.unique(files, return_inverse=True)
    segments = [index.ref(number).segment for number in distinct.tolist()]
    verdict = {number: accept(index.segment(number).facts.purl) for number in set(segments)}
    allowed: NDArray[np.bool_] = np.array([verdict[number] for number in segments], bool)[inverse]
    return allowed


def candidates(query: Query, prints: Prints, index: Index, accept: Accept) -> list[int]:
    """Snapshot-wide numbers of the files worth aligning, best first."""
    touches = _touches_added(query, prints) & accepted(prints.file, index, accept)
    at, file, origins = prints.at[touches], prints.file[touches], prints.origins[touches]
    score: dict[int, float] = {}
    if len(at):
        weight = np.log2((index.facts["clusters"] + 1) / (origins + 1))
        rows = np.unique(np.stack((file, at), axis=1), axis=0, return_index=True)[1]
        files, where = np.unique(file[rows], return_inverse=True)
        sums, counts = np.bincount(where, weight[rows]), np.bincount(where)
        score = {
            f: s for f, s, c in zip(files.tolist(), sums.tolist(), counts.tolist(), strict=True) if c >= 2
        }
    chosen: set[int] = set()
    license_of = cache(lambda f: index.file(index.ref(f)).license.expression)
    order = np.argsort(at, kind="stable")
    starts = np.flatnonzero(at[order][1:] != at[order][:-1]) + 1
    told: set[bytes] = set()  # neighbouring fingerprints are mostly those of the same files
    for group in np.split(file[order], starts):
        if (files_here := group.tobytes()) in told:
            continue
        told.add(files_here)
        ranked = sorted({f for f in group.tolist() if f in score}, key=lambda f: -score[f])
        if len(ranked) > PER_PRINT:
            ranked = one_of_each(ranked, license_of)
        chosen.update(ranked[:PER_PRINT])
    best = sorted(chosen, key=lambda f: (-score[f], f))[:CANDIDATES]
    return best + [f for f in near_copies(query, index, accept) if f not in chosen][:PER_PRINT]


def _touches_added(query: Query, prints: Prints) -> NDArray[np.bool_]:
    total = np.concatenate(([0], np.cumsum(query.added)))
    last = np.minimum(prints.at + prints.length, len(query))
    touches: NDArray[np.bool_] = (total[last] - total[prints.at]) > 0
    return touches


def near_copies(query: Query, index: Index, accept: Accept) -> list[int]:
    """Files with a unit that MinHash LSH proposes, most bands first."""
    if not len(query.bands):
        return []
    _, unit = index.postings("lsh", query.bands.ravel())
    found = index.files_of(unit)
    files, count = np.unique(found[accepted(found, index, accept)], return_counts=True)
    return [int(f) for f in files[np.argsort(-count, kind="stable")]]


def match(query: Query, index: Index, params: Params, accept: Accept = lambda purl: True) -> list[Match]:
    """All matches of a changed file, best first. accept: which releases may be an origin."""
    if not query.added.any():
        return []
    prints = find_prints(query, index, params)
    idiom = idioms(query, prints)
    files = index.facts["files"]
    rarity = np.log2((files + 1) / (index.word_files(query.raw) + 1)).clip(0.0, MAX_RARITY)
    scale = scales(query, rarity, idiom)
    weight = np.where(idiom, IDIOM, 1.0) * np.where(query.added, 1.0, 0.25)
    found: list[Match] = []
    tokens = cache(index.tokens)
    compiled = compile_pays(0)  # where it is loaded already
    for number in candidates(query, prints, index, accept):
        ref = index.ref(number)
        purl = index.segment(ref.segment).facts.purl
        target = tokens(ref)
        parts = [
            _confirm(query, index, ref, purl, target, alignment, scale, compiled=compiled)
            for alignment in align(query.renamed, target.renamed, weight, LEAST_BITS, compiled=compiled)
            if query.added[alignment.left].sum() >= ALERT_TOKENS / 2
        ]
        found += merge_neighbours(parts)
    copies = [_told(m, query, index, tokens) for m in _weighed(select(found), found, index)]
    shown = [m for m in copies if is_alert(m)]
    rewritten = derived(query, index, accept, [(m.start_line, m.end_line) for m in shown])
    rewritten, copies = absorb(rewritten, copies)
    return copies + select_derived(rewritten, [m for m in copies if is_alert(m)])


def _weighed(chosen: Sequence[Match], found: Sequence[Match], index: Index) -> list[Match]:
    """The chosen matches with what is taken off for the best copy of another origin, and their chance.

    The same is taken off for those under `also`: they explain the same region.
    """
    clusters = cache(lambda origin: _clusters(index, origin))
    ranked = sorted(found, key=lambda m: -m.evidence.bits)

    def is_rival(other: Match, match: Match) -> bool:
        return (
            package_name(other.origin.purl) != package_name(match.origin.purl)
            and overlap(other, match) >= SAME_REGION
            and clusters(match.origin).isdisjoint(clusters(other.origin))
        )

    out = []
    for match in chosen:
        rival = next((other.evidence.bits for other in ranked if is_rival(other, match)), 0.0)
        evidence = match.evidence.beside(rival)
        also = tuple((origin, other.beside(rival)) for origin, other in match.also)
        chance = index.null.copies.chance(evidence.bits, index.units)
        out.append(replace(match, evidence=evidence, also=also, chance=chance))
    return sorted(out, key=lambda m: (-m.evidence.bits, m.origin.purl, m.origin.ref))


def _told(match: Match, query: Query, index: Index, tokens: Callable[[FileRef], FileTokens]) -> Match:
    """The match with the lines and names of all its origins."""

    def explained(origin: Origin, evidence: Evidence) -> Evidence:
        segment = index.segment(origin.ref.segment)
        return told(query, tokens(origin.ref), segment.spelling, evidence)

    also = tuple((origin, explained(origin, evidence)) for origin, evidence in match.also)
    return replace(match, evidence=explained(match.origin, match.evidence), also=also)


def _clusters(index: Index, origin: Origin) -> frozenset[int]:
    """Origin clusters of the code units that the lines of an origin touch."""
    file = index.file(origin.ref)
    units = index.segment(origin.ref.segment).units.slice(file.first_unit, file.last_unit)
    touched = (units["start_line"] <= origin.end_line) & (units["end_line"] >= origin.start_line)
    numbers = index.first_unit(origin.ref) + np.flatnonzero(touched)
    return frozenset(index.clusters(numbers.astype(np.uint32)).tolist())


def _confirm(
    query: Query, index: Index, ref: FileRef, purl: str, target: FileTokens, alignment: Alignment,
    scale: Scales, *, compiled: bool,
) -> Match:  # fmt: skip
    _, _, start, end = alignment.extent
    segment = index.segment(ref.segment)
    evidence = weigh(query, target, alignment, scale, _unit_tokens(index, ref, start, end), compiled=compiled)
    left = alignment.left[query.added[alignment.left]]
    lines = target.line[[start, end]]
    origin = Origin(
        ref, purl, segment.facts.background, int(lines[0]), int(lines[1]), index.file(ref).license.expression
    )
    first, last = query.line[left[[0, -1]]].tolist()
    return Match(query.path, first, last, origin, evidence)


def _unit_tokens(index: Index, ref: FileRef, start: int, end: int) -> int:
    """Tokens of the origin's functions that a match touches (windows left out), at least the match itself."""
    file = index.file(ref)
    units = index.segment(ref.segment).units.slice(file.first_unit, file.last_unit)
    units = units[units["kind"] != WINDOW]
    first, last = units["first"].astype(np.int64), units["last"].astype(np.int64)
    touched = np.minimum(last, end + 1) - np.maximum(first, start) >= LEAST_TOUCHED
    return max(int((last - first)[touched].sum()), end - start + 1)


__all__ = ["Match", "Origin", "candidates", "find_prints", "is_alert", "match", "select"]
