"""datasketch's own MinHashLSH, served by the memory-mapped table: millions of keys with no load step.

Matching asks the table for all bands of all units in one lookup, because importing datasketch costs a command
line 0.8 s; a test proves both ways, and datasketch's in-memory index, return the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus.fingerprint.minhash import bands
from corpus.index.table import Table
from corpus.params import Params

if TYPE_CHECKING:
    from datasketch import MinHashLSH


class _Band:
    """One hash table of a MinHashLSH: band bytes (big-endian rows, as datasketch makes them) → unit ids."""

    def __init__(self, table: Table, number: int, params: Params) -> None:
        self._table, self._number, self._params = table, number, params

    def get(self, band: bytes) -> Iterator[int]:
        rows = self._params.lsh_rows
        signature = np.zeros((1, self._params.lsh_bands * rows), np.uint32)
        signature[0, self._number * rows : (self._number + 1) * rows] = np.frombuffer(band, ">u4")
        key = bands(signature, self._params)[:, self._number]
        return iter(self._table.lookup(key)[1].tolist())


def minhash_lsh(table: Table, params: Params) -> MinHashLSH:
    """A MinHashLSH whose `query()` reads the mapped table; its keys are unit ids. Read-only."""
    from datasketch import MinHashLSH

    lsh: Any = MinHashLSH(num_perm=params.num_perm, params=(params.lsh_bands, params.lsh_rows))
    lsh.hashtables = [_Band(table, number, params) for number in range(params.lsh_bands)]
    return lsh
