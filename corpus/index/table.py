"""A memory-mapped multimap from 64-bit hashes to 32-bit ids.

Three arrays: a directory over the top `bits` of the hash, the next 32 bits of each entry's hash in ascending
order, its id. About 8.5 bytes an entry; opening reads nothing. Two hashes are taken for one when their top
bits + 32 bits agree: with n entries that happens to an unrelated key with probability about 2^(−29) each.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.blocks import ArrayWriter, MappedArray

COMMON = 0xF0000000
"""Ids from here on stand alone for a hash that too many origins share; id − COMMON is their number."""

_PER_BUCKET = 8


def directory_bits(entries: int) -> int:
    return max(1, min(32, (entries // _PER_BUCKET).bit_length()))


def write_table(
    folder: Path, name: str, entries: int, parts: Iterable[tuple[U64, NDArray[np.uint32]]]
) -> int:
    """Write a table from parts that are sorted by hash, each part after the one before.

    entries: an upper bound on their number, from which the directory's size follows. Returns the number
    written.
    """
    bits = directory_bits(entries)
    counts = np.zeros((1 << bits) + 1, np.int64)
    remainder, ids = ArrayWriter(folder, f"{name}.rem", "<u4"), ArrayWriter(folder, f"{name}.ids", "<u4")
    for keys, values in parts:
        bucket = (keys >> np.uint64(64 - bits)).astype(np.int64)
        np.add.at(counts, *_run_lengths(bucket))
        remainder.append(((keys >> np.uint64(32 - bits)) & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        ids.append(values)
    remainder.close()
    ids.close()
    directory = ArrayWriter(folder, f"{name}.dir", "<u8")
    offsets = np.zeros((1 << bits) + 1, np.uint64)
    np.cumsum(counts[:-1], out=offsets[1:])
    directory.append(offsets)
    directory.close()
    return ids.count


def _run_lengths(ordered: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if not len(ordered):
        return ordered, ordered
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.diff(np.append(starts, len(ordered)))


class Table:
    """Reader of a table written by `write_table` into a sealed folder."""

    def __init__(self, folder: Path, name: str, manifest: dict[str, Any]) -> None:
        self._directory = MappedArray(folder, f"{name}.dir", "<u8", manifest)
        self._remainder = MappedArray(folder, f"{name}.rem", "<u4", manifest)
        self._ids = MappedArray(folder, f"{name}.ids", "<u4", manifest)
        self._bits = (len(self._directory) - 1).bit_length() - 1

    def __len__(self) -> int:
        return len(self._ids)

    def lookup(self, keys: U64) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """All entries of the given hashes: (index into keys, id) pairs, in order of the keys."""
        bits = self._bits
        bucket = (keys >> np.uint64(64 - bits)).astype(np.int64)
        low = self._directory.take(bucket).astype(np.int64)
        count = self._directory.take(bucket + 1).astype(np.int64) - low
        which = np.repeat(np.arange(len(keys)), count)
        starts = np.cumsum(count) - count
        at = np.arange(len(which)) + (low - starts)[which]
        wanted = ((keys >> np.uint64(32 - bits)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        same = self._remainder.take(at) == wanted[which]
        return which[same], self._ids.take(at[same])
