"""Similarity of two texts, without an index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corpus.align import Alignment, align, lcs
from corpus.evidence import line_pairs
from corpus.model import ChangedFile, Region
from corpus.query import Query, make_query

LEAST_TOKENS = 8.0
SHORT = 24
"""Texts of up to so many tokens are compared without seeds."""

SHINGLE = 8
CONTAINED = 2.0
"""Weight of the containment of shingles beside the Dice of aligned tokens, which alone counts single tokens
that agree by chance: the mean ranks pairs better than either (docs/quality.md)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two texts agree.

    score: 0..1, in the renamed layer: mean of the Dice of aligned tokens (twice the matched over all tokens
    of both) and, with weight CONTAINED, of the share of the smaller side's SHINGLE-token runs that both have.
    left, right: share of each side's tokens that are matched. literal: share of matched tokens spelled alike.
    line_pairs: (line of the left text, line of the right text).
    """

    score: float
    left: float
    right: float
    tokens: int
    longest_run: int
    literal: float
    line_pairs: tuple[tuple[int, int], ...]
    renames: dict[str, str]


def _whole(path: str, text: bytes, language: str) -> Query:
    lines = tuple(text.removesuffix(b"\n").split(b"\n"))
    return make_query(ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)), language)


def _alignments(a: Query, b: Query) -> list[Alignment]:
    """Equal texts and short ones, which hold no seed of an alignment, are compared as wholes."""
    if np.array_equal(a.renamed, b.renamed):
        every = np.arange(len(a))
        return [Alignment(every, every)] if len(a) else []
    if min(len(a), len(b)) <= SHORT:
        pairs = lcs(a.renamed[: SHORT**2], b.renamed[: SHORT**2])
        return [Alignment(pairs[:, 0], pairs[:, 1])] if len(pairs) else []
    return align(a.renamed, b.renamed, np.ones(len(a)), LEAST_TOKENS)


def _containment(a: Query, b: Query) -> float | None:
    """Share of the smaller side's distinct shingles that the other has; None where a side is too short."""
    if min(len(a), len(b)) < SHINGLE:
        return None
    one, two = (
        {row.tobytes() for row in np.lib.stride_tricks.sliding_window_view(side.renamed, SHINGLE)}
        for side in (a, b)
    )
    return len(one & two) / min(len(one), len(two))


def compare(left: tuple[str, bytes, str], right: tuple[str, bytes, str]) -> Comparison:
    """Compare two texts, each given as (path, text, language)."""
    a, b = _whole(*left), _whole(*right)
    matched_a, matched_b = np.zeros(len(a), bool), np.zeros(len(b), bool)
    pairs: list[tuple[int, int]] = []
    longest = 0
    for found in _alignments(a, b):
        fresh = ~(matched_a[found.left] | matched_b[found.right])
        matched_a[found.left[fresh]] = True
        matched_b[found.right[fresh]] = True
        pairs += zip(found.left[fresh].tolist(), found.right[fresh].tolist(), strict=True)
        longest = max(longest, found.longest_run())
    if not pairs:
        return Comparison(0.0, 0.0, 0.0, 0, 0, 0.0, (), {})
    i, j = np.array(sorted(pairs)).T
    dice, contained = 2 * len(i) / (len(a) + len(b)), _containment(a, b)
    names: dict[bytes, dict[bytes, int]] = {}
    for x, y in zip(i.tolist(), j.tolist(), strict=True):
        if a.kind[x] == 1 and a.raw[x] != b.raw[y]:
            row = names.setdefault(a.spelling[x], {})
            row[b.spelling[y]] = row.get(b.spelling[y], 0) + 1
    return Comparison(
        score=dice if contained is None else (dice + CONTAINED * contained) / (1 + CONTAINED),
        left=len(i) / len(a),
        right=len(i) / len(b),
        tokens=len(i),
        longest_run=longest,
        literal=float((a.raw[i] == b.raw[j]).mean()),
        line_pairs=line_pairs(a.line[i], b.line[j]),
        renames={
            k.decode("utf-8", "replace"): max(v, key=v.__getitem__).decode("utf-8", "replace")
            for k, v in sorted(names.items())
        },
    )
