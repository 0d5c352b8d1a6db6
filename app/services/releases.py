"""An `add` of many releases is done by a job for each, on as many workers as there are.

    add: queued → spread → running, its parts queued → running → done | failed | canceled → the last: done

What is written here stands or falls with the part's own state, in one transaction: however often a part is
done again, it ends once, and the last end queues one build. Who writes to both locks the whole first.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.db import jobs as rows
from app.db import leases
from app.db.engine import clock
from app.db.models import SYSTEM, Job
from app.db.scans import tell
from app.work import Work

WITHOUT_END = 1e10
"""Seconds of a lease that does not run out: a job that was spread waits for its parts, not for a worker."""


def is_whole(job: Job) -> bool:
    """Whether a job is to be spread into parts."""
    return job.kind == "add" and job.parent is None


async def spread(work: Work, job: Job) -> bool:
    """Queue a part for each release of a claimed job; False, and nothing is written, where it was taken."""
    arguments = job.arguments
    shared = {"background": arguments["background"], "again": arguments["again"]}
    parts = [{"purl": purl, **shared} for purl in arguments["purls"]]
    if not await leases.renew(work, job, WITHOUT_END, step="", done=0, total=len(parts)):
        return False
    await rows.queue(work, "ingest", "add", parts, job.actor, parent=job.id)
    said = {"step": "", "done": 0, "total": len(parts)}
    await tell(work, job.id, "progress", said, tenant=SYSTEM)
    return True


async def is_void(work: Work, job: Job) -> bool:
    """Whether a claimed part belongs to a job that was taken back meanwhile."""
    whole = await rows.get(work, job.parent) if job.parent else None
    return whole is not None and whole.state in rows.ENDED


async def end(work: Work, job: Job, state: str, **values: Any) -> bool:
    """`leases.finish` for any job; the end of a part is a step of its whole, the last one is its end."""
    whole = await rows.locked(work, job.parent) if job.parent else None
    if not await leases.finish(work, job, state, **values):
        return False
    if whole is not None:
        status = (values.get("result") or {}).get("status", state)
        await settle(work, whole, f"{status}: {job.arguments['purl']}")
    return True


async def cancel(work: Work, job: Job) -> bool:
    """Take back what has not begun: a job, or those parts of one; False where there is nothing to take back.

    Parts that run go on to their end: a release is indexed or not, and the next build publishes it.
    """
    whole = await rows.locked(work, job.parent or job.id)
    gone = {"state": "canceled", "finished_at": clock(), "lease_until": 0.0}
    if whole is None:
        return False
    if is_whole(job):
        if whole.state in rows.ENDED:
            return False
        await rows.change(work, Job.parent == job.id, Job.state == "queued", **gone)
        await rows.change(work, Job.id == job.id, **gone)
        whole.state = "canceled"
    elif not await rows.change(work, Job.id == job.id, Job.state == "queued", **gone):
        return False
    await tell(work, job.id, "state", {"state": "canceled"}, tenant=SYSTEM)
    if is_whole(whole):
        await settle(work, whole)
    return True


async def settle(work: Work, whole: Job, step: str = "") -> None:
    """Count the parts of a locked job; the end of the last one is its end, and queues its build."""
    states = (await rows.part_states(work, [whole.id])).get(whole.id, Counter())
    left = states["queued"] + states["running"]
    said: dict[str, Any] = {"step": step[:200], "done": states.total() - left, "total": states.total()}
    if left or not states:
        await rows.change(work, Job.id == whole.id, **said)
        await tell(work, whole.id, "progress", said, tenant=SYSTEM)
        return
    parts = await rows.parts(work, whole.id)
    result = {"releases": [_outcome(part) for part in parts]}
    said |= {"result": result, "step": ""}
    if whole.state == "running":
        said |= {
            "state": "done",
            "finished_at": clock(),
            "lease_until": 0.0,
            "error": None,
            "error_slug": None,
        }
        await tell(work, whole.id, "state", {"state": "done", "result": result}, tenant=SYSTEM)
        unpublished = any(part.result and not part.result["published"] for part in parts)
        if whole.arguments["build"] and unpublished:
            await rows.queue_build(work, whole.actor)
    await rows.change(work, Job.id == whole.id, **said)


def _outcome(part: Job) -> dict[str, Any]:
    if part.state == "done" and part.result:
        return {name: part.result[name] for name in ("purl", "status", "message")}
    return {"purl": part.arguments["purl"], "status": part.state, "message": part.error or ""}
