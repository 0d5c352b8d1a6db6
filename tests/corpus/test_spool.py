"""What was read comes back byte by byte, and no number from a child leads elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.archive import spool
from corpus.archive.spool import Reader, Writer
from corpus.errors import ArchiveError


@given(st.lists(st.binary(max_size=300), max_size=30), st.sampled_from((1, 100, 1000)))
def test_members_come_back_and_leave_nothing(tmp_path_factory, members: list[bytes], volume: int) -> None:
    folder = tmp_path_factory.mktemp("spool")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "VOLUME", volume)
        writer = Writer(folder)
        places = [writer.add(data) for data in members]
        assert [writer.read(place) for place in places] == members
        writer.close()
    assert writer.volumes <= max(1, len(members))
    reader = Reader(folder, writer.volumes)
    assert not list(folder.iterdir())
    stored = [reader.member(*place) for place in places]
    assert [one.read_bytes() for one in stored] == members
    assert [one.stat().st_size for one in stored] == [len(data) for data in members]


def test_a_volume_is_full_before_a_child_may_write_no_more() -> None:
    from corpus.archive.limits import ArchiveLimits
    from corpus.sandbox import Limits

    assert spool.VOLUME + ArchiveLimits().file_bytes < Limits().file_bytes


@pytest.mark.parametrize(
    "place", [(0, 0, 7), (0, 7, 1), (0, -1, 2), (0, 2, -1), (1, 0, 1), (-1, 0, 1), (0, 1 << 62, 1)]
)
def test_a_place_outside_is_refused(tmp_path: Path, place: tuple[int, int, int]) -> None:
    writer = Writer(tmp_path)
    writer.add(b"sixsix")
    writer.close()
    reader = Reader(tmp_path, 1)
    with pytest.raises(ArchiveError, match="not there"):
        reader.member(*place).read_bytes()


def test_a_link_or_a_gap_in_place_of_a_volume_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        Reader(tmp_path, 1)
    (tmp_path / "volume-0").symlink_to("/etc/passwd")
    with pytest.raises(ArchiveError, match="cannot be read"):
        Reader(tmp_path, 1)


@pytest.mark.parametrize("told", ["1", None, 0.5, [0]])
def test_what_is_no_number_is_no_place(tmp_path: Path, told: object) -> None:
    with pytest.raises(ArchiveError, match="is not there"):
        Reader(tmp_path, told)  # type: ignore[arg-type]
    with pytest.raises(ArchiveError, match="is not there"):
        Reader(tmp_path, 0).member(0, told, 0)  # type: ignore[arg-type]
