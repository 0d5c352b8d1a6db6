"""Machine code for corpus.local_alignment.fill: the same table."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import numpy as np

from corpus.machine_code import cached


@cached
def fill(scores, gap):
    """See corpus.local_alignment.fill."""
    n, m = scores.shape
    table = np.zeros((n + 1, m + 1), np.int32)
    for i in range(n):
        left = 0
        for j in range(m):
            best = max(table[i, j] + scores[i, j], table[i, j + 1] - gap, left - gap, 0)
            table[i + 1, j + 1] = best
            left = best
    return table
