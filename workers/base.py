"""A worker process: its slots, its sign of life, and the bells that arq brings.

The slots look into the database whether Redis is there or not: a lost Redis makes starts slower, no more.
arq jobs are rings that end at once, so that a killed worker leaves no job behind that must run out first.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import importlib
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from app.context import Context
from app.db.models import SYSTEM
from app.queue import RING, from_json, to_json
from app.services.health import beat
from app.settings import Settings
from app.telemetry import configure_logs
from corpus.errors import NoCorpus, WhenceError
from corpus.machine_code import warm_matching
from workers.pool import Take, every, slots

log = logging.getLogger("whence.workers")

KINDS: dict[str, Callable[[Settings], int]] = {
    "scan": lambda settings: settings.scan_processes,
    "ingest": lambda settings: 1,
    "index": lambda settings: 1,
    "chores": lambda settings: 2,
}
"""Kind of worker → pieces at a time.

Its module has `take(context)`, or `taking(context)` where something is kept from piece to piece; that of
chores also has `rounds`.
"""

BEAT_SECONDS = 4.0
STALL_SECONDS = {"scan": 60.0, "chores": 60.0, "ingest": 900.0, "index": 900.0}


@asynccontextmanager
async def crew(context: Context, kind: str, bell: asyncio.Event) -> AsyncIterator[None]:
    """The slots of one kind and its sign of life, for the time of the block."""
    settings = context.settings
    module: Any = importlib.import_module(f"workers.{kind}")
    name = f"{kind}@{socket.gethostname()}:{os.getpid()}"

    async def say() -> None:
        async with context.work(SYSTEM) as work:
            await beat(work, name[:100], kind, dict(context.counters.get(kind, {})))

    if kind == "scan":
        # Loading it costs a second once; then a search takes a sixth, and lets other threads run meanwhile.
        await asyncio.to_thread(warm_matching)
        await asyncio.to_thread(_verify_index, context)
    async with AsyncExitStack() as stack:
        if kind == "chores":
            await stack.enter_async_context(module.rounds(context))
        await stack.enter_async_context(every(BEAT_SECONDS, "heartbeat", say))
        take: Take
        if kind == "ingest":
            take = await stack.enter_async_context(module.taking(context))
        else:
            take = partial(module.take, context)
        await stack.enter_async_context(
            slots(
                kind, take, bell, size=KINDS[kind](settings),
                poll=settings.poll_seconds, stop_seconds=settings.stop_seconds,
            )
        )  # fmt: skip
        yield


def _verify_index(context: Context) -> None:
    """Check every hash of the published snapshot before it is searched; a damaged one is not."""
    try:
        context.snapshots.get(verify=True)
    except NoCorpus:
        return
    except WhenceError as error:
        log.error("no snapshot can be used: %s", error.slug)
    for identity in context.snapshots.damaged():
        log.error("snapshot %s is damaged and is not used", identity)
        context.count("scan", "snapshots_damaged")


@asynccontextmanager
async def listening(url: str, kind: str, bell: asyncio.Event) -> AsyncIterator[None]:
    """Ring `bell` for each job on this kind's queue; starts again, later and later, when Redis goes away."""

    async def ring(ctx: dict[Any, Any], subject: str) -> None:
        bell.set()

    async def listen() -> None:
        pause = 0.5
        while True:
            worker = _worker(url, kind, ring)
            try:
                await worker.async_run()
            except Exception as error:
                log.warning("the queue %s is away: %s", kind, type(error).__name__)
            with contextlib.suppress(Exception):
                await worker.close()
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)

    task = asyncio.create_task(listen(), name=f"listen-{kind}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _worker(url: str, kind: str, ring: Any) -> Any:
    from arq.connections import RedisSettings
    from arq.worker import Worker, func

    redis = RedisSettings.from_dsn(url)
    redis.conn_timeout, redis.conn_retries = 2, 1
    worker = Worker(
        functions=[func(ring, name=RING, keep_result=0, max_tries=1, timeout=5)],
        queue_name=f"whence:{kind}", redis_settings=redis, handle_signals=False, max_jobs=10, job_timeout=5,
        keep_result=0, max_tries=1, poll_delay=0.2, health_check_interval=30, log_results=False,
        job_serializer=to_json, job_deserializer=from_json,
    )  # fmt: skip
    if worker.job_deserializer is not from_json:  # the default would run what is written to Redis
        raise RuntimeError("arq does not use our deserializer")
    return worker


@asynccontextmanager
async def watched(seconds: float) -> AsyncIterator[None]:
    """End the process when its loop stands still: C code that does not let go would hold it for ever.

    The supervisor starts another; what it worked on has an attempt less.
    """

    async def rearm() -> None:
        faulthandler.dump_traceback_later(seconds, exit=True)

    try:
        async with every(min(1.0, seconds / 4), "watch", rearm):
            yield
    finally:
        faulthandler.cancel_dump_traceback_later()


async def serve(kind: str, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; then finish what runs, within `stop_seconds`."""
    stop, bell = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    url = settings.redis_url.get_secret_value()
    async with (
        Context.open(settings) as context,
        watched(STALL_SECONDS[kind]),
        crew(context, kind, bell),
        listening(url, kind, bell),
    ):
        await stop.wait()


def main(kind: str) -> None:
    """Entry of a worker process."""
    configure_logs()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    asyncio.run(serve(kind, Settings()))
