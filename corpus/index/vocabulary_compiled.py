"""Machine code for `corpus.index.vocabulary`: the same results, several times as fast for millions.

Imported only where it pays: numba costs half a second and 150 MB.
"""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc,assignment"

from __future__ import annotations

import numpy as np

from corpus.machine_code import cached

_SLOTS = 1 << 12


@cached
def words(raw, renamed, kind, neutral, sizes, ranks):
    """Distinct rows in no order: the index of each, in the file of the lowest rank, and which each row is."""
    slots = np.full(_SLOTS, -1, np.int32)
    which = np.empty(len(raw), np.uint32)
    at, rank = np.empty(len(raw), np.int64), np.empty(len(raw), np.int64)
    made, end = 0, 0
    for file in range(len(sizes)):
        begin, end = end, end + sizes[file]
        for row in range(begin, end):
            if 2 * made >= len(slots):
                slots = np.full(4 * len(slots), -1, np.int32)
                for old in range(made):
                    slot = np.int64(raw[at[old]] & np.uint64(len(slots) - 1))
                    while slots[slot] >= 0:
                        slot = slot + 1 & len(slots) - 1
                    slots[slot] = old
            slot = np.int64(raw[row] & np.uint64(len(slots) - 1))
            while True:
                found = slots[slot]
                if found < 0:
                    slots[slot], at[made], rank[made] = made, row, ranks[file]
                    found = made
                    made += 1
                    break
                other = at[found]
                if (
                    raw[other] == raw[row]
                    and renamed[other] == renamed[row]
                    and kind[other] == kind[row]
                    and neutral[other] == neutral[row]
                ):
                    if ranks[file] < rank[found]:
                        at[found], rank[found] = row, ranks[file]
                    break
                slot = slot + 1 & len(slots) - 1
            which[row] = found
    return at[:made].copy(), which


@cached
def byte_planes(ids, lines, sizes, first_words, number):
    out = np.empty(8 * len(ids), np.uint8)
    end = 0
    for file in range(len(sizes)):
        size = sizes[file]
        begin, end = end, end + size
        planes = out[8 * begin : 8 * end]
        line = np.uint32(0)
        for i in range(size):
            word = number[first_words[file] + ids[begin + i]]
            step = lines[begin + i] - line
            line = lines[begin + i]
            for plane in range(4):
                planes[plane * size + i] = word >> np.uint32(8 * plane) & np.uint32(255)
                planes[(4 + plane) * size + i] = step >> np.uint32(8 * plane) & np.uint32(255)
    return out


@cached
def spans(text, begins, lengths):
    out = np.empty(lengths.sum(), np.uint8)
    to = 0
    for part in range(len(begins)):
        for at in range(begins[part], begins[part] + lengths[part]):
            out[to] = text[at]
            to += 1
    return out


@cached
def differing(text, begins, lengths, others):
    found = np.empty(len(begins), np.int64)
    count = 0
    for part in range(len(begins)):
        other = others[part]
        if other == part:
            continue
        unlike = lengths[part] != lengths[other]
        at, to = begins[part], begins[other]
        for step in range(0 if unlike else lengths[part]):
            if text[at + step] != text[to + step]:
                unlike = True
                break
        if unlike:
            found[count] = part
            count += 1
    return found[:count].copy()
