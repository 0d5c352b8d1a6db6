"""One request or one step of a task is one transaction; bells ring after its commit.

`Database.work(tenant)` opens a `Work`: a session in which every statement on a table is limited to that
tenant, by the session itself and, in PostgreSQL, by row-level security as a second wall. Only the
dispatcher and the chores open `EVERY_TENANT`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, exc, insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from app.db.engine import READ_ONLY, make_engine
from app.db.models import Base, Tenanted
from app.errors import Unavailable
from app.queue import JobQueue

EVERY_TENANT = "*"
_SCOPE = "whence_tenant"
_STAMPED = "whence_stamped"
_CALLERS_FAULT = (exc.IntegrityError, exc.DataError, exc.ProgrammingError)


class ScopedSession(Session):
    """A session that belongs to one tenant."""


@event.listens_for(ScopedSession, "do_orm_execute")
def _limit(state: ORMExecuteState) -> None:
    tenant = state.session.info[_SCOPE]
    if tenant == EVERY_TENANT:
        return
    if state.is_insert:
        if state.execution_options.get(_STAMPED) != tenant:
            raise RuntimeError("rows are inserted with Work.insert, which writes the tenant")
        return
    state.statement = state.statement.options(
        with_loader_criteria(Tenanted, lambda cls: cls.tenant == tenant, include_aliases=True)
    )


@event.listens_for(ScopedSession, "before_flush")
def _check_new(session: Session, context: Any, instances: Any) -> None:
    tenant = session.info[_SCOPE]
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, Tenanted) and tenant not in (EVERY_TENANT, row.tenant):
            raise RuntimeError(f"a row of tenant {row.tenant!r} in the work of {tenant!r}")


@event.listens_for(ScopedSession, "after_begin")
def _after_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    _tell_postgresql(connection, session.info[_SCOPE])


def _tell_postgresql(connection: Connection, tenant: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('whence.tenant', :tenant, true)"), {"tenant": tenant})


@dataclass
class Work:
    """An open transaction of one tenant. `session` runs statements; `wake` rings after the commit."""

    tenant: str
    session: AsyncSession
    dialect: str
    bells: list[tuple[str, str]] = field(default_factory=list)

    def wake(self, queue: str, subject: str) -> None:
        self.bells.append((queue, subject))

    @asynccontextmanager
    async def every_tenant(self) -> AsyncIterator[None]:
        """For totals that decide about all, such as how much waits: statements see every tenant's rows."""
        await self._scope(EVERY_TENANT)
        try:
            yield
        finally:
            await self._scope(self.tenant)

    async def _scope(self, tenant: str) -> None:
        self.session.info[_SCOPE] = tenant
        await (await self.session.connection()).run_sync(_tell_postgresql, tenant)

    async def insert(self, model: type[Base], *, or_skip: bool = False, **values: Any) -> bool:
        """Insert one row of this tenant. or_skip: where a unique key is taken, False instead of an error."""
        make = sqlite.insert if self.dialect == "sqlite" else postgresql.insert
        statement = make(model).values(**{"tenant": self.tenant, **values})
        if or_skip:
            statement = statement.on_conflict_do_nothing()
        done: Any = await self.session.execute(statement, execution_options={_STAMPED: self.tenant})
        return bool(done.rowcount)

    async def insert_all(self, model: type[Base], rows: Sequence[dict[str, Any]], **values: Any) -> None:
        """Insert many rows of this tenant in one statement. values: of all of them, may be SQL."""
        statement = insert(model).values(**{"tenant": self.tenant, **values})
        await self.session.execute(statement, rows, execution_options={_STAMPED: self.tenant})


class Database:
    """The engine, and the door to transactions."""

    def __init__(self, url: str, queue: JobQueue) -> None:
        self.engine = make_engine(url)
        self.queue = queue
        self._sessions = async_sessionmaker(
            self.engine, sync_session_class=ScopedSession, expire_on_commit=False, autoflush=False
        )
        # One writer at a time in this process: SQLite's own waiting is a sleep that can be unfair.
        self._writer = asyncio.Lock() if self.dialect == "sqlite" else None

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @asynccontextmanager
    async def work(self, tenant: str, *, read: bool = False) -> AsyncIterator[Work]:
        """A transaction: committed at the end, rolled back on an error. Raises Unavailable.

        read: promises not to write, so that it waits for nobody.
        """
        try:
            async with (
                self._writer if self._writer and not read else nullcontext(),
                self._sessions(info={_SCOPE: tenant}) as session,
                session.begin(),
            ):
                if read:
                    await session.connection(execution_options={READ_ONLY: True})
                work = Work(tenant, session, self.dialect)
                yield work
        except Exception as error:
            if is_outage(error):
                raise Unavailable from error
            raise
        for queue, subject in work.bells:
            await self.queue.wake(queue, subject)

    async def close(self) -> None:
        await self.engine.dispose()


def is_outage(error: BaseException) -> bool:
    """Whether a database that does not answer is to blame, not the caller."""
    if isinstance(error, exc.DBAPIError):
        return not isinstance(error, _CALLERS_FAULT)
    if isinstance(error, exc.TimeoutError | TimeoutError | ConnectionError):
        return True
    return isinstance(error, OSError) or type(error).__module__.startswith("asyncpg")
