"""Releases: fetched and indexed, one job at a time. Run as `python -m workers.ingest`.

Its children alone load scancode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.context import Context
from app.db import leases
from app.db import scans as rows
from app.db.models import SYSTEM, Job
from app.scan.guarded import Stopped
from app.services import corpora
from app.services.outcomes import BACKOFF, told
from app.work import EVERY_TENANT
from corpus.coverage import remember
from corpus.errors import WhenceError
from corpus.ingest import Ingester
from corpus.sources import SourceSettings
from workers.base import main
from workers.task import Progress, give_back, hold, in_thread

WorkOn = Callable[[Context, Job, Progress], tuple[dict[str, Any], bool]]


async def take(context: Context) -> bool:
    """One job of the ingest queue. False when none is due."""
    return await take_job(context, "ingest", _add)


async def take_job(context: Context, queue: str, work_on: WorkOn) -> bool:
    """One job of a queue. work_on runs in a thread and returns (result, whether a build is wanted)."""
    settings = context.settings
    async with context.work(EVERY_TENANT) as work:
        job = await leases.claim(work, Job, settings.lease_seconds, settings.attempts, Job.queue == queue)
        if job is not None:
            said = {"state": "running", "attempt": job.attempts}
            await rows.tell(work, job.id, "state", said, tenant=SYSTEM)
    if job is None:
        return False
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
        if await leases.finish(work, job, "done", result=result, step="", error=None, error_slug=None):
            if build:
                await corpora.build(work, actor=job.actor)
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
        elif await leases.finish(work, job, "failed", error_slug=slug, error=message):
            await rows.tell(work, job.id, "state", {"state": "failed", "slug": slug, "error": message})
    context.count(job.queue, "jobs_failed")


def _add(context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
    settings, arguments = context.settings, job.arguments
    purls: list[str] = arguments["purls"]
    progress.total = len(purls)

    def tell(purl: str, step: str, done: int, total: int | None) -> None:
        if progress.stop.is_set():
            raise Stopped
        progress.step = f"{step}: {purl}"

    configured = SourceSettings.from_environment()
    sources = replace(configured, allow_local=settings.allow_local, public_only=True)
    outcomes = []
    with Ingester(
        context.catalog, processes=settings.ingest_processes, settings=sources, keep_text=settings.keep_texts,
        progress=tell,
    ) as ingester:  # fmt: skip
        for purl in purls:
            if progress.stop.is_set():
                raise Stopped
            done = ingester.ingest(purl, background=arguments["background"], again=arguments["again"])
            remember(context.catalog, [done])
            outcomes.append({"purl": done.purl, "status": done.status, "message": done.message})
            progress.done += 1
    indexed = any(outcome["status"] in ("indexed", "incomplete") for outcome in outcomes)
    return {"releases": outcomes}, bool(arguments["build"] and indexed)


if __name__ == "__main__":
    main("ingest")
