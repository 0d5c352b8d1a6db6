"""What was submitted is gone when it should be, from the files too (C26)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.db.models import Base, Payload, Scan
from app.errors import NotFound
from app.services import scans, upkeep
from app.work import EVERY_TENANT
from tests.service.servers import Postgres, Redis
from tests.service.stacks import Stack, copied, embedded, production

pytestmark = pytest.mark.anyio
CANARY = "hushed_canary_name"


def private(salt: str) -> bytes:
    """A copy in which a name is the client's own: the report quotes it as a rename."""
    return copied(salt).replace(b"weight_", CANARY.encode() + b"_")


async def everything(stack: Stack) -> str:
    """All rows of all tables, unpacked where they are packed."""
    import zstandard

    found: list[str] = []
    async with stack.context.work(EVERY_TENANT, read=True) as work:
        for table in Base.metadata.tables.values():
            for row in (await work.session.execute(select(table))).all():
                for value in row:
                    raw = value if isinstance(value, bytes) else repr(value).encode()
                    packed = raw[:4] == b"\x28\xb5\x2f\xfd"
                    found.append(repr(zstandard.decompress(raw) if packed else raw))
    return "\n".join(found)


async def payloads(stack: Stack, tenant: str) -> int:
    async with stack.context.work(tenant, read=True) as work:
        return int(await work.session.scalar(select(func.count()).select_from(Payload)) or 0)


async def expire(stack: Stack, model: Any, identity: str) -> None:
    column = Scan.id if model is Scan else Payload.scan_id
    async with stack.context.work(EVERY_TENANT) as work:
        await work.session.execute(update(model).where(column == identity).values(expires_at=1.0))
    await upkeep.sweep(stack.context)


async def test_text_expires_before_the_result(stack: Stack, tenant: str) -> None:
    scan = await stack.ended(await stack.submit(private(tenant), tenant), tenant)
    before = await stack.stored(scan.id, tenant)
    assert before.private
    assert CANARY in str(before.report.to_dict())
    await expire(stack, Payload, scan.id)
    after = await stack.stored(scan.id, tenant)
    assert not after.private
    assert CANARY not in str(after.report.to_dict())
    assert after.etag != before.etag
    assert [f.id for f in after.report.findings] == [f.id for f in before.report.findings]
    assert CANARY not in await everything(stack)
    await expire(stack, Scan, scan.id)
    with pytest.raises(NotFound):
        await stack.stored(scan.id, tenant)
    assert scan.id not in await everything(stack)


async def test_nothing_is_retained_on_request(stack: Stack, tenant: str) -> None:
    scan = await stack.ended(await stack.submit(private(tenant), tenant, retain=0), tenant)
    assert (scan.state, scan.retain, scan.findings) == ("done", 0, 1)
    assert await payloads(stack, tenant) == 0
    assert not (await stack.stored(scan.id, tenant)).private
    assert CANARY not in await everything(stack)


async def test_erasing_takes_everything(stack: Stack, tenant: str) -> None:
    scan = await stack.submit(private(tenant), tenant, idempotency_key="k", label="mine")
    await stack.ended(scan, tenant)
    async with stack.context.work(tenant) as work:
        await scans.erase(work, scan.id)
    assert scan.id not in await everything(stack)
    async with stack.context.work(tenant, read=True) as work:
        with pytest.raises(NotFound):
            await scans.get(work, scan.id)
    again = await stack.submit(private(tenant), tenant, idempotency_key="k")
    assert again.id != scan.id
    async with stack.context.work(tenant) as work:
        await scans.erase_text(work, again.id)
    assert await payloads(stack, tenant) == 0


async def test_sqlites_files_forget(corpus: Path, tmp_path: Path, tenant: str) -> None:
    """After an erasure and a sweep no byte of the text is in the database, its log or the data folder."""
    raw = b"unpackable " + b"\x00\x01".join(CANARY.encode() + b"%d" % n for n in range(2000))
    async with embedded(corpus, tmp_path / "whence.db", work=False) as stack:
        scan = await stack.submit(copied(tenant), tenant)
        async with stack.context.work(tenant) as work:
            await work.session.execute(
                update(Payload).where(Payload.scan_id == scan.id).values(body=raw, report=raw)
            )
        assert CANARY.encode() in contents(tmp_path)
        async with stack.context.work(tenant) as work:
            await scans.erase(work, scan.id)
        await upkeep.sweep(stack.context)
        assert CANARY.encode() not in contents(tmp_path)
        assert CANARY.encode() not in contents(corpus)


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_redis_and_logs_never_hold_text(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str
) -> None:
    redis = Redis()
    redis.start()
    try:
        database = postgres.database()
        async with production(corpus, database, redis, (), tmp_path / "log") as stack:
            scan = await stack.submit(private(tenant), tenant, label=CANARY)
            client = redis.client()
            held = b"".join(repr(client.dump(key)).encode() + key for key in client.scan_iter())
            assert scan.id.encode() in held
            assert CANARY.encode() not in held
            stack.start_worker("scan")
            assert (await stack.ended(scan, tenant, 60)).state == "done"
            broken = await stack.ended(await stack.submit(b"@@ " + CANARY.encode(), tenant), tenant)
            assert CANARY not in (broken.error or "")
        assert CANARY not in (tmp_path / "log").read_text()
    finally:
        redis.stop()
