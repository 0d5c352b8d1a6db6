"""Rows of named policies."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from app.db.engine import clock
from app.db.models import NamedPolicy
from app.work import Work


async def get(work: Work, name: str) -> NamedPolicy | None:
    return (await work.session.scalars(select(NamedPolicy).where(NamedPolicy.name == name))).one_or_none()


async def put(work: Work, name: str, text: str, digest: str) -> None:
    await work.session.execute(delete(NamedPolicy).where(NamedPolicy.name == name))
    await work.insert(NamedPolicy, name=name, text=text, digest=digest, updated_at=clock())


async def remove(work: Work, name: str) -> bool:
    done: Any = await work.session.execute(delete(NamedPolicy).where(NamedPolicy.name == name))
    return bool(done.rowcount)


async def names(work: Work) -> list[NamedPolicy]:
    return list(await work.session.scalars(select(NamedPolicy).order_by(NamedPolicy.name)))
