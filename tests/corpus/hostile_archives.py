"""Archives that want to harm their reader, built byte by byte. `HOSTILE` is the table.

Unless its row says otherwise an archive holds `pkg/good.c` first, which has to be kept.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import zstandard

MIB = 1 << 20
BLOCK = 512
END = bytes(2 * BLOCK)
GOOD = b"int good(void) { return 1; }\n"
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 6, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lambda data: lzma.compress(data, preset=1),
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


@dataclass(frozen=True)
class Hostile:
    """name: file name. reason: what some skip or the error says. good: whether good.c survives."""

    name: str
    build: Callable[[], bytes]
    reason: str
    good: bool = True


def header(
    name: bytes, size: int | bytes = 0, kind: bytes = b"0", link: bytes = b"", magic: bytes = b"ustar\x0000"
) -> bytes:
    field = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(BLOCK)
    block[0 : min(len(name), 100)] = name[:100]
    block[100:108] = b"0000644\0"
    block[124:136] = field.ljust(12, b"\0")
    block[136:148] = b"00000000000\0"
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link[:100])] = link[:100]
    block[257:265] = magic
    if kind in b"34":
        block[329:345] = b"0000001\x000000003\0"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes, data: bytes = b"", kind: bytes = b"0", link: bytes = b"") -> bytes:
    return header(name, len(data), kind, link) + data + bytes(-len(data) % BLOCK)


def pax(records: dict[bytes, bytes], kind: bytes = b"x") -> bytes:
    data = b""
    for key, value in records.items():
        body = b" %s=%s\n" % (key, value)
        length = len(body) + len(str(len(body) + 2))
        while length != len(str(length)) + len(body):
            length += 1
        data += b"%d%s" % (length, body)
    return member(b"pax", data, kind)


def long_name(name: bytes) -> bytes:
    return member(b"././@LongLink", name + b"\0", b"L")


GOOD_MEMBER = member(b"pkg/good.c", GOOD)


def tar(*parts: bytes, end: bytes = END) -> bytes:
    return GOOD_MEMBER + b"".join(parts) + end


def base256(value: int) -> bytes:
    return (value & ((1 << 96) - 1) | (1 << 95)).to_bytes(12, "big")


def packed_bomb(packing: str, times: int) -> bytes:
    """A tar whose second member is `times` × 64 MiB of zeros: one packed piece repeated."""
    pack = PACKERS[packing]
    head = pack(GOOD_MEMBER + header(b"pkg/bomb.c", times * 64 * MIB))
    return head + pack(bytes(64 * MIB)) * times + pack(END)


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("pkg/good.c", GOOD)
        for name, data in members:
            archive.writestr(name, data, method)
    return out.getvalue()


def zip_special(name: str, mode: int, data: bytes) -> bytes:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return zipped((info, data))


def zip_raw_name(name: bytes) -> bytes:
    """zipfile writes no such names: a placeholder of equal length is replaced in both headers."""
    placeholder = "pkg/" + "N" * (len(name) - 4)
    return zipped((placeholder, b"int x;\n")).replace(placeholder.encode(), name)


def zip_central(change: Callable[[bytearray], None], data: bytes = b"int x;\n" * 100) -> bytes:
    """Change the central directory's second record."""
    archive = bytearray(zipped(("pkg/x.c", data)))
    at = archive.rindex(b"PK\1\2")
    record = archive[at : at + 46]
    change(record)
    archive[at : at + 46] = record
    return bytes(archive)


def zip_overlap(copies: int) -> bytes:
    """Many directory records for one 4 MiB piece of data, in the manner of David Fifield (2019)."""
    body = zlib.compress(bytes(4 * MIB), 9)[2:-4]
    crc = zlib.crc32(bytes(4 * MIB))
    name = b"pkg/x.c"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(body), 4 * MIB, len(name), 0)
    central = b"".join(
        struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(body), 4 * MIB, 11, 0, 0, 0, 0, 0, 0
        )
        + b"pkg/%05d.c" % i
        for i in range(copies)
    )
    data = local + name + body
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, copies, copies, len(central), len(data), 0)
    return data + central + end


def zip_many(count: int) -> bytes:
    local = b"".join(
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"%07d" % i for i in range(count)
    )
    central = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 37 * i)
        + b"%07d" % i
        for i in range(count)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(central), len(local), 0)
    return local + central + end


