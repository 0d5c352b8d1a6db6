"""What reading an archive may cost, and the account that is kept while it is read.

Every reader of corpus.archive charges what it really read to one `Account`, never what a header
announces. A limit that is reached raises `Stop`: what was read until then is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MIB = 1 << 20


@dataclass(frozen=True)
class ArchiveLimits:
    """Limits of one release archive, everything nested in it included.

    unpacked_bytes: decompressed bytes in all. members: entries in all. ratio: decompressed to
    compressed bytes, once `ratio_after_bytes` came out. file_bytes: longest file that is kept.
    path_bytes, path_levels: longest and deepest path. nesting: levels of archives inside the
    archive that are opened; `nested_bytes`: longest of those.
    """

    unpacked_bytes: int = 2048 * MIB
    members: int = 200_000
    ratio: int = 200
    ratio_after_bytes: int = 64 * MIB
    file_bytes: int = 4 * MIB
    path_bytes: int = 1024
    path_levels: int = 64
    nesting: int = 2
    nested_bytes: int = 128 * MIB


class Stop(Exception):
    """The archive is read no further; the message is the reason."""


class Exhausted(Stop):
    """A limit of the whole release is reached: nested archives and what holds them end together."""


class Unreadable(Exception):
    """One member cannot be read, the next ones can; the message is the reason."""


class Entry(NamedTuple):
    """One member as a reader found it.

    name: as it stands there. skip: why its content is not offered, or "". partial: as in Skip.
    content: its bytes in pieces, to be taken before the next entry is asked for; taking them may
    raise Stop or Unreadable.
    """

    name: bytes
    skip: str = ""
    partial: bool = False
    content: Iterable[bytes] = ()


class Account:
    """What was read so far. One for a release, shared by its nested archives."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self._members = 0
        self._unpacked = 0

    def add_member(self) -> None:
        self._members += 1
        if self._members > self.limits.members:
            raise Exhausted(f"more than {self.limits.members} members")

    def add_unpacked(self, size: int) -> None:
        self._unpacked += size
        if self._unpacked > self.limits.unpacked_bytes:
            raise Exhausted(f"more than {self.limits.unpacked_bytes} bytes unpacked")

    def check_ratio(self, compressed: int, unpacked: int) -> None:
        """Raise Stop where one archive unpacks to suspiciously much."""
        if unpacked > self.limits.ratio_after_bytes and unpacked > self.limits.ratio * compressed:
            raise Stop(f"compressed more than {self.limits.ratio} times")
