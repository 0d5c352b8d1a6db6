"""Arrays in files: written with a checksum a block, mapped, each block verified when it is first read.

A file `NAME` has a companion `NAME.sum` with the xxh3-64 of every 64 KiB block; the manifest of the folder
holds size and SHA-256 of both. Opening a folder checks sizes only, using an array checks its companion and
the blocks that are read; `verify_folder` checks all. A folder of many arrays has them in one such file
(`ArraysWriter`): to create and to sync a file takes longer than to write most of them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import shutil
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import xxhash
from numpy.typing import DTypeLike, NDArray

from corpus.errors import CorruptSnapshot

BLOCK = 64 * 1024
MANIFEST = "MANIFEST.json"
ARRAYS = "arrays"
ALIGNMENT = 16


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    _sync(folder)


def replace_file(path: Path, text: str) -> None:
    """Write a small file so that readers see the old or the new one. One writer at a time."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


@dataclass(frozen=True, slots=True)
class Written:
    """A file that this process wrote, as the manifest of its folder has it."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Written:
        return cls(path.stat().st_size, _digest(path))


def write_bytes(path: Path, *parts: bytes | memoryview) -> Written:
    """Write a file whose folder is sealed later, with what its manifest needs from the bytes at hand."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb", buffering=0) as out:
        for part in parts:
            view = memoryview(part)
            digest.update(view)
            size += view.nbytes
            while view.nbytes:
                view = view[out.write(view) :]
    return Written(size, digest.hexdigest())


class ArrayWriter:
    """Appends arrays of one dtype to `folder/name`, and writes the block sums when closed."""

    def __init__(self, folder: Path, name: str, dtype: DTypeLike) -> None:
        self.path = folder / name
        self.dtype = np.dtype(dtype)
        self.count = 0
        self._stream = self.path.open("wb")
        self._sums: list[int] = []
        self._tail = b""

    def append(self, values: NDArray[Any]) -> None:
        view = np.ascontiguousarray(values, self.dtype).view(np.uint8).data
        self.count += len(values)
        self._stream.write(view)
        if self._tail:
            view = memoryview(self._tail + view)
        whole = len(view) - len(view) % BLOCK
        self._sums += _sums(view[:whole])
        self._tail = bytes(view[whole:])

    def close(self) -> None:
        self._sums += _sums(memoryview(self._tail))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        np.array(self._sums, "<u8").tofile(f"{self.path}.sum")


def _sums(view: memoryview) -> list[int]:
    return [xxhash.xxh3_64_intdigest(view[at : at + BLOCK]) for at in range(0, len(view), BLOCK)]


def write_array(folder: Path, name: str, values: NDArray[Any]) -> dict[str, Written]:
    """Write a whole array and its block sums; what the manifest needs of both files, by their names."""
    data = np.ascontiguousarray(values).view(np.uint8).data
    sums = np.array(_sums(data), "<u8").data
    return {name: write_bytes(folder / name, data), f"{name}.sum": write_bytes(folder / f"{name}.sum", sums)}


