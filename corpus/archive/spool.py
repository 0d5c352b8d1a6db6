"""A folder where all that was read lies in a few large files, one member behind the other: `spool/volume-N`.

A file for each member costs many times what its bytes cost. Nothing that an archive says becomes part of a
path. `Writer` fills the volumes in a child; `Reader` takes them over in the parent, which believes no number.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import IO

from corpus.archive.limits import MIB
from corpus.errors import ArchiveError

VOLUME = 128 * MIB
"""From this size on a volume takes no more; children may not write files of twice that."""

_BUFFER = MIB

Place = tuple[int, int, int]
"""Volume, offset and size of a member."""


def blob_id(data: bytes | bytearray) -> str:
    """git's id of a file with this content, 40 hex digits: its SWHID without the prefix."""
    digest = sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def _name(folder: Path, number: int) -> Path:
    return folder / f"volume-{number}"


class Writer:
    """The child's end: appends members. volumes: how many there are, complete once closed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.volumes = 0
        self._file: IO[bytes] | None = None
        self._size = 0

    def add(self, data: bytes | bytearray) -> Place:
        if self._file is None or self._size >= VOLUME:
            self._file = self._next()
        place = self.volumes - 1, self._size, len(data)
        self._file.write(data)
        self._size += len(data)
        return place

    def read(self, place: Place) -> bytes:
        """What was added there before."""
        number, offset, size = place
        if self._file is not None:
            self._file.flush()
        with _name(self.folder, number).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self) -> IO[bytes]:
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(_name(self.folder, self.volumes), flags, 0o600)
        self.volumes += 1
        self._size = 0
        return os.fdopen(descriptor, "wb", _BUFFER)


class _Volume:
    """An open volume without a name: it goes with the last member that lies in it."""

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        os.unlink(path)
        status = os.fstat(self._descriptor)
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else 0

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly that many bytes. Raises ArchiveError where there are none."""
        data = b""
        if 0 <= offset <= self.size - size and size >= 0:
            data = os.pread(self._descriptor, size, offset)
        if len(data) != size:
            raise ArchiveError("what was unpacked is not there")
        return data


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of one member, read like those of a path."""

    volume: _Volume
    offset: int
    size: int

    def read_bytes(self) -> bytes:
        return self.volume.read(self.offset, self.size)

    def stat(self) -> os.stat_result:
        """Its size and that it is a regular file; all else is 0."""
        return os.stat_result((stat.S_IFREG, 0, 0, 0, 0, 0, self.size, 0, 0, 0))


class Reader:
    """The parent's end: the volumes of one writer, taken out of the folder."""

    def __init__(self, folder: Path, volumes: int) -> None:
        _require_numbers(volumes)
        try:
            self._volumes = [_Volume(_name(folder, number)) for number in range(volumes)]
        except OSError as error:
            raise ArchiveError(f"what was unpacked cannot be read: {error.strerror}") from error

    @property
    def size(self) -> int:
        """Of all volumes."""
        return sum(volume.size for volume in self._volumes)

    def member(self, number: int, offset: int, size: int) -> Stored:
        _require_numbers(number, offset, size)
        if not 0 <= number < len(self._volumes):
            raise ArchiveError("what was unpacked is not there")
        return Stored(self._volumes[number], offset, size)


def _require_numbers(*told: object) -> None:
    """What a child tells may be anything."""
    for one in told:
        if not isinstance(one, int):
            raise ArchiveError("what was unpacked is not there")
