"""The database fails at any statement, or is away: no accepted scan is half a scan (C3, C8 in small)."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError

from app.db.models import Event, IdempotencyKey, Payload, Scan, StoredReport
from app.errors import Unavailable
from app.scan.guarded import Control, run
from app.services import health, outcomes, scans
from app.services.submission import Submission, prepare
from app.work import EVERY_TENANT
from tests.figures import Figure
from tests.service.servers import Postgres, Redis
from tests.service.stacks import Stack, copied, production, until

pytestmark = pytest.mark.anyio


@contextmanager
def failing(stack: Stack, number: int) -> Iterator[list[int]]:
    """The `number`-th statement from now on, or the commit when it comes to that, ends with an error."""
    engine = stack.context.database.engine.sync_engine
    seen = [0]

    def fail(*_: Any) -> None:
        seen[0] += 1
        if seen[0] == number:
            raise OperationalError("injected", None, Exception("the connection broke"))

    event.listen(engine, "before_cursor_execute", fail)
    event.listen(engine, "commit", fail)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", fail)
        event.remove(engine, "commit", fail)


async def rows(stack: Stack, tenant: str) -> tuple[int, ...]:
    async with stack.context.work(tenant, read=True) as work:
        return tuple(
            [
                int(await work.session.scalar(select(func.count()).select_from(model)) or 0)
                for model in (Scan, Payload, IdempotencyKey, Event, StoredReport)
            ]
        )


async def test_acceptance_is_all_or_nothing(store: Stack, tenant: str) -> None:
    prepared = await prepare(store.context, Submission(diff=copied(tenant)))
    number, failures = 0, 0
    while True:
        number += 1
        try:
            with failing(store, number) as seen:
                async with store.context.work(tenant) as work:
                    await scans.accept(work, store.settings, prepared, idempotency_key="k")
        except Unavailable:
            failures += 1
            assert await rows(store, tenant) == (0, 0, 0, 0, 0), number
            continue
        if seen[0] < number:
            break
    assert failures > 8
    assert await rows(store, tenant) == (1, 1, 1, 1, 0)


@pytest.mark.check("C3")
async def test_ends_are_all_or_nothing(store: Stack, tenant: str, figure: Figure) -> None:
    """Claim and finish with a fault at each statement: legal states only, and one end."""
    made = await store.submit(copied(tenant), tenant)
    async with store.context.work(EVERY_TENANT) as work:  # others' work is of no interest here
        await work.session.execute(
            update(Scan).where(Scan.id != made.id, Scan.state == "queued").values(state="canceled")
        )
    index = store.context.snapshots.get()
    number, ends = 0, 0
    while True:
        number += 1
        try:
            with failing(store, number) as seen:
                async with store.context.work(EVERY_TENANT) as work:
                    claimed = await outcomes.claim_scan(work, store.settings)
        except Unavailable:
            assert (await row_of(store, made)).state == "queued"
            continue
        if seen[0] < number:
            break
        raise AssertionError("a fault was swallowed")
    assert claimed is not None
    scan, body = claimed
    searched = run(body, "diff", "", "", index, store.context.children, Control(time.monotonic() + 60))
    packed = outcomes.pack(searched)
    places, number = number - 1, 0
    while not ends:
        number += 1
        try:
            with failing(store, number) as seen:
                async with store.context.work(EVERY_TENANT) as work:
                    ends += await outcomes.finish_scan(
                        work, store.settings, scan, searched, packed, index.identity
                    )
        except Unavailable:
            ends = 0
            row = await row_of(store, made)
            assert (row.state, row.status, row.attempts) == ("running", None, 1)
            assert (await rows(store, tenant))[4] == 0
    assert number > 5
    assert (await row_of(store, made)).state == "done"
    assert (await store.stored(made.id, tenant)).report.findings
    async with store.context.work(EVERY_TENANT) as work:
        assert not await outcomes.finish_scan(work, store.settings, scan, searched, packed, index.identity)
    note = f"{places} places of the claim, {number - 1} of the end"
    figure("C3", "faults of the database that leave half an end", 0, exactly=0, note=note)


async def row_of(store: Stack, scan: Scan) -> Scan:
    async with store.context.work(EVERY_TENANT, read=True) as work:
        return (await work.session.scalars(select(Scan).where(Scan.id == scan.id))).one()


@asynccontextmanager
async def own_servers(corpus: Path, folder: Path) -> AsyncIterator[tuple[Postgres, Stack]]:
    postgres, redis = Postgres(), Redis()
    try:
        postgres.create()
        redis.start()
        async with production(
            corpus, postgres.database(), redis, ("scan", "chores"), folder / "log"
        ) as stack:
            yield postgres, stack
    finally:
        redis.stop()
        postgres.destroy()


@pytest.mark.slow
async def test_postgresql_goes_away_and_comes_back(corpus: Path, tmp_path: Path, tenant: str) -> None:
    async with own_servers(corpus, tmp_path) as (postgres, stack):
        first = await stack.submit(copied(f"{tenant}first"), tenant)
        assert (await stack.ended(first, tenant, 40)).state == "done"

        async def alive() -> bool:
            return len((await health.check(stack.context)).processes) == 2

        await until(alive, 20, "both workers are there")
        before = await stack.submit(copied(f"{tenant}before"), tenant)
        postgres.stop(signal.SIGQUIT)
        for number in range(5):
            begun = time.monotonic()
            with pytest.raises(Unavailable) as refused:
                await stack.submit(copied(f"{tenant}{number}"), tenant)
            assert time.monotonic() - begun < 4
            assert refused.value.status == 503
        found = await health.check(stack.context)
        assert (found.ready, found.database) == (False, False)
        postgres.start()
        after = await stack.submit(copied(f"{tenant}after"), tenant)
        for scan in (before, after):
            assert (await stack.ended(scan, tenant, 40)).state == "done"
        assert [worker.poll() for worker in stack.workers.values()] == [None, None]
        assert (await health.check(stack.context)).database