class ArraysWriter:
    """Writes arrays one after the other into the file `arrays` of a folder, the blocks of each counted anew.

    places: what the manifest says of each under `arrays`: offset and size in bytes, its first block's number.
    """

    def __init__(self, folder: Path) -> None:
        self.places: dict[str, tuple[int, int, int]] = {}
        self._folder, self._size, self._digest = folder, 0, hashlib.sha256()
        self._sums: list[int] = []
        self._stream = (folder / ARRAYS).open("wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._stream.close()

    def append(self, name: str, values: NDArray[Any]) -> None:
        data = np.ascontiguousarray(values).view(np.uint8).data
        self._write(memoryview(bytes(-self._size % ALIGNMENT)))
        self.places[name] = self._size, data.nbytes, len(self._sums)
        self._sums += _sums(data)
        self._write(data)

    def _write(self, view: memoryview) -> None:
        self._digest.update(view)
        self._size += view.nbytes
        while view.nbytes:
            view = view[self._stream.write(view) :]

    def finish(self) -> dict[str, Written]:
        """Write the block sums; what the manifest needs of both files, by their names."""
        sums = write_bytes(self._folder / f"{ARRAYS}.sum", np.array(self._sums, "<u8").data)
        return {ARRAYS: Written(self._size, self._digest.hexdigest()), f"{ARRAYS}.sum": sums}


def write_manifest(folder: Path, facts: dict[str, Any], written: Mapping[str, Written] | None = None) -> str:
    """Seal a folder: sizes and digests of all its files beside `facts`. Returns its content digest.

    written: what is known already of some of the files; the others are read. Here all of them are synced.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST:
            _sync(path)
            known = (written or {}).get(path.name) or Written.of(path)
            files[path.name] = {"bytes": known.size, "sha256": known.sha256}
    content = hashlib.sha256(json.dumps([facts, files], sort_keys=True).encode()).hexdigest()
    with (folder / MANIFEST).open("w") as out:
        out.write(_manifest_text({**facts, "content": content, "sealed": files}))
        out.flush()
        os.fsync(out.fileno())
    sync_folder(folder)
    return content


def _manifest_text(manifest: dict[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True)


def read_manifest(folder: Path, absent: Container[str] = ()) -> dict[str, Any]:
    """The manifest of a sealed folder, once its own digest and the sizes of its files fit.

    absent: names of files that need not be there, because others hold them.
    """
    path = folder / MANIFEST
    try:
        text = path.read_text()
        manifest: dict[str, Any] = json.loads(text)
        files: dict[str, dict[str, Any]] = manifest["sealed"]
        facts = {k: v for k, v in manifest.items() if k not in ("sealed", "content")}
        content = hashlib.sha256(json.dumps([facts, files], sort_keys=True).encode()).hexdigest()
        if content != manifest["content"] or text != _manifest_text(manifest):
            raise CorruptSnapshot(path, "its own digest does not fit")
        for name, entry in files.items():
            if name in absent:
                continue
            size = (folder / name).stat().st_size
            if size != entry["bytes"]:
                raise CorruptSnapshot(folder / name, f"{size} bytes instead of {entry['bytes']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptSnapshot(path, str(error)) from error
    return manifest


def verify_folder(folder: Path, absent: Container[str] = ()) -> dict[str, Any]:
    """Check every byte of a sealed folder against its manifest; absent: see `read_manifest`."""
    manifest = read_manifest(folder, absent)
    for name, entry in manifest["sealed"].items():
        if name not in absent and _digest(folder / name) != entry["sha256"]:
            raise CorruptSnapshot(folder / name, "its SHA-256 does not fit")
    return manifest


def read_sealed(folder: Path, name: str, manifest: dict[str, Any]) -> bytes:
    """The bytes of a small file of a sealed folder, verified."""
    path = folder / name
    try:
        data = path.read_bytes()
        expected = manifest["sealed"][name]["sha256"]
    except (OSError, KeyError) as error:
        raise CorruptSnapshot(path, str(error)) from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise CorruptSnapshot(path, "its SHA-256 does not fit")
    return data


def seal_as(folder: Path, target: Path) -> None:
    """Give a sealed folder the name of its content, unless a whole folder has it already.

    Others may do the same with the same content at the same time: one of them is taken.
    """
    while True:
        try:
            folder.rename(target)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        try:
            verify_folder(target)
        except (CorruptSnapshot, FileNotFoundError):
            with suppress(FileNotFoundError):
                shutil.rmtree(target)
        else:
            shutil.rmtree(folder)
            return
    sync_folder(target.parent)


class MappedArray:
    """A memory-mapped array of a sealed folder; what is read is verified, block by block, once."""

    def __init__(self, folder: Path, name: str, dtype: DTypeLike, manifest: dict[str, Any]) -> None:
        place = manifest.get("arrays", {}).get(name)
        if place is None and name not in manifest["sealed"]:
            raise CorruptSnapshot(folder / name, "it is not in the manifest")
        self.path = folder / (ARRAYS if place else name)
        offset, size, first_block = place or (0, manifest["sealed"][name]["bytes"], 0)
        self._offset, self._first_block = int(offset), int(first_block)
        self._blocks = -(-size // BLOCK)
        self.dtype = np.dtype(dtype)
        self._length = size // self.dtype.itemsize
        self._manifest = manifest
        self._values: NDArray[Any] | None = None
        self._map: mmap.mmap | None = None

    def __len__(self) -> int:
        return int(self._length)

    def _open(self) -> NDArray[Any]:
        """Map on first use: most segments of a large corpus are never touched by a scan."""
        if self._values is None:
            try:
                sums = read_sealed(self.path.parent, f"{self.path.name}.sum", self._manifest)
                own = slice(self._first_block, self._first_block + self._blocks)
                self._sums = np.frombuffer(sums, "<u8")[own]
                self._verified = np.zeros(self._blocks, bool)
                self._whole = False
                values = np.empty(0, self.dtype)
                if self._length:
                    with self.path.open("rb") as stream:
                        self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                    values = np.frombuffer(self._map, self.dtype, self._length, self._offset)
                self._values = values  # at last: another thread may be waiting for it
            except (OSError, ValueError) as error:
                raise CorruptSnapshot(self.path, str(error)) from error
        return self._values

    def _verify(self, blocks: Iterable[int]) -> None:
        raw = self._open().view(np.uint8).data
        for block in blocks:
            if xxhash.xxh3_64_intdigest(raw[block * BLOCK : (block + 1) * BLOCK]) != self._sums[block]:
                raise CorruptSnapshot(self.path, f"block {block} does not fit its checksum")
            self._verified[block] = True
        self._whole = bool(self._verified.all())

    def slice(self, first: int, last: int) -> NDArray[Any]:
        """values[first:last], verified; a view, not a copy."""
        values = self._open()
        if last > first and not self._whole:
            lo = first * self.dtype.itemsize // BLOCK
            hi = (last * self.dtype.itemsize - 1) // BLOCK + 1
            if not self._verified[lo:hi].all():
                self._verify((np.flatnonzero(~self._verified[lo:hi]) + lo).tolist())
        return values[first:last]

    def take(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """values[index], verified."""
        values = self._open()
        if len(index) and not self._whole:
            blocks = index * self.dtype.itemsize // BLOCK
            missing = blocks[~self._verified[blocks]]
            if len(missing):
                self._verify(np.unique(missing).tolist())
        return values[index]

    def all(self) -> NDArray[Any]:
        return self.slice(0, self._length)

    def release(self) -> None:
        """Let go of the memory that reading took; what is read again comes from the file again."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)
