"""Machine code for corpus.glance.glance: the same numbers."""

# The compiler knows types by inference.
# mypy: disable-error-code="no-untyped-def,misc"

from __future__ import annotations

from numba import njit

from corpus.machine_code import cached


@njit(nogil=True)
def stands(data, start, stop, letters, begin, end):
    """Whether the letters stand at `start`, in any case, all of them before `stop`."""
    if start < 0 or start + end - begin > stop:
        return False
    for at in range(begin, end):
        byte = data[start + at - begin]
        if 65 <= byte <= 90:
            byte += 32
        if byte != letters[at]:
            return False
    return True


@cached
def glance(data, head, binary_head, groups, rows, letters):
    """See corpus.glance.glance, and `_plan` there."""
    control = high = marks = 0
    for at in range(min(len(data), binary_head)):
        byte = data[at]
        control += (
            (byte < 8)
            | (byte == 11)
            | ((byte > 13) & (byte < 26))
            | ((byte > 27) & (byte < 32))
            | (byte == 127)
        )
    for at in range(len(data)):
        high += data[at] >> 7
    stop = min(len(data), head)
    for at in range(0, stop - 1, 2):
        group = groups[data[at] << 8 | data[at + 1]]
        if group:
            for row in range(rows[group, 0], rows[group, 1]):
                bit = 1 << rows[row, 0]
                if not marks & bit and stands(
                    data, at - rows[row, 1], stop, letters, rows[row, 2], rows[row, 3]
                ):
                    marks |= bit
    return marks, control, high
