"""The engine: SQLite with WAL, or PostgreSQL, set up so that what is committed stays; and its clock.

Used by app.work. SQLite: write transactions begin IMMEDIATE (none fails half-way for a lock), deleted
content is overwritten. PostgreSQL: refuses to start where fsync or synchronous_commit is off.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Double, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from corpus.errors import WhenceError

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
READ_ONLY = "whence_read_only"
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON")


class UnsafeDatabase(WhenceError):
    slug = "unsafe-database"


class clock(FunctionElement[float]):
    """Seconds since the epoch by the database's clock, so that machines need not agree."""

    type = Double()
    name = "clock"
    inherit_cache = True


@compiles(clock, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(clock, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return "CAST(extract(epoch from clock_timestamp()) AS double precision)"


def new_id(kind: str) -> str:
    """A new name that sorts by time: kind, `_`, 48 bits of milliseconds and 80 random bits in base 32."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return f"{kind}_" + "".join(ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """An engine for `url` (with an asynchronous driver); connects when first used."""
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite(url)
    settings = {
        "statement_timeout": "30000",
        "lock_timeout": "5000",
        "idle_in_transaction_session_timeout": "60000",
        "application_name": "whence",
    }
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=3,
        hide_parameters=True,
        connect_args={"server_settings": settings, "timeout": 3, "command_timeout": 40},
    )


def _sqlite(url: str) -> AsyncEngine:
    if database := make_url(url).database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get(READ_ONLY)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


async def require_durable(engine: AsyncEngine) -> None:
    """Raise UnsafeDatabase where a committed row could be lost."""
    if engine.dialect.name == "sqlite":
        if sqlite3.sqlite_version_info < (3, 35):
            raise UnsafeDatabase(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
        return
    async with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            value = await connection.scalar(text("SELECT current_setting(:name)"), {"name": name})
            if value == "off":
                raise UnsafeDatabase(f"PostgreSQL runs with {name}=off: accepted scans could be lost")
