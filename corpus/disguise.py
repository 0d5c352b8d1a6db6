"""The algorithm layer: code that was rewritten or translated, found by what it computes.

Candidates share rare features (bag score); each is aligned over its elements, weighted by information; the
product of both ranks them. A derived piece stands alone; idioms, glue and textbook code resemble many origins
about equally, so the best candidate is compared with the best of any other origin (background included).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.features import Elements, elements, unit_features, vocabulary_elements
from corpus.fingerprint.hashing import U64
from corpus.index.build import rarity
from corpus.index.packed import order_of
from corpus.index.segment import Segment
from corpus.index.snapshot import FileRef, Index
from corpus.index.table import COMMON
from corpus.index.tokens import FileTokens
from corpus.local_alignment import best_local, best_score, compile_pays
from corpus.pair_scores import Weighed, pair_scores, weighed
from corpus.query import Query
from corpus.resemblance import Spelling, spelled

CORPUS_CANDIDATES = 40
BACKGROUND_CANDIDATES = 16
MOST_RANKED = 2000
RANKED_FIRST = 250
TOKENS_KEPT = 512
"""Files whose tokens are kept for a change: its functions share many of their candidates."""

LEAST_TOKENS = 25
MOST_ELEMENTS = 1500
SURROUNDINGS = 1000
"""Tokens of the origin's file before and behind a candidate that are aligned too."""

LEAST_PART_BITS = 10.0
LEAST_PART_ELEMENTS = 6
MOST_PARTS_OF_FILE = 12

GAP = 45
"""In hundredths of a bit, as the scores of `corpus.pair_scores`."""

BAG_FLOOR = 300.0
"""Bits added under the root of the bag score: small units must not win by being small."""

PROPOSING_FLOOR = 800.0
PROPOSING_GRAMS = 0.3
"""What proposes candidates counts runs of operators for less than numbers and words, and favours small units
less: rewriting changes the order of operators, and another language has others. Of 129 rewritten and 123
translated functions of the whole corpus, 0.73 and 0.64 have their source among the first 64 so; by the bag
score 0.67 and 0.52. As evidence the bag score stays: it tells derived code from chance as well, and the null
was measured with it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One aligned unit of the index. aligned: bits of the local alignment. bag: see `Sharing`."""

    unit: int
    ref: FileRef
    purl: str
    background: bool
    cluster: int
    aligned: float
    bag: float

    @property
    def product(self) -> float:
        return self.aligned * self.bag


@dataclass(frozen=True, slots=True)
class Part:
    """One local alignment. left, right: token indices of matched elements (query; file of the origin).

    bits: its score. weight: bits of each pair.
    """

    bits: float
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IndexedUnit:
    """A unit of the index: its file, index of its first token there, origin cluster, elements (from 0 on)."""

    ref: FileRef
    first: int
    cluster: int
    elements: Elements


@dataclass(frozen=True, slots=True)
class Lookup:
    """Features of a whole query as the index knows them: sorted keys, rarity in bits, postings by key.

    units: the distinct units of all postings, ascending; which: for each posting its unit, numbered there.
    """

    keys: U64
    bits: NDArray[np.float64]
    start: NDArray[np.int64]
    units: NDArray[np.int64]
    which: NDArray[np.int64]


def look_up(keys: U64, index: Index, accept: Callable[[str], bool] = lambda purl: True) -> Lookup:
    """All features at once: one table lookup a scan. keys: sorted, distinct.

    What stands in releases that are not accepted counts for nothing, in frequencies neither (as far as the
    units are known: common features keep their count).
    """
    which, unit = index.postings("algorithm", keys)
    segments = index.facts["segments"]
    accepted = np.array([accept(segment["purl"]) for segment in segments], bool)
    if not accepted.all():
        first = np.array([segment["first_unit"] for segment in segments])
        keep = (unit >= COMMON) | accepted[np.searchsorted(first, unit, "right") - 1]
        which, unit = which[keep], unit[keep]
    origins = np.zeros(len(keys))
    common = unit >= COMMON
    origins[which[common]] = unit[common].astype(np.float64) - COMMON
    which, unit = which[~common], unit[~common]
    origins += distinct_counts(which, index.clusters(unit), len(keys))
    start = np.searchsorted(which, np.arange(len(keys) + 1))
    return Lookup(keys, rarity(origins, int(index.facts["clusters"])), start, *numbered(unit))


