"""A corpus of any size, resampled from real segments, with the long tail of their frequencies.

The units of the real corpus are taken again and again. In each further copy a hash that f units have stays
the same hash with probability 1 − 1/f, as an idiom would, and is otherwise a new one, as code written anew
has: rare hashes multiply, frequent ones become more frequent. Bands of MinHash are those of new code, so that
copies of the corpus are no near copies of each other. Entries are made while a build asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64, mix
from corpus.index.merge import Merge, run_starts
from corpus.index.table import WHOLE, Layout, Part, Shard

RANGES = 256
"""A hash keeps its top byte in all copies: a part of the result needs a part of the real corpus only."""

_LOW = np.uint64((1 << 56) - 1)


class ResampledColumn:
    """One column of `units` units, made of a real one of `real` units."""

    def __init__(self, parts: Iterator[Part], units: int, real: int, *, shift: bool, fresh: bool) -> None:
        """shift: values are units; otherwise counts. fresh: no hash is shared between copies."""
        keys, values = zip(*parts, strict=True)
        self._keys: U64 = np.concatenate(keys)
        self._values: NDArray[np.uint32] = np.concatenate(values)
        self._units, self._real, self._shift = units, real, shift
        starts = run_starts(self._keys)
        length = np.diff(starts, append=len(self._keys))
        luck = mix(self._keys[starts] ^ np.uint64(0x5EED)) / float(1 << 64)
        stays = np.zeros(len(starts), bool) if fresh else luck < 1 - 1 / length
        self._stays = np.repeat(stays, length)
        self.entries = int(len(self._keys) * units / real)

    @cached_property
    def layout(self) -> Layout:
        hashes = sum(len(run_starts(keys)) for keys, _ in self.parts(Shard(0, 64))) * 64
        return Layout.of(hashes, int(self.entries * 1.05) + 1000)

    def parts(self, shard: Shard = WHOLE) -> Iterator[Part]:
        first, last = shard.low >> 56, shard.high >> 56
        top = (self._keys >> np.uint64(56)).astype(np.int64)
        edges = np.searchsorted(top, np.arange(first, last + 1))
        for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            yield self._part(low, high)

    def _part(self, low: int, high: int) -> Part:
        keys, values, stays = self._keys[low:high], self._values[low:high], self._stays[low:high]
        all_keys, all_values = [keys[:0]], [values[:0]]
        for copy in range(-(-self._units // self._real)):
            new = mix(keys ^ np.uint64(copy * 0x9E3779B97F4A7C15 & (1 << 64) - 1)) & _LOW | keys & ~_LOW
            own = np.where(stays, keys, new) if copy else keys
            room = self._units - copy * self._real
            kept = slice(None) if room >= self._real or not self._shift else values < room
            all_keys.append(own[kept])
            all_values.append(values[kept] + np.uint32(copy * self._real if self._shift else 0))
        merged, ids = np.concatenate(all_keys), np.concatenate(all_values)
        order = np.lexsort((ids, merged))
        return merged[order], ids[order]


class Resampled:
    """What `corpus.index.build.write_tables` builds from, with so many units."""

    def __init__(self, merge: Merge, units: int) -> None:
        self._merge, self.units = merge, units

    def column(self, name: str) -> ResampledColumn:
        parts = self._merge.column(name).parts()
        return ResampledColumn(
            parts, self.units, self._merge.units, shift=name != "words", fresh=name == "lsh"
        )

    def digests(self) -> U64:
        real = self._merge.digests()
        copies = -(-self.units // len(real))
        salts = np.arange(copies, dtype=np.uint64)[:, None] * np.uint64(0x9E3779B97F4A7C15)
        return mix((real ^ salts).ravel())[: self.units]
