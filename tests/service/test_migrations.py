"""The tables come and go on both databases, and are what the models say."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from app.db.engine import make_engine
from app.db.models import Base, Tenanted
from app.db.upgrade import configuration, downgrade, upgrade
from tests.service.stacks import ROOT


def sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


def tables(url: str) -> set[str]:
    async def read() -> set[str]:
        engine = make_engine(sqlalchemy_url(url))
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(names)
        finally:
            await engine.dispose()

    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    return asyncio.run(read()) - {"alembic_version"}


def test_up_down_and_up_again(database_url: str) -> None:
    url = sqlalchemy_url(database_url)
    upgrade(url)
    assert tables(database_url) == set(Base.metadata.tables)
    command.check(configuration(url))  # raises when a model has what no migration made
    downgrade(url)
    assert tables(database_url) == set()
    upgrade(url)
    assert tables(database_url) == set(Base.metadata.tables)


def test_processes_that_start_together(database_url: str) -> None:
    program = "import sys; from app.db.upgrade import upgrade; upgrade(sys.argv[1])"
    command_line = [sys.executable, "-c", program, sqlalchemy_url(database_url)]
    processes = [subprocess.Popen(command_line, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert tables(database_url) == set(Base.metadata.tables)


def test_every_table_has_a_tenant() -> None:
    for mapper in Base.registry.mappers:
        assert issubclass(mapper.class_, Tenanted), mapper.class_
        assert not mapper.local_table.c.tenant.nullable


async def _call_upgrade() -> None:
    upgrade("sqlite+aiosqlite://")


def test_migrations_refuse_to_block_a_loop() -> None:
    with pytest.raises(RuntimeError, match="thread"):
        asyncio.run(_call_upgrade())
