"""What queues and workers forget or die of, at the figures that gate a release: C6, C7, C10."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from app.db.models import Event, Scan
from app.queue import ArqBells
from tests.figures import Figure
from tests.service.servers import Postgres, Redis
from tests.service.stacks import HERE, Stack, copied, production
from tests.service.test_faults import cutting_proxy, poisoned

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(1200)]


@asynccontextmanager
async def own_servers(
    corpus: Path, folder: Path, kinds: tuple[str, ...] = ("scan", "chores")
) -> AsyncIterator[tuple[Postgres, Stack]]:
    postgres, redis = Postgres(), Redis()
    try:
        postgres.create()
        redis.start()
        url = postgres.database()
        async with production(corpus, url, redis, kinds, folder / "log", max_queued_tenant=1000) as stack:
            yield postgres, stack
    finally:
        redis.stop()
        postgres.destroy()


async def outcomes(stack: Stack, tenant: str) -> tuple[dict[str, str], dict[str, int]]:
    """State by scan, and how often each was said to be done."""
    async with stack.context.work(tenant, read=True) as work:
        states = {row.id: row.state for row in await work.session.scalars(select(Scan))}
        ends: dict[str, int] = {}
        for event in await work.session.scalars(select(Event).where(Event.kind == "state")):
            if event.data["state"] == "done":
                ends[event.subject] = ends.get(event.subject, 0) + 1
    return states, ends


async def all_done(stack: Stack, tenant: str, made: list[str], seconds: float) -> float:
    """Seconds until all of them are done."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        states, _ = await outcomes(stack, tenant)
        if all(states[name] == "done" for name in made):
            break
        await asyncio.sleep(0.5)
    states, ends = await outcomes(stack, tenant)
    assert [name for name in made if states[name] != "done" or ends[name] != 1] == []
    return time.monotonic() - begun


@pytest.mark.check("C6")
async def test_everything_is_forgotten(corpus: Path, tmp_path: Path, tenant: str, figure: Figure) -> None:
    """FLUSHALL with 500 queued: 500 of 500 done."""
    async with own_servers(corpus, tmp_path, ()) as (_, stack):
        made = [(await stack.submit(copied(f"{tenant}{n}"), tenant)).id for n in range(500)]
        assert stack.redis is not None
        stack.redis.client().flushall()
        stack.start_worker("chores")
        stack.start_worker("scan")
        seconds = await all_done(stack, tenant, made, 300)
        figure("C6", "500 of 500 done after FLUSHALL", seconds, at_most=90, unit="s")


@pytest.mark.check("C7")
async def test_poison(corpus: Path, tmp_path: Path, tenant: str, figure: Figure) -> None:
    """50 that kill their child among 500 good ones: no worker ends, each poison fails after three."""
    async with own_servers(corpus, tmp_path, ("chores",)) as (_, stack):
        worker = stack.start_worker("scan", HERE / "poisoned_worker.py")
        begun = time.monotonic()
        await poisoned(stack, tenant, 50, 500, 300)
        figure("C7", "worker exits", worker.poll() is not None, exactly=0)
        seconds = time.monotonic() - begun
        figure("C7", "50 poisons failed after 3 tries, 500 others done after", seconds, unit="s")


@pytest.mark.check("C10")
async def test_bells_that_are_cut(corpus: Path, tmp_path: Path, tenant: str, figure: Figure) -> None:
    """500 bells cut between WATCH and EXEC: 500 of 500 done."""
    async with own_servers(corpus, tmp_path, ()) as (_, stack):
        assert stack.redis is not None
        async with cutting_proxy(stack.redis.port, b"MULTI") as (port, cuts):
            bells = ArqBells(f"redis://127.0.0.1:{port}/0")
            stack.context.database.queue = bells
            made = []
            for number in range(500):
                bells._quiet_until = 0.0  # each bell is tried
                made.append((await stack.submit(copied(f"{tenant}{number}"), tenant)).id)
            await bells.close()
        stack.context.database.queue = stack.context.queue
        assert cuts[0] >= 500
        stack.start_worker("chores")
        stack.start_worker("scan")
        seconds = await all_done(stack, tenant, made, 300)
        figure("C10", "bells cut between WATCH and EXEC", cuts[0], at_least=500)
        figure("C10", "500 of 500 scans done after", seconds, at_most=300, unit="s")
