"""How much of what two pieces of code spell they have in common, weighted by rarity.

Resemblance in the sense of Broder (1997): what both have, as a part of what either has. Code that was
derived from other code says most of what that says and little else; unrelated code that agrees in a stretch
goes on to speak of other things on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.features import Elements
from corpus.fingerprint.hashing import U64

Rarity = Callable[[U64], NDArray[np.float64]]
"""Bits of each of some features of the index (sorted, distinct)."""


class Spelling:
    """The numbers and the words of names and strings of a change, and of units of the index that it is held
    against.

    made: the elements of the change. api: which of them are names of an API: what is only spelled in such a
    name says what code uses, and counts on neither side. keys, bits: all that the change spells, with rarity.
    """

    def __init__(
        self, made: Elements, api: NDArray[np.bool_], keys: U64, bits: NDArray[np.float64], rarity: Rarity
    ) -> None:
        self._made, self._api, self._keys, self._bits, self._rarity = made, api, keys, bits, rarity

    def learn(self, units: Iterable[Elements]) -> None:
        """Look up the rarity of all that these spell, at once."""
        new = np.setdiff1d(spelled(units), self._keys)
        if len(new):
            keys, bits = np.concatenate((self._keys, new)), np.concatenate((self._bits, self._rarity(new)))
            order = np.argsort(keys, kind="stable")
            self._keys, self._bits = keys[order], bits[order]

    def resemblance(self, first: int, last: int, theirs: Iterable[Elements]) -> float:
        """Of the token range first..last (half-open) of the change and units that were learned: 0 to 1.

        One bit is taken for common to both, so that it is above 0.
        """
        low, high = np.searchsorted(self._made.at, (first, last)).tolist()
        keys, used = self._made.keys[low:high], self._api[low:high]
        mine = np.unique(keys[~used])
        api = np.setdiff1d(keys[used], mine)
        other = np.setdiff1d(spelled(theirs), api)
        both = np.intersect1d(mine, other)
        shared = 1.0 + self._worth(both)
        return shared / (1.0 + self._worth(mine) + self._worth(other) - self._worth(both))

    def _worth(self, keys: U64) -> float:
        keys = keys[keys != 0]
        return float(self._bits[np.searchsorted(self._keys, keys)].sum())


def spelled(units: Iterable[Elements]) -> U64:
    """The distinct numbers and words of units, sorted."""
    keys = np.concatenate([np.empty(0, np.uint64), *(unit.keys.ravel() for unit in units)])
    found: U64 = np.unique(keys[keys != 0])
    return found
