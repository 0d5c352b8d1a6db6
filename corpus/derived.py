"""From ranked candidates of the algorithm layer to matches: rewritten and translated code.

For each of the best candidate files all good local alignments are gathered; those that lie close together on
both sides make one region. What the best other origin agrees in, within that region, is what any code of
this sort agrees in: a derived piece stands above it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corpus.agreement import (
    Agreed,
    Gathered,
    agreed,
    apart,
    rare_numbers,
    rivals,
    sharing,
    standing,
    worth,
)
from corpus.disguise import Candidate, Disguise, IndexedUnit, Part, query_ranges
from corpus.evidence import Evidence, line_pairs
from corpus.fingerprint.features import Elements
from corpus.index.snapshot import FileRef, Index
from corpus.index.tokens import FileTokens
from corpus.languages import Kind
from corpus.local_alignment import compile_pays
from corpus.matches import MAX_ALSO, WITHIN_BEST, Match, Origin
from corpus.null import origin_units
from corpus.purl import package_name
from corpus.query import Query
from corpus.renaming import renaming_bits

CORPUS_FILES = 8
RIVALS = 10
NEAR_LINES = 14
"""Lines of the change between two parts of one region."""

NEAR_ORIGIN_LINES = 250
_FAMILIES = (
    {"c", "cpp", "objc"},
    {"python", "cython"},
    {"fortran", "fortran-fixed"},
    {"javascript", "typescript"},
)


RIVAL_RENAMING = 0.5
"""Part of what the names of another origin foretell that is taken off: names by habit (i, n, x) agree with
everybody's."""

ENOUGH_BACKGROUND = 20
NO_BACKGROUND = 2.1
"""Taken off the standing where an index has no background release, less where it has fewer than so many: what
everybody writes has few rivals there. Beside three, four of 360 functions of permissive packages were
findings that stood too high by up to 1.8 scales of the null."""

NO_RIVAL_IN_LANGUAGE = 1.5
"""Taken off where nothing else in the language of both sides agrees: what marks the language is then taken
for the origin's own (of 50 functions of a Go library, 6 stood above the threshold beside the one Go program
of an index)."""


API_SHARE = 0.25
"""A smaller part is not worth a sentence."""

FEW_SPEAKERS = 3
SPEAKER_FILES = 10
UNSPOKEN = 2.4
"""Taken off where fewer than so many packages have so many files in the language of the change: what
everybody writes in it is rare in the index then, and no rival shares it (three of 23 functions of a Go
library were the strongest of 732 functions, beside one Go program; beside two C libraries five of 120
functions of NumPy and SciPy were findings)."""


def derived(
    query: Query,
    index: Index,
    accept: Callable[[str], bool] = lambda purl: True,
    explained: Sequence[tuple[int, int]] = (),
) -> list[Match]:
    """Matches of the algorithm layer, best first; regions may overlap. Background is never an origin here.

    explained: lines (first, last) of the change that copies explain: they are not searched again.
    """
    unexplained = query.added.copy()
    for first, last in explained:
        unexplained &= (query.line < first) | (query.line > last)
    ranges = query_ranges(query, unexplained)
    if not ranges:
        return []
    disguise = Disguise(query, index, accept, ranges)
    pool = best_of_files(c for number in range(len(disguise.ranges)) for c in disguise.candidates(number))
    chosen = [c for c in pool if not c.background][:CORPUS_FILES]
    if not chosen:
        return []
    others = [c for c in pool if package_name(c.purl) != package_name(chosen[0].purl)][:RIVALS]
    wanted = list(dict.fromkeys((*chosen, *others)))
    thin = thinness(index, query.language, accept)
    gathered = [_gather(query, disguise, c) for c in wanted]
    regions = []
    for one in gathered[: len(chosen)]:
        lines = disguise.tokens(one.candidate.ref).line.astype(np.int64)
        parts = region_of(one.parts, query.line, lines)
        if parts:
            regions.append((one, parts, _held_against(disguise, one.candidate, parts)))
    disguise.spelling.learn(one for *_, held in regions for some in held for one in some)
    matches = (_match(query, index, disguise, *region, gathered, thin) for region in regions)
    found = [match for match in matches if match is not None]
    return sorted(found, key=lambda m: (-m.strength, m.start_line, m.origin.purl))


def thinness(index: Index, language: str, accept: Callable[[str], bool]) -> tuple[float, tuple[str, ...]]:
    """What is taken off each standing because of what the index lacks, and the sentences that say so."""
    off, told = 0.0, []
    background = sum(segment["background"] for segment in index.facts["segments"])
    if background < ENOUGH_BACKGROUND:
        off += NO_BACKGROUND * (1 - background / ENOUGH_BACKGROUND)
        few = f"few background releases ({background}) are" if background else "no background release is"
        told.append(f"{few} indexed, so what is common code can be told less well")
    if speakers(index, language, accept) < FEW_SPEAKERS:
        off += UNSPOKEN
        told.append(f"little {language} is indexed, so what is common in it can be told less well")
    return off, tuple(told)


