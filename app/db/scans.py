"""Rows of scans: inserting, finding, counting. Who may do what and when is in app.services.scans."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select, update

from app.db.engine import clock
from app.db.models import Event, IdempotencyKey, Payload, Scan, StoredReport
from app.work import Work

ACTIVE = ("queued", "running")


async def get(work: Work, identity: str) -> Scan | None:
    return (await work.session.scalars(select(Scan).where(Scan.id == identity))).one_or_none()


async def by_dedup(work: Work, dedup: str) -> Scan | None:
    return (await work.session.scalars(select(Scan).where(Scan.dedup == dedup))).one_or_none()


async def idempotency(work: Work, key: str) -> IdempotencyKey | None:
    return (await work.session.scalars(select(IdempotencyKey).where(IdempotencyKey.key == key))).one_or_none()


async def waiting(work: Work) -> tuple[int, int]:
    """How many scans wait, and their bytes."""
    query = select(func.count(), func.coalesce(func.sum(Scan.bytes), 0)).where(Scan.state == "queued")
    count, size = (await work.session.execute(query)).one()
    return int(count), int(size)


async def waiting_in_all(work: Work) -> tuple[int, int]:
    """The same over all tenants."""
    async with work.every_tenant():
        return await waiting(work)


async def page(work: Work, after: str | None, limit: int, state: str | None) -> list[Scan]:
    query = select(Scan).order_by(Scan.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Scan.id < after)
    if state is not None:
        query = query.where(Scan.state == state)
    return list(await work.session.scalars(query))


async def payload(work: Work, identity: str) -> Payload | None:
    return (await work.session.scalars(select(Payload).where(Payload.scan_id == identity))).one_or_none()


async def report(work: Work, identity: str) -> StoredReport | None:
    return (
        await work.session.scalars(select(StoredReport).where(StoredReport.scan_id == identity))
    ).one_or_none()


async def change(work: Work, identity: str, *, states: tuple[str, ...], **values: Any) -> bool:
    """Update a scan that is in one of `states`; whether it was."""
    done: Any = await work.session.execute(
        update(Scan)
        .where(Scan.id == identity, Scan.state.in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)


async def tell(
    work: Work, subject: str, kind: str, data: dict[str, Any], *, tenant: str | None = None
) -> None:
    """Write an event for those who watch. tenant: the row's, in a work of every tenant."""
    await work.insert(Event, tenant=tenant or work.tenant, subject=subject, kind=kind, data=data, at=clock())


async def events(work: Work, subject: str, after: int, limit: int = 200) -> list[Event]:
    query = select(Event).where(Event.subject == subject, Event.id > after).order_by(Event.id).limit(limit)
    return list(await work.session.scalars(query))


async def by_state(work: Work) -> dict[str, int]:
    rows = await work.session.execute(select(Scan.state, func.count()).group_by(Scan.state))
    return {state: int(count) for state, count in rows}


async def oldest_waiting(work: Work) -> float:
    """Seconds that the oldest scan has been waiting for a worker; 0 when none is."""
    due = or_(Scan.not_before <= clock(), Scan.attempts == 0)
    query = select(clock() - func.min(Scan.created_at)).where(Scan.state == "queued", due)
    return float(await work.session.scalar(query) or 0.0)
