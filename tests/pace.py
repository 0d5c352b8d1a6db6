"""Limits on time that hold on a busy machine: processor time beside that of a fixed loop, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable

USUAL = 0.0056
"""Seconds of the loop on the machine whose seconds limits are given in."""


def _loop() -> None:
    """What readers of text do all day: cut bytes into lines, look at each, count."""
    seen: dict[bytes, int] = {}
    for line in (b"+ x = y\n@@ -1 +1 @@\n" * 5_400).splitlines(keepends=True):
        if line.startswith((b"+", b"@@")):
            seen[line[:4]] = seen.get(line[:4], 0) + len(line.strip())


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def loop() -> float:
    """Processor seconds of the loop, right now."""
    return _timed(_loop)


def seconds(work: Callable[[], object], at_most: float, readings: int = 8) -> float:
    """Processor seconds of `work` as the usual machine takes them: the best reading.

    Each reading is divided by the slower of two runs of the loop around it, so that a machine that is slow
    for a while is slow for both. Ends with the first reading that takes `at_most`: only failing costs all.
    """
    best = float("inf")
    before = loop()
    for _ in range(readings):
        taken = _timed(work)
        after = loop()
        best = min(best, taken * USUAL / max(before, after))
        if best <= at_most:
            break
        before = after
    return best


def within(work: Callable[[], object], at_most: float, readings: int = 8) -> bool:
    """Whether `work` takes at most so many processor seconds of the usual machine."""
    return seconds(work, at_most, readings) <= at_most
