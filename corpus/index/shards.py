"""Sharded mapped readers behind one lookup: each shard on several readers, any of which answers.

    python -m corpus.index.shards SNAPSHOT-FOLDER OUT SHARDS

writes the shards of a snapshot for `corpus.index.reader`. A reader that fails is replaced by its twin within
the lookup; a shard that nobody answers for is named in the answer's gaps.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from corpus.errors import BadInput
from corpus.fingerprint.hashing import U64
from corpus.index.blocks import read_manifest, write_manifest
from corpus.index.lookup import NAMES, Found, Mapped, Part, by_shard, joined
from corpus.index.reader import shard_folder
from corpus.index.table import Shard, write_table
from corpus.sandboxed import decode, encode, receive, send

MOST_ANSWER = 1 << 30
CONNECT_SECONDS = 1.0
REST_SECONDS = 1.0
"""A reader that failed is left alone for so long: a lost machine costs one timeout, not one a lookup."""


def write_shards(snapshot: Path, root: Path, of: int) -> list[Path]:
    """Write the tables of a snapshot as so many shards below `root`; returns their folders."""
    manifest = read_manifest(snapshot)
    tables, identity = Mapped(snapshot, manifest).tables, manifest["content"][:16]
    folders = []
    for shard in (Shard(number, of) for number in range(of)):
        folder = shard_folder(root, identity, shard)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        facts = {
            name: write_table(folder, name, tables[name].layout, tables[name].entries_of(shard), shard)
            for name in NAMES
        }
        seal_shard(folder, identity, shard, facts)
        folders.append(folder)
    return folders


def seal_shard(folder: Path, snapshot: str, shard: Shard, tables: dict[str, Any]) -> None:
    """Finish a folder with the tables of one shard. A reader takes no folder without this."""
    write_manifest(folder, {"snapshot": snapshot, "shard": list(shard), "tables": tables})


class Address(NamedTuple):
    """Where a reader listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        host, _, port = text.strip().rpartition(":")
        if not host or not port.isdecimal():
            raise BadInput(f"{text!r} is not the address of a reader (host:port)")
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class _Reader:
    """One reader: connections that are free, and since when it is left alone."""

    def __init__(self, address: Address, seconds: float) -> None:
        self.address, self._seconds = address, seconds
        self._free: list[socket.socket] = []
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        return time.monotonic() < self._rests_until

    def ask(self, frame: bytes) -> socket.socket | None:
        """Send a request; `answer` takes its answer from the connection. None: it cannot be reached."""
        connection = None
        try:
            connection = self._connection()
            connection.settimeout(self._seconds)
            send(connection, frame)
        except OSError:
            self._fail(connection)
            return None
        return connection

    def _connection(self) -> socket.socket:
        """A free connection that the reader has not closed, or a new one."""
        with suppress(IndexError):
            while True:
                free = self._free.pop()
                free.setblocking(False)
                try:
                    free.recv(1, socket.MSG_PEEK)
                except BlockingIOError:
                    return free
                except OSError:
                    pass
                free.close()
        made = socket.create_connection(self.address, CONNECT_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def answer(
        self, connection: socket.socket, keys: int, deadline: float
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]] | None:
        """Indexes and values for so many keys, or None when it gave none by then (monotonic seconds)."""
        try:
            kind, *rest = decode(receive(connection, MOST_ANSWER, deadline))
            which, values = (np.frombuffer(column, "<u4") for column in rest)
            usable = kind == "ok" and len(which) == len(values) and not (which >= keys).any()
        except Exception:  # the connection broke, was silent, or spoke otherwise
            usable = False
        if not usable:
            self._fail(connection)
            return None
        self._free.append(connection)
        return which.astype(np.int64), values

    def _fail(self, connection: socket.socket | None) -> None:
        self._rests_until = time.monotonic() + REST_SECONDS
        if connection is not None:
            connection.close()

    def close(self) -> None:
        while self._free:
            self._free.pop().close()


class Readers:
    """The tables of one snapshot on readers. Safe to use from threads.

    holders: for each shard the readers that hold it. seconds: how long one may take to answer.
    """

    def __init__(self, snapshot: str, holders: Sequence[Sequence[Address]], seconds: float = 2.0) -> None:
        if not holders or len(holders) & len(holders) - 1 or not all(holders):
            raise BadInput(f"readers of {len(holders)} shards: the number must be a power of two, none empty")
        self._snapshot, self._seconds = snapshot, seconds
        known = {address: _Reader(address, seconds) for twins in holders for address in twins}
        self._holders = [[known[address] for address in twins] for twins in holders]
        self._turn = itertools.count()

    def find(self, table: str, keys: U64) -> Found:
        of = len(self._holders)
        waiting = [(shard, own, self._in_turn(shard)) for shard, own in by_shard(keys, of)]
        parts: list[Part] = []
        lost: list[NDArray[np.int64]] = []
        gaps: list[str] = []
        while waiting:
            asked = []
            for shard, own, readers in waiting:
                if not readers:
                    lost.append(own)
                    gaps.append(self._gap(shard))
                    continue
                frame = encode([self._snapshot, *shard, table, np.ascontiguousarray(keys[own]).tobytes()])
                asked.append((shard, own, readers, readers[0].ask(frame)))
            waiting, deadline = [], time.monotonic() + self._seconds
            for shard, own, (reader, *others), connection in asked:
                answer = reader.answer(connection, len(own), deadline) if connection else None
                if answer is None:
                    waiting.append((shard, own, others))
                else:
                    parts.append(Part(own, *answer))
        return joined(parts, lost, gaps)

    def _in_turn(self, shard: Shard) -> list[_Reader]:
        """The readers of a shard in the order in which they are asked: they take turns."""
        holders = self._holders[shard.number]
        first = next(self._turn) % len(holders)
        return [reader for reader in (*holders[first:], *holders[:first]) if not reader.is_resting]

    def _gap(self, shard: Shard) -> str:
        return (
            f"Shard {shard.number + 1} of {shard.of} of the index could not be searched: none of its "
            f"{len(self._holders[shard.number])} readers answered."
        )

    def close(self) -> None:
        for twins in self._holders:
            for reader in twins:
                reader.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("shards", type=int, choices=[1 << n for n in range(9)])
    options = parser.parse_args()
    for folder in write_shards(options.snapshot, options.out, options.shards):
        print(folder)


if __name__ == "__main__":
    main()
