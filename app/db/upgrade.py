"""Runs the migrations of app/db/migrations. Called at the start of every process and by `whence db`.

Several processes may start at once: they wait for each other (advisory lock, or SQLite's write lock).
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config

_one_at_a_time = threading.Lock()  # Alembic's context is one for the whole process


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url  # not an option of the file: it would expand the % of a password
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables to `revision`. Synchronous: call it in a thread of its own."""
    _require_no_loop()
    with _one_at_a_time:
        command.upgrade(configuration(url), revision)


def downgrade(url: str, revision: str = "base") -> None:
    _require_no_loop()
    with _one_at_a_time:
        command.downgrade(configuration(url), revision)


def _require_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("migrations run in a thread without an event loop")
