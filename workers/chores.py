"""Small things at regular times: the dispatcher, expiry, webhooks. Run as `python -m workers.chores`.

Its sign of life is the dispatcher's: without it lost work is not found, and /readyz says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.context import Context
from app.services.outbound import deliver
from app.services.upkeep import dispatch, sweep
from workers.base import main
from workers.pool import every

SWEEP_SECONDS = 20.0


async def take(context: Context) -> bool:
    """One webhook delivery. False when none is due."""
    return await deliver(context)


@asynccontextmanager
async def rounds(context: Context) -> AsyncIterator[None]:
    """The dispatcher and the sweeper for the time of the block."""
    wanted = max(0.5, context.settings.poll_seconds)
    async with (
        every(wanted, "dispatch", lambda: dispatch(context)),
        every(SWEEP_SECONDS, "sweep", lambda: sweep(context)),
    ):
        yield


if __name__ == "__main__":
    main("chores")
