"""The tables come and go on both databases, and are what the models say."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from alembic import command
from sqlalchemy import inspect, text
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


def test_jobs_outlive_an_upgrade(database_url: str) -> None:
    """What an older version queued goes on: it is spread like what is queued now."""
    url = sqlalchemy_url(database_url)
    job = {"id": "job_1", "tenant": "system", "queue": "ingest", "kind": "add", "state": "queued"}
    rest = {"attempts": 0, "created_at": 1.0, "not_before": 0.0, "lease_until": 0.0, "step": ""}
    columns = job | rest | {"done": 0, "total": 0, "actor": "", "arguments": '{"purls": []}'}

    async def run(statement: str, **values: object) -> list[object]:
        engine = make_engine(url)
        try:
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(text("SELECT set_config('whence.tenant', '*', true)"))
                done = await connection.execute(text(statement), values)
                return [tuple(row) for row in done] if done.returns_rows else []
        finally:
            await engine.dispose()

    upgrade(url, "0002")
    names = ", ".join(columns)
    asyncio.run(run(f"INSERT INTO jobs ({names}) VALUES (:{', :'.join(columns)})", **columns))
    upgrade(url)
    assert asyncio.run(run("SELECT id, kind, parent FROM jobs")) == [("job_1", "add", None)]
    part = columns | {"id": "job_2", "parent": "job_1"}
    names = ", ".join(part)
    asyncio.run(run(f"INSERT INTO jobs ({names}) VALUES (:{', :'.join(part)})", **part))
    downgrade(url, "0002")
    assert asyncio.run(run("SELECT id FROM jobs")) == [("job_1",)]
