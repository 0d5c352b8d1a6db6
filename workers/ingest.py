"""Releases: fetched and indexed, one at a time in each process. Run as `python -m workers.ingest`.

A job of many releases is first spread into one for each (app.services.releases), which all ingest workers
take, on as many machines as share the data folder. The children of a worker alone load scancode.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from app.context import Context
from app.db import jobs as job_rows
from app.db import leases
from app.db import scans as rows
from app.db.models import SYSTEM, Job
from app.errors import NotIndexed
from app.scan.guarded import Stopped
from app.services import releases
from app.services.outcomes import BACKOFF, told
from app.work import EVERY_TENANT
from corpus.coverage import remember
from corpus.errors import WhenceError
from corpus.ingest import Ingester
from corpus.sources import SourceSettings
from workers.base import main
from workers.pool import Take
from workers.task import Progress, give_back, hold, in_thread

WorkOn = Callable[[Context, Job, Progress], tuple[dict[str, Any], bool]]


@asynccontextmanager
async def taking(context: Context) -> AsyncIterator[Take]:
    """Take one job of the ingest queue. What indexes is kept while one release follows another."""
    bench = Bench(context)

    async def take() -> bool:
        taken = await take_job(context, "ingest", bench.index)
        if not taken and bench.in_use:
            await in_thread(bench.clear)
        return taken

    try:
        yield take
    finally:
        await in_thread(bench.clear)


async def take_job(context: Context, queue: str, work_on: WorkOn) -> bool:
    """One job of a queue; work_on runs in a thread and returns (result, whether a build is wanted).

    False when none is due.
    """
    settings = context.settings
    async with context.work(EVERY_TENANT) as work:
        job = await leases.claim(work, Job, settings.lease_seconds, settings.attempts, Job.queue == queue)
        if job is None:
            return False
        if await releases.is_void(work, job):
            await releases.end(work, job, "canceled")
            return True
        said = {"state": "running", "attempt": job.attempts}
        await rows.tell(work, job.id, "state", said, tenant=SYSTEM)
    if releases.is_whole(job):
        async with context.work(SYSTEM) as work:
            await releases.spread(work, job)
        return True
    progress = Progress()
    try:
        async with hold(context, job, lambda: progress, progress.stop):
            result, build = await in_thread(work_on, context, job, progress)
    except asyncio.CancelledError:
        progress.stop.set()
        await give_back(context, job)
        raise
    except Stopped:
        return True
    except Exception as error:
        await _fail(context, job, error)
        return True
    async with context.work(SYSTEM) as work:
        ended = {"result": result, "step": "", "error": None, "error_slug": None}
        if await releases.end(work, job, "done", **ended):
            if build:
                await job_rows.queue_build(work, job.actor)
            await rows.tell(work, job.id, "state", {"state": "done", "result": result})
    context.count(queue, "jobs_done")
    return True


async def _fail(context: Context, job: Job, error: Exception) -> None:
    """What a person must mend fails at once; the unforeseen is tried again."""
    slug, message = told(error)
    async with context.work(SYSTEM) as work:
        if not isinstance(error, WhenceError) and job.attempts < context.settings.attempts:
            delay = 4 * BACKOFF[min(job.attempts, len(BACKOFF)) - 1]
            await leases.give_back(work, job, delay=delay, error_slug=slug, error=message)
        elif await releases.end(work, job, "failed", error_slug=slug, error=message):
            await rows.tell(work, job.id, "state", {"state": "failed", "slug": slug, "error": message})
    context.count(job.queue, "jobs_failed")


class Bench:
    """The children and caches that index releases: set up for the first, kept for those that follow it."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack = ExitStack()
        self._ingester: Ingester | None = None
        self._progress = Progress()

    def _set_up(self) -> Ingester:
        settings, sources = self._context.settings, SourceSettings.from_environment()
        ingester = Ingester(
            self._context.catalog, processes=settings.ingest_processes, keep_text=settings.keep_texts,
            settings=replace(sources, allow_local=settings.allow_local, public_only=True),
            progress=self._tell,
        )  # fmt: skip
        return self._stack.enter_context(ingester)

    @property
    def in_use(self) -> bool:
        return self._ingester is not None

    def clear(self) -> None:
        """Let children and memory go until the next release."""
        self._stack.close()
        self._ingester = None

    def index(self, context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
        """Index the release of a job. `published` in the result: a build would bring nothing new of it.

        Raises NotIndexed, Stopped.
        """
        self._progress = progress
        if self._ingester is None:
            self._ingester = self._set_up()
        asked = job.arguments
        done = self._ingester.ingest(asked["purl"], background=asked["background"], again=asked["again"])
        if progress.stop.is_set():  # what it says may be what became of its children
            raise Stopped
        remember(context.catalog, [done])
        if done.status == "failed":
            raise NotIndexed(done.message)
        # An attempt that was cut off may have come as far as the catalogue.
        published = done.status == "unchanged" and context.catalog.is_published(done.purl)
        said = {"purl": done.purl, "status": done.status, "message": done.message, "published": published}
        return said, False  # the last release of all asks for the build

    def _tell(self, purl: str, step: str, done: int, total: int | None) -> None:
        progress = self._progress
        if progress.stop.is_set():
            raise Stopped
        progress.step, progress.done, progress.total = f"{step}: {purl}", done, total or 0


if __name__ == "__main__":
    main("ingest")
