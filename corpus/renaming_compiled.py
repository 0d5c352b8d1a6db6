"""Machine code for corpus.renaming.surprises: the same bits."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

import math

import numpy as np
from numba import njit

from corpus.machine_code import cached


@njit(nogil=True)
def numbered(values, slots):
    """A number below `slots` (a power of two, larger than how many there are) for each distinct value."""
    held, used = np.empty(slots, np.uint64), np.zeros(slots, np.bool_)
    out = np.empty(len(values), np.int64)
    for at in range(len(values)):
        value = values[at]
        slot = np.int64((value ^ value >> np.uint64(32)) & np.uint64(slots - 1))
        while used[slot] and held[slot] != value:
            slot = slot + 1 & slots - 1
        held[slot], used[slot], out[at] = value, True, slot
    return out


@cached
def surprises(ours, theirs, new_partner):
    """See corpus.renaming.surprises."""
    n, slots = len(ours), 64
    while slots < 2 * n:
        slots *= 2
    name, partner = numbered(ours, slots), numbered(theirs, slots)
    pair = numbered((name * slots + partner).astype(np.uint64), slots)
    had, often, together = np.zeros(slots, np.int64), np.zeros(slots, np.int64), np.zeros(slots, np.int64)
    bits, distinct = np.empty(n), 0
    for seen in range(n):
        a, b, both = name[seen], partner[seen], pair[seen]
        anywhere = (often[b] + 0.5) / (seen + 0.5 * (distinct + 1))
        here = (together[both] + new_partner * anywhere) / (had[a] + new_partner)
        bits[seen] = math.log2(here / anywhere)
        distinct += often[b] == 0
        had[a] += 1
        often[b] += 1
        together[both] += 1
    return bits
