"""What an alignment is worth, in bits, with each term named.

A matched token speaks for a common source as far as it would surprise between unrelated texts:

    structure   matched tokens of the renamed layer, beyond the first FREE of each unbroken run
    spelling    equal names, numbers and strings, by their rarity in the index
    unbroken    the longest run beyond its first LONG_FREE tokens, discounted as they are
    renaming    names that foretell their partners (negative where they mislead: see corpus.renaming)
    skipped     tokens passed over on either side (negative)
    rival       half of what the best copy of another origin agrees in (negative): many say it alike
    idiom       matched runs that many origins share count for little
    declaration preprocessor lines and stub files say how code is built and called: they count for less
    progression numbers in equal steps count for almost nothing
    repetition  so does what the region itself repeats (tables, unrolled code, lists of the same call)

The sum decides; corpus.null turns it into the expected number of unrelated code units that agree as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from corpus.align import Alignment
from corpus.fingerprint.hashing import run_hashes
from corpus.index.tokens import FileTokens
from corpus.languages import Kind
from corpus.query import Query
from corpus.renaming import surprises

STRUCTURE = 0.8
FREE = 6
"""Tokens of a run that any two programs share somewhere (`for (i = 0; i <`): they count for nothing."""

UNBROKEN = 1.0
LONG_FREE = 15
RENAMING = 0.7
SKIPPED = -0.15
RIVAL = -0.5
"""Part of the bits of the best other origin that is taken off. Of 1,500 functions of background releases in
2.2 million code units, 22 reach 90 bits without it and 69 bits with it; of renamed excerpts of 10 lines 0.83
and 0.97 do."""

SPELLING = 0.5
MAX_RARITY = 9.0
IDIOM = 0.15
"""Factor on tokens that stand only in runs shared by `IDIOM_PACKAGES` or more packages: what one package says
in all its files is its own."""

IDIOM_PACKAGES = 4
IDIOM_SHARE = 0.05
"""Smaller shares are not worth a sentence."""

REPETITION = 0.25
"""Factor on tokens that end a run of REPEAT tokens which the region has had before."""

REPEAT = 6
DECLARATION = 0.4
"""Factor on tokens of preprocessor lines and of stub files: export macros, feature tests and signatures with
annotations are alike wherever they are written."""

STUBS = (".pyi", ".d.ts", ".mli")
PROGRESSION = 0.1
"""Factor on numbers that go on in equal steps (1, 2, 3, …), and on what stands between them."""

_NAME, _NUMBER = int(Kind.NAME), int(Kind.NUMBER)  # members of an enum are slow to look up and compare

LITERAL_SHARE = 0.9
"""Share of names spelled alike from which a match is called literal."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """See contract of the report; bits is the sum of `terms`.

    aligned: kind and alignment of each part of a copy of which `told` has not yet made lines and names.
    """

    kind: str
    similarity: float
    containment_region: float
    containment_origin: float
    tokens: int
    longest_run: int
    bits: float
    terms: dict[str, float]
    line_pairs: tuple[tuple[int, int], ...]
    renames: dict[str, str]
    discounts: tuple[str, ...]
    aligned: tuple[tuple[str, Alignment], ...] = field(default=(), compare=False, repr=False)

    def beside(self, rival: float) -> Evidence:
        """The same where the best copy of another origin has so many bits."""
        taken = RIVAL * max(0.0, rival) or 0.0
        return replace(self, bits=self.bits + taken, terms={**self.terms, "rival": taken})

    def joined(self, other: Evidence) -> Evidence:
        """The evidence of two neighbouring parts taken together."""
        total = self.tokens + other.tokens

        def mean(name: str) -> float:
            return float(getattr(self, name) * self.tokens + getattr(other, name) * other.tokens) / total

        return Evidence(
            kind=self.kind if self.kind == other.kind else "renamed",
            similarity=mean("similarity"),
            containment_region=mean("containment_region"),
            containment_origin=min(1.0, max(self.containment_origin, other.containment_origin)),
            tokens=total,
            longest_run=max(self.longest_run, other.longest_run),
            bits=self.bits + other.bits,
            terms={name: self.terms[name] + other.terms[name] for name in self.terms},
            line_pairs=self.line_pairs + other.line_pairs,
            renames={**other.renames, **self.renames},
            discounts=tuple(dict.fromkeys(self.discounts + other.discounts)),
            aligned=self.aligned + other.aligned,
        )


@dataclass(frozen=True, slots=True)
class Scales:
    """What the n tokens of a query are weighed by, whatever they are aligned with.

    rarity: float64[n], bits of surprise of each spelling. idiom, declares: bool[n]. grams: int64[n], a number
    for the REPEAT tokens that end there, -1 where there are fewer. whole: int64[n], value of a whole number,
    -1 for all else.
    """

    rarity: NDArray[np.float64]
    idiom: NDArray[np.bool_]
    declares: NDArray[np.bool_]
    grams: NDArray[np.int64]
    whole: NDArray[np.int64]


def scales(query: Query, rarity: NDArray[np.float64], idiom: NDArray[np.bool_]) -> Scales:
    grams = np.full(len(query), -1, np.int64)
    grams[REPEAT - 1 :] = np.unique(run_hashes(query.renamed, REPEAT), return_inverse=True)[1]
    whole = np.full(len(query), -1, np.int64)
    for at in np.flatnonzero(query.kind == Kind.NUMBER).tolist():
        text = query.spelling[at]
        if text.isdigit() and len(text) < 12:
            whole[at] = int(text)
    return Scales(rarity, idiom, declaring(query), grams, whole)


def names_of(
    query: Query, target: FileTokens, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of the matched pairs are names on both sides."""
    named: NDArray[np.bool_] = (query.kind[left] == _NAME) & (target.kind[right] == _NAME)
    return named


