"""What a process holds: settings, database, queue, corpus, children. The one place that puts them together.

Made once by the API, by each worker and by commands that need the database:

    async with Context.open(settings) as context:
        async with context.work(tenant) as work: ...
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from app.db.engine import require_durable
from app.db.upgrade import upgrade
from app.lookup.connect import Connect, connector
from app.queue import ArqBells, Bells, JobQueue
from app.settings import Settings
from app.work import Database, Work
from corpus.errors import CorruptSnapshot, NoCorpus
from corpus.index.catalog import Catalog
from corpus.index.snapshot import Snapshot
from corpus.params import DEFAULT
from corpus.sandbox import Limits, Pool

ENGINE = f"{version('whence')}+{DEFAULT.digest}"
"""Names what computes a report: another one is another result."""

PRELOAD = ("app.scan.child",)
"""Loaded by children before their memory is limited."""


class Snapshots:
    """Open snapshots by id: two at most, shared by all scans of the process. Safe to use from threads.

    A damaged one is never read again here; the one before it answers, and its id stands in the report.
    """

    def __init__(self, catalog: Catalog, connect: Connect | None = None) -> None:
        self._catalog, self._connect = catalog, connect
        self._open: dict[str, Snapshot] = {}
        self._damaged: dict[str, int] = {}  # id → inode: what is built anew has another
        self._lock = threading.Lock()

    def current_id(self) -> str:
        """The published snapshot. Raises NoCorpus."""
        identity = self._catalog.current()
        if identity is None:
            raise NoCorpus(self._catalog.data)
        return identity

    def get(self, identity: str | None = None, *, verify: bool = False) -> Snapshot:
        """The snapshot of that id, else the published one, else the one before it: the first that is whole.

        verify: check all hashes, not only sizes, and open it anew. Raises NoCorpus, CorruptSnapshot.
        """
        wanted = dict.fromkeys(name for name in (identity, self.current_id(), self._previous()) if name)
        problem: CorruptSnapshot | None = None
        with self._lock:
            for name in wanted:
                folder = self._catalog.snapshots_root / name
                inode = _inode(folder)
                if inode is None or self._damaged.get(name) == inode:
                    continue
                if name in self._open and not verify:
                    return self._open[name]
                try:
                    opened = Snapshot(
                        folder, self._catalog.segments_root, self._catalog.params,
                        verify=verify, connect=self._connect,
                    )  # fmt: skip
                except CorruptSnapshot as error:
                    if not is_passing(error):
                        self._damaged[name] = inode
                    problem = problem or error
                    continue
                self._keep(name, opened)
                return opened
        raise problem or CorruptSnapshot(self._catalog.snapshots_root, "no snapshot is whole")

    def damaged(self) -> list[str]:
        """Ids of snapshots that were found damaged."""
        return sorted(self._damaged)

    def distrust(self, identity: str, error: CorruptSnapshot) -> None:
        """Note damage that showed while a snapshot was searched: the next attempt takes another."""
        with self._lock:
            self._open.pop(identity, None)
            if not is_passing(error):
                self._damaged[identity] = _inode(self._catalog.snapshots_root / identity) or 0

    def _keep(self, name: str, opened: Snapshot) -> None:
        self._open.pop(name, None)
        while len(self._open) >= 2:  # readers keep what they hold; this only forgets
            self._open.pop(next(iter(self._open)))
        self._open[name] = opened

    def _previous(self) -> str | None:
        try:
            return (self._catalog.data / "PREVIOUS").read_text().strip() or None
        except OSError:
            return None


def is_passing(error: CorruptSnapshot) -> bool:
    """Whether a file could not be opened or read just now: that says nothing about what is in it."""
    return isinstance(error.__cause__, OSError)


def _inode(folder: Path) -> int | None:
    try:
        return folder.stat().st_ino
    except OSError:
        return None


@dataclass
class Context:
    """The resources of one process. children: parse submitted text, started when first used."""

    settings: Settings
    database: Database
    queue: JobQueue
    catalog: Catalog
    snapshots: Snapshots
    children: Pool
    counters: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, *, migrate: bool = True) -> AsyncIterator[Context]:
        """Connect, bring the tables up to date, and clean up at the end."""
        url = settings.redis_url.get_secret_value()
        queue: JobQueue = ArqBells(url) if url else Bells()
        database = Database(settings.sqlalchemy_url, queue)
        catalog = Catalog(settings.data_dir)
        snapshots = Snapshots(catalog, connector(settings.lookup.get_secret_value()))
        limits = Limits(memory=settings.scan_memory, seconds=settings.file_seconds)
        with Pool(settings.scan_processes, limits, PRELOAD) as children:
            try:
                if migrate:
                    await asyncio.to_thread(upgrade, settings.sqlalchemy_url)
                await require_durable(database.engine)
                yield cls(settings, database, queue, catalog, snapshots, children)
            finally:
                await queue.close()
                await database.close()

    def work(self, tenant: str, *, read: bool = False) -> AbstractAsyncContextManager[Work]:
        """One transaction of one tenant; see app.work."""
        return self.database.work(tenant, read=read)

    def count(self, kind: str, name: str, by: int = 1) -> None:
        """Add to a counter that workers of that kind tell with their sign of life."""
        counters = self.counters.setdefault(kind, {})
        counters[name] = counters.get(name, 0) + by
