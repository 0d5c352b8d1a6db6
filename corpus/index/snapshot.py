"""Reader of a published snapshot: lookups over mapped tables, files and tokens from the segments behind them.

Opening reads one manifest; everything else is mapped when first asked for.
"""

from __future__ import annotations

import fcntl
import os
import weakref
from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.covered import Covered, read_covered
from corpus.errors import CorruptSnapshot, ParamsMismatch
from corpus.fingerprint.hashing import U64
from corpus.index.blocks import MappedArray, read_manifest, verify_folder
from corpus.index.build import FORMAT
from corpus.index.lookup import NAMES, Found, Lookup, Mapped
from corpus.index.packed import order_of
from corpus.index.segment import Segment, SegmentFile
from corpus.index.table import COMMON, SUFFIXES
from corpus.index.tokens import FileTokens
from corpus.null import BUILT_IN, Null
from corpus.null import read as read_null
from corpus.params import Params

TABLE_FILES = frozenset(
    f"{name}.{suffix}{sums}" for name in NAMES for suffix in SUFFIXES for sums in ("", ".sum")
)


class FileRef(NamedTuple):
    """Segment and file number within a snapshot."""

    segment: int
    file: int


class Postings(NamedTuple):
    """Entries found: `which` indexes the keys asked for, `unit` is a unit of the snapshot or COMMON."""

    which: NDArray[np.int64]
    unit: NDArray[np.uint32]


class Index(Protocol):
    """What matching needs of an index, whatever holds it. null: what unrelated code reaches in it.

    covered: what a report tells of what is in it.

    `view` is the same index for the lookups of one scan; its `gaps` say, in sentences, what these lookups
    could not reach. A hash that could not be asked for is taken for one that every origin has: it proposes
    nothing, and what agrees in it counts as common.
    """

    identity: str
    units: int

    @property
    def gaps(self) -> Sequence[str]: ...
    def view(self) -> Index: ...

    def postings(self, layer: str, keys: U64) -> Postings: ...
    def clusters(self, units: NDArray[np.uint32]) -> NDArray[np.uint32]: ...
    def weights(self, units: NDArray[np.int64]) -> NDArray[np.float32]: ...
    def unit(self, unit: int) -> tuple[FileRef, Any]: ...
    def first_unit(self, ref: FileRef) -> int: ...
    def files_of(self, units: NDArray[np.uint32]) -> NDArray[np.int64]: ...
    def word_files(self, raw: U64) -> NDArray[np.int64]: ...
    def ref(self, file_id: int) -> FileRef: ...
    def segment(self, number: int) -> Segment: ...
    def file(self, ref: FileRef) -> SegmentFile: ...
    def tokens(self, ref: FileRef) -> FileTokens: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    @property
    def null(self) -> Null: ...
    @property
    def covered(self) -> Covered: ...


def null_file(folder: Path) -> Path:
    """Where the measured null of a snapshot lies: beside its folder, which is sealed."""
    return folder.with_name(f".{folder.name}.null.json")


def hold(folder: Path) -> int:
    """Keep a snapshot from being deleted until the returned descriptor is closed."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise CorruptSnapshot(folder, error.strerror or "unreadable") from error
    with suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_held(folder: Path) -> bool:
    """Whether a reader, in any process, has the snapshot open."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