def speakers(index: Index, language: str, accept: Callable[[str], bool] = lambda purl: True) -> int:
    """How many packages of the index are written in a language or its family, as far as they are accepted."""
    found = set()
    for segment in index.facts["segments"]:
        files = sum(n for one, n in segment["languages"].items() if _same_family(language, one))
        if files >= SPEAKER_FILES and accept(segment["purl"]):
            found.add(package_name(segment["purl"]))
    return len(found)


def best_of_files(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The best unit of each file, best product first; each with the file's best bag score."""
    best: dict[FileRef, Candidate] = {}
    for candidate in candidates:
        known = best.get(candidate.ref)
        if known is None or candidate.product > known.product:
            best[candidate.ref] = candidate
    return sorted(best.values(), key=lambda c: (-c.product, c.purl, c.unit))


def region_of(parts: Sequence[Part], lines: NDArray[np.int64], origin: NDArray[np.int64]) -> list[Part]:
    """The best part and those that join it, growing while they are near on both sides."""
    if not parts:
        return []
    best = max(range(len(parts)), key=lambda i: parts[i].bits)
    taken = [parts[best]]
    low, high = int(lines[taken[0].left[0]]), int(lines[taken[0].left[-1]])
    start, end = int(origin[taken[0].right[0]]), int(origin[taken[0].right[-1]])
    for side in (parts[best + 1 :], parts[:best][::-1]):
        for part in side:
            first, last = int(lines[part.left[0]]), int(lines[part.left[-1]])
            there, until = int(origin[part.right[0]]), int(origin[part.right[-1]])
            if first - high > NEAR_LINES or low - last > NEAR_LINES:
                break
            if there - end > NEAR_ORIGIN_LINES or start - until > NEAR_ORIGIN_LINES:
                continue
            taken.append(part)
            low, high = min(low, first), max(high, last)
            start, end = min(start, there), max(end, until)
    return sorted(taken, key=lambda part: int(part.left[0]))


def _match(
    query: Query,
    index: Index,
    disguise: Disguise,
    one: Gathered,
    parts: Sequence[Part],
    held: Sequence[Sequence[Elements]],
    gathered: Sequence[Gathered],
    thin: tuple[float, tuple[str, ...]],
) -> Match | None:
    """parts: the region; held: what its words and numbers are held against."""
    ref = one.candidate.ref
    tokens = disguise.tokens(ref)
    lines = tokens.line.astype(np.int64)
    left = np.concatenate([p.left for p in parts])
    right = np.concatenate([p.right for p in parts])
    mine = query.added[left]
    if not mine.any():
        return None
    first, last = int(left[0]), int(left[-1])
    terms = worth(query, parts, first, last)
    bits = max(1.0, sum(terms.values()))
    here = agreed(query, gathered, first, last)
    also = _copies(index, disguise, bits, first, last, one, here)
    against = rivals(one, here)
    others = [other for other, _ in against]
    height = standing(one, bits, against)
    renaming = _renaming(query, tokens, left[mine], right[mine])
    renaming = max(0.0, renaming - RIVAL_RENAMING * max((o.renaming for o in others), default=0.0))
    alone = apart(query, one, first, last, others)
    height -= thin[0]
    discounts = thin[1]
    same = _same_family(query.language, index.file(ref).language)
    if same and not any(_same_family(query.language, index.file(o.candidate.ref).language) for o in others):
        height -= NO_RIVAL_IN_LANGUAGE
        discounts += (f"nothing else in {query.language} is near, so the language's own ways may be meant",)
    shared = sharing(bits, against)
    if shared > 1:
        discounts += (f"shared: {shared} other packages agree in half of this or more",)
    discounts += _used(query, left[mine])
    left, right = left[mine], right[mine]
    between = disguise.tokens_between(first, last)
    evidence = Evidence(
        kind="rewritten" if same else "translated",
        similarity=min(1.0, len(left) / max(1, len(between))),
        containment_region=min(1.0, len(left) / max(1, len(between))),
        containment_origin=_share_of(disguise.unit(one.candidate.unit), right),
        tokens=len(left),
        longest_run=_longest_run(left, right),
        bits=bits,
        terms={
            **terms,
            "renaming": renaming,
            "apart": alone,
            "numbers": float(rare_numbers(query, parts, first, last)),
            "spread": _spread(query.line[left], lines[right]),
            "resemblance": max(disguise.spelling.resemblance(first, last + 1, other) for other in held),
            "bag": one.candidate.bag,
            "standing": height,
        },
        line_pairs=line_pairs(query.line[left], lines[right]),
        renames=_renames(query, index, disguise, one.candidate, left, right),
        discounts=discounts,
    )
    numbers = query.line[left]
    found = Match(
        query.path,
        int(numbers.min()),
        int(numbers.max()),
        _origin(index, one.candidate, lines[right]),
        evidence,
        standing=height,
        also=tuple((origin, evidence) for origin in also),
    )
    return replace(found, chance=index.null.derived.chance(found.strength, origin_units(index.facts)))


def _held_against(
    disguise: Disguise, candidate: Candidate, parts: Sequence[Part]
) -> tuple[Sequence[Elements], Sequence[Elements]]:
    """The whole unit of the origin, and the stretches of its file that agree: a change may bring a part."""
    unit = disguise.unit(candidate.unit).elements
    stretches = [disguise.stretch(candidate, int(p.right[0]), int(p.right[-1])) for p in parts]
    return [unit], stretches


def _used(query: Query, left: NDArray[np.int64]) -> tuple[str, ...]:
    """What is said of names that agree and belong to an API. left: tokens that agree."""
    names = left[query.kind[left] == Kind.NAME]
    used = int(query.api[names].sum())
    if not used or used < API_SHARE * len(names):
        return ()
    return (f"api: {used} of {len(names)} names that agree belong to the language's or an imported library",)


def _spread(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    """How much longer the region of the change is than the origin's lines (natural logarithm), 0 at least."""
    return max(0.0, math.log((int(np.ptp(ours)) + 1) / (int(np.ptp(theirs)) + 1)))


def _share_of(unit: IndexedUnit, right: NDArray[np.int64]) -> float:
    """The part of a unit's elements that agree. right: tokens of its file that do."""
    return float(np.isin(unit.elements.at + unit.first, right).sum()) / max(1, len(unit.elements.at))


def _origin(index: Index, candidate: Candidate, lines: NDArray[np.int64]) -> Origin:
    """lines: those of the candidate's file that agree."""
    return Origin(
        candidate.ref,
        candidate.purl,
        candidate.background,
        int(lines.min()),
        int(lines.max()),
        index.file(candidate.ref).license.expression,
    )


def _copies(
    index: Index,
    disguise: Disguise,
    bits: float,
    first: int,
    last: int,
    one: Gathered,
    others: Sequence[Agreed],
) -> list[Origin]:
    """Other files that hold the same code and agree as well: one of them may be under another licence."""
    found = []
    for other, theirs in others:
        same = other.candidate.cluster == one.candidate.cluster and other.candidate.ref != one.candidate.ref
        if same and theirs >= WITHIN_BEST * bits:
            lines = disguise.tokens(other.candidate.ref).line.astype(np.int64)
            right = np.concatenate([p.right[(p.left >= first) & (p.left <= last)] for p in other.parts])
            found.append(_origin(index, other.candidate, lines[right]))
    return found[:MAX_ALSO]


def _same_family(one: str, other: str) -> bool:
    return one == other or any({one, other} <= family for family in _FAMILIES)


def _longest_run(left: NDArray[np.int64], right: NDArray[np.int64]) -> int:
    """Most matched elements in a row with at most one token between them on both sides."""
    breaks = np.flatnonzero((np.diff(left) > 2) | (np.diff(right) > 2))
    return int(np.diff(np.concatenate(([-1], breaks, [len(left) - 1]))).max())


def _gather(query: Query, disguise: Disguise, candidate: Candidate) -> Gathered:
    parts = disguise.parts(candidate)
    if not parts:
        return Gathered(candidate, parts, 0.0)
    left, right = (np.concatenate([getattr(p, side) for p in parts]) for side in ("left", "right"))
    mine = query.added[left]
    tokens = disguise.tokens(candidate.ref)
    return Gathered(candidate, parts, _renaming(query, tokens, left[mine], right[mine]))


def _named(
    query: Query, tokens: FileTokens, left: NDArray[np.int64], right: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The aligned pairs of names."""
    named = (query.kind[left] == Kind.NAME) & (tokens.kind[right] == Kind.NAME)
    return left[named], right[named]


def _renaming(query: Query, tokens: FileTokens, left: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    left, right = _named(query, tokens, left, right)
    theirs = tokens.vocab[right].astype(np.uint64)
    return renaming_bits(query.raw[left], theirs, compiled=compile_pays(0))


def _renames(
    query: Query,
    index: Index,
    disguise: Disguise,
    candidate: Candidate,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
) -> dict[str, str]:
    """Names that stand for another name at least twice, and mostly."""
    tokens, segment = disguise.tokens(candidate.ref), index.segment(candidate.ref.segment)
    left, right = _named(query, tokens, left, right)
    votes: dict[bytes, dict[int, int]] = {}
    for q, t in zip(left.tolist(), tokens.vocab[right].tolist(), strict=True):
        row = votes.setdefault(query.spelling[q], {})
        row[t] = row.get(t, 0) + 1
    out = {}
    for name, row in sorted(votes.items()):
        best = max(row, key=row.__getitem__)
        if row[best] >= 2 and 2 * row[best] > sum(row.values()):
            ours, theirs = name.decode("utf-8", "replace"), segment.spelling(best)
            if ours != theirs:
                out[ours] = theirs
    return out
