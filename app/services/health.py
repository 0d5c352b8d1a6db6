"""How the installation is: for /readyz, /metrics and the prober. Cheap; asks everything anew."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, select

from app.context import Context
from app.db import scans as scan_rows
from app.db.engine import clock
from app.db.models import SYSTEM, Heartbeat, Job
from app.errors import Unavailable
from app.work import EVERY_TENANT, Work
from corpus.errors import WhenceError

STALE = 15.0
"""Seconds after which a process that says nothing counts as gone."""


@dataclass(frozen=True, slots=True)
class Process:
    """A worker, or the server in embedded mode. age: seconds since its last sign; facts: its counters."""

    name: str
    kind: str
    age: float
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """ready: whether scans are accepted. degraded: what does not work as it should, as sentences.

    scans: count by state. oldest_waiting: seconds. snapshot: id of the published one, snapshot_age: seconds.
    """

    ready: bool
    database: bool
    queue: bool
    snapshot: str | None
    snapshot_age: float | None
    degraded: tuple[str, ...] = ()
    scans: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    waiting_bytes: int = 0
    oldest_waiting: float = 0.0
    processes: tuple[Process, ...] = ()
    disk_free: float = 1.0


async def check(context: Context) -> Health:
    """Never raises for what it is to find out."""
    problems: list[str] = []
    snapshot, age = _snapshot(context, problems)
    queue = await context.queue.is_up()
    if not queue:
        problems.append("the queue does not answer: scans start up to a second later")
    usage = shutil.disk_usage(context.settings.data_dir if context.settings.data_dir.exists() else "/")
    if usage.free < 0.05 * usage.total:
        problems.append("the data folder's disk is nearly full")
    if not hasattr(os.path, "ALLOW_MISSING"):
        problems.append("this Python lacks the security fixes of its tarfile module of 2025: upgrade it")
    try:
        async with context.work(EVERY_TENANT, read=True) as work:
            scans = await scan_rows.by_state(work)
            _, size = await scan_rows.waiting(work)
            oldest = await scan_rows.oldest_waiting(work)
            rows = await work.session.execute(select(Job.state, func.count()).group_by(Job.state))
            jobs = {state: int(count) for state, count in rows}
            alive = await processes(work)
    except Unavailable:
        return Health(False, False, queue, snapshot, age, ("the database does not answer", *problems))
    fresh = {process.kind for process in alive if process.age < STALE}
    problems += [f"no {kind} worker is alive" for kind in ("scan", "chores") if kind not in fresh]
    return Health(
        snapshot is not None, True, queue, snapshot, age, tuple(problems), scans, jobs, size, oldest,
        tuple(alive), usage.free / usage.total,
    )  # fmt: skip


def _snapshot(context: Context, problems: list[str]) -> tuple[str | None, float | None]:
    try:
        identity = context.snapshots.current_id()
        context.snapshots.get(identity)
        changed = (context.catalog.data / "CURRENT").stat().st_mtime
        return identity, max(0.0, time.time() - changed)
    except (WhenceError, OSError) as error:
        problems.append(error.message if isinstance(error, WhenceError) else "the snapshot cannot be read")
        return None, None


async def processes(work: Work) -> list[Process]:
    """All that gave a sign in the last hour, by name."""
    age = clock() - Heartbeat.at
    rows = await work.session.execute(
        select(Heartbeat.name, Heartbeat.kind, age, Heartbeat.facts)
        .where(age < 3600)
        .order_by(Heartbeat.name)
    )
    return [Process(name, kind, float(seconds), facts) for name, kind, seconds, facts in rows]


async def beat(work: Work, name: str, kind: str, facts: dict[str, Any]) -> None:
    """A process says that it lives. Use a work of SYSTEM."""
    assert work.tenant == SYSTEM
    await work.session.execute(
        delete(Heartbeat)
        .where((Heartbeat.name == name) | (Heartbeat.at < clock() - 86400))
        .execution_options(synchronize_session=False)
    )
    await work.insert(Heartbeat, name=name, kind=kind, at=clock(), facts=facts)