class Snapshot:
    """The local implementation of `Index`. While it lives, its folder and its segments are kept."""

    def __init__(
        self,
        folder: Path,
        segments_root: Path,
        params: Params,
        *,
        verify: bool = False,
        connect: Callable[[dict[str, Any]], Lookup] | None = None,
    ) -> None:
        """connect: makes, of the manifest, the lookup in tables that lie elsewhere, not in the folder."""
        self.folder, self._segments_root, self._params = folder, segments_root, params
        weakref.finalize(self, os.close, hold(folder))
        absent = TABLE_FILES if connect else frozenset[str]()
        self.manifest = verify_folder(folder, absent) if verify else read_manifest(folder, absent)
        if self.manifest.get("params") != params.digest:
            raise ParamsMismatch(folder, str(self.manifest.get("params")), params.digest)
        if self.manifest.get("format") != FORMAT:
            raise ParamsMismatch(folder, f"format {self.manifest.get('format')}", f"format {FORMAT}")
        self.identity: str = self.manifest["content"][:16]
        if folder.name != self.identity:
            raise CorruptSnapshot(folder, "it holds another snapshot")
        self.units: int = self.manifest["units"]
        rows = self.manifest["segments"]
        self._first_unit = np.array([r["first_unit"] for r in rows], np.int64)
        self._first_file = np.cumsum([0, *(r["files"] for r in rows)])
        self._first_files: list[int] = self._first_file.tolist()
        self._open: dict[int, Segment] = {}
        self._lookup: Lookup = connect(self.manifest) if connect else Mapped(folder, self.manifest)
        self._gaps: dict[str, None] = {}
        self._whole: Snapshot | None = None
        if verify:
            for number in range(len(rows)):
                verify_folder(self.segment(number).folder)

    @property
    def facts(self) -> dict[str, Any]:
        return self.manifest

    @property
    def gaps(self) -> Sequence[str]:
        return tuple(self._gaps)

    @cached_property
    def null(self) -> Null:
        """As measured by `whence corpus calibrate`, else the built-in one. Raises BadCalibration."""
        return read_null(null_file(self.folder)) or BUILT_IN

    @cached_property
    def covered(self) -> Covered:
        """As noted when it was built, else what the manifest tells."""
        return read_covered(self.folder, self.manifest)

    def view(self) -> Snapshot:
        one = copy(self)
        one._gaps, one._whole = {}, self
        return one

    def _find(self, table: str, keys: U64) -> Found:
        found = self._lookup.find(table, keys)
        self._gaps |= dict.fromkeys(found.gaps)
        return found

    def postings(self, layer: str, keys: U64) -> Postings:
        which, units, lost, _ = self._find(layer, keys)
        if len(lost) and layer != "lsh":
            common = np.full(len(lost), COMMON + self.manifest["clusters"], np.uint32)
            which, units = np.concatenate((which, lost)), np.concatenate((units, common))
            order = np.argsort(which, kind="stable")
            which, units = which[order], units[order]
        return Postings(which, units)

    @cached_property
    def _clusters(self) -> MappedArray:
        return MappedArray(self.folder, "clusters", "<u4", self.manifest)

    def clusters(self, units: NDArray[np.uint32]) -> NDArray[np.uint32]:
        return self._clusters.take(units.astype(np.int64))

    @cached_property
    def _weights(self) -> MappedArray:
        return MappedArray(self.folder, "weights", "<f4", self.manifest)

    def weights(self, units: NDArray[np.int64]) -> NDArray[np.float32]:
        """Sum of the rarities of each unit's algorithm features, in bits."""
        return self._weights.take(units)

    def first_unit(self, ref: FileRef) -> int:
        """The snapshot-wide number of a file's first unit."""
        return int(self._first_unit[ref.segment]) + self.file(ref).first_unit

    def unit(self, unit: int) -> tuple[FileRef, Any]:
        """File of a unit of the snapshot, and its row (UNIT_DTYPE)."""
        number = int(self._first_unit.searchsorted(unit, "right")) - 1
        segment, local = self.segment(number), unit - int(self._first_unit[number])
        file = int(segment.file_of_unit(np.array([local]))[0])
        return FileRef(number, file), segment.units.slice(local, local + 1)[0]

    def segments_of(self, units: NDArray[Any]) -> NDArray[np.int64]:
        return np.searchsorted(self._first_unit, units, side="right") - 1

    def files_of(self, units: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Snapshot-wide file numbers of units; `ref` opens one."""
        order = order_of(units)
        ranked = units[order].astype(np.int64)
        files = np.empty(len(units), np.int64)
        numbers = self.segments_of(ranked)
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        ranges = pairwise([*starts.tolist(), len(units)])
        for number, (first, last) in zip(numbers[starts].tolist(), ranges, strict=True):
            local = ranked[first:last] - self._first_unit[number]
            files[first:last] = self.segment(number).file_of_unit(local) + self._first_file[number]
        out = np.empty(len(units), np.int64)
        out[order] = files
        return out

    def ref(self, file_id: int) -> FileRef:
        number = bisect_right(self._first_files, file_id) - 1
        return FileRef(number, file_id - self._first_files[number])

    def word_files(self, raw: U64) -> NDArray[np.int64]:
        """In how many indexed files each token spelling occurs."""
        which, count, lost, _ = self._find("words", raw)
        out = np.zeros(len(raw), np.int64)
        out[which] = count
        out[lost] = self.manifest["files"]
        return out

    def segment(self, number: int) -> Segment:
        found = self._open.get(number)
        if found is None:
            row = self.manifest["segments"][number]
            found = Segment(self._segments_root, row["name"], self._params)
            if found.manifest["content"] != row["content"]:
                raise CorruptSnapshot(found.folder, "it is not the segment that the snapshot was built from")
            self._open[number] = found
        return found

    def is_background(self, number: int) -> bool:
        return bool(self.manifest["segments"][number]["background"])

    def file(self, ref: FileRef) -> SegmentFile:
        return self.segment(ref.segment).files[ref.file]

    def tokens(self, ref: FileRef) -> FileTokens:
        return self.segment(ref.segment).tokens(ref.file)

    def text_of(self, purl: str, path: str) -> bytes | None:
        """Source text of an indexed file, or None where it is unknown or texts are not kept."""
        for number, row in enumerate(self.manifest["segments"]):
            if row["purl"] == purl:
                segment = self.segment(number)
                for position, file in enumerate(segment.files):
                    if file.path == path:
                        return segment.text(position)
        return None