def numbered(values: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct values, ascending, and for each value where it stands there."""
    order = order_of(values)
    ranked = values[order]
    new = np.ones(len(values), bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    where = np.empty(len(values), np.int64)
    where[order] = np.cumsum(new) - 1
    return ranked[new].astype(np.int64), where


def first_of(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Indices of the `most` smallest values, ascending; equal ones in the order given."""
    if len(values) <= most:
        return np.argsort(values, kind="stable")
    some = np.flatnonzero(values <= np.partition(values, most - 1)[most - 1])
    return some[np.argsort(values[some], kind="stable")][:most]


def distinct_counts(which: NDArray[np.int64], of: NDArray[np.uint32], keys: int) -> NDArray[np.int64]:
    """How many distinct values each of the keys (numbered from 0) has among its postings."""
    order = order_of(of)
    order = order[order_of(which[order].astype(np.uint32))]
    which, of = which[order], of[order]
    new = np.ones(len(order), bool)
    new[1:] = (which[1:] != which[:-1]) | (of[1:] != of[:-1])
    return np.bincount(which[new], minlength=keys)


@dataclass(frozen=True, slots=True)
class Sharing:
    """Units that share features with a range of a query, ascending: the bag score of each, shared bits /
    √(all bits of the unit + BAG_FLOOR), and how much it is worth to align it.
    """

    units: NDArray[np.int64]
    bag: NDArray[np.float64]
    proposal: NDArray[np.float64]


def sharing_units(found: Lookup, keys: U64, spelled: U64, index: Index) -> Sharing:
    """The units that share some of `keys`. spelled: the numbers and words among the query's features."""
    at = np.searchsorted(found.keys, keys)
    counts = found.start[at + 1] - found.start[at]
    offsets = np.repeat(found.start[at] - (np.cumsum(counts) - counts), counts)
    numbered = found.which[np.arange(len(offsets)) + offsets]
    bits = np.repeat(found.bits[at], counts)
    shared = np.bincount(numbered, bits, len(found.units))
    grams = np.repeat(~np.isin(keys, spelled), counts)
    structure = np.bincount(numbered[grams], bits[grams], len(found.units))
    some = np.flatnonzero(shared)
    units, shared, structure = found.units[some], shared[some], structure[some]
    weights = index.weights(units).astype(np.float64)
    return Sharing(
        units,
        shared / np.sqrt(weights + BAG_FLOOR),
        (shared - (1 - PROPOSING_GRAMS) * structure) / np.sqrt(weights + PROPOSING_FLOOR),
    )


class Disguise:
    """One changed file against the index: features, elements and tokens of both sides, made once."""

    def __init__(
        self, query: Query, index: Index, accept: Callable[[str], bool], ranges: list[tuple[int, int]]
    ) -> None:
        self._query, self._index, self._accept = query, index, accept
        spelling, ids = _distinct(query)
        self._made = elements(query.kind, query.neutral, query.renamed, ids, spelling)
        self._first = np.array([a for a, _ in ranges], np.int64)
        self._last = np.array([b for _, b in ranges], np.int64)
        self.ranges = ranges
        self._keys, self._owner = unit_features(self._made, self._first, self._last)
        self._spelled = spelled([self._made])
        known = np.unique(np.concatenate((self._keys, self._spelled)))
        self._found = look_up(known, index, accept)
        api = query.api[self._made.at]
        self._weighed = weighed(self._made, self._found.keys, self._found.bits, api)
        self.spelling = Spelling(self._made, api, self._found.keys, self._found.bits, self._rarity)
        self.tokens = lru_cache(maxsize=TOKENS_KEPT)(index.tokens)
        self._units: dict[int, IndexedUnit] = {}
        self._around: dict[int, tuple[int, Elements]] = {}

    def _rarity(self, keys: U64) -> NDArray[np.float64]:
        return look_up(keys, self._index, self._accept).bits

    def candidates(self, number: int) -> list[Candidate]:
        """Aligned candidates of one range, best product first."""
        shared = sharing_units(self._found, self._keys[self._owner == number], self._spelled, self._index)
        first, last = self.ranges[number]
        mine = self._weighed.part(first, last, MOST_ELEMENTS)
        chosen = list(self._choose(shared))
        compiled = compile_pays(len(mine.value) * 250 * len(chosen))
        found = (self._align(mine, unit, score, compiled=compiled) for unit, score in chosen)
        return sorted((c for c in found if c is not None), key=lambda c: (-c.product, c.purl, c.unit))

    def tokens_between(self, first: int, last: int) -> NDArray[np.int64]:
        """Tokens of the query that say something, from token first to token last (inclusive)."""
        low, high = np.searchsorted(self._made.at, (first, last + 1)).tolist()
        return self._made.at[low:high]

    def stretch(self, candidate: Candidate, first: int, last: int) -> Elements:
        """The elements of tokens first..last (inclusive) of a candidate's file, which `parts` has read."""
        start, theirs = self._around[candidate.unit]
        return theirs.slice(first - start, last + 1 - start)

    def _choose(self, shared: Sharing) -> Iterable[tuple[int, float]]:
        """The best unit of each of the best files, from corpus and background, with its bag score."""
        room = {False: CORPUS_CANDIDATES, True: BACKGROUND_CANDIDATES}
        seen: set[int] = set()
        best = first_of(-shared.proposal, MOST_RANKED)
        # Where units lie is looked up for the first ones, which mostly are enough, and then for the rest.
        for ranked in (best[:RANKED_FIRST], best[RANKED_FIRST:]):
            units = shared.units[ranked]
            files = self._index.files_of(units.astype(np.uint32))
            for unit, score, file in zip(
                units.tolist(), shared.bag[ranked].tolist(), files.tolist(), strict=True
            ):
                if file in seen:
                    continue
                seen.add(file)
                facts = self._index.segment(self._index.ref(file).segment).facts
                if room[facts.background] and self._accept(facts.purl):
                    room[facts.background] -= 1
                    yield unit, score
                if not any(room.values()):
                    return

    def unit(self, unit: int) -> IndexedUnit:
        """A unit of the index with its elements (kept: ranges of one change share candidates)."""
        known = self._units.get(unit)
        if known is None:
            ref, row = self._index.unit(unit)
            first, last = int(row["first"]), int(row["last"])
            made = _elements_of(self.tokens(ref), self._index.segment(ref.segment), first, last)
            cluster = int(self._index.clusters(np.array([unit], np.uint32))[0])
            known = IndexedUnit(ref, first, cluster, made)
            self._units[unit] = known
        return known

    def _align(self, mine: Weighed, unit: int, bag: float, *, compiled: bool) -> Candidate | None:
        indexed = self.unit(unit)
        scores = pair_scores(mine, indexed.elements, compiled=compiled)
        best = best_score(scores, GAP, compiled=compiled)
        if not best:
            return None
        facts = self._index.segment(indexed.ref.segment).facts
        return Candidate(unit, indexed.ref, facts.purl, facts.background, indexed.cluster, best / 100.0, bag)

    def parts(self, candidate: Candidate) -> list[Part]:
        """All good local alignments of the added code with the surroundings of a candidate, in query order.

        The helper next door and the table of coefficients agree too, or they don't.
        """
        first, last = self.ranges[-1]
        mine = self._weighed.part(first, last, MOST_ELEMENTS)
        at = mine.elements.at
        row = self._index.unit(candidate.unit)[1]
        tokens, segment = self.tokens(candidate.ref), self._index.segment(candidate.ref.segment)
        start = max(0, int(row["first"]) - SURROUNDINGS)
        theirs = _elements_of(tokens, segment, start, int(row["last"]) + SURROUNDINGS)
        self._around[candidate.unit] = start, theirs
        compiled = compile_pays(12 * len(at) * len(theirs.at))
        scores = pair_scores(mine, theirs, compiled=compiled)
        found: list[Part] = []
        open_rows = [(0, len(at))]
        while open_rows and len(found) < MOST_PARTS_OF_FILE:
            low, high = open_rows.pop()
            if high - low < LEAST_PART_ELEMENTS:
                continue
            best, pairs = best_local(scores[low:high], GAP, compiled=compiled)
            if best < LEAST_PART_BITS * 100:
                continue
            rows = pairs[:, 0] + low
            weight = scores[rows, pairs[:, 1]] / 100.0
            keep = weight > 0
            found.append(Part(best / 100.0, at[rows[keep]], theirs.at[pairs[keep, 1]] + start, weight[keep]))
            open_rows += [(low, int(rows[0])), (int(rows[-1]) + 1, high)]
        return sorted(found, key=lambda part: int(part.left[0]))


def _elements_of(tokens: FileTokens, segment: Segment, first: int, last: int) -> Elements:
    """Elements of the tokens first..last (half-open) of an indexed file; positions count from `first`."""
    part = tokens.part(first, last)
    if compile_pays(0):  # where it is loaded already
        return vocabulary_elements(part.kind, part.neutral, part.renamed, part.vocab, segment.spellings)
    which, ids = part.distinct
    spelling = [segment.spelled(v) for v in which.tolist()]
    return elements(part.kind, part.neutral, part.renamed, ids, spelling)


def _distinct(query: Query) -> tuple[list[bytes], NDArray[np.int64]]:
    numbers: dict[tuple[int, bytes], int] = {}
    ids = [
        numbers.setdefault((kind, text), len(numbers))
        for kind, text in zip(query.kind.tolist(), query.spelling, strict=True)
    ]
    return [text for _, text in numbers], np.array(ids, np.int64)


def query_ranges(query: Query, open_tokens: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """What is searched of a changed file: each function with added lines, and all added code together.

    open_tokens: bool[n], tokens that are added and that no copy explains.
    """
    total = np.concatenate(([0], np.cumsum(open_tokens)))
    if total[-1] < LEAST_TOKENS:
        return []
    out = [
        (u.first, u.last)
        for u in query.units
        if u.kind == "function"
        and u.last - u.first >= LEAST_TOKENS
        and total[u.last] - total[u.first] >= LEAST_TOKENS / 2
    ]
    added = np.flatnonzero(open_tokens)
    whole = (int(added[0]), int(added[-1]) + 1)
    if whole[1] - whole[0] >= LEAST_TOKENS and whole not in out:
        out.append(whole)
    return out
