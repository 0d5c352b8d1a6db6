"""The seam behind which the hashed tables of a snapshot lie: mapped here, on readers, on database nodes.

Everything else of an index is addressed by number, and stays with the snapshot's folder and segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.segment import TABLES
from corpus.index.table import Shard, Table

NAMES = (*TABLES, "words")
NONE: NDArray[np.int64] = np.empty(0, np.int64)


class Found(NamedTuple):
    """Entries found: `which` indexes the keys asked for, ascending; `values` of the table.

    lost: indexes of keys that could not be asked, ascending, because nobody who holds them answered.
    gaps: what could not be reached, as sentences; empty unless `lost` has members.
    """

    which: NDArray[np.int64]
    values: NDArray[np.uint32]
    lost: NDArray[np.int64] = NONE
    gaps: tuple[str, ...] = ()


class Lookup(Protocol):
    """Finds hashes in the tables NAMES of one snapshot. Safe to use from threads.

    An answer is complete or says in `lost` and `gaps` what is missing: no holder of a part, no error.
    """

    def find(self, table: str, keys: U64) -> Found: ...


class Mapped:
    """The tables of a local folder."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.tables = {name: Table(folder, name, manifest) for name in NAMES}

    def find(self, table: str, keys: U64) -> Found:
        return Found(*self.tables[table].lookup(keys))


class Part(NamedTuple):
    """The answer of one holder. asked: indexes of the keys that it was asked for; which indexes those."""

    asked: NDArray[np.int64]
    which: NDArray[np.int64]
    values: NDArray[np.uint32]


def by_shard(keys: U64, count: int) -> list[tuple[Shard, NDArray[np.int64]]]:
    """The shards (of `count`) that hold the keys, each with the indexes of its keys."""
    if count == 1:
        return [(Shard(0, 1), np.arange(len(keys)))] if len(keys) else []
    number = (keys >> np.uint64(64 - count.bit_length() + 1)).astype(np.int64)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    return [(Shard(int(number[own[0]]), count), own) for own in np.split(order, starts[1:]) if len(own)]


def joined(parts: Sequence[Part], lost: Sequence[NDArray[np.int64]] = (), gaps: Sequence[str] = ()) -> Found:
    """One answer from those of all holders."""
    which = np.concatenate([NONE, *(part.asked[part.which] for part in parts)])
    values = np.concatenate([np.empty(0, np.uint32), *(part.values for part in parts)])
    order = np.argsort(which, kind="stable")
    return Found(which[order], values[order], np.sort(np.concatenate([NONE, *lost])), tuple(gaps))
