"""What is accepted, once: idempotency, deduplication, limits, lists. No worker runs here."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from sqlalchemy import func, select

from app.db.models import Payload, Scan
from app.errors import KeyReused, NotFound, QueueFull, TooLarge, TooMany
from app.policy.model import BadPolicy
from app.services import policies, scans
from app.services.submission import Submission, prepare
from corpus.errors import BadInput
from tests.service.stacks import Stack, copied

pytestmark = pytest.mark.anyio


async def count(store: Stack, tenant: str) -> int:
    async with store.context.work(tenant, read=True) as work:
        return int(await work.session.scalar(select(func.count()).select_from(Scan)) or 0)


async def test_one_key_one_scan(store: Stack, tenant: str) -> None:
    """100 requests with one Idempotency-Key, 20 at a time, make one scan; another body is refused."""
    turn = asyncio.Semaphore(20)

    async def post() -> str:
        async with turn:
            return (await store.submit(copied(tenant), tenant, idempotency_key="once")).id

    found = await asyncio.gather(*(post() for _ in range(100)))
    assert len(set(found)) == 1
    assert await count(store, tenant) == 1
    for other in ({"diff": copied("else")}, {"diff": copied(tenant), "outbound": "MIT"}):
        with pytest.raises(KeyReused):
            await store.submit(tenant=tenant, idempotency_key="once", **other)  # type: ignore[arg-type]
    assert await count(store, tenant) == 1


async def test_same_content_is_the_same_scan_within_a_tenant(store: Stack, tenant: str) -> None:
    found = await asyncio.gather(*(store.submit(copied(tenant), tenant) for _ in range(20)))
    assert len({scan.id for scan in found}) == 1
    others = [
        await store.submit(copied(tenant), f"{tenant}-other"),
        await store.submit(copied(tenant), tenant, outbound="MIT"),
        await store.submit(copied(tenant), tenant, policy='deny = ["MIT"]'),
        await store.submit(copied(tenant), tenant, retain=0),
    ]
    assert len({scan.id for scan in (*others, found[0])}) == 5
    again = await store.submit(copied(tenant), tenant, idempotency_key="new key")
    assert again.id == found[0].id
    assert (await store.submit(copied(tenant), tenant, idempotency_key="new key")).id == found[0].id


async def test_a_scan_without_a_result_is_no_answer(store: Stack, tenant: str) -> None:
    scan = await store.submit(copied(tenant), tenant)
    async with store.context.work(tenant) as work:
        assert (await scans.cancel(work, scan.id)).state == "canceled"
    async with store.context.work(tenant, read=True) as work:
        assert (await work.session.scalars(select(Payload))).all() == []
    assert (await store.submit(copied(tenant), tenant)).id != scan.id


async def test_bells_ring_after_the_commit_only(store: Stack, tenant: str) -> None:
    rung: list[tuple[str, str]] = []
    queue = store.context.database.queue

    class Listening:
        async def wake(self, queue: str, subject: str) -> None:
            rung.append((queue, subject))

        async def is_up(self) -> bool:
            return True

        async def close(self) -> None: ...

    store.context.database.queue = Listening()
    try:
        prepared = await prepare(store.context, Submission(diff=copied(tenant)))
        with contextlib.suppress(ZeroDivisionError):
            async with store.context.work(tenant) as work:
                await scans.accept(work, store.settings, prepared)
                raise ZeroDivisionError
        assert rung == []
        assert await count(store, tenant) == 0
        scan = await store.submit(copied(tenant), tenant)
        assert rung == [("scan", scan.id)]
        await store.submit(copied(tenant), tenant)
        assert len(rung) == 1
    finally:
        store.context.database.queue = queue


async def test_too_much_waiting_is_refused(store: Stack, tenant: str) -> None:
    prepared = [
        await prepare(store.context, Submission(diff=copied(f"{tenant}{number}"))) for number in range(4)
    ]
    narrow = store.settings.model_copy(update={"max_queued_tenant": 2})
    for one in prepared[:2]:
        async with store.context.work(tenant) as work:
            await scans.accept(work, narrow, one)
    with pytest.raises(TooMany) as mine:
        async with store.context.work(tenant) as work:
            await scans.accept(work, narrow, prepared[2])
    assert mine.value.status == 429
    assert mine.value.retry_after > 0
    for full in ({"max_queued": 2}, {"max_queued_bytes": 2048}):
        with pytest.raises(QueueFull) as all_full:
            async with store.context.work(f"{tenant}-other") as work:
                await scans.accept(work, store.settings.model_copy(update=full), prepared[3])
        assert all_full.value.status == 503
    assert await count(store, tenant) == 2
    async with store.context.work(tenant) as work:  # what is known already is answered though all is full
        assert not (await scans.accept(work, narrow, prepared[0])).created


async def test_pages_walk_over_all_newest_first(store: Stack, tenant: str) -> None:
    made = [(await store.submit(copied(f"{tenant}{number}"), tenant)).id for number in range(7)]
    seen: list[str] = []
    cursor = None
    for size in (3, 3, 1):
        async with store.context.work(tenant, read=True) as work:
            page = await scans.list_scans(work, cursor=cursor, limit=3)
        assert len(page.rows) == size
        seen += [scan.id for scan in page.rows]
        cursor = page.next
    assert cursor is None
    assert sorted(seen, reverse=True) == seen
    assert set(seen) == set(made)
    async with store.context.work(tenant, read=True) as work:
        assert (await scans.list_scans(work, state="done")).rows == []
        for bad in ("", "x", "c2Nhbl8x", "' or 1=1", "ÿ", "A" * 5000):
            with pytest.raises(BadInput):
                await scans.list_scans(work, cursor=bad or "?")
        with pytest.raises(BadInput):
            await scans.list_scans(work, state="lost")


async def test_policies_by_name(store: Stack, tenant: str) -> None:
    digest = await policies.checked(store.context, "strict", 'deny = ["GPL-3.0-or-later"]')
    async with store.context.work(tenant) as work:
        await policies.put(work, "strict", 'deny = ["GPL-3.0-or-later"]', digest)
    scan = await store.submit(copied(tenant), tenant, policy_name="strict")
    assert scan.policy == 'deny = ["GPL-3.0-or-later"]'
    with pytest.raises(NotFound):
        await store.submit(copied(tenant), tenant, policy_name="absent")
    async with store.context.work(tenant) as work:
        assert [row.name for row in await policies.list_policies(work)] == ["strict"]
        await policies.remove(work, "strict")
        with pytest.raises(NotFound):
            await policies.get(work, "strict")
    with pytest.raises(BadInput, match="a policy's name"):
        await policies.checked(store.context, "../etc", "")


async def test_bad_submissions_name_what_is_wrong(store: Stack) -> None:
    context = store.context
    for bad, error in (
        (Submission(), BadInput),
        (Submission(diff=b"x", fingerprints=[{}]), BadInput),
        (Submission(diff=b"x" * (store.settings.max_diff + 1)), TooLarge),
        (Submission(files={"a": b"x" * (store.settings.max_body + 1)}), TooLarge),
        (Submission(diff=b"x", policy="deny = 3"), BadPolicy),
        (Submission(diff=b"x", policy="[["), BadPolicy),
        (Submission(diff=b"x", policy="a" * 300_000), TooLarge),
        (Submission(diff=b"x", policy="x", policy_name="y"), BadInput),
    ):
        with pytest.raises(error):
            await prepare(context, bad)
