"""The sorted columns of many segments as one stream of (hash, value) entries, bounded in memory.

A stream is cut by hash into parts; each part is read from all segments, merged and let go again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.index.entries import Cut, Entries, Plain
from corpus.index.segment import Segment
from corpus.index.table import WHOLE, Layout, Part, Shard

PART_ENTRIES = 4_000_000
"""How many entries a merge holds in memory at once (about 12 bytes each, a few copies)."""

SAMPLE = Shard(0, 64)
"""Distinct hashes are counted in this part of a column, so that a table's layout follows from its content."""


def run_starts(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Index of the first entry of each run of equal keys."""
    if not len(keys):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))


class Column:
    """One column, sorted by hash and value within each of many sources; values are shifted by their base."""

    def __init__(self, sources: Sequence[Entries], bases: Sequence[int]) -> None:
        self._sources, self._bases = sources, bases
        self.entries = sum(map(len, sources))

    @cached_property
    def layout(self) -> Layout:
        """How a table of this column is laid out."""
        hashes = sum(len(run_starts(keys)) for keys, _ in self.parts(SAMPLE)) * SAMPLE.of
        return Layout.of(hashes, self.entries)

    def parts(self, shard: Shard = WHOLE) -> Iterator[Part]:
        """The entries of a shard, ascending by hash and value, part by part."""
        count = max(1, -(-self.entries // (PART_ENTRIES * shard.of)))
        edges = [shard.low + i * (shard.high - shard.low) // count for i in range(count)]
        whole = shard.high >> 64
        hashes = np.array(edges if whole else [*edges, shard.high], np.uint64)
        cuts = []
        for source in self._sources:
            cuts.append([*source.cuts(hashes), *([source.end] if whole else [])])
            source.release()
        for number in range(count):
            yield self._part([(own[number], own[number + 1]) for own in cuts])

    def _part(self, cuts: Sequence[tuple[Cut, Cut]]) -> Part:
        part_keys, part_values = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
        for source, base, (first, last) in zip(self._sources, self._bases, cuts, strict=True):
            if last > first:
                keys, values = source.between(first, last)
                part_keys.append(keys)
                part_values.append(values + np.uint32(base))
                source.release()
        merged, ids = np.concatenate(part_keys), np.concatenate(part_values)
        # Sources come in ascending order of their units, each sorted: a stable sort merges them.
        order = np.argsort(merged, kind="stable")
        return merged[order], ids[order]


class Merge:
    """What a snapshot is built from: the columns of segments in order of their releases."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = sorted(segments, key=lambda s: s.facts.purl)
        self.bases = np.cumsum([0, *(s.counts["units"] for s in self.segments)]).tolist()
        self.units: int = self.bases[-1]

    def column(self, name: str) -> Column:
        """A layer, or `words`: spellings of tokens with the number of files that have each."""
        if name == "words":
            words = [
                Plain(segment.array("vocab_raw.u8", "<u8"), segment.array("vocab_files.u4", "<u4"))
                for segment in self.segments
            ]
            return Column(words, [0] * len(words))
        return Column([segment.table(name) for segment in self.segments], self.bases[:-1])

    def digests(self) -> U64:
        """Digest of every unit."""
        digests = np.empty(self.units, np.uint64)
        for segment, (first, last) in zip(self.segments, pairwise(self.bases), strict=True):
            digests[first:last] = segment.array("digest", "<u8").all()
        return digests
