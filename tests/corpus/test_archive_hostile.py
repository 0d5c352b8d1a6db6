"""No archive gets a byte outside the spool, a link, a device, or more than its time and memory."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from corpus.archive.limits import ArchiveLimits
from corpus.archive.spool import blob_id
from corpus.archive.unpack import Unpacked, read
from corpus.errors import WhenceError
from corpus.sandbox import MIB, Limits, Pool
from tests.corpus.hostile_archives import GOOD, HOSTILE, PACKERS, Hostile, header, random_text

LIMIT = ArchiveLimits(unpacked_bytes=512 * MIB)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(1, Limits(memory=512 * MIB, seconds=60, recycle_after=1_000_000)) as pool:
        yield pool


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 60
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE)


SLOW = {"many.zip", "many-members.tar.gz", "many-folders.tar.gz"}
ROWS = [
    pytest.param(hostile, id=hostile.name, marks=pytest.mark.slow if hostile.name in SLOW else ())
    for hostile in HOSTILE
]


@pytest.mark.parametrize("hostile", ROWS)
def test_hostile_archive(pool: Pool, tmp_path: Path, hostile: Hostile) -> None:
    archive, spool = tmp_path / hostile.name, tmp_path / "spool"
    archive.write_bytes(hostile.build())
    child = psutil.Process(pool.run("os:getpid"))
    before = child.cpu_times().user + child.cpu_times().system
    said: list[str] = []
    unpacked = Unpacked((), (), "")
    try:
        unpacked = read(pool, archive, spool, LIMIT)
        said = [f"{skip.path}: {skip.reason}" for skip in unpacked.skips]
    except WhenceError as error:
        said = [f"{error.slug}: {error.message}"]
    assert not said or not said[0].startswith("sandbox"), said
    assert child.cpu_times().user + child.cpu_times().system - before < 20
    assert any(hostile.reason in line for line in said) or not hostile.reason, said[:5]
    assert hostile.good == (
        blob_id(GOOD) in [blob_id(member.location.read_bytes()) for member in unpacked.members]
    )

    assert sorted(path.name for path in tmp_path.iterdir()) in (
        sorted([hostile.name, "spool"]),
        [hostile.name],
    )
    assert not Path("/tmp/escaped").exists()
    stored = 0
    for path in spool.rglob("*"):
        status = path.lstat()
        assert stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode), path
        if stat.S_ISREG(status.st_mode):
            assert path.name == blob_id(path.read_bytes())
            stored += status.st_size
    assert stored <= LIMIT.unpacked_bytes
    for member in unpacked.members:
        assert member.size == member.location.stat().st_size
        assert not member.path.startswith("/")
        assert ".." not in member.path.split("/")


def test_what_is_cut_or_limited_says_that_it_is_partial(pool: Pool, tmp_path: Path) -> None:
    harmless = {"symbolic link", "hard link", "device", "named pipe"}
    for hostile in HOSTILE:
        if hostile.name.startswith(
            ("cut", "bomb.tar.gz", "link", "pipe", "negative", "undecodable", "sparse")
        ):
            archive = tmp_path / hostile.name
            archive.write_bytes(hostile.build())
            try:
                unpacked = read(pool, archive, tmp_path / "spool", LIMIT)
            except WhenceError:
                continue
            assert unpacked.skips
            for skip in unpacked.skips:
                assert skip.partial is not (skip.reason in harmless), (hostile.name, skip)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_bomb_under_the_ratio_is_stopped_by_the_total(pool: Pool, tmp_path: Path, suffix: str) -> None:
    piece = random_text(64 * 1024) + bytes(4 * MIB)
    archive = tmp_path / f"bomb.tar{suffix}"
    pack = PACKERS[suffix]
    body = pack(header(b"pkg/a.c", len(piece)) + piece + bytes(-len(piece) % 512))
    archive.write_bytes(body * 200)
    unpacked = read(pool, archive, tmp_path / "spool", LIMIT)
    assert [skip.reason for skip in unpacked.skips if skip.path == archive.name] == [
        f"more than {LIMIT.unpacked_bytes} bytes unpacked"
    ]
