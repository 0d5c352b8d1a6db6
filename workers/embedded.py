"""Embedded mode: the crews of all kinds in the server's own process. Entered by app.queue.started."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.context import Context
from app.queue import Bells
from workers.base import KINDS, crew


@asynccontextmanager
async def run(context: Context) -> AsyncIterator[None]:
    """Work for the time of the block. What an earlier process left goes on when its leases run out."""
    bells = context.queue
    if not isinstance(bells, Bells):
        raise TypeError("embedded mode rings in its own process")
    async with AsyncExitStack() as stack:
        for kind in KINDS:
            await stack.enter_async_context(crew(context, kind, bells.bell(kind)))
        yield
