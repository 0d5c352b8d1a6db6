"""What keeps the installation in order: lost work found, expired text erased for good, old rows removed.

Called by the chores, in every tenant's work. Nothing here is needed for a scan to be right; `dispatch` is
needed for it to go on when a bell or a worker was lost.
"""

from __future__ import annotations

from sqlalchemy import delete, text
from sqlalchemy.engine import Connection

from app.context import Context
from app.db import leases
from app.db.engine import clock
from app.db.models import Delivery, Event, IdempotencyKey, Job, Scan
from app.services.outcomes import fail_given_up
from app.services.scans import expire
from app.work import EVERY_TENANT

RING_FOR = 20
"""Bells a round: idle workers drain what is due once they are awake."""

HOUR = 3600.0
IDEMPOTENCY_KEPT = 24 * HOUR
EVENTS_KEPT = 24 * HOUR


async def dispatch(context: Context) -> None:
    """Fail what was tried too often; ring for what is due and perhaps nobody heard of."""
    async with context.work(EVERY_TENANT) as work:
        await fail_given_up(work, context.settings)
        for identity in await leases.waiting_ids(work, Scan, RING_FOR):
            work.wake("scan", identity)
        for queue in ("ingest", "index"):
            for identity in await leases.waiting_ids(work, Job, RING_FOR, Job.queue == queue):
                work.wake(queue, identity)
        if await leases.waiting_ids(work, Delivery, 1):
            work.wake("chores", "deliveries")


async def sweep(context: Context) -> int:
    """Erase what has expired, and old events, keys and jobs; how many texts and scans went."""
    kept = context.settings.retain_jobs
    async with context.work(EVERY_TENANT) as work:
        gone = await expire(work)
        for statement in (
            delete(IdempotencyKey).where(IdempotencyKey.created_at < clock() - IDEMPOTENCY_KEPT),
            delete(Event).where(Event.at < clock() - EVENTS_KEPT),
            delete(Job).where(Job.finished_at < clock() - kept, Job.parent.is_(None)),  # parts go with it
            delete(Delivery).where(Delivery.finished_at < clock() - kept),
        ):
            await work.session.execute(statement.execution_options(synchronize_session=False))
    await scrub(context)
    return gone


async def scrub(context: Context) -> None:
    """Take erased text out of the files: SQLite's log is emptied, PostgreSQL vacuums the payloads."""
    async with context.database.engine.connect() as connection:
        if context.database.dialect == "sqlite":
            await connection.run_sync(_empty_log)  # outside a transaction: inside one it would be locked
            return
        separate = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await separate.execute(text("VACUUM payloads"))


def _empty_log(connection: Connection) -> None:
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    cursor.close()
