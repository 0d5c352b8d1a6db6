"""Rows of corpus jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select, update

from app.db import leases
from app.db.engine import clock, new_id
from app.db.models import SYSTEM, Job
from app.work import Work

ENDED = ("done", "failed", "canceled")
BELLS = 20
"""Workers that are woken for many new jobs: each drains what is due."""


async def get(work: Work, identity: str) -> Job | None:
    return (await work.session.scalars(select(Job).where(Job.id == identity))).one_or_none()


async def locked(work: Work, identity: str) -> Job | None:
    """The same, and nobody else changes it before this work ends."""
    query = select(Job).where(Job.id == identity).with_for_update()
    return (await work.session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def locked_wholes(work: Work, attempts: int) -> list[Job]:
    """The jobs, locked in order, with a part that is due and was tried so many times."""
    given_up = select(Job.parent).where(leases.due(Job), Job.attempts >= attempts, Job.parent.is_not(None))
    query = select(Job).where(Job.id.in_(given_up)).order_by(Job.id).with_for_update()
    return list(await work.session.scalars(query.execution_options(populate_existing=True)))


async def page(work: Work, after: str | None, limit: int, parent: str | None) -> list[Job]:
    """Newest first: jobs that clients asked for, or the parts of one of them."""
    query = select(Job).where(Job.parent == parent).order_by(Job.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Job.id < after)
    return list(await work.session.scalars(query))


async def queue(
    work: Work, queue: str, kind: str, arguments: Sequence[dict[str, Any]], actor: str, *,
    parent: str | None = None,
) -> list[str]:  # fmt: skip
    """Queue a job for each of `arguments`, to be taken in this order; their ids."""
    ids = sorted(new_id("job") for _ in arguments)
    rows = [{"id": name, "arguments": each} for name, each in zip(ids, arguments, strict=True)]
    await work.insert_all(
        Job, rows, tenant=SYSTEM, state="queued", created_at=clock(), not_before=0.0, lease_until=0.0,
        attempts=0, step="", done=0, total=0, queue=queue, kind=kind, result=None, actor=actor, parent=parent,
    )  # fmt: skip
    for name in ids[:BELLS]:
        work.wake(queue, name)
    return ids


async def queue_build(work: Work, actor: str) -> str:
    """Queue a build, unless one waits: that will see all that this one would. Its id."""
    query = select(Job.id).where(Job.kind == "build", Job.state == "queued").order_by(Job.id).limit(1)
    waiting = await work.session.scalar(query)
    return waiting or (await queue(work, "index", "build", [{}], actor))[0]


async def parts(work: Work, parent: str) -> list[Job]:
    """All parts of a job, as they are now, in order."""
    query = select(Job).where(Job.parent == parent).order_by(Job.id)
    return list(await work.session.scalars(query.execution_options(populate_existing=True)))


async def part_states(work: Work, parents: Iterable[str]) -> dict[str, Counter[str]]:
    """How many parts of each job are in which state; jobs without parts are left out."""
    query = (
        select(Job.parent, Job.state, func.count())
        .where(Job.parent.in_(list(parents)))
        .group_by(Job.parent, Job.state)
    )
    found: dict[str, Counter[str]] = {}
    for parent, state, count in await work.session.execute(query):
        found.setdefault(str(parent), Counter())[state] = int(count)
    return found


async def failed_parts(work: Work, parents: Iterable[str]) -> list[Job]:
    query = select(Job).where(Job.parent.in_(list(parents)), Job.state == "failed").order_by(Job.id)
    return list(await work.session.scalars(query))


async def change(work: Work, *where: Any, **values: Any) -> int:
    """Update jobs; how many were."""
    statement = update(Job).where(*where).values(**values)
    done: Any = await work.session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)
