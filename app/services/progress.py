"""Watching a scan or a job: its events as they are committed, and waiting for its end.

Called by the API for server-sent events and `Prefer: wait`. Polls the database in short read transactions,
so it works whatever process does the work; no transaction is open while it waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from app.context import Context
from app.db import jobs as job_rows
from app.db import scans as scan_rows
from app.db.models import Job, Scan
from app.errors import NotFound

FINAL = ("done", "failed", "canceled")
EVERY = 0.4


@dataclass(frozen=True, slots=True)
class Happening:
    """One event. id: for Last-Event-ID. kind: `state` {state, error?} or `progress` {step, done, total}."""

    id: int
    kind: str
    data: dict[str, Any]
    at: float


async def follow(
    context: Context, tenant: str, subject: str, *, after: int = 0, seconds: float = 300.0
) -> AsyncIterator[Happening | None]:
    """Events of a scan or job after number `after`, until its end or for `seconds`. None: nothing new.

    Raises NotFound at once when there is no such subject; ends when it is erased meanwhile.
    """
    deadline = time.monotonic() + seconds
    first = True
    while time.monotonic() < deadline:
        async with context.work(tenant, read=True) as work:
            row = await _row(context, work, subject)
            if row is None and first:
                raise NotFound("scan or job", subject)
            found = await scan_rows.events(work, subject, after)
        first = False
        for event in found:
            after = event.id
            yield Happening(event.id, event.kind, event.data, event.at)
        if row is None or (row.state in FINAL and not found):
            return
        if not found:
            yield None
            await asyncio.sleep(EVERY)


async def wait(context: Context, tenant: str, scan: str, seconds: float) -> Scan:
    """The scan when it is finished, or as it is after `seconds`. Raises NotFound."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        async with context.work(tenant, read=True) as work:
            row = await scan_rows.get(work, scan)
        if row is None:
            raise NotFound("scan", scan)
        left = deadline - time.monotonic()
        if row.state in FINAL or left <= 0:
            return row
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, EVERY)


async def _row(context: Context, work: Any, subject: str) -> Scan | Job | None:
    if subject.startswith("scan_"):
        return await scan_rows.get(work, subject)
    return await job_rows.get(work, subject)
