"""Claiming work: one statement each, safe against any number of workers. For every `Leased` table.

A claim makes an attempt and a lease; its number of attempts is the fence: whoever renews, finishes or gives
back must have made the last attempt and still be running. `due` rows wait, or their worker fell silent.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import aliased

from app.db.engine import clock
from app.db.models import Leased
from app.work import Work

Row = TypeVar("Row", bound=Leased)


def due(model: type[Leased]) -> ColumnElement[bool]:
    return or_(
        and_(model.state == "queued", model.not_before <= clock()),
        and_(model.state == "running", model.lease_until < clock()),
    )


async def claim(
    work: Work, model: type[Row], lease: float, attempts: int, *only: ColumnElement[bool]
) -> Row | None:
    """Take the next due row of the tenant that was served longest ago; None when nothing is due.

    lease: seconds. attempts: rows that were tried so often are left to `give_up`. Needs every tenant's work.
    """
    served = aliased(model)
    last = select(func.max(served.claimed_at)).where(served.tenant == model.tenant).scalar_subquery()
    pick = (
        select(model.id)
        .where(due(model), model.attempts < attempts, *only)
        .order_by(last.asc().nulls_first(), model.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=model)
    )
    identity = await work.session.scalar(pick)
    if identity is None:
        return None
    taken: Any = await work.session.execute(
        _update(model, model.id == identity, due(model)).values(
            state="running", attempts=model.attempts + 1, lease_until=clock() + lease, claimed_at=clock()
        )
    )
    if not taken.rowcount:
        return None
    return (await work.session.scalars(select(model).where(model.id == identity))).one()


async def renew(work: Work, row: Leased, lease: float, **progress: Any) -> bool:
    """Still here. False: the row was taken, canceled or erased; stop working on it."""
    return await _held(work, row, lease_until=clock() + lease, **progress)


async def finish(work: Work, row: Leased, state: str, **values: Any) -> bool:
    """The end of it; False, and nothing is written, where the row is no longer ours."""
    return await _held(work, row, state=state, finished_at=clock(), lease_until=0.0, **values)


async def give_back(
    work: Work, row: Leased, *, delay: float = 0.0, refund: bool = False, **values: Any
) -> bool:
    """Let it wait again, for at least `delay` seconds. refund: the attempt does not count."""
    attempts = row.attempts - 1 if refund else row.attempts
    return await _held(
        work, row, state="queued", not_before=clock() + delay, lease_until=0.0, attempts=attempts, **values
    )


async def given_up(work: Work, model: type[Row], attempts: int, *only: ColumnElement[bool]) -> list[Row]:
    """Due rows that were tried `attempts` times: their workers died each time. The caller fails them."""
    query = (
        select(model)
        .where(due(model), model.attempts >= attempts, *only)
        .limit(100)
        .with_for_update(skip_locked=True, of=model)
    )
    return list(await work.session.scalars(query))


async def waiting_ids(work: Work, model: type[Leased], limit: int, *only: ColumnElement[bool]) -> list[str]:
    """Due rows, oldest first, for the dispatcher to ring for."""
    query = select(model.id).where(due(model), *only).order_by(model.id).limit(limit)
    return list(await work.session.scalars(query))


async def _held(work: Work, row: Leased, **values: Any) -> bool:
    model = type(row)
    done: Any = await work.session.execute(
        _update(model, model.id == row.id, model.state == "running", model.attempts == row.attempts).values(
            **values
        )
    )
    return bool(done.rowcount)


def _update(model: type[Leased], *where: ColumnElement[bool]) -> Any:
    return update(model).where(*where).execution_options(synchronize_session=False)
