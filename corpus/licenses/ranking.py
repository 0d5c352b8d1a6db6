"""scancode's ranking of rules for a text, over the shortlist.

scancode ranks rules by the distinct words that they share with a text, and the first of these by their words
as often as they stand; of rules that say the same and come out alike it keeps one. Here that is done for the
rules of a shortlist, in the same arithmetic, so that the same rules come in the same order. Pure; called by
detect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from corpus.licenses.shortlist import Needs, Shortlist

Score = tuple[bool, float, float, float]
"""Whether the rule is highly resemblant; how much of it is there; how resemblant, squared; how many words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: how often each word stands in it, what it needs by distinct words and by all, what it says."""

    words: Mapping[int, int]
    distinct: Needs
    every: Needs
    expression: str
    name: str


class Ranking:
    """The rules by number. legal: words below it are of licensing."""

    def __init__(self, rules: Mapping[int, Rule], legal: int) -> None:
        self._rules = dict(sorted(rules.items()))
        self._legal = legal
        held = [rule.words for rule in self._rules.values()]
        sizes = [len(words) for words in held]
        self._row = {number: row for row, number in enumerate(self._rules)}
        self._ends = np.cumsum([0, *sizes])
        self._word = np.fromiter(chain.from_iterable(held), np.int32, sum(sizes))
        self._times = np.fromiter(chain.from_iterable(words.values() for words in held), np.int32, sum(sizes))
        self._known = int(self._word.max(initial=-1)) + 1
        self._shortlist = Shortlist(
            {number: rule.words for number, rule in self._rules.items()},
            {number: rule.distinct for number, rule in self._rules.items()},
            legal,
        )

    def best(self, text: Iterable[int], top: int, resemblance: float | None, threshold: float) -> list[int]:
        """The first `top` rules for the words of a text, the best first. Arguments as of Shortlist.best."""
        held = Counter(word for word in text if word >= 0)
        first = 10 * top  # that many are ranked by all of their words
        numbers = self._shortlist.best(held, first, resemblance, threshold)
        asked = np.zeros(self._known, np.int32)
        for word, times in held.items():
            if word < self._known:
                asked[word] = times
        if len(numbers) > first:
            distinct = {number: self._rules[number].distinct for number in numbers}
            found = self._scored(distinct, np.minimum(asked, 1), len(held), resemblance, threshold)
            numbers = [number for *_, number in sorted(found, reverse=True)[:first]]
        every = {number: self._rules[number].every for number in numbers}
        kept: dict[tuple[str, Score, int], tuple[Score, str, int]] = {}
        for rounded, full, number in self._scored(every, asked, held.total(), resemblance, threshold):
            rule = self._rules[number]
            alike = rule.expression, rounded, rule.every.length
            kept[alike] = max(kept.get(alike, (full, "", number)), (full, rule.name, number))
        ranked = sorted(
            ((rounded, full, number) for (_, rounded, _), (full, _, number) in kept.items()), reverse=True
        )
        return [number for *_, number in ranked[:top]]

    def _scored(
        self,
        needs: Mapping[int, Needs],
        asked: NDArray[np.int32],
        size: int,
        resemblance: float | None,
        threshold: float,
    ) -> Iterator[tuple[Score, Score, int]]:
        """(rounded score, score, number) of the rules that the text meets the needs of.

        asked: how often each word stands in the text. size: of the text, in words counted like that.
        """
        legal, common = self._common(list(needs), asked)
        for (number, need), lawful, matched in zip(needs.items(), legal, common, strict=True):
            if not lawful or lawful < need.legal or matched < need.words:
                continue
            contained = matched / need.length
            alike = matched / (size + need.length - matched)
            if need.share and contained < need.share:
                continue
            if resemblance is not None and alike < resemblance:
                continue
            amplified = alike**2
            rounded = (
                round(alike, 1) >= threshold, round(contained, 1), round(amplified, 1),
                round(matched / 20, 1),
            )  # fmt: skip
            yield rounded, (alike >= threshold, contained, amplified, matched), number

    def _common(self, numbers: Sequence[int], asked: NDArray[np.int32]) -> tuple[list[int], list[int]]:
        """How many words each rule shares with the text: those of licensing, and all."""
        if not numbers:
            return [], []
        rows = np.array([self._row[number] for number in numbers])
        begins, ends = self._ends[rows], self._ends[rows + 1]
        starts = np.cumsum([0, *(ends - begins)[:-1].tolist()])
        at = np.arange(int((ends - begins).sum())) + np.repeat(begins - starts, ends - begins)
        words = self._word[at]
        shared = np.minimum(self._times[at], asked[words])
        legal = np.add.reduceat(np.where(words < self._legal, shared, 0), starts)
        return legal.tolist(), np.add.reduceat(shared, starts).tolist()
