"""Claims, leases and fences on both databases: each piece of work is done by one, and ends once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from app.db import leases
from app.db.engine import clock
from app.db.models import Job, Payload, Scan
from app.services import corpora, outcomes, scans, upkeep
from app.work import EVERY_TENANT
from corpus.errors import BadDiff, SandboxError
from tests.service.stacks import Stack, copied

pytestmark = pytest.mark.anyio


async def claim(store: Stack, tenant: str, lease: float = 60.0) -> Scan | None:
    async with store.context.work(EVERY_TENANT) as work:
        return await leases.claim(work, Scan, lease, 3, Scan.tenant.like(f"{tenant}%"))


async def change(store: Stack, scan: Scan, **values: Any) -> None:
    async with store.context.work(EVERY_TENANT) as work:
        await work.session.execute(update(Scan).where(Scan.id == scan.id).values(**values))


async def read(store: Stack, scan: Scan) -> Scan:
    async with store.context.work(EVERY_TENANT, read=True) as work:
        return (await work.session.scalars(select(Scan).where(Scan.id == scan.id))).one()


async def test_each_is_claimed_by_one(store: Stack, tenant: str) -> None:
    made = {(await store.submit(copied(f"{tenant}{n}"), tenant)).id for n in range(20)}

    async def drain() -> list[str]:
        found = []
        while (scan := await claim(store, tenant)) is not None:
            found.append(scan.id)
        return found

    shares = await asyncio.gather(*(drain() for _ in range(8)))
    claimed = [identity for share in shares for identity in share]
    assert sorted(claimed) == sorted(made)


async def test_tenants_take_turns(store: Stack, tenant: str) -> None:
    for number in range(4):
        await store.submit(copied(f"{tenant}{number}"), f"{tenant}-greedy")
    await store.submit(copied(tenant), f"{tenant}-modest")
    order = []
    while (scan := await claim(store, f"{tenant}-")) is not None:
        order.append(scan.tenant.rpartition("-")[2])
    assert order == ["greedy", "modest", "greedy", "greedy", "greedy"]


async def test_who_lost_the_lease_cannot_finish(store: Stack, tenant: str) -> None:
    await store.submit(copied(tenant), tenant)
    slow = await claim(store, tenant)
    assert slow is not None
    assert await claim(store, tenant) is None  # its lease holds
    await change(store, slow, lease_until=0.0)
    quick = await claim(store, tenant)
    assert quick is not None
    assert (quick.id, quick.attempts) == (slow.id, 2)
    async with store.context.work(EVERY_TENANT) as work:
        assert not await leases.renew(work, slow, 60)
        assert not await leases.finish(work, slow, "done")
        assert not await leases.give_back(work, slow)
        assert await outcomes.fail_scan(work, store.settings, slow, SandboxError("crash", "x")) == "lost"
        assert await leases.finish(work, quick, "done")
        assert not await leases.finish(work, quick, "failed")
    assert (await read(store, slow)).state == "done"


async def test_a_canceled_scan_stays_canceled(store: Stack, tenant: str) -> None:
    await store.submit(copied(tenant), tenant)
    scan = await claim(store, tenant)
    assert scan is not None
    async with store.context.work(tenant) as work:
        await scans.cancel(work, scan.id)
    async with store.context.work(EVERY_TENANT) as work:
        assert not await leases.renew(work, scan, 60)
        assert not await leases.finish(work, scan, "done")
    assert (await read(store, scan)).state == "canceled"


async def test_failures_wait_and_end_after_three(store: Stack, tenant: str) -> None:
    made = await store.submit(copied(tenant), tenant)
    for attempt in (1, 2, 3):
        scan = await claim(store, tenant)
        assert scan is not None
        assert scan.attempts == attempt
        async with store.context.work(EVERY_TENANT) as work:
            error = SandboxError("crash", f"number {attempt}")
            outcome = await outcomes.fail_scan(work, store.settings, scan, error)
        if attempt < 3:
            assert outcome == "queued"
            assert await claim(store, tenant) is None  # not before its time
            await change(store, scan, not_before=0.0)
    assert outcome == "failed"
    row = await read(store, made)
    assert (row.state, row.error_slug) == ("failed", "sandbox")
    assert row.error == "tried 3 times; the last time: number 3"
    assert row.dedup is None


async def test_what_the_client_did_fails_at_once(store: Stack, tenant: str) -> None:
    made = await store.submit(copied(tenant), tenant, retain=0)
    scan = await claim(store, tenant)
    assert scan is not None
    async with store.context.work(EVERY_TENANT) as work:
        assert await outcomes.fail_scan(work, store.settings, scan, BadDiff(7, "no hunk")) == "failed"
        assert (await work.session.scalars(select(Payload).where(Payload.scan_id == made.id))).all() == []
    row = await read(store, made)
    assert (row.attempts, row.error_slug, row.error) == (1, "bad-diff", "line 7 of the diff: no hunk")


async def test_unforeseen_errors_do_not_quote_input(store: Stack) -> None:
    secret = "secret = 'hunter2'"
    try:
        raise ValueError(secret)
    except ValueError as error:
        slug, message = outcomes.told(error)
    assert slug == "internal"
    assert message.startswith("an unforeseen error (ValueError at test_leases.py:")
    assert secret not in message


async def test_the_dispatcher_ends_what_killed_its_workers(store: Stack, tenant: str) -> None:
    made = await store.submit(copied(tenant), tenant)
    async with store.context.work("system") as work:
        job = await corpora.build(work)
    await change(store, made, state="running", attempts=3, lease_until=0.0)
    async with store.context.work(EVERY_TENANT) as work:
        await work.session.execute(
            update(Job).where(Job.id == job.id).values(state="running", attempts=3, lease_until=0.0)
        )
    assert await claim(store, tenant) is None
    await upkeep.dispatch(store.context)
    row = await read(store, made)
    assert (row.state, row.error_slug) == ("failed", "worker-lost")
    assert "3 times" in (row.error or "")
    async with store.context.work("system", read=True) as work:
        assert (await corpora.job(work, job.id)).state == "failed"


async def test_given_back_work_does_not_count(store: Stack, tenant: str) -> None:
    await store.submit(copied(tenant), tenant)
    for _ in range(5):
        scan = await claim(store, tenant)
        assert scan is not None
        assert scan.attempts == 1
        async with store.context.work(EVERY_TENANT) as work:
            assert await leases.give_back(work, scan, refund=True)
    async with store.context.work(EVERY_TENANT, read=True) as work:
        row = await work.session.scalar(select(Scan.lease_until - clock()).where(Scan.id == scan.id))
        assert row is not None
        assert row < 0
