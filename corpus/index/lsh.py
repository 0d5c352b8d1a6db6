"""datasketch's own MinHashLSH, served by the memory-mapped table: millions of keys with no load step.

Matching asks the table for all bands of all units in one lookup, because importing datasketch costs a command
line 0.8 s; a test proves both ways, and datasketch's in-memory index, return the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus.fingerprint.minhash import band_key
from corpus.index.table import Table
from corpus.params import Params

if TYPE_CHECKING:
    from datasketch import MinHashLSH


class _Band:
    """One hash table of a MinHashLSH: band bytes (big-endian rows, as datasketch makes them) → unit ids."""

    def __init__(self, table: Table, number: int) -> None:
        self._table, self._number = table, number

    def get(self, band: bytes) -> Iterator[int]:
        key = band_key(self._number, np.frombuffer(band, ">u4").tolist())
        return iter(self._table.lookup(np.array([key], np.uint64))[1].tolist())


def minhash_lsh(table: Table, params: Params) -> MinHashLSH:
    """A MinHashLSH whose `query()` reads the mapped table; its keys are unit ids. Read-only."""
    from datasketch import MinHashLSH

    lsh: Any = MinHashLSH(num_perm=params.num_perm, params=(params.lsh_bands, params.lsh_rows))
    lsh.hashtables = [_Band(table, number) for number in range(params.lsh_bands)]
    return lsh
