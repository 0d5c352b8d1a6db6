"""Entries of a zip archive, in the order of their data, from the central directory.

Follows PKWARE's APPNOTE 6.3 (zip64 too). Members that overlap, are encrypted, or use a compression
other than stored, deflate and bzip2 are named skips; sizes and checksums are checked against what
really came out.
"""

from __future__ import annotations

import bz2
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from corpus.archive.limits import Account, Entry, Stop, Unreadable

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_PIECE = 256 * 1024
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12
_ENCRYPTED, _UTF8 = 0x1, 0x800
_UNIX = 3
_FULL = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Member:
    offset: int
    name: bytes
    method: int
    flags: int
    crc: int
    compressed: int
    size: int
    mode: int


class _Ratio:
    """Bytes in and out of one archive."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._compressed = self._unpacked = 0

    def add(self, compressed: int, unpacked: int) -> None:
        self._compressed += compressed
        self._unpacked += unpacked
        self._account.add_unpacked(unpacked)
        self._account.check_ratio(self._compressed, self._unpacked)


def entries(file: BinaryIO, account: Account) -> Iterator[Entry]:
    """Members in the order of their data, without folders. Raises Stop when the directory is damaged."""
    length = file.seek(0, 2)
    members = sorted(_directory(file, length, account), key=lambda member: member.offset)
    ratio = _Ratio(account)
    end = 0
    for member in members:
        account.add_member()
        if member.name.endswith(b"/") and not member.size and member.compressed <= 2:
            continue
        try:
            start = _data_start(file, member)
            if member.offset < end:
                raise Unreadable("overlapping member")
            if start + member.compressed > length:
                raise Unreadable("truncated member")
            end = start + member.compressed
        except Unreadable as error:
            yield Entry(member.name, str(error), True)
            continue
        if special := _special(member):
            yield Entry(member.name, *special)
        else:
            yield Entry(member.name, content=_content(file, member, start, ratio))


def _special(member: _Member) -> tuple[str, bool] | None:
    kind = stat.S_IFMT(member.mode)
    if kind == stat.S_IFLNK:
        return "symbolic link", False
    if kind not in (0, stat.S_IFREG):
        return "device", False
    if member.flags & _ENCRYPTED:
        return "encrypted member", True
    if member.method not in (_STORED, _DEFLATED, _BZIP2):
        return "unsupported compression", True
    return None


def _directory(file: BinaryIO, length: int, account: Account) -> list[_Member]:
    """The central directory, one member more than the limit at most."""
    start, size, shift = _find_directory(file, length)
    file.seek(start)
    members: list[_Member] = []
    while size >= _CENTRAL.size and len(members) <= account.limits.members:
        fixed = file.read(_CENTRAL.size)
        if len(fixed) < _CENTRAL.size or not fixed.startswith(b"PK\1\2"):
            raise Stop("damaged zip directory")
        *_, system, _needed, _reserved, flags, method, _time, _date, crc = _CENTRAL.unpack(fixed)[:10]
        compressed, plain, name_size, extra_size, comment_size, *_ = _CENTRAL.unpack(fixed)[10:]
        external, offset = _CENTRAL.unpack(fixed)[-2:]
        name = file.read(name_size)
        extra = file.read(extra_size)
        file.seek(comment_size, 1)
        size -= _CENTRAL.size + name_size + extra_size + comment_size
        plain, compressed, offset = _wide(extra, plain, compressed, offset)
        mode = external >> 16 if system == _UNIX else 0
        members.append(
            _Member(offset + shift, _utf8(name, flags), method, flags, crc, compressed, plain, mode)
        )
    return members


def _find_directory(file: BinaryIO, length: int) -> tuple[int, int, int]:
    """Where the directory starts, its size, and what to add to its offsets (bytes before the archive)."""
    tail_start = max(0, length - _END.size - 0xFFFF)
    file.seek(tail_start)
    tail = file.read()
    found = tail.rfind(b"PK\5\6", 0, len(tail) - _END.size + 4)
    if found < 0:
        raise Stop("no zip directory")
    *_, size, offset, _comment = _END.unpack_from(tail, found)
    end = tail_start + found
    if end >= _LOCATOR64.size + _END64.size:
        file.seek(end - _LOCATOR64.size)
        signature, _disk, where, _disks = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
        if signature == b"PK\6\7" and where <= length - _END64.size:
            file.seek(where)
            signature, *_, size64, offset64 = _END64.unpack(file.read(_END64.size))
            if signature == b"PK\6\6":
                size, offset, end = size64, offset64, where
    shift = end - size - offset
    if shift < 0:
        raise Stop("damaged zip directory")
    return end - size, size, shift


def _wide(extra: bytes, *values: int) -> list[int]:
    """Sizes and offset, the 64-bit ones from the zip64 field where the short ones are full."""
    wide: list[int] = []
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            data = extra[position + 4 : position + 4 + size]
            wide = [value for (value,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8])]
            break
        position += 4 + size
    queue = iter(wide)
    return [next(queue, value) if value == _FULL else value for value in values]


def _utf8(name: bytes, flags: int) -> bytes:
    """Names are UTF-8, said or not, or else in the code page of the first PCs."""
    if not flags & _UTF8:
        try:
            name.decode()
        except UnicodeDecodeError:
            return name.decode("cp437").encode()
    return name


def _data_start(file: BinaryIO, member: _Member) -> int:
    file.seek(member.offset)
    fixed = file.read(_LOCAL.size)
    if len(fixed) < _LOCAL.size or not fixed.startswith(b"PK\3\4"):
        raise Unreadable("damaged member")
    *_, name_size, extra_size = _LOCAL.unpack(fixed)
    return member.offset + int(_LOCAL.size + name_size + extra_size)


def _content(file: BinaryIO, member: _Member, start: int, ratio: _Ratio) -> Iterator[bytes]:
    """The member's bytes; Unreadable when size or checksum are not those of the directory."""
    file.seek(start)
    left, size, crc = member.compressed, 0, 0
    inflate = zlib.decompressobj(wbits=-15) if member.method == _DEFLATED else None
    bunzip = bz2.BZ2Decompressor() if member.method == _BZIP2 else None
    data = b""
    while size <= member.size:
        taken = 0
        if left and not data and (bunzip is None or bunzip.needs_input):
            data = file.read(min(left, _PIECE))
            taken = len(data)
            left -= taken
        try:
            if inflate:
                out, data = inflate.decompress(data, _PIECE), inflate.unconsumed_tail
            elif bunzip:
                out, data = b"" if bunzip.eof else bunzip.decompress(data, _PIECE), b""
            else:
                out, data = data, b""
        except (zlib.error, OSError, EOFError):
            raise Unreadable("damaged member") from None
        ratio.add(taken, len(out))
        size += len(out)
        crc = zlib.crc32(out, crc)
        if out:
            yield out
        elif not left and not data:
            break
    if size != member.size:
        raise Unreadable("size is not as announced")
    if crc != member.crc:
        raise Unreadable("checksum does not fit")
