"""Winnowing: which fingerprints of a text are kept (Schleimer, Wilkerson & Aiken, SIGMOD 2003).

Guarantee: of every `window` consecutive run hashes at least one is kept, and which one depends on those
hashes alone; so two texts that share window + k − 1 equal tokens share a kept fingerprint.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, mix, run_hashes


def winnow(tokens: U64, k: int, window: int) -> tuple[U64, NDArray[np.int32]]:
    """Kept fingerprints of a token stream and the index of each one's first token, ascending.

    A text with at least k tokens but fewer than `window` runs keeps its smallest run.
    """
    grams = run_hashes(tokens, k)
    n = len(grams)
    if n == 0:
        return grams, np.empty(0, np.int32)
    # Selecting by another bijection keeps the stored hashes evenly spread.
    # The smallest wins, the rightmost of equals.
    order = mix(grams ^ np.uint64(0xA0761D6478BD642F))
    if n <= window:
        position = np.array([n - 1 - int(np.argmin(order[::-1]))], np.int32)
        return grams[position], position
    views = np.lib.stride_tricks.sliding_window_view(order, window)
    offset = window - 1 - np.argmin(views[:, ::-1], axis=1)
    chosen = np.arange(len(views)) + offset
    keep = np.empty(len(chosen), bool)
    keep[0] = True
    np.not_equal(chosen[1:], chosen[:-1], out=keep[1:])
    position = chosen[keep].astype(np.int32)
    return grams[position], position
