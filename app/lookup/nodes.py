"""Tables hash → packed list on PostgreSQL nodes: loading them, and asking all nodes at once.

A snapshot is a schema `snapshot_<id>`. Each table is partitioned by the hash, as Citus distributes it; which
node has a hash is told by the hash's top bits. `part` says which part of how many a node holds.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from corpus.errors import BadInput
from corpus.fingerprint.hashing import U64
from corpus.index.lookup import NAMES, Found, Part, by_shard, joined
from corpus.index.packed import gather, pack, unpack
from corpus.index.table import REMAINDER, Shard, Table

PARTITIONS = 4
CONNECT_SECONDS = 2.0
REST_SECONDS = 1.0
"""A node that failed is left alone for so long: a lost machine costs one timeout, not one a lookup."""

_SNAPSHOT = re.compile(r"[0-9a-f]{16}")


def schema_of(snapshot: str) -> str:
    if not _SNAPSHOT.fullmatch(snapshot):
        raise BadInput(f"{snapshot!r} is not the id of a snapshot")
    return f"snapshot_{snapshot}"


async def load(url: str, snapshot: str, shard: Shard, tables: dict[str, Table]) -> None:
    """Write one node's part of a snapshot, all or nothing; what it has of that snapshot is replaced."""
    schema = schema_of(snapshot)
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
            for name in NAMES:
                await connection.execute(_create(schema, name))
                for records in _records(tables[name], shard):
                    await connection.copy_records_to_table(
                        name, schema_name=schema, columns=("hash", "units"), records=records
                    )
                await connection.execute(f'ALTER TABLE {schema}."{name}" ADD PRIMARY KEY (hash)')
            await connection.execute(f"CREATE TABLE {schema}.part (number int NOT NULL, of int NOT NULL)")
            await connection.execute(f"INSERT INTO {schema}.part VALUES ($1, $2)", *shard)  # noqa: S608
        await connection.execute(f"ANALYZE {', '.join(f'{schema}.{name}' for name in NAMES)}")
    finally:
        await connection.close()


def _create(schema: str, name: str) -> str:
    table = f"{schema}.{name}"
    partitions = "".join(
        f"; CREATE TABLE {table}_{n} PARTITION OF {table}"
        f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n})"
        for n in range(PARTITIONS)
    )
    # Packed lists do not get smaller by another compression.
    plain = f"; ALTER TABLE {table} ALTER COLUMN units SET STORAGE EXTERNAL"
    columns = "hash bigint NOT NULL, units bytea NOT NULL"
    return f"CREATE TABLE {table} ({columns}) PARTITION BY HASH (hash){plain}{partitions}"


def _records(table: Table, shard: Shard) -> Iterator[list[tuple[int, bytes]]]:
    for keys, values in table.entries_of(shard):
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
        data, lengths = pack(values, starts)
        blob, ends = data.tobytes(), np.cumsum(lengths).tolist()
        lists = [blob[first:last] for first, last in zip([0, *ends], ends, strict=False)]
        yield list(zip(keys[starts].view(np.int64).tolist(), lists, strict=True))


async def unload(url: str, snapshot: str) -> None:
    """Delete what a node has of a snapshot."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {schema_of(snapshot)} CASCADE")
    finally:
        await connection.close()


class _Node:
    """One node: its pool of connections, and until when it is left alone."""

    def __init__(self, url: str, snapshot: str, shard: Shard, seconds: float) -> None:
        self._url, self._schema, self._shard, self._seconds = url, schema_of(snapshot), shard, seconds
        self._pool: Any = None
        self._rests_until = 0.0
        self._opening = asyncio.Lock()

    async def ask(self, table: str, hashes: NDArray[np.int64]) -> list[tuple[int, bytes]] | None:
        """The rows of distinct hashes, or None when the node does not answer or holds another part."""
        if time.monotonic() < self._rests_until:
            return None
        query = f"SELECT hash, units FROM {self._schema}.{table} WHERE hash = ANY($1::bigint[])"  # noqa: S608
        try:
            async with asyncio.timeout(CONNECT_SECONDS + self._seconds):
                pool = await self._connected()
                rows: list[tuple[int, bytes]] = await pool.fetch(
                    query, hashes.tolist(), timeout=self._seconds
                )
                return rows
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._rests_until = time.monotonic() + REST_SECONDS
            return None

    async def _connected(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._url, min_size=0, max_size=8, timeout=CONNECT_SECONDS, init=self._check
                )
        return self._pool

    async def _check(self, connection: Any) -> None:
        """A node that holds another part of the snapshot would answer that nothing is there."""
        row = await connection.fetchrow(f"SELECT number, of FROM {self._schema}.part")  # noqa: S608
        if row is None or tuple(row) != tuple(self._shard):
            raise asyncpg.InterfaceError("it holds another part")

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()


class Nodes:
    """The tables of one snapshot on nodes. Belongs to one event loop.

    urls: one a node, in the order of their parts; seconds: how long one may take to answer.
    bits: of the directory of each table, which says how much of a hash is kept.
    """

    def __init__(self, snapshot: str, urls: Sequence[str], bits: dict[str, int], seconds: float) -> None:
        of = len(urls)
        self._nodes = [_Node(url, snapshot, Shard(number, of), seconds) for number, url in enumerate(urls)]
        self._shift = {name: np.uint64(64 - bits[name] - REMAINDER) for name in NAMES}

    async def find(self, table: str, keys: U64) -> Found:
        """As `corpus.index.lookup.Lookup.find`."""
        known = keys >> self._shift[table] << self._shift[table]
        asked = by_shard(known, len(self._nodes))
        answers = await asyncio.gather(*(self._part(table, known, *one) for one in asked))
        missing = [one for one, answer in zip(asked, answers, strict=True) if answer is None]
        return joined(
            [answer for answer in answers if answer is not None],
            [own for _, own in missing],
            [
                f"Part {shard.number + 1} of {shard.of} of the index could not be searched: "
                "its PostgreSQL node did not answer."
                for shard, _ in missing
            ],
        )

    async def _part(self, table: str, known: U64, shard: Shard, own: NDArray[np.int64]) -> Part | None:
        hashes, inverse = np.unique(known[own], return_inverse=True)
        rows = await self._nodes[shard.number].ask(table, hashes.view(np.int64))
        if rows is None:
            return None
        found = np.array([row[0] for row in rows], np.int64).view(np.uint64)
        lists = [row[1] for row in rows]
        values, counts = unpack(
            np.frombuffer(b"".join(lists), np.uint8), np.array([*map(len, lists)], np.int64)
        )
        # Of each distinct hash, where its values are; then of each key.
        start, count = np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.int64)
        at = np.searchsorted(hashes, found)
        start[at], count[at] = np.cumsum(counts) - counts, counts
        return Part(
            own,
            np.repeat(np.arange(len(own)), count[inverse]),
            values[gather(start[inverse], count[inverse])],
        )

    async def close(self) -> None:
        await asyncio.gather(*(node.close() for node in self._nodes))