def nested(levels: int) -> bytes:
    data = member(b"core.c", b"int core;\n") + END
    for _ in range(levels):
        data = member(b"inner.tar.gz", PACKERS[".gz"](data)) + END
    return GOOD_MEMBER + data


def damaged(data: bytes, at: float) -> bytes:
    position = int(len(data) * at)
    return (
        data[:position]
        + bytes(byte ^ 0xFF for byte in data[position : position + 64])
        + data[position + 64 :]
    )


def random_text(size: int) -> bytes:
    """Text that hardly compresses, without a random source."""
    out = bytearray()
    state = 1
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += b"%016x" % state
    return bytes(out[:size])


def _packed(name: str, build: Callable[[], bytes], reason: str, good: bool = True) -> list[Hostile]:
    """The same tar in every packing."""

    def of(pack: Callable[[bytes], bytes]) -> Callable[[], bytes]:
        return lambda: pack(build())

    return [Hostile(f"{name}.tar{suffix}", of(pack), reason, good) for suffix, pack in PACKERS.items()]


def _patch(at: int, layout: str, value: int) -> Callable[[bytearray], None]:
    return lambda record: struct.pack_into(layout, record, at, value)


X = b"int x;\n"
# fmt: off
HOSTILE: list[Hostile] = [
    *_packed("traversal", lambda: tar(member(b"pkg/../../../../tmp/escaped", X)), "leaves the tree"),
    *_packed("absolute", lambda: tar(member(b"/tmp/escaped", X)), "absolute path"),
    *_packed("cut", lambda: tar(member(b"pkg/x.c", random_text(MIB)))[:-500_000], "truncated archive"),
    *[
        Hostile(
            f"cut-packing.tar{suffix}", lambda p=pack: p(tar(member(b"pkg/x.c", random_text(MIB))))[:-9000],
            "",
        )
        for suffix, pack in PACKERS.items()
        if suffix
    ],
    Hostile("backslash.tar", lambda: tar(member(b"..\\..\\escaped", X)), "leaves the tree"),
    Hostile("drive.tar", lambda: tar(member(b"C:/escaped", X)), "absolute path"),
    Hostile("link.tar", lambda: tar(member(b"pkg/l", kind=b"2", link=b"/etc/passwd")), "symbolic link"),
    Hostile(
        "link-then-file.tar.gz",
        lambda: gzip.compress(tar(member(b"pkg/l", kind=b"2", link=b"/tmp"), member(b"pkg/l/escaped", X))),
        "symbolic link",
    ),
    Hostile("hard-link.tar", lambda: tar(member(b"pkg/l", kind=b"1", link=b"/etc/shadow")), "hard link"),
    Hostile("character-device.tar", lambda: tar(member(b"pkg/d", kind=b"3")), "device"),
    Hostile("block-device.tar", lambda: tar(member(b"pkg/d", kind=b"4")), "device"),
    Hostile("pipe.tar", lambda: tar(member(b"pkg/p", kind=b"6")), "named pipe"),
    Hostile("sparse.tar", lambda: tar(member(b"pkg/s", b"x" * 512, kind=b"S")), "sparse file"),
    Hostile(
        "sparse-pax.tar.xz",
        lambda: lzma.compress(
            tar(pax({b"GNU.sparse.major": b"1", b"GNU.sparse.realsize": b"9" * 18}), member(b"pkg/s", X))
        ),
        "sparse file",
    ),
    Hostile("unknown-type.tar", lambda: tar(member(b"pkg/u", X, kind=b"Z")), "unknown type"),
    Hostile("volume.tar", lambda: tar(member(b"pkg/v", X, kind=b"M")), "another volume"),
    *_packed("negative", lambda: tar(header(b"pkg/x.c", b"\xff" * 12)), "negative size"),
    Hostile("negative-octal.tar", lambda: tar(header(b"pkg/x.c", b"-0000000777\0")), "negative size"),
    Hostile(
        "negative-pax.tar", lambda: tar(pax({b"size": b"-1024"}), member(b"pkg/x.c", X)),
        "negative size",
    ),
    Hostile("negative-long.tar", lambda: tar(header(b"x", b"\xff" * 12, b"L")), "negative size"),
    *_packed("vast", lambda: tar(header(b"pkg/x.c", base256(10**20))), "truncated archive"),
    Hostile(
        "vast-pax.tar.gz",
        lambda: gzip.compress(tar(pax({b"size": b"1" + b"0" * 20}), member(b"pkg/x.c", X))),
        "truncated",
    ),
    Hostile(
        "vast-digits.tar", lambda: tar(pax({b"size": b"9" * 5000}), member(b"pkg/x.c", X)),
        "damaged extension",
    ),
    Hostile("vast-long.tar", lambda: tar(header(b"x", base256(10**20), b"L")), "oversized extension"),
    Hostile("odd-digits.tar", lambda: tar(header(b"pkg/x.c", b"0x1_0\0")), "damaged header"),
    Hostile("many-members.tar.gz", lambda: gzip.compress(tar(header(b"pkg/m") * 500_000), 1), "members"),
    Hostile(
        "many-folders.tar.gz", lambda: gzip.compress(tar(header(b"pkg/m/", kind=b"5") * 500_000), 1),
        "members",
    ),
    Hostile(
        "many-headers.tar.zst", lambda: PACKERS[".zst"](tar(pax({b"a": b"b"}) * 100_000)),
        "too many extension",
    ),
    Hostile(
        "deep.tar.gz", lambda: gzip.compress(tar(long_name(b"d/" * 2000 + b"x.c"), member(b"x", X))),
        "path of more",
    ),
    Hostile("deep-short.tar", lambda: tar(long_name(b"d/" * 400 + b"x.c"), member(b"x", X)), "64 levels"),
    Hostile("deep-pax.tar", lambda: tar(pax({b"path": b"d/" * 100_000}), member(b"x", X)), "1024 bytes"),
    Hostile(
        "global.tar", lambda: tar(pax({b"path": b"pkg/all.c"}, b"g"), member(b"pkg/x.c", X)),
        "global header",
    ),
    Hostile(
        "broken-pax.tar", lambda: tar(member(b"pax", b"9999999 path=x\n", b"x"), member(b"x", X)),
        "damaged ext",
    ),
    Hostile("empty-pax.tar", lambda: tar(member(b"pax", b"0 a=b\n", b"x"), member(b"x", X)), "damaged ext"),
    Hostile("undecodable.tar", lambda: tar(member(b"pkg/\xff\xfe.c", X)), "undecodable name"),
    Hostile(
        "control.tar", lambda: tar(pax({b"path": b"pkg/a\0b\x1b[2J.c"}), member(b"x", X)),
        "control characters",
    ),
    Hostile("nameless.tar", lambda: tar(member(b"", X)), "empty name"),
    Hostile("dots.tar", lambda: tar(member(b"./././", b"")), "", good=True),
    Hostile("duplicate.tar", lambda: tar(member(b"pkg/good.c", X)), "duplicate name"),
    Hostile("case.tar", lambda: tar(member(b"pkg/GOOD.c", X), member(b"PKG/good.c", X)), ""),
    Hostile("file-and-folder.tar", lambda: tar(member(b"pkg/good.c/x.c", X)), ""),
    Hostile("checksum.tar", lambda: tar(b"\x01" * BLOCK), "damaged header"),
    Hostile("no-end.tar", lambda: tar(end=b""), "no end-of-archive"),
    Hostile("second-archive.tar", lambda: tar() + bytes(4096) + tar(member(b"pkg/x.c", X)), "behind the end"),
    Hostile("tar-then-zip.tar", lambda: tar() + zipped(), "behind the end"),
    Hostile("zip-after-noise.tar", lambda: random_text(2000) + zipped(), "not an archive", good=False),
    Hostile("noise.tar.gz", lambda: random_text(5000), "not an archive", good=False),
    Hostile("nothing.tar.gz", lambda: b"", "not an archive", good=False),
    Hostile("packed-noise.tar.xz", lambda: lzma.compress(random_text(5000)), "not an archive", good=False),
    Hostile(
        "bad-gzip.tar.gz", lambda: b"\x1f\x8b\x08" + random_text(5000),
        "damaged compression", good=False,
    ),
    *[
        Hostile(
            f"damaged.tar{suffix}", lambda p=pack: damaged(p(tar(member(b"pkg/x.c", random_text(MIB)))), 0.9),
            "",
        )
        for suffix, pack in PACKERS.items()
        if suffix
    ],
    *[
        Hostile(f"bomb.tar{suffix}", lambda s=suffix: packed_bomb(s, 64), "compressed more than 200 times")
        for suffix in PACKERS
        if suffix
    ],
    Hostile(
        "bomb-twice.tar.gz", lambda: gzip.compress(packed_bomb(".gz", 16), mtime=0),
        "not an archive", good=False,
    ),
    Hostile(
        "huge-window.tar.zst", lambda: b"\x28\xb5\x2f\xfd\x00\xb8" + random_text(500),
        "damaged compression", good=False,
    ),
    Hostile("nested-4.tar", lambda: nested(4), "nested archive"),
    Hostile(
        "nested-bomb.tar", lambda: tar(member(b"pkg/in.tar.bz2", packed_bomb(".bz2", 64))),
        "nested archive: compressed",
    ),
    Hostile(
        "nested-noise.tar", lambda: tar(member(b"pkg/in.zip", b"PK\3\4" + random_text(999))),
        "nested archive: no zip",
    ),
    Hostile("too-large.tar.gz", lambda: gzip.compress(tar(member(b"pkg/x.c", bytes(5 * MIB)))), "too large"),
    Hostile("traversal.zip", lambda: zipped(("../../escaped", X)), "leaves the tree"),
    Hostile("absolute.zip", lambda: zipped(("/tmp/escaped", X)), "absolute path"),
    Hostile("backslash.zip", lambda: zipped(("..\\..\\escaped", X)), "leaves the tree"),
    Hostile("link.zip", lambda: zip_special("pkg/l", 0o120777, b"/etc/passwd"), "symbolic link"),
    Hostile("device.zip", lambda: zip_special("pkg/d", 0o020666, b""), "device"),
    Hostile("nul.zip", lambda: zip_raw_name(b"pkg/a\0b.c"), "control characters"),
    Hostile(
        "duplicate.zip", lambda: zipped(("pkg/Good.c", X)).replace(b"pkg/Good.c", b"pkg/good.c"),
        "duplicate name",
    ),
    Hostile("deep.zip", lambda: zipped(("d/" * 400 + "x.c", X)), "64 levels"),
    Hostile("overlap.zip", lambda: zip_overlap(20_000), "overlapping member", good=False),
    Hostile("many.zip", lambda: zip_many(500_000), "members", good=False),
    Hostile(
        "bomb.zip", lambda: zipped(*((f"pkg/{i}.c", bytes(4 * MIB)) for i in range(40))),
        "compressed more than",
    ),
    Hostile("encrypted.zip", lambda: zip_central(_patch(8, "<H", 1)), "encrypted member"),
    Hostile("method.zip", lambda: zip_central(_patch(10, "<H", 99)), "unsupported compression"),
    Hostile("crc.zip", lambda: zip_central(_patch(16, "<L", 7)), "checksum does not fit"),
    Hostile("short-size.zip", lambda: zip_central(_patch(24, "<L", 3)), "size is not as announced"),
    Hostile("vast-size.zip", lambda: zip_central(_patch(24, "<L", 0xFFFFFFF0)), "size is not as announced"),
    Hostile("vast-packed.zip", lambda: zip_central(_patch(20, "<L", 0xFFFFFFF0)), "truncated member"),
    Hostile("vast-offset.zip", lambda: zip_central(_patch(42, "<L", 0xFFFFFFF0)), "damaged member"),
    Hostile("vast-name.zip", lambda: zip_central(_patch(28, "<H", 0xFFFF)), ""),
    Hostile("cut.zip", lambda: zipped(("pkg/x.c", random_text(MIB)))[:-30], "no zip directory", good=False),
    Hostile("damaged.zip", lambda: damaged(zipped(("pkg/x.c", random_text(MIB))), 0.5), "x.c: "),
    Hostile(
        "bz2-bomb.zip",
        lambda: zipped(*((f"pkg/{i}.c", bytes(4 * MIB)) for i in range(40)), method=zipfile.ZIP_BZIP2),
        "compressed more than",
    ),
]
# fmt: on
