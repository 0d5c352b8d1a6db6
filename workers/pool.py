"""Slots that drain one kind of work: each takes a piece, does it, and takes the next until nothing is due.

A bell only shortens the wait of an idle slot; without one it looks after `poll` seconds. Used in worker
processes and, with the same functions, by embedded mode.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from app.errors import Busy

log = logging.getLogger("whence.workers")

Take = Callable[[], Awaitable[bool]]
"""Claims a piece of work and sees it through; False when nothing is due. Gives it back when canceled."""

LONGEST_PAUSE = 5.0


@asynccontextmanager
async def slots(
    name: str, take: Take, bell: asyncio.Event, *, size: int, poll: float, stop_seconds: float
) -> AsyncIterator[None]:
    """`size` slots for the time of the block; at its end they finish, within `stop_seconds`."""
    stopping = asyncio.Event()
    tasks = [
        asyncio.create_task(_drain(name, take, bell, stopping, poll), name=f"{name}-{number}")
        for number in range(size)
    ]
    try:
        yield
    finally:
        stopping.set()
        bell.set()
        _, late = await asyncio.wait(tasks, timeout=stop_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(name: str, take: Take, bell: asyncio.Event, stopping: asyncio.Event, poll: float) -> None:
    pause = poll
    while not stopping.is_set():
        try:
            busy = await take()
            pause = poll
        except Busy:  # the database is away: the row's lease runs out, nothing is lost
            busy, pause = False, min(2 * pause, LONGEST_PAUSE)
        except Exception as error:
            log.error("a slot of %s failed: %s", name, type(error).__name__)
            busy, pause = False, min(2 * pause, LONGEST_PAUSE)
        if busy or stopping.is_set():
            continue
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), pause)
        bell.clear()
    bell.set()  # another slot may wait on the same bell


@asynccontextmanager
async def every(seconds: float, name: str, step: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Run `step` again and again for the time of the block; an error is logged, not fatal."""

    async def run() -> None:
        while True:
            try:
                await step()
            except Busy:
                pass
            except Exception as error:
                log.error("%s failed: %s", name, type(error).__name__)
            await asyncio.sleep(seconds)

    task = asyncio.create_task(run(), name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
