"""The durability checks at the figures that gate a release: C1, C4, C6, C7, C10, without HTTP.

Each prints its figure. `make check` runs them; WHENCE_CHECK_FAULTS sets the number of faults of C1.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.db.models import Event, Scan
from app.errors import Busy, KeyReused
from app.queue import ArqBells
from app.work import EVERY_TENANT
from tests.service.servers import Postgres, Redis
from tests.service.stacks import HERE, Stack, copied, production
from tests.service.test_faults import cutting_proxy, poisoned

pytestmark = [pytest.mark.anyio, pytest.mark.check, pytest.mark.timeout(1200)]
FAULTS = int(os.environ.get("WHENCE_CHECK_FAULTS", "60"))


@dataclass
class Posting:
    """A client that posts all the time and remembers what was accepted."""

    stack: Stack
    tenant: str
    accepted: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, pause: float) -> None:
        for number in itertools.count():
            if self.stop.is_set():
                return
            try:
                scan = await self.stack.submit(copied(f"{self.tenant} {number}"), self.tenant)
                self.accepted[scan.id] = time.monotonic()
            except Busy:
                self.refused += 1
            await asyncio.sleep(pause)


@dataclass
class Chaos:
    """Does one fault after the other, and starts again what it killed, as a supervisor would."""

    postgres: Postgres
    stack: Stack
    rng: random.Random
    done: dict[str, int] = field(default_factory=dict)

    async def fault(self) -> None:
        kind = self.rng.choice(["scan", "scan", "chores", "redis", "flush", "postgres"])
        self.done[kind] = self.done.get(kind, 0) + 1
        redis = self.stack.redis
        assert redis is not None
        if kind in ("scan", "chores"):
            self.stack.stop_worker(kind, signal.SIGKILL)
        elif kind == "redis":
            redis.stop(signal.SIGKILL)
            await asyncio.sleep(self.rng.uniform(0, 1.5))
            await asyncio.to_thread(redis.start)
        elif kind == "flush":
            redis.client().flushall()
        else:
            self.postgres.stop(signal.SIGKILL)
            await asyncio.sleep(self.rng.uniform(0, 1.5))
            await asyncio.to_thread(self.postgres.start)
        self.supervise()

    def supervise(self) -> None:
        for kind in ("scan", "chores"):
            worker = self.stack.workers.get(kind)
            if worker is None or worker.poll() is not None:
                self.stack.start_worker(kind)


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


async def test_c1_faults_while_posting(corpus: Path, tmp_path: Path, tenant: str) -> None:
    async with own_servers(corpus, tmp_path) as (postgres, stack):
        posting = Posting(stack, tenant)
        client = asyncio.create_task(posting.run(0.15))
        chaos = Chaos(postgres, stack, random.Random(1))
        for _ in range(FAULTS):
            await asyncio.sleep(chaos.rng.uniform(0.5, 2.5))
            await chaos.fault()
        posting.stop.set()
        await client
        last = time.monotonic()
        states: dict[str, str] = {}
        while time.monotonic() - last < 120:
            chaos.supervise()
            states, ends = await outcomes(stack, tenant)
            if set(states.values()) <= {"done", "failed"}:
                break
            await asyncio.sleep(0.5)
        waited = time.monotonic() - last
        lost = [name for name in posting.accepted if states.get(name) != "done"]
        twice = [name for name, number in ends.items() if number != 1]
        print(
            f"C1 (service layer): {FAULTS} faults {chaos.done}, {len(posting.accepted)} accepted, "
            f"{posting.refused} refused, {len(lost)} lost, {len(twice)} twice, all done after {waited:.0f} s"
        )
        assert (lost, twice) == ([], [])
        wrong = [name for name in posting.accepted if (await stack.stored(name, tenant)).scan.findings != 1]
        assert wrong == []


async def test_c4_one_key(store: Stack, tenant: str) -> None:
    turn = asyncio.Semaphore(20)

    async def post() -> str:
        async with turn:
            return (await store.submit(copied(tenant), tenant, idempotency_key="c4")).id

    found = set(await asyncio.gather(*(post() for _ in range(1000))))
    with pytest.raises(KeyReused):
        await store.submit(copied("other"), tenant, idempotency_key="c4")
    async with store.context.work(EVERY_TENANT, read=True) as work:
        rows = await work.session.scalar(select(func.count()).where(Scan.tenant == tenant))
    print(
        f"C4 ({store.context.database.dialect}): 1000 requests, {len(found)} id, {rows} row; other body: 409"
    )
    assert (len(found), rows) == (1, 1)


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


async def test_c6_everything_is_forgotten(corpus: Path, tmp_path: Path, tenant: str) -> None:
    """FLUSHALL with 500 queued: 500 of 500 done."""
    async with own_servers(corpus, tmp_path, ()) as (_, stack):
        made = [(await stack.submit(copied(f"{tenant}{n}"), tenant)).id for n in range(500)]
        assert stack.redis is not None
        stack.redis.client().flushall()
        stack.start_worker("chores")
        stack.start_worker("scan")
        seconds = await all_done(stack, tenant, made, 300)
        print(f"C6: 500 of 500 done {seconds:.0f} s after FLUSHALL")
        assert seconds < 90


async def test_c7_poison(corpus: Path, tmp_path: Path, tenant: str) -> None:
    """50 that kill their child among 500 good ones: no worker ends, each poison fails after three."""
    async with own_servers(corpus, tmp_path, ("chores",)) as (_, stack):
        worker = stack.start_worker("scan", HERE / "poisoned_worker.py")
        begun = time.monotonic()
        await poisoned(stack, tenant, 50, 500, 300)
        assert worker.poll() is None
        print(
            f"C7: 50 poisons failed after 3 tries, 500 others done, 0 exits, {time.monotonic() - begun:.0f} s"
        )


async def test_c10_bells_that_are_cut(corpus: Path, tmp_path: Path, tenant: str) -> None:
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
        print(f"C10: {cuts[0]} bells cut, 500 of 500 done after {seconds:.0f} s")
