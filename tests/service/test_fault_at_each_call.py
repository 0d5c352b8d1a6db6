"""A fault at each call in turn, of the database, of Redis, of the index's files: no 202 without a row, states
that are legal, and the next run completes (C3)."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis.asyncio.connection as redis_connection
from sqlalchemy import select, update

from app.api.application import create_api
from app.auth.callers import Caller
from app.auth.rates import Rates
from app.context import Snapshots
from app.db.models import Scan
from app.middleware.body import BodyLimits
from app.middleware.gate import Gate
from app.middleware.requests import Requests
from app.queue import ArqBells
from app.work import EVERY_TENANT
from tests.figures import Figure
from tests.service.servers import Redis
from tests.service.stacks import Stack, copied
from tests.service.test_outages import failing, row_of, rows
from workers import scan as scan_worker

pytestmark = [pytest.mark.anyio, pytest.mark.check("C3"), pytest.mark.timeout(900)]
MOST = 300
"""More calls than any of these paths makes: a run that gets there has a fault that is swallowed."""


@asynccontextmanager
async def http(stack: Stack, tenant: str) -> AsyncIterator[httpx2.AsyncClient]:
    """The API in this process, over the stack's own database; whoever asks is the tenant."""
    api = create_api(stack.settings)
    api.state.context = stack.context
    caller = Caller(tenant, "", frozenset(("scan", "read", "admin")))
    gate = Gate(BodyLimits(api), lambda _: None, Rates("1000000/minute"), Rates("60/minute"), caller)  # type: ignore[arg-type, return-value]
    transport = httpx2.ASGITransport(app=Requests(gate, api.state.metrics))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
        yield client


async def test_no_202_without_a_row(store: Stack, tenant: str, figure: Figure) -> None:
    headers = {"Content-Type": "text/x-diff", "Idempotency-Key": tenant}
    refused = wrong = 0
    async with http(store, tenant) as client:
        for number in range(1, MOST):
            with failing(store, number) as seen:
                answer = await client.post("/v1/scans", content=copied(tenant), headers=headers)
            if seen[0] < number:
                break
            refused += 1
            told = answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
            # All or nothing: a fault after the commit is told as well, and the same key finds the scan.
            wrong += not told or await rows(store, tenant) not in ((0, 0, 0, 0, 0), (1, 1, 1, 1, 0))
    assert answer.status_code in (200, 202)
    assert await rows(store, tenant) == (1, 1, 1, 1, 0)
    assert refused > 8
    note = f"{refused} places"
    figure("C3", "faults of the database at POST answered wrongly", wrong, exactly=0, note=note)


@contextmanager
def redis_fails(number: int) -> Iterator[list[int]]:
    """The `number`-th command that is sent to Redis from now on breaks its connection."""
    honest, seen = redis_connection.AbstractConnection.send_packed_command, [0]

    async def send(self: Any, *arguments: Any, **more: Any) -> None:
        seen[0] += 1
        if seen[0] == number:
            await self.disconnect(nowait=True)
            raise redis_connection.ConnectionError("injected")
        await honest(self, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_connection.AbstractConnection, "send_packed_command", send)
        yield seen


async def test_a_fault_of_redis_loses_nothing(
    store: Stack, tenant: str, redis_server: Redis, figure: Figure
) -> None:
    honest, places, lost = store.context.database.queue, 0, 0
    try:
        for number in range(1, MOST):
            bells = ArqBells(redis_server.url)
            store.context.database.queue = bells
            with redis_fails(number) as seen:
                made = await store.submit(copied(f"{tenant} {number}"), tenant)
            await bells.close()
            lost += (await row_of(store, made)).state != "queued"
            if seen[0] < number:
                break
            places += 1
    finally:
        store.context.database.queue = honest
    assert places >= 3
    figure("C3", "faults of Redis that lose an accepted scan", lost, exactly=0, note=f"{places} places")


class Files:
    """Lets the n-th opening of a file below a folder fail. One hook for all: it cannot be taken away."""

    def __init__(self) -> None:
        self.folder, self.number, self.seen = "", 0, 0
        sys.addaudithook(self._watch)

    def _watch(self, what: str, arguments: tuple[Any, ...]) -> None:
        if what != "open" or not self.number or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        if os.fsdecode(arguments[0]).startswith(self.folder):
            self.seen += 1
            if self.seen == self.number:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    @contextmanager
    def fail(self, folder: Path, number: int) -> Iterator[None]:
        self.folder, self.number, self.seen = f"{folder}/", number, 0
        try:
            yield
        finally:
            self.number = 0


@pytest.fixture(scope="module")
def files() -> Files:
    return Files()


async def test_a_fault_of_the_indexs_files_is_survived(
    store: Stack, tenant: str, files: Files, figure: Figure
) -> None:
    """Also by the process that saw it: what cannot be opened for a moment is not damaged for ever."""
    context, places, wrong = store.context, 0, 0
    async with context.work(EVERY_TENANT) as work:  # others' work is of no interest here
        await work.session.execute(
            update(Scan).where(Scan.state.in_(("queued", "running"))).values(state="canceled")
        )
    for number in range(1, MOST):
        context.snapshots = Snapshots(context.catalog)
        made = await store.submit(copied(f"{tenant} {number}"), tenant)
        with files.fail(store.settings.data_dir, number):
            assert await scan_worker.take(context)
            seen = files.seen
        row = await row_of(store, made)
        legal = row.state == "done" or (row.state == "queued" and row.attempts == 1)
        if row.state == "queued":
            async with context.work(EVERY_TENANT) as work:
                await work.session.execute(update(Scan).where(Scan.id == made.id).values(not_before=0.0))
            assert await scan_worker.take(context)
        ended = await row_of(store, made)
        wrong += not legal or (ended.state, ended.findings) != ("done", 1)
        if seen < number:
            break
        places += 1
    assert places >= 5
    figure("C3", "faults of files after which the next run fails", wrong, exactly=0, note=f"{places} places")
    async with context.work(tenant, read=True) as work:
        states = set(await work.session.scalars(select(Scan.state)))
    assert states == {"done"}
