"""Compiled loops: how they are cached, and how to have them compiled before anybody waits for them.

    python -m corpus.machine_code

compiles all of them once (about a minute) and says where the results are kept. `make install` and the images
do so; children of a sandbox call `warm` before their limits begin, workers that search call `warm_matching`.
numba keeps them in the folder that NUMBA_CACHE_DIR names, else beside the sources, else in the user's cache
folder, whichever can be written; where there is none, each process compiles for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any


def cached(function: Callable[..., Any]) -> Any:
    """numba's compiler for an entry point: its machine code, and that of all it calls, is kept on disk.

    numba looks for changes in the file of the entry point alone: what it calls must stand in the same file,
    or the name of the entry must tell the versions apart.
    """
    from numba import njit

    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder that can be written
        return njit(nogil=True)(function)


def cached_with(*files: str) -> Callable[[Callable[..., Any]], Any]:
    """`cached` of an entry point that calls what stands in other files: its name tells the versions apart."""
    digest = sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()[:12]

    def compiler(function: Callable[..., Any]) -> Any:
        function.__qualname__ = f"{function.__name__}_{digest}"
        return cached(function)

    return compiler


def warm() -> str:
    """Load or compile all machine code of ingestion. Returns the folder that keeps it, or ""."""
    from corpus.fingerprint import compiled
    from corpus.glance import glance
    from corpus.index.record import make_record

    glance(b"by flex", compiled=True)
    make_record(b'int f(int a) { return g(a, "b") + 0b1; } // c\n' * 8, "c", compiled=True)
    make_record(b"def f(a):\n    return a\n\n" * 8, "python", compiled=True)
    for language in ("fortran", "lua", "ruby"):  # the other ways to find functions
        make_record(b"", language, compiled=True)
    return str(compiled.sketch.stats.cache_path or "")


def warm_writing() -> None:
    """Load or compile what writes segments: it serves large ones only, unless loaded."""
    import numpy as np

    from corpus.index.packed_compiled import postings
    from corpus.index.vocabulary_compiled import byte_planes, differing, spans, words

    key, unit = np.zeros(1, np.uint64), np.zeros(1, np.uint32)
    for numbers in (unit, unit.astype(np.uint16)):
        postings([key], [numbers])
    one = np.ones(1, np.int64)
    byte = np.zeros(1, np.uint8)
    words(key, key, byte, np.zeros(1, np.uint16), one, one)
    spans(byte, one - 1, one)
    differing(byte, one - 1, one, one - 1)
    byte_planes(unit, unit, one, one - 1, unit)


def warm_matching() -> None:
    """Load or compile what compares a change with its candidates; from then on every search uses it."""
    import numpy as np

    from corpus.align import align
    from corpus.evidence import Scales, pair_weights
    from corpus.fingerprint.features import vocabulary_elements
    from corpus.local_alignment import best_local
    from corpus.pair_scores import pair_scores, weighed
    from corpus.renaming import surprises

    spelled = np.frombuffer(b"lampshade", np.uint8), np.array([0, 4, 9], np.uint32)
    ids = np.arange(2, dtype=np.uint32)
    names = np.ones(2, np.uint8), np.ones(2, np.uint16), ids.astype(np.uint64)
    made = vocabulary_elements(*names, ids, spelled)
    mine = weighed(made, np.sort(made.keys[:, 0]), np.ones(2), np.zeros(2, bool))
    best_local(pair_scores(mine, made, compiled=True), 1, compiled=True)
    stream = np.arange(40, dtype=np.uint64)
    align(stream, stream, np.ones(40), 1.0, compiled=True)
    surprises(stream, stream, compiled=True)
    at, no = ids.astype(np.int64), np.zeros(2, bool)
    pair_weights(at, at, Scales(np.ones(2), no, no, at, at), no, compiled=True)


def _main() -> None:
    folder = warm()
    warm_writing()
    warm_matching()
    print(f"machine code: {folder or 'not kept, no folder for it can be written'}")


if __name__ == "__main__":
    _main()
