"""Python's collector of reference cycles, held back while releases are indexed.

Of a release tens of thousands of tuples are alive at a time and hardly any is in a cycle; to walk over them
again and again took a twentieth of the time of the process that ingests. Called by ingestion.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = 200_000, 50, 100
"""Thresholds of the three generations: cycles that do arise may take some ten megabytes before they go."""

_lock = threading.Lock()
_inside = 0
_before = gc.get_threshold()


@contextmanager
def held_back() -> Iterator[None]:
    """Collect seldom until left: in all of the process, until the last thread has left."""
    global _inside, _before
    with _lock:
        if not _inside:
            _before = gc.get_threshold()
            gc.set_threshold(*SELDOM)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before)
