"""A file as one stream of bytes, decompressed in bounded pieces and charged to an account.

Knows gzip, bzip2, xz and zstd by their first bytes, each with any number of members; everything
else is passed on as it is. Raises Stop for damage, truncation and reached limits.
"""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable, Iterator
from typing import IO, BinaryIO, Protocol, cast

import zstandard

from corpus.archive.limits import MIB, Account, Stop

try:  # of the extra `ingest`, where there is a wheel: the same in half the time
    from isal import isal_zlib as deflate
except ImportError:
    import zlib as deflate  # type: ignore[no-redef]

_PIECE = 256 * 1024
_XZ_MEMORY = 160 * MIB  # xz -9 needs 65 MiB
_ZSTD_WINDOW = 128 * MIB


class _Decompressor(Protocol):
    """What bz2 and lzma share."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


_DAMAGE = (
    cast("type[Exception]", deflate.error),
    lzma.LZMAError,
    zstandard.ZstdError,
    OSError,
    EOFError,
    ValueError,
)


class _Gzip:
    """A decompressor of zlib's kind with the manners of bz2's."""

    def __init__(self) -> None:
        self._inner = deflate.decompressobj(wbits=31)
        self.needs_input = True
        self._begun = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if not self._begun and data[3:4] > b"\x1f":  # zlib looks at them, isal does not
            raise ValueError("reserved flags")
        self._begun = True
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        # A full piece may leave output inside with no input left over.
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out


_DECOMPRESSORS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
}
_ZSTD = b"\x28\xb5\x2f\xfd"


class Stream:
    """Sequential reading of a (compressed) file."""

    def __init__(self, file: BinaryIO, account: Account) -> None:
        self._file = file
        self._account = account
        self._compressed = 0
        self._unpacked = 0
        head = file.read(8)
        file.seek(0)
        found = [make for magic, make in _DECOMPRESSORS.items() if head.startswith(magic)]
        self.is_compressed = bool(found) or head.startswith(_ZSTD)
        if found:
            self._pieces = self._decompressed(found[0])
        elif self.is_compressed:
            self._pieces = self._zstd()
        else:
            self._pieces = iter(self._raw, b"")
        self._buffer = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        data = self.at_hand(size)
        return b"".join(self.pieces(size)) if data is None else data

    def at_hand(self, size: int, padding: int = 0) -> bytes | None:
        """The next `size` bytes where they are unpacked already, padding too, else None: nothing is taken."""
        start = self._at
        end = start + size
        if end + padding > len(self._buffer):
            return None
        self._at = end + padding
        return self._buffer[start:end]

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces, fewer only at the end."""
        while size > 0:
            if self._at >= len(self._buffer):
                self._buffer, self._at = self._next(), 0
                if not self._buffer:
                    return
            piece = self._buffer[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def peek(self, size: int) -> bytes:
        data = self.read(size)
        self._buffer, self._at = data + self._buffer[self._at :], 0
        return data

    def lines(self, longest: int) -> Iterator[bytes]:
        """Lines with their newlines; Stop for one that is longer than `longest` bytes."""
        rest = b""
        while piece := self.read(_PIECE):
            lines = _split(rest + piece)
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            yield from lines
            if len(rest) > longest:
                raise Stop(f"a line of more than {longest} bytes")
        if rest:
            yield rest

    def _next(self) -> bytes:
        try:
            piece = next(self._pieces, b"")
        except _DAMAGE as error:
            raise Stop("damaged compression") from error
        self._unpacked += len(piece)
        self._account.add_unpacked(len(piece))
        if self.is_compressed:
            self._account.check_ratio(self._compressed, self._unpacked)
        return piece

    def _raw(self) -> bytes:
        data = self._file.read(_PIECE)
        self._compressed += len(data)
        return data

    def _decompressed(self, make: Callable[[], _Decompressor]) -> Iterator[bytes]:
        decompressor = make()
        data = self._raw()
        while True:
            if out := decompressor.decompress(data, _PIECE):
                yield out
            if decompressor.eof:
                # Another member may follow; zero bytes after the last one are padding.
                data = (decompressor.unused_data or self._raw()).lstrip(b"\0")
                while not data and (more := self._raw()):
                    data = more.lstrip(b"\0")
                if not data:
                    return
                decompressor = make()
            elif decompressor.needs_input:
                data = self._raw()
                if not data:
                    raise Stop("truncated archive")
            else:
                data = b""

    def _zstd(self) -> Iterator[bytes]:
        source = cast("IO[bytes]", _Counted(self._raw))  # zstandard only calls read
        reader = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(
            source, read_size=_PIECE, read_across_frames=True
        )
        yield from iter(lambda: reader.read(_PIECE), b"")


class _Counted:
    """The compressed bytes, counted, as zstandard wants to read them."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read

    def read(self, _size: int) -> bytes:
        return self._read()


def _split(data: bytes) -> list[bytes]:
    """Lines that end with newlines only (bytes.splitlines also splits at carriage returns)."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
