"""A memory-mapped multimap from 64-bit hashes to 32-bit values: about 8 bytes a hash and 1.5 a listed value.

Four arrays. `dir`: a directory over the top `bits` of the hash. `rem`: the next 24 bits of each distinct
hash, ascending. `ref`: for each hash its one value, the number of origins of a hash that too many share, or
the place of its list. `list`: those lists, packed. Opening reads nothing. Two hashes are taken for one when
their top bits + 24 bits agree: with up to 8 hashes a bucket an unrelated key meets that once in 2^21.

A table may hold only the hashes of one shard, those with one prefix; shards have the layout of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.blocks import ArrayWriter, MappedArray
from corpus.index.packed import gather, pack, unpack

COMMON = 0xF0000000
"""Values from here on stand alone for a hash that too many origins share; value − COMMON is their number."""

MAX_UNITS = 0x70000000
"""`ref` holds values below as they are, from here on numbers of origins, from LISTS on places of lists."""
LISTS = 0x80000000

SUFFIXES = ("dir", "rem", "ref", "list")
"""Of the files of one table."""

REMAINDER = 24
HASHES_A_BUCKET = 8
LONG = 255
"""A list's length in bytes takes one byte; this value stands before four of them."""

LEAST_BITS = 8
"""Also the most bits that a shard's prefix has."""

Part = tuple[U64, NDArray[np.uint32]]