def partners(
    query: Query, target: FileTokens, left: NDArray[np.int64], right: NDArray[np.int64]
) -> dict[bytes, int]:
    """The most frequent partner of each name of matched pairs, by its spelling, as a vocabulary id."""
    named = names_of(query, target, left, right)
    counts: dict[bytes, dict[int, int]] = {}
    for at, vocab in zip(left[named].tolist(), target.vocab[right[named]].tolist(), strict=True):
        row = counts.setdefault(query.spelling[at], {})
        row[vocab] = row.get(vocab, 0) + 1
    return {name: max(row, key=row.__getitem__) for name, row in counts.items()}


def run_factors(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """For each pair the counting share of the unbroken run that it stands in: (length − FREE) / length."""
    if not len(left):
        return np.empty(0)
    breaks = np.concatenate(([True], (np.diff(left) != 1) | (np.diff(right) != 1)))
    run = np.cumsum(breaks) - 1
    length = np.bincount(run)[run]
    factors: NDArray[np.float64] = np.maximum(0, length - FREE) / length
    return factors


def repeated(grams: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the numbers (none: -1) stand earlier as well."""
    first = np.empty(int(grams.max(initial=-1)) + 2, np.int64)
    at = np.arange(len(grams))
    first[grams[::-1]] = at[::-1]  # what is written last stands
    again: NDArray[np.bool_] = (first[grams] != at) & (grams >= 0)
    return again


def counted(whole: NDArray[np.int64], number: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of n tokens whole numbers in equal steps foretell. number: bool[n]; whole: as in `Scales`."""
    out = np.zeros(len(whole), bool)
    numbers = np.flatnonzero(number)
    values = whole[numbers]
    known = values >= 0
    step = np.diff(values)
    even = (step[1:] == step[:-1]) & known[2:] & known[1:-1] & known[:-2]
    for i in (np.flatnonzero(even) + 2).tolist():
        out[numbers[i - 1] + 1 : numbers[i] + 1] = True
    return out


def declaring(query: Query) -> NDArray[np.bool_]:
    """Which tokens stand on a preprocessor line, or in a stub file."""
    if query.path.endswith(STUBS) or not len(query):
        return np.ones(len(query), bool)
    starts = np.flatnonzero(np.concatenate(([True], query.line[1:] != query.line[:-1])))
    marked = np.array([query.spelling[at] == b"#" for at in starts.tolist()], bool)
    return np.repeat(marked, np.diff(np.append(starts, len(query))))


def line_pairs(
    query_lines: NDArray[np.int64], target_lines: NDArray[np.int64]
) -> tuple[tuple[int, int], ...]:
    """For each submitted line the origin line with which it shares most matched tokens."""
    starts = np.ones(len(query_lines), bool)  # most tokens stand on the lines of the one before
    starts[1:] = (query_lines[1:] != query_lines[:-1]) | (target_lines[1:] != target_lines[:-1])
    first = np.flatnonzero(starts)
    tokens = np.diff(first, append=len(starts)).tolist()
    votes: dict[int, dict[int, int]] = {}
    for q, t, count in zip(query_lines[first].tolist(), target_lines[first].tolist(), tokens, strict=True):
        row = votes.setdefault(q, {})
        row[t] = row.get(t, 0) + count
    return tuple((q, max(row, key=row.__getitem__)) for q, row in sorted(votes.items()))


def pair_weights(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    scale: Scales,
    number: NDArray[np.bool_],
    *,
    compiled: bool = False,
) -> tuple[NDArray[np.float64], int]:
    """What each of n matched pairs counts for, and the length of the longest unbroken run.

    number: bool[n], which of the tokens on the left are numbers.
    """
    parts = scale.idiom[left], scale.grams[left], scale.whole[left], number, scale.declares[left]
    if compiled:
        from corpus.evidence_compiled import pair_weights as machine_code

        factors = (IDIOM, REPETITION, PROGRESSION, DECLARATION)
        found: tuple[NDArray[np.float64], int] = machine_code(left, right, *parts, FREE, factors)
        return found
    idiom, grams, whole, number, declares = parts
    weight = np.where(idiom, IDIOM, 1.0) * run_factors(left, right)
    weight *= np.where(repeated(grams), REPETITION, 1.0)
    weight *= np.where(counted(whole, number), PROGRESSION, 1.0)
    weight *= np.where(declares, DECLARATION, 1.0)
    return weight, Alignment(left, right).longest_run() if len(left) else 0


def weigh(
    query: Query,
    target: FileTokens,
    alignment: Alignment,
    scale: Scales,
    origin_tokens: int,
    *,
    compiled: bool = False,
) -> Evidence:
    """Evidence of one alignment, lines and names not yet told.

    origin_tokens: tokens of the origin's code units that the match touches. compiled: use machine code
    (numba; the first call loads it). Only tokens on added lines count.
    """
    mine = query.added[alignment.left]
    left, right = alignment.left[mine], alignment.right[mine]
    idiom = scale.idiom[left]
    number = query.kind[left] == _NUMBER
    weight, run = pair_weights(left, right, scale, number, compiled=compiled)
    same = query.raw[left] == target.raw[right]
    whole = float(weight.sum())
    structure = STRUCTURE * whole
    spelled = SPELLING * float((weight * scale.rarity[left])[same].sum())
    named = names_of(query, target, left, right)
    bits = surprises(query.raw[left[named]], target.raw[right[named]], compiled=compiled)
    renaming = RENAMING * float((bits * weight[named]).sum())
    alike = float(same[named].mean()) if len(bits) else 1.0
    unbroken = UNBROKEN * max(0.0, run * whole / max(1, len(left)) - LONG_FREE)
    first, last, start, end = alignment.extent
    region = int(query.added[first : last + 1].sum())
    skipped = SKIPPED * (region - len(left) + (end - start + 1) - len(alignment.right))
    terms = {
        "structure": structure, "spelling": spelled, "unbroken": unbroken, "renaming": renaming,
        "skipped": skipped, "rival": 0.0,
    }  # fmt: skip
    discounts = []
    share = float(idiom.mean()) if len(left) else 0.0
    if share >= IDIOM_SHARE:
        discounts.append(
            f"idiom: {share:.0%} of the matched tokens stand in runs "
            f"that {IDIOM_PACKAGES} or more packages share"
        )
    kind = "literal" if alike >= LITERAL_SHARE else "renamed"
    return Evidence(
        kind=kind,
        # Without what the context matches: it belongs to neither side of the comparison.
        similarity=2 * len(left) / max(1, region + end - start + 1 - int((~mine).sum())),
        containment_region=len(left) / max(1, region),
        containment_origin=min(1.0, len(left) / max(1, origin_tokens)),
        tokens=len(left),
        longest_run=run,
        bits=sum(terms.values()),
        terms=terms,
        line_pairs=(),
        renames={},
        discounts=tuple(discounts),
        aligned=((kind, alignment),),
    )


def told(query: Query, target: FileTokens, spelling: Callable[[int], str], evidence: Evidence) -> Evidence:
    """The same with lines and names, which only what is shown needs. spelling: of a vocabulary id."""
    pairs: tuple[tuple[int, int], ...] = ()
    renames: dict[str, str] = {}
    for kind, alignment in evidence.aligned:
        mine = query.added[alignment.left]
        left, right = alignment.left[mine], alignment.right[mine]
        pairs += line_pairs(query.line[left], target.line[right].astype(np.int64))
        if kind == "renamed":
            known = partners(query, target, left, right)
            named = {a.decode("utf-8", "replace"): spelling(b) for a, b in known.items()}
            renames = {**{a: b for a, b in sorted(named.items()) if a != b}, **renames}
    return replace(evidence, line_pairs=pairs, renames=renames, aligned=())
