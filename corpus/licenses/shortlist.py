"""Which of scancode's rules can be among the best for a text, found at once instead of rule by rule.

To read a notice that no rule matches word by word, scancode compares its set of words with that of each of
its 30,000 rules, in Python, and goes on with the best few hundred. Nine tenths of its time go there. The same
comparison here is one pass over an inverted index; `ranking` puts the rules that it names in scancode's
order, and ends with the same candidates as scancode over all rules. Pure; called by ranking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DOUBT = 1e-6  # how near to the middle of two tenths, in tenths, the last bits of a number may decide


@dataclass(frozen=True, slots=True)
class Needs:
    """What scancode asks of a text before it ranks a rule, in distinct words.

    length: of the rule. words, legal: how many must be in the text, of all and of the words of licensing.
    share: of the rule that must be there, 0..1.
    """

    length: int
    words: int
    legal: int
    share: float


class Shortlist:
    """The rules (by number) as an inverted index over their words. legal: words below it are of licensing."""

    def __init__(self, words: Mapping[int, Iterable[int]], needs: Mapping[int, Needs], legal: int) -> None:
        self._rules = np.array(sorted(words), np.int64)
        held = [np.fromiter(words[rule], np.int64) for rule in self._rules.tolist()]
        rule = np.repeat(np.arange(len(held), dtype=np.int32), [len(one) for one in held])
        word = np.concatenate(held) if held else np.empty(0, np.int64)
        order = np.argsort(word, kind="stable")
        self._postings = rule[order]
        self._starts = np.searchsorted(word[order], np.arange(int(word.max(initial=-1)) + 2))
        rows = [needs[number] for number in self._rules.tolist()]
        self._length = np.array([one.length for one in rows], np.int64)
        self._words = np.array([one.words for one in rows], np.int64)
        self._legal = np.array([one.legal for one in rows], np.int64)
        self._share = np.array([one.share for one in rows], np.float64)
        self._limit = legal

    def best(self, text: Iterable[int], count: int, resemblance: float | None, threshold: float) -> list[int]:
        """The first `count` rules in scancode's order for the words of a text, with all ties, ascending.

        resemblance: least share of common words that a rule must reach, or None. threshold: from which share
        on scancode calls a rule highly resemblant, its first criterion.
        """
        distinct = {word for word in text if word >= 0}
        size, asked = len(distinct), sorted(word for word in distinct if word < len(self._starts) - 1)
        legal = self._common([word for word in asked if word < self._limit])
        common = legal + self._common([word for word in asked if word >= self._limit])
        at = np.flatnonzero((legal > 0) & (legal >= self._legal) & (common >= self._words))
        matched, length = common[at], self._length[at]
        contained, alike = matched / length, matched / (size + length - matched)
        able = (self._share[at] == 0) | (contained >= self._share[at])
        if resemblance is not None:
            able &= alike >= resemblance
        at, matched, contained, alike = at[able], matched[able], contained[able], alike[able]
        if len(at) > count:
            keys = (
                _rounded(matched, lambda n: n / 20),
                _rounded(alike, lambda share: share**2),
                _rounded(contained, lambda share: share),
                (_rounded(alike, lambda share: share) >= threshold).astype(np.float64),
            )
            order = np.lexsort(keys)[::-1]
            rows = np.stack(keys, axis=1)[order]
            ties = np.flatnonzero((rows != rows[count - 1]).any(axis=1))
            at = at[order[: int(ties[ties >= count][0]) if (ties >= count).any() else len(order)]]
        found: list[int] = self._rules[np.sort(at)].tolist()
        return found

    def _common(self, words: Sequence[int]) -> NDArray[np.int64]:
        """How many of these words each rule holds."""
        lists = [self._postings[self._starts[word] : self._starts[word + 1]] for word in words]
        found = np.concatenate(lists) if lists else np.empty(0, np.int32)
        return np.bincount(found, minlength=len(self._rules))


def _rounded(values: NDArray[Any], measure: Callable[[Any], Any]) -> Floats:
    """`round(measure(value), 1)` as Python does it; numpy has another rule where a digit is in doubt."""
    tenths: Floats = np.asarray(measure(values), np.float64) * 10
    rounded: Floats = np.rint(tenths) / 10
    for at in np.flatnonzero(np.abs(tenths - np.floor(tenths) - 0.5) < DOUBT).tolist():
        rounded[at] = round(measure(values[at].item()), 1)
    return rounded
