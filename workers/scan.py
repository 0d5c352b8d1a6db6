"""Scans: claim, search in a thread with children, store the report. Run as `python -m workers.scan`."""

from __future__ import annotations

import asyncio
import time

from app.context import Context
from app.db.models import Scan
from app.scan.guarded import Control, Searched, Stopped, run
from app.services.outcomes import Packed, claim_scan, fail_scan, finish_scan, pack
from app.work import EVERY_TENANT
from corpus.errors import CorruptSnapshot, SandboxError
from workers.base import main
from workers.task import Progress, give_back, hold, in_thread

LEAVE = 10.0
"""Seconds that a search may take beyond twice its time before it is left behind."""


async def take(context: Context) -> bool:
    """One scan, from claim to end. False when none is due."""
    async with context.work(EVERY_TENANT) as work:
        claimed = await claim_scan(work, context.settings)
    if claimed is None:
        return False
    scan, body = claimed
    control = Control(time.monotonic() + context.settings.scan_seconds)
    try:
        async with hold(context, scan, lambda: Progress("search", control.done, control.total), control.stop):
            async with asyncio.timeout(2 * context.settings.scan_seconds + LEAVE):
                searched, packed, snapshot = await in_thread(_search, context, scan, body, control)
    except asyncio.CancelledError:
        control.stop.set()
        await give_back(context, scan)
        raise
    except Stopped:  # canceled, erased, or another worker has it
        return True
    except Exception as error:
        if isinstance(error, TimeoutError):  # it did not look at its deadline: the thread is left behind
            control.stop.set()
            error = SandboxError("timeout", "the search did not end in its time")
        if isinstance(error, SandboxError):
            context.count("scan", "sandbox_kills")
        async with context.work(EVERY_TENANT) as work:
            outcome = await fail_scan(work, context.settings, scan, error)
        context.count("scan", f"scans_{outcome}")
        return True
    scan.total = control.total
    async with context.work(EVERY_TENANT) as work:
        held = await finish_scan(work, context.settings, scan, searched, packed, snapshot)
    context.count("scan", "scans_done" if held else "scans_lost")
    context.count("scan", "sandbox_kills", control.kills)
    return True


def _search(context: Context, scan: Scan, body: bytes, control: Control) -> tuple[Searched, Packed, str]:
    index = context.snapshots.get(scan.snapshot)
    try:
        searched = run(body, scan.kind, scan.policy, scan.outbound, index, context.children, control)
    except CorruptSnapshot as error:
        context.snapshots.distrust(index.identity, error)
        raise
    return searched, pack(searched), index.identity


if __name__ == "__main__":
    main("scan")
