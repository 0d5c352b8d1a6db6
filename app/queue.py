"""The seam to the queue, one method wide: `wake`. A wake-up is a bell, never the truth; it may get lost.

`Bells` rings in this process (embedded mode, tests), `ArqBells` through arq on Redis. What is waiting
stands in the database; workers look there when a bell rings, and now and then without one.
arq is named here and in workers/base.py only.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from arq.connections import ArqRedis

    from app.context import Context

QUEUES = ("scan", "ingest", "index", "chores")
RING = "ring"
"""Name of the one function that arq workers have."""

PATIENCE = 1.0
PAUSE = 2.0
"""Seconds that a bell may take, and that none is rung after one that did not sound."""


class JobQueue(Protocol):
    """Rings for a piece of work that is committed."""

    async def wake(self, queue: str, subject: str) -> None:
        """Tell the workers of `queue` (one of QUEUES) that `subject` waits. Never raises, is quick."""

    async def is_up(self) -> bool: ...

    async def close(self) -> None: ...


class Bells:
    """Rings in this process."""

    def __init__(self) -> None:
        self._bells = {queue: asyncio.Event() for queue in QUEUES}

    def bell(self, queue: str) -> asyncio.Event:
        return self._bells[queue]

    async def wake(self, queue: str, subject: str) -> None:
        self._bells[queue].set()

    async def is_up(self) -> bool:
        return True

    async def close(self) -> None: ...


def to_json(value: dict[str, Any]) -> bytes:
    """arq's jobs as JSON on both sides: its default would run what is written to Redis."""
    return json.dumps(value, separators=(",", ":"), default=str).encode()


def from_json(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(data)
    return value


class ArqBells:
    """Rings through Redis. A bell that is ringing already is not rung twice: the job's id is constant."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._redis: ArqRedis | None = None
        self._quiet_until = 0.0

    async def wake(self, queue: str, subject: str) -> None:
        if time.monotonic() < self._quiet_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                redis = await self._connect()
                await redis.enqueue_job(
                    RING, subject, _job_id=f"{queue}:{subject}", _queue_name=f"whence:{queue}"
                )
        except Exception:  # the dispatcher finds what was not rung for
            self._quiet_until = time.monotonic() + PAUSE

    async def is_up(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return bool(await (await self._connect()).ping())
        except Exception:
            return False

    async def _connect(self) -> ArqRedis:
        if self._redis is None:
            from arq import create_pool
            from arq.connections import RedisSettings

            settings = RedisSettings.from_dsn(self._url)
            settings.conn_timeout, settings.conn_retries = 1, 0
            self._redis = await create_pool(settings, job_serializer=to_json, job_deserializer=from_json)
        return self._redis

    async def close(self) -> None:
        if self._redis is not None:
            with contextlib.suppress(Exception):
                await self._redis.aclose()


def started(context: Context) -> AbstractAsyncContextManager[None]:
    """The workers of embedded mode, in this process, for the time of the block; none where Redis rings.

    Named, not imported: the service knows its workers' names only.
    """
    if not context.settings.embedded:
        return nullcontext()
    running: AbstractAsyncContextManager[None] = importlib.import_module("workers.embedded").run(context)
    return running
