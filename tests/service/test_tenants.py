"""No work of one tenant sees or changes a row of another, whatever the statement."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import aliased

from app.db import keys
from app.db.engine import clock
from app.db.models import Base, Event, Heartbeat, Payload, Scan
from app.errors import NotFound
from app.services import audit, policies, progress, scans, webhooks
from app.work import EVERY_TENANT
from tests.service.stacks import Stack, copied

pytestmark = pytest.mark.anyio


async def test_statements_are_limited(store: Stack, tenant: str) -> None:
    other = f"{tenant}-other"
    scan = await store.submit(copied(tenant), tenant)
    async with store.context.work(other) as work:
        twin = aliased(Scan)
        for query in (
            select(Scan),
            select(Scan.id),
            select(func.count()).select_from(Scan).having(func.count() > 0),
            select(twin.label),
            select(Payload.body).join(Scan, Scan.id == Payload.scan_id),
            select(Scan.id).where(Scan.id.in_(select(Payload.scan_id))),
            select(Event.id).where(Event.subject == scan.id),
        ):
            assert (await work.session.execute(query)).all() == [], query
        changed: Any = await work.session.execute(update(Scan).values(label="taken"))
        assert changed.rowcount == 0
        gone: Any = await work.session.execute(delete(Scan).where(Scan.id == scan.id))
        assert gone.rowcount == 0
    async with store.context.work(tenant, read=True) as work:
        assert (await scans.get(work, scan.id)).label == ""


async def test_services_answer_as_if_it_did_not_exist(store: Stack, tenant: str) -> None:
    other = f"{tenant}-other"
    scan = await store.submit(copied(tenant), tenant)
    async with store.context.work(tenant) as work:
        hook = await webhooks.create(work, "https://example.org/hook")
        key = (await keys.create(work, "mine", ["scan"])).key
        await policies.put(work, "strict", "", "0" * 64)
    async with store.context.work(other) as work:
        for attempt in (
            scans.get(work, scan.id), scans.cancel(work, scan.id), scans.erase(work, scan.id),
            scans.report(work, scan.id), webhooks.get(work, hook.id), webhooks.remove(work, hook.id),
            webhooks.deliveries(work, hook.id), keys.get(work, key.id), keys.revoke(work, key.id),
            keys.rotate(work, key.id), policies.get(work, "strict"), policies.remove(work, "strict"),
        ):  # fmt: skip
            with pytest.raises(NotFound) as theirs:
                await attempt
            assert "does not" not in theirs.value.message
        assert (await scans.list_scans(work)).rows == []
        assert await audit.entries(work) == []
        with pytest.raises(NotFound) as absent:
            await scans.get(work, "scan_" + "0" * 26)
    with pytest.raises(NotFound) as theirs:
        async with store.context.work(other) as work:
            await scans.get(work, scan.id)
    assert theirs.value.message.replace(scan.id, "") == absent.value.message.replace("scan_" + "0" * 26, "")
    with pytest.raises(NotFound):
        await anext(progress.follow(store.context, other, scan.id))


async def test_rows_get_the_tenant_of_the_work(store: Stack, tenant: str) -> None:
    values = {"kind": "scan", "at": 0.0, "facts": {}}
    with pytest.raises(RuntimeError, match=r"Work\.insert"):
        async with store.context.work(tenant) as work:
            await work.session.execute(insert(Heartbeat).values(name=tenant, tenant="other", **values))
    async with store.context.work(tenant) as work:
        work.session.add(Heartbeat(name=tenant, tenant="other", **values))
        with pytest.raises(RuntimeError, match="in the work of"):
            await work.session.flush()
        work.session.expunge_all()
    async with store.context.work(tenant) as work:
        await work.insert(Heartbeat, name=tenant, **values)
    async with store.context.work(EVERY_TENANT, read=True) as work:
        row = (await work.session.scalars(select(Heartbeat).where(Heartbeat.name == tenant))).one()
        assert row.tenant == tenant


async def test_totals_of_all_leave_the_work_limited(store: Stack, tenant: str) -> None:
    await store.submit(copied(tenant), tenant)
    async with store.context.work(f"{tenant}-other") as work:
        async with work.every_tenant():
            assert await work.session.scalar(select(func.count()).select_from(Scan))
        assert (await work.session.scalars(select(Scan.id))).all() == []
        if store.context.database.dialect == "postgresql":
            assert await work.session.scalar(text("SELECT count(*) FROM scans")) == 0


async def test_postgresql_is_a_second_wall(store: Stack, tenant: str) -> None:
    """Statements that know nothing of tenants see none either, in every table."""
    if store.context.database.dialect == "sqlite":
        # There is no second wall: what the session lets through is all there is.
        async with store.context.work(tenant, read=True) as work:
            assert await work.session.scalar(text("SELECT 1")) == 1
        return
    scan = await store.submit(copied(tenant), tenant)
    async with store.context.work(f"{tenant}-other") as work:
        for table in Base.metadata.tables:
            rows = await work.session.scalar(
                text(f"SELECT count(*) FROM {table} WHERE tenant = :tenant"), {"tenant": tenant}
            )
            assert rows == 0, table
        forged = text("UPDATE scans SET label = 'taken' WHERE id = :id")
        assert (await work.session.execute(forged, {"id": scan.id})).rowcount == 0  # type: ignore[attr-defined]
    async with store.context.database.engine.connect() as connection:  # no tenant was said at all
        assert await connection.scalar(text("SELECT count(*) FROM scans")) == 0
    async with store.context.work(tenant, read=True) as work:
        assert await work.session.scalar(text("SELECT count(*) FROM payloads")) == 1


async def test_the_clock_is_the_databases(store: Stack) -> None:
    import time

    async with store.context.work(EVERY_TENANT, read=True) as work:
        assert abs(float(await work.session.scalar(select(clock())) or 0) - time.time()) < 5


async def test_reading_waits_for_nobody(store: Stack, tenant: str) -> None:
    scan = await store.submit(copied(tenant), tenant)
    async with store.context.work(tenant) as writing:
        await writing.session.execute(update(Scan).where(Scan.id == scan.id).values(label="new"))
        async with asyncio.timeout(2), store.context.work(tenant, read=True) as reading:
            assert (await scans.get(reading, scan.id)).label == ""
    async with store.context.work(tenant, read=True) as reading:
        assert (await scans.get(reading, scan.id)).label == "new"
