"""The snapshot: releases taken out, built, published, rolled back. Run as `python -m workers.index`."""

from __future__ import annotations

from typing import Any

from app.context import Context
from app.db.models import Job
from app.scan.guarded import Stopped
from corpus.retract import retract
from workers.base import main
from workers.ingest import take_job
from workers.task import Progress


async def take(context: Context) -> bool:
    """One job of the index queue. False when none is due."""
    return await take_job(context, "index", _work_on)


def _work_on(context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
    return KINDS[job.kind](context, job, progress)


def _build(context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
    def tell(step: str, done: int, total: int) -> None:
        if progress.stop.is_set():
            raise Stopped
        progress.step, progress.done, progress.total = step, done, total

    return {"snapshot": context.catalog.build(tell)}, False


def _remove(context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
    purls = job.arguments["purls"]
    if job.attempts > 1:  # an earlier attempt may have come as far as the catalogue
        known = context.catalog.entries()
        purls = [purl for purl in purls if purl in known]
    retract(context.catalog, purls)
    return {"removed": purls}, bool(job.arguments["build"] and context.catalog.entries())


def _roll_back(context: Context, job: Job, progress: Progress) -> tuple[dict[str, Any], bool]:
    if job.attempts > 1:  # a second roll-back would undo the first
        return {"snapshot": context.snapshots.current_id()}, False
    return {"snapshot": context.catalog.rollback()}, False


KINDS = {"build": _build, "remove": _remove, "rollback": _roll_back}

if __name__ == "__main__":
    main("index")
