"""An index as if some packages had never been indexed: honest code is measured against it.

The snapshot is built from the catalogue's segments without the packages' releases, and without every file of
any other release that has the same content as one of theirs: gone from postings, from word frequencies and
from the document frequencies of features. Corpus and background are treated alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from corpus.index.blocks import MappedArray
from corpus.index.build import build_snapshot
from corpus.index.catalog import Catalog, Entry
from corpus.index.entries import Repeated
from corpus.index.segment import Segment
from corpus.index.snapshot import Snapshot
from corpus.params import Params
from corpus.purl import same_package


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What an index lacks: releases, and files of other releases as (purl, path)."""

    releases: tuple[str, ...]
    copies: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        named = ", ".join(self.releases) or "no release"
        return f"without {named} and {len(self.copies)} copies of their files in other releases"


@dataclass(frozen=True, slots=True)
class _Column:
    """An array in memory with the interface of a mapped one."""

    values: NDArray[Any]

    def __len__(self) -> int:
        return len(self.values)

    def all(self) -> NDArray[Any]:
        return self.values

    def slice(self, first: int, last: int) -> NDArray[Any]:
        return self.values[first:last]

    def take(self, at: NDArray[np.int64]) -> NDArray[Any]:
        return self.values[at]

    def release(self) -> None:
        """Nothing is mapped."""


class PartOfSegment(Segment):
    """A segment whose files `without` (numbers) propose nothing and count in no frequency."""

    def __init__(self, root: Path, name: str, params: Params, without: Collection[int]) -> None:
        super().__init__(root, name, params)
        self._without = sorted(without)

    def array(self, name: str, dtype: DTypeLike) -> MappedArray:
        if name == "vocab_files.u4":
            counts = super().array(name, dtype).all().copy()
            for number in self._without:
                counts[np.unique(self.tokens(number).vocab)] -= 1
            return _Column(counts)  # type: ignore[return-value]
        return super().array(name, dtype)

    def table(self, name: str) -> Repeated:
        hashes, unit = super().table(name).all()
        kept = ~np.isin(self.file_of_unit(unit.astype(np.int64)), self._without)
        hashes, unit = hashes[kept], unit[kept]
        first = np.ones(len(hashes), bool)
        np.not_equal(hashes[1:], hashes[:-1], out=first[1:])
        bits = np.packbits(first, bitorder="little")
        return Repeated(_Column(hashes[first]), _Column(bits), _Column(unit))


def copies_of(contents: Collection[str], segment: Segment) -> list[int]:
    """Numbers of the segment's files with one of these git blob ids."""
    return [number for number, file in enumerate(segment.files) if file.sha1 in contents and file.tokens]


def drawn(purl: str, share: float) -> bool:
    """Whether a release belongs to a part of the corpus; a smaller part lies within each larger one."""
    lot = hashlib.sha256(purl.encode()).digest()
    return int.from_bytes(lot[:4]) < share * 2**32


def index_without(
    catalog: Catalog,
    packages: Sequence[str],
    contents: Collection[str],
    folder: Path,
    share: float = 1.0,
) -> tuple[Snapshot, Exclusion]:
    """Build (or open, when it was built before) the index that lacks these packages.

    contents: git blob ids of files of the packages that the catalogue does not hold; those of its own
    releases are added. folder: where snapshots are kept; nothing is published. share: part of the releases
    that can be origins; the background is there in full.
    """
    entries = [e for e in catalog.entries().values() if e.background or drawn(e.purl, share)]
    gone = [e for e in entries if any(same_package(e.purl, p) for p in packages)]
    known = set(contents)
    for entry in gone:
        known |= {f.sha1 for f in catalog.segment(entry).files}
    segments: list[Segment] = []
    copies: list[tuple[str, str]] = []
    for entry in entries:
        if entry in gone:
            continue
        segment = catalog.segment(entry)
        numbers = copies_of(known, segment)
        copies += [(entry.purl, segment.files[n].path) for n in numbers]
        if numbers:
            segment = PartOfSegment(catalog.segments_root, entry.segment, catalog.params, numbers)
        segments.append(segment)
    exclusion = Exclusion(tuple(e.purl for e in gone), tuple(copies))
    return _open_or_build(catalog, segments, entries, exclusion, folder), exclusion


def _open_or_build(
    catalog: Catalog,
    segments: Sequence[Segment],
    entries: Sequence[Entry],
    exclusion: Exclusion,
    folder: Path,
) -> Snapshot:
    key = [[s.name for s in segments], exclusion.copies, sorted(e.segment for e in entries)]
    home = folder / hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    built = next((p for p in home.iterdir() if not p.name.startswith(".")), None)
    if built is None:
        built = home / build_snapshot(home, segments, catalog.params)
    snapshot = Snapshot(built, catalog.segments_root, catalog.params)
    snapshot.null = catalog.open().null
    return snapshot
