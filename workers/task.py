"""One claimed row, worked on in a thread: its lease kept, its progress told, its end written once.

`hold` renews the lease while the block runs and sets the stop flag when the row is no longer ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.context import Context
from app.db import leases
from app.db import scans as rows
from app.db.models import Leased
from app.errors import Busy
from app.work import EVERY_TENANT

Result = TypeVar("Result")
RENEWALS = 4
"""Renewals in the time of one lease, so that a slow database does not cost it."""

TELL = 0.5
"""Seconds between two looks at the progress."""


@dataclass
class Progress:
    """What the thread says: units done of total in the current step, and what to tell with it."""

    step: str = ""
    done: int = 0
    total: int = 0
    stop: threading.Event = field(default_factory=threading.Event)


@asynccontextmanager
async def hold(
    context: Context, row: Leased, look: Callable[[], Progress], stop: threading.Event
) -> AsyncIterator[None]:
    """Keep the row for the time of the block. stop: set when it was taken, canceled or erased."""
    keeper = asyncio.create_task(_keep(context, row, look, stop))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(context: Context, row: Leased, look: Callable[[], Progress], stop: threading.Event) -> None:
    lease = context.settings.lease_seconds
    loop = asyncio.get_running_loop()
    told: tuple[str, int, int] | None = None
    renewed = loop.time()
    while not stop.is_set():
        await asyncio.sleep(min(TELL, lease / RENEWALS))
        seen = look()
        now = (seen.step, seen.done, seen.total)
        if now == told and loop.time() - renewed < lease / RENEWALS:
            continue
        try:
            async with context.work(EVERY_TENANT) as work:
                values = {"step": seen.step[:200], "done": seen.done, "total": seen.total}
                if not await leases.renew(work, row, lease, **values):
                    stop.set()
                    return
                if now != told:
                    await rows.tell(work, row.id, "progress", values, tenant=row.tenant)
        except Busy:
            continue
        told, renewed = now, loop.time()


async def give_back(context: Context, row: Leased) -> None:
    """We were told to stop: the row waits for another worker, and the attempt does not count."""

    async def write() -> None:
        async with context.work(EVERY_TENANT) as work:
            await leases.give_back(work, row, refund=True)

    with contextlib.suppress(Busy, TimeoutError):  # else the lease runs out by itself
        await asyncio.shield(asyncio.wait_for(write(), 5.0))


async def in_thread(function: Callable[..., Result], *arguments: Any) -> Result:
    """The function's result. A cancelled caller leaves the thread to its stop flag."""
    return await asyncio.to_thread(function, *arguments)
