"""How consistently the names of two texts stand for each other: evidence that survives any renaming.

Where code was derived, the new name stands wherever the old one stood; between unrelated texts a name's
partner is a matter of chance. Each partner is predicted twice, from the partners that the name has had and
from how often the partner occurs at all; the difference of the two code lengths is the evidence (adaptive
estimators: Krichevsky & Trofimov 1981). If names met at random, a stretch of b bits would begin at a given
pair with a probability of at most 2**-b (Ville's inequality for likelihood ratios).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64

NEW_PARTNER = 0.3
"""Weight of "as often as anywhere" beside the partners that a name has had."""


def surprises(ours: U64, theirs: U64, *, compiled: bool = False) -> NDArray[np.float64]:
    """For each pair of aligned names the bits by which one foretells the other (negative: it misleads).

    ours, theirs: the names of both sides, numbered, in the order of the alignment. compiled: by machine code
    (numba; the first call loads it), the same.
    """
    if compiled:
        from corpus.renaming_compiled import surprises as machine_code

        found: NDArray[np.float64] = machine_code(ours, theirs, NEW_PARTNER)
        return found
    return np.fromiter(_surprises(zip(ours.tolist(), theirs.tolist(), strict=True)), float, len(ours))


def _surprises(pairs: Iterable[tuple[int, int]]) -> Iterator[float]:
    partners: dict[int, dict[int, int]] = {}
    often: dict[int, int] = {}
    for seen, (name, partner) in enumerate(pairs):
        known = partners.setdefault(name, {})
        anywhere = (often.get(partner, 0) + 0.5) / (seen + 0.5 * (len(often) + 1))
        here = (known.get(partner, 0) + NEW_PARTNER * anywhere) / (sum(known.values()) + NEW_PARTNER)
        yield math.log2(here / anywhere)
        known[partner] = known.get(partner, 0) + 1
        often[partner] = often.get(partner, 0) + 1


def renaming_bits(ours: U64, theirs: U64, *, compiled: bool = False) -> float:
    """Bits of the best stretch of aligned names: an alignment may pass through code that is not derived."""
    stretch = best = 0.0
    for bits in surprises(ours, theirs, compiled=compiled).tolist():
        stretch = max(0.0, stretch + bits)
        best = max(best, stretch)
    return best
