"""Entries of a tar stream: old, ustar, GNU and pax headers, in one linear pass without recursion.

Follows POSIX.1-2017 (pax) and the GNU tar manual (base-256 numbers, long names, old sparse files).
Does not build on the standard library's reader, whose older releases hang on a negative size.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import adler32

from corpus.archive.limits import MIB, Account, Entry, Stop
from corpus.archive.streams import Stream

BLOCK = 512
_LONGEST_EXTENSION = MIB
_MOST_EXTENSIONS = 4  # a long name, a long link target, a pax header: one each
_REGULAR = b"0\x007"
_END = bytes(BLOCK)
_OWN = 8 * ord(" ")  # what the checksum itself adds to the checksum
# type: (reason, partial, whether data follows)
_SKIPPED: dict[bytes, tuple[str, bool, bool]] = {
    b"1": ("hard link", False, False),
    b"2": ("symbolic link", False, False),
    b"3": ("device", False, False),
    b"4": ("device", False, False),
    b"6": ("named pipe", False, False),
    b"D": ("folder listing", False, True),
    b"M": ("continued from another volume", True, True),
    b"S": ("sparse file", True, True),
    b"V": ("volume label", False, False),
}


def is_header(block: bytes) -> bool:
    """Whether `block` (512 bytes) has the checksum of a tar header."""
    if len(block) < BLOCK:
        return False
    own = block[148:156]
    try:
        announced = _number(own)
    except Stop:
        return False
    if block.isascii():
        return announced == _sum(block) - _sum(own) + _OWN
    plain = _sum(block[:148]) + _OWN + _sum(block[156:334]) + _sum(block[334:])
    if announced == plain:
        return True
    # Some old programs added up signed bytes.
    return announced == plain - 256 * sum(byte > 127 for byte in block[:148] + block[156:])


def _sum(data: bytes) -> int:
    """The sum of up to 256 bytes, or of 512 of ASCII: that is what Adler-32 keeps in its low half."""
    return (adler32(data) & 0xFFFF) - 1


def entries(stream: Stream, account: Account) -> Iterator[Entry]:
    """Members in order, without folders. Raises Stop at damage, truncation, or data behind the end."""
    extended: dict[bytes, bytes] = {}
    extensions = 0
    while True:
        block = stream.read(BLOCK)
        if block == _END:
            _check_rest(stream)
            return
        if len(block) < BLOCK:
            raise Stop("truncated archive" if block else "no end-of-archive mark")
        if not is_header(block):
            raise Stop("damaged header")
        kind = block[156:157]
        size = _number(block[124:136])
        if kind in b"LKxXg":
            extensions += 1
            if extensions > _MOST_EXTENSIONS:
                raise Stop("too many extension headers")
            _extend(extended, kind, _extension(stream, size))
            continue
        if b"size" in extended:
            size = _decimal(extended[b"size"])
        if size < 0:
            raise Stop("negative size")
        account.add_member()
        name = extended.get(b"path") or _name(block)
        if extended or kind not in _REGULAR or (not size and name.endswith(b"/")):
            yield from _special(stream, block, kind, size, name, extended)
            extended = {}
            extensions = 0
        elif (data := stream.at_hand(size, -size % BLOCK)) is not None:
            yield Entry(name, "", False, (data,))
        else:
            yield from _regular(stream, name, size)


def _regular(stream: Stream, name: bytes, size: int) -> Iterator[Entry]:
    content = _content(stream, size)
    yield Entry(name, content=content)
    for _ in content:  # what the caller left
        pass
    _skip(stream, -size % BLOCK)


def _special(
    stream: Stream, block: bytes, kind: bytes, size: int, name: bytes, extended: dict[bytes, bytes]
) -> Iterator[Entry]:
    """What is no regular file, or may be none: there were extension headers."""
    sparse = any(key.startswith(b"GNU.sparse.") for key in extended)
    if kind == b"5":
        return
    if kind in _REGULAR and name.endswith(b"/") and not size:
        return  # how the oldest archives write a folder
    if kind in _SKIPPED:
        reason, partial, has_data = _SKIPPED[kind]
        if kind == b"S":
            _skip_sparse_map(stream, block)
        size = size if has_data else 0
        yield Entry(name, reason, partial)
    elif sparse:
        yield Entry(extended.get(b"GNU.sparse.name", name), "sparse file", True)
    elif kind in _REGULAR:
        yield from _regular(stream, name, size)
        return
    else:
        yield Entry(name, "member of an unknown type", True)
    _skip(stream, size + -size % BLOCK)


def _content(stream: Stream, size: int) -> Iterator[bytes]:
    for piece in stream.pieces(size):
        size -= len(piece)
        yield piece
    if size:
        raise Stop("truncated archive")


def _skip(stream: Stream, size: int) -> None:
    if stream.at_hand(size) is None:
        for _ in _content(stream, size):
            pass


def _skip_sparse_map(stream: Stream, block: bytes) -> None:
    more = block[482:483]
    while more not in (b"", b"\0"):
        more = stream.read(BLOCK)[504:505]


def _extension(stream: Stream, size: int) -> bytes:
    if size < 0:
        raise Stop("negative size")
    if size > _LONGEST_EXTENSION:
        raise Stop("oversized extension header")
    data = b"".join(_content(stream, size))
    _skip(stream, -size % BLOCK)
    return data


def _extend(extended: dict[bytes, bytes], kind: bytes, data: bytes) -> None:
    if kind == b"L":
        extended[b"path"] = data.split(b"\0", 1)[0]
    elif kind in b"xX":
        extended.update(_records(data))
    elif kind == b"g" and not {b"path", b"size"}.isdisjoint(_records(data)):
        raise Stop("global header that renames or resizes members")


def _records(data: bytes) -> dict[bytes, bytes]:
    """`length key=value\\n` records of a pax header."""
    records: dict[bytes, bytes] = {}
    position = 0
    while position < len(data):
        digits, space, _ = data[position : position + 12].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = data[position : position + length]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if not space or not equals or not record.endswith(b"\n") or len(record) != length:
            raise Stop("damaged extension header")
        records[key] = value[:-1]
        position += length
    return records


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    if block[345] and block[257:263] == b"ustar\0":
        return block[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256."""
    digits = field.rstrip(b" \0")
    if not digits.isdigit():
        return _uncommon_number(field)
    try:
        return int(digits, 8)
    except ValueError:
        raise Stop("damaged header") from None


def _uncommon_number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big") - (
            1 << (8 * len(field) - 1) if field[0] & 0x40 else 0
        )
    digits = field.split(b"\0", 1)[0].strip()
    if not digits:
        return 0
    if digits.startswith(b"-") and digits.lstrip(b"-").isdigit():
        return -1
    if not digits.isdigit():
        raise Stop("damaged header")
    return _number(digits)


def _decimal(value: bytes) -> int:
    if value.startswith(b"-"):
        raise Stop("negative size")
    if not value.isdigit() or len(value) > 30:
        raise Stop("damaged extension header")
    return int(value)


def _check_rest(stream: Stream) -> None:
    """After the end mark only zeros may follow: a second archive would go unread in silence."""
    while piece := stream.read(256 * 1024):
        if piece.count(0) != len(piece):
            raise Stop("data behind the end of the archive")