class Shard(NamedTuple):
    """The hashes whose top bits are `number`; `of`: how many shards there are, a power of two up to 256."""

    number: int
    of: int

    @property
    def low(self) -> int:
        return self.number * ((1 << 64) // self.of)

    @property
    def high(self) -> int:
        return (self.number + 1) * ((1 << 64) // self.of)


WHOLE = Shard(0, 1)


class Layout(NamedTuple):
    """What a table and all of its shards have in common.

    bits: of the directory. step: places of lists are multiples of it, so that 31 bits hold any of them.
    wide: the directory takes eight bytes a bucket, not four.
    """

    bits: int
    step: int
    wide: bool

    @classmethod
    def of(cls, hashes: int, entries: int) -> Layout:
        """hashes: about how many distinct ones; entries: an upper bound."""
        bits = max(LEAST_BITS, min(32, (hashes // HASHES_A_BUCKET).bit_length()))
        return cls(bits, 1 + (6 * entries >> 31), entries >= 1 << 32)

    @property
    def directory(self) -> str:
        return "<u8" if self.wide else "<u4"


class TableWriter:
    """Writes a table, or one shard of it, from parts sorted by hash and value, each after the one before."""

    def __init__(self, folder: Path, name: str, layout: Layout, shard: Shard = WHOLE) -> None:
        self._layout, self._shard = layout, shard
        self._buckets = (1 << layout.bits) // shard.of
        self._first = shard.number * self._buckets
        self._dir = ArrayWriter(folder, f"{name}.dir", layout.directory)
        self._rem = ArrayWriter(folder, f"{name}.rem", "V3")
        self._ref = ArrayWriter(folder, f"{name}.ref", "<u4")
        self._list = ArrayWriter(folder, f"{name}.list", "u1")
        self._entries = 0

    def append(self, keys: U64, values: NDArray[np.uint32]) -> None:
        if not len(keys):
            return
        known = keys >> np.uint64(64 - self._layout.bits - REMAINDER)
        new = np.ones(len(known), bool)
        np.not_equal(known[1:], known[:-1], out=new[1:])
        if np.count_nonzero(new) != 1 + np.count_nonzero(keys[1:] != keys[:-1]):
            # Hashes that agree in all bits that are kept are one.
            values = values[np.lexsort((values, known))]
        starts = np.flatnonzero(new)
        hashes = known[starts]
        bucket = (hashes >> np.uint64(REMAINDER)).astype(np.int64) - self._first
        begun = np.arange(self._dir.count, int(bucket[-1]) + 1)
        self._dir.append(np.searchsorted(bucket, begun) + self._ref.count)
        remainder = (hashes & np.uint64((1 << REMAINDER) - 1)).astype("<u4")
        planes = remainder.view(np.uint8).reshape(-1, 4)[:, :3]
        self._rem.append(np.ascontiguousarray(planes).view("V3").ravel())
        self._ref.append(self._refs(values, starts))
        self._entries += len(values)

    def _refs(self, values: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
        """What `ref` holds of each hash; writes the lists of those with several values."""
        step = self._layout.step
        counts = np.diff(starts, append=len(values))
        refs = values[starts]
        refs[refs >= COMMON] -= np.uint32(COMMON - MAX_UNITS)
        many = counts > 1
        inside = np.repeat(many, counts)
        own = counts[many]
        data, lengths = pack(values[inside], np.cumsum(own) - own)
        long = lengths >= LONG
        begin = 1 + 4 * long
        room = -(-(begin + lengths) // step) * step
        at = np.cumsum(room) - room
        blob = np.zeros(int(room.sum()), np.uint8)
        blob[at] = np.minimum(lengths, LONG)
        for byte in range(4):
            blob[at[long] + 1 + byte] = lengths[long] >> 8 * byte & 255
        blob[gather(at + begin, lengths)] = data
        place = (self._list.count + at) // step
        if len(place) and int(place[-1]) >= LISTS:
            raise OverflowError("a table's lists are longer than its references reach: use more shards")
        refs[many] = (place + LISTS).astype(np.uint32)
        self._list.append(blob)
        return refs

    def close(self) -> dict[str, Any]:
        """Finish the files; returns the facts that a reader needs."""
        self._dir.append(np.full(self._buckets + 1 - self._dir.count, self._ref.count))
        for writer in (self._dir, self._rem, self._ref, self._list):
            writer.close()
        facts = {"hashes": self._ref.count, "entries": self._entries, "list_bytes": self._list.count}
        return {**self._layout._asdict(), "shard": list(self._shard), **facts}


def write_table(
    folder: Path, name: str, layout: Layout, parts: Iterable[Part], shard: Shard = WHOLE
) -> dict[str, Any]:
    """Write a table, or one shard of it, and return its facts."""
    writer = TableWriter(folder, name, layout, shard)
    for keys, values in parts:
        writer.append(keys, values)
    return writer.close()


class Table:
    """Reader of a table in a sealed folder whose manifest has the writer's facts under `tables`."""

    def __init__(self, folder: Path, name: str, manifest: dict[str, Any]) -> None:
        facts = manifest["tables"][name]
        self.layout = Layout(facts["bits"], facts["step"], facts["wide"])
        self.shard = Shard(*facts["shard"])
        self.hashes: int = facts["hashes"]
        self.entries: int = facts["entries"]
        self._shift = np.uint64(64 - self.layout.bits - REMAINDER)
        self._first = self.shard.number * ((1 << self.layout.bits) // self.shard.of)
        self._dir = MappedArray(folder, f"{name}.dir", self.layout.directory, manifest)
        self._rem = MappedArray(folder, f"{name}.rem", "V3", manifest)
        self._ref = MappedArray(folder, f"{name}.ref", "<u4", manifest)
        self._list = MappedArray(folder, f"{name}.list", "u1", manifest)

    def __len__(self) -> int:
        """Number of entries: pairs of a hash and a value."""
        return self.entries

    def lookup(self, keys: U64) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """All entries of the given hashes: (index into keys, value) pairs, in order of the keys.

        Every key must belong to the table's shard.
        """
        known = keys >> self._shift
        bucket = (known >> np.uint64(REMAINDER)).astype(np.int64) - self._first
        low = self._dir.take(bucket).astype(np.int64)
        count = self._dir.take(bucket + 1).astype(np.int64) - low
        which = np.repeat(np.arange(len(keys)), count)
        at = gather(low, count)
        wanted = (known & np.uint64((1 << REMAINDER) - 1)).astype(np.uint32)
        same = np.flatnonzero(_three_bytes(self._rem.take(at)) == wanted[which])
        values, counts = self._expand(self._ref.take(at[same]))
        return np.repeat(which[same], counts), values

    def _expand(self, refs: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The values that references stand for, and how many each has."""
        counts = np.ones(len(refs), np.int64)
        listed = np.flatnonzero(refs >= LISTS)
        data, lengths = self._lists(refs[listed])
        members, counts[listed] = unpack(data, lengths)
        starts = np.cumsum(counts) - counts
        values = np.empty(int(counts.sum()), np.uint32)
        values[starts] = np.where(refs >= MAX_UNITS, refs + np.uint32(COMMON - MAX_UNITS), refs)
        values[gather(starts[listed], counts[listed])] = members
        return values, counts

    def _lists(self, refs: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Packed bytes of the lists that references point at, and the length of each."""
        at = (refs.astype(np.int64) - LISTS) * self.layout.step
        lengths = self._list.take(at).astype(np.int64)
        begin = at + 1
        long = np.flatnonzero(lengths == LONG)
        if len(long):
            raw = self._list.take((at[long, None] + np.arange(1, 5)).ravel())
            lengths[long] = raw.view("<u4")
            begin[long] += 4
        return self._list.take(gather(begin, lengths)), lengths

    def entries_of(self, shard: Shard | None = None, hashes: int = 1 << 18) -> Iterator[Part]:
        """All entries of this table, or of one shard of it, in order, so many hashes at a time.

        Of each hash the bits that the table keeps; the others are 0.
        """
        shard = shard or self.shard
        buckets = (1 << self.layout.bits) // shard.of
        first = shard.number * buckets - self._first
        directory = self._dir.slice(first, first + buckets + 1)
        for low in range(int(directory[0]), int(directory[-1]), hashes):
            high = min(int(directory[-1]), low + hashes)
            bucket = np.searchsorted(directory, np.arange(low, high), side="right") - 1
            rest = _three_bytes(self._rem.slice(low, high)).astype(np.uint64)
            known = (bucket + shard.number * buckets).astype(np.uint64) << np.uint64(REMAINDER) | rest
            values, counts = self._expand(self._ref.slice(low, high))
            yield np.repeat(known << self._shift, counts), values


def _three_bytes(values: NDArray[Any]) -> NDArray[np.uint32]:
    """uint32 of numbers that take three bytes each, the least significant first."""
    planes = values.view(np.uint8).reshape(-1, 3).astype(np.uint32)
    joined: NDArray[np.uint32] = planes[:, 0] | planes[:, 1] << np.uint32(8) | planes[:, 2] << np.uint32(16)
    return joined
