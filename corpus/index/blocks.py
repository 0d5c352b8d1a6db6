"""Arrays in files: written with a checksum a block, memory-mapped, each block verified when it is first read.

A file `NAME.<dtype>` has a companion `NAME.<dtype>.sum` with the xxh3-64 of every 64 KiB block; the manifest of the
folder holds size and SHA-256 of both. Opening checks sizes and the small companions only; `verify_folder` checks all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import DTypeLike, NDArray

from corpus.errors import CorruptSnapshot

BLOCK = 64 * 1024
MANIFEST = "MANIFEST.json"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Make renames and new names in a folder survive a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


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
        data = np.ascontiguousarray(values, self.dtype).tobytes()
        self.count += len(values)
        self._stream.write(data)
        data = self._tail + data
        whole = len(data) - len(data) % BLOCK
        view = memoryview(data)
        self._sums += [xxhash.xxh3_64_intdigest(view[at : at + BLOCK]) for at in range(0, whole, BLOCK)]
        self._tail = data[whole:]

    def close(self) -> None:
        if self._tail:
            self._sums.append(xxhash.xxh3_64_intdigest(self._tail))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        np.array(self._sums, "<u8").tofile(f"{self.path}.sum")


def write_array(folder: Path, name: str, values: NDArray[Any]) -> None:
    writer = ArrayWriter(folder, name, values.dtype)
    writer.append(values)
    writer.close()


def write_manifest(folder: Path, facts: dict[str, Any]) -> str:
    """Seal a folder: sizes and digests of all its files beside `facts`. Returns its content digest."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            files[path.name] = {"bytes": path.stat().st_size, "sha256": _digest(path)}
    content = hashlib.sha256(json.dumps([facts, files], sort_keys=True).encode()).hexdigest()
    path = folder / MANIFEST
    with path.open("w") as out:
        json.dump({**facts, "content": content, "sealed": files}, out, indent=1, sort_keys=True)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(folder)
    return content


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a sealed folder, once the sizes of its files and the small files' digests fit."""
    path = folder / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        files: dict[str, dict[str, Any]] = manifest["sealed"]
        facts = {k: v for k, v in manifest.items() if k not in ("sealed", "content")}
        content = hashlib.sha256(json.dumps([facts, files], sort_keys=True).encode()).hexdigest()
        if content != manifest["content"]:
            raise CorruptSnapshot(path, "its own digest does not fit")
        for name, entry in files.items():
            size = (folder / name).stat().st_size
            if size != entry["bytes"]:
                raise CorruptSnapshot(folder / name, f"{size} bytes instead of {entry['bytes']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptSnapshot(path, str(error)) from error
    return manifest


def verify_folder(folder: Path) -> dict[str, Any]:
    """Check every byte of a sealed folder against its manifest."""
    manifest = read_manifest(folder)
    for name, entry in manifest["sealed"].items():
        if _digest(folder / name) != entry["sha256"]:
            raise CorruptSnapshot(folder / name, "its SHA-256 does not fit")
    return manifest


class MappedArray:
    """A memory-mapped array of a sealed folder; what is read is verified, block by block, once."""

    def __init__(self, folder: Path, name: str, dtype: DTypeLike, manifest: dict[str, Any]) -> None:
        self.path = folder / name
        entry, sums = manifest["sealed"].get(name), manifest["sealed"].get(f"{name}.sum")
        if entry is None or sums is None:
            raise CorruptSnapshot(self.path, "it is not in the manifest")
        self.dtype = np.dtype(dtype)
        self._length = entry["bytes"] // self.dtype.itemsize
        self._bytes = entry["bytes"]
        self._sums_sha256 = sums["sha256"]
        self._values: NDArray[Any] | None = None

    def __len__(self) -> int:
        return int(self._length)

    def _open(self) -> NDArray[Any]:
        """Map on first use: most segments of a large corpus are never touched by a scan."""
        if self._values is None:
            try:
                sums = Path(f"{self.path}.sum").read_bytes()
                if hashlib.sha256(sums).hexdigest() != self._sums_sha256:
                    raise CorruptSnapshot(f"{self.path}.sum", "its SHA-256 does not fit")
                self._sums = np.frombuffer(sums, "<u8")
                self._verified = np.zeros(len(self._sums), bool)
                self._values = (
                    np.memmap(self.path, self.dtype, "r", shape=(self._length,))
                    if self._length
                    else np.empty(0, self.dtype)
                )
            except (OSError, ValueError) as error:
                raise CorruptSnapshot(self.path, str(error)) from error
        return self._values

    def _verify(self, blocks: Iterable[int]) -> None:
        raw = self._open().view(np.uint8).data
        for block in blocks:
            if xxhash.xxh3_64_intdigest(raw[block * BLOCK : (block + 1) * BLOCK]) != self._sums[block]:
                raise CorruptSnapshot(self.path, f"block {block} does not fit its checksum")
            self._verified[block] = True

    def slice(self, first: int, last: int) -> NDArray[Any]:
        """values[first:last], verified; a view, not a copy."""
        values = self._open()
        if last > first:
            lo = first * self.dtype.itemsize // BLOCK
            hi = (last * self.dtype.itemsize - 1) // BLOCK + 1
            if not self._verified[lo:hi].all():
                self._verify((np.flatnonzero(~self._verified[lo:hi]) + lo).tolist())
        return values[first:last]

    def take(self, index: NDArray[np.int64]) -> NDArray[Any]:
        """values[index], verified."""
        values = self._open()
        if len(index):
            blocks = np.unique(index * self.dtype.itemsize // BLOCK)
            missing = blocks[~self._verified[blocks]]
            if len(missing):
                self._verify(missing.tolist())
        return values[index]

    def all(self) -> NDArray[Any]:
        return self.slice(0, self._length)
