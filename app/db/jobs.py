"""Rows of corpus jobs."""

from __future__ import annotations

from sqlalchemy import select

from app.db.models import Job
from app.work import Work


async def get(work: Work, identity: str) -> Job | None:
    return (await work.session.scalars(select(Job).where(Job.id == identity))).one_or_none()


async def page(work: Work, after: str | None, limit: int) -> list[Job]:
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if after is not None:
        query = query.where(Job.id < after)
    return list(await work.session.scalars(query))


async def open_twin(work: Work, kind: str) -> Job | None:
    """A queued job of that kind: one build that waits is as good as two."""
    query = select(Job).where(Job.kind == kind, Job.state == "queued").order_by(Job.id).limit(1)
    return (await work.session.scalars(query)).one_or_none()
