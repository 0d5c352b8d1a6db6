"""How scans end: what workers and the dispatcher write, in one transaction with the state.

A result is stored only by the holder of the last claim. A failure waits and is tried again, unless the
submission is to blame or it was tried often enough.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import delete, or_, select, update

from app.db import jobs as job_rows
from app.db import leases
from app.db import scans as rows
from app.db.engine import clock
from app.db.models import Delivery, Job, Payload, Scan, StoredReport
from app.receipt.canonical import canonical
from app.scan.guarded import Searched
from app.services import decisions, releases
from app.services.webhooks import announce
from app.settings import Settings
from app.work import Work
from corpus.errors import BadInput, WhenceError

BACKOFF = (0.5, 2.0, 8.0)
"""Seconds until the next attempt."""


async def claim_scan(work: Work, settings: Settings) -> tuple[Scan, bytes] | None:
    """The next scan and its packed submission. Needs every tenant's work."""
    scan = await leases.claim(work, Scan, settings.lease_seconds, settings.attempts)
    if scan is None:
        return None
    body = await work.session.scalar(select(Payload.body).where(Payload.scan_id == scan.id))
    if body is None:  # erased between acceptance and now
        await leases.finish(
            work, scan, "failed", error_slug="erased", error="the text was erased", dedup=None
        )
        return None
    await rows.tell(
        work, scan.id, "state", {"state": "running", "attempt": scan.attempts}, tenant=scan.tenant
    )
    return scan, body


@dataclass(frozen=True, slots=True)
class Packed:
    """private, public: the report with and without what it quotes, compressed. digest: of the public one."""

    private: bytes
    public: bytes
    digest: str
    receipt: bytes | None


def pack(searched: Searched) -> Packed:
    """What is stored of a search. CPU: call it in a thread."""
    compress = zstandard.ZstdCompressor(level=3).compress
    private = json.dumps(searched.report.to_dict(), separators=(",", ":"), allow_nan=False).encode()
    public = json.dumps(
        searched.report.without_submitted_text().to_dict(), separators=(",", ":"), allow_nan=False
    ).encode()
    receipt = None if searched.receipt is None else compress(canonical(searched.receipt.to_dict()))
    return Packed(compress(private), compress(public), hashlib.sha256(public).hexdigest(), receipt)


async def finish_scan(
    work: Work,
    settings: Settings,
    scan: Scan,
    searched: Searched,
    packed: Packed,
    snapshot: str,
) -> bool:
    """Store the report and the state `done`; False where another worker or the client was faster."""
    report = searched.report
    held = await leases.finish(
        work, scan, "done", status=report.status, worst=report.worst, findings=len(report.findings),
        leads=len(report.leads or ()), snapshot=snapshot, expires_at=clock() + settings.retain_results,
        done=scan.total, total=scan.total, error=None, error_slug=None,
        ai_use_fits=report.ai_use.fits if report.ai_use else None,
    )  # fmt: skip
    if not held:
        return False
    verdicts = [[finding.id, finding.verdict.status] for finding in report.findings]
    await work.insert(
        StoredReport, tenant=scan.tenant, scan_id=scan.id, body=packed.public, digest=packed.digest,
        added=searched.added, receipt=packed.receipt, verdicts=verdicts,
    )  # fmt: skip
    await _let_go(work, scan, report=packed.private)
    ids = [finding for finding, _ in verdicts]
    await decisions.note_matches(work, scan, ids)
    scan.status, scan.worst, scan.findings = report.status, report.worst, len(report.findings)
    scan.worst = await decisions.worst(work, scan, verdicts)
    data = {"state": "done", "status": report.status, "worst": scan.worst, "findings": len(report.findings)}
    await rows.tell(work, scan.id, "state", data, tenant=scan.tenant)
    await announce(work, scan, "scan.done")
    return True


async def fail_scan(work: Work, settings: Settings, scan: Scan, error: Exception) -> str:
    """Let it be tried again, or end it as failed. Returns `queued`, `failed` or `lost` (no longer ours)."""
    slug, message = told(error)
    if not isinstance(error, BadInput) and scan.attempts < settings.attempts:
        delay = BACKOFF[min(scan.attempts, len(BACKOFF)) - 1]
        if not await leases.give_back(work, scan, delay=delay, error_slug=slug, error=message):
            return "lost"
        data = {"state": "queued", "error": message, "attempt": scan.attempts}
        await rows.tell(work, scan.id, "state", data, tenant=scan.tenant)
        return "queued"
    if not isinstance(error, BadInput):
        message = f"tried {scan.attempts} times; the last time: {message}"
    held = await leases.finish(
        work, scan, "failed", error_slug=slug, error=message, dedup=None,
        expires_at=clock() + settings.retain_results,
    )  # fmt: skip
    if not held:
        return "lost"
    await _end_failed(work, scan, slug, message)
    return "failed"


async def fail_given_up(work: Work, settings: Settings) -> int:
    """End scans and jobs whose workers died at each attempt; how many. Needs every tenant's work."""
    scans = await leases.given_up(work, Scan, settings.attempts)
    for scan in scans:
        message = f"tried {scan.attempts} times, and each time the worker died or fell silent"
        if scan.error:
            message += f"; before that: {scan.error}"
        await work.session.execute(
            _end(Scan, scan.id, "worker-lost", message).values(
                dedup=None, expires_at=clock() + settings.retain_results
            )
        )
        await _end_failed(work, scan, "worker-lost", message)
    wholes = await job_rows.locked_wholes(
        work, settings.attempts
    )  # before their parts, as `releases.end` does
    named = or_(Job.parent.is_(None), Job.parent.in_([whole.id for whole in wholes]))
    lost: list[Job | Delivery] = [
        *await leases.given_up(work, Job, settings.attempts, named),
        *await leases.given_up(work, Delivery, settings.webhook_attempts),
    ]
    for row in lost:
        await work.session.execute(
            _end(
                type(row), row.id, "worker-lost", f"tried {row.attempts} times, and the worker died each time"
            )
        )
        await rows.tell(work, row.id, "state", {"state": "failed"}, tenant=row.tenant)
    for whole in wholes:
        await releases.settle(work, whole)
    return len(scans) + len(lost)


def _end(model: Any, identity: str, slug: str, message: str) -> Any:
    return (
        update(model)
        .where(model.id == identity)
        .values(state="failed", finished_at=clock(), lease_until=0.0, error_slug=slug, error=message)
        .execution_options(synchronize_session=False)
    )


async def _end_failed(work: Work, scan: Scan, slug: str, message: str) -> None:
    await _let_go(work, scan, report=None)
    await rows.tell(
        work, scan.id, "state", {"state": "failed", "slug": slug, "error": message}, tenant=scan.tenant
    )
    await announce(work, scan, "scan.failed")


async def _let_go(work: Work, scan: Scan, *, report: bytes | None) -> None:
    """From the end of a scan on its text has a date of expiry, or is gone at once."""
    mine = Payload.scan_id == scan.id
    if scan.retain == 0:
        await work.session.execute(delete(Payload).where(mine).execution_options(synchronize_session=False))
        work.wake("chores", "sweep")
        return
    await work.session.execute(
        update(Payload)
        .where(mine)
        .values(report=report, expires_at=clock() + scan.retain)
        .execution_options(synchronize_session=False)
    )


def told(error: Exception) -> tuple[str, str]:
    """Slug and message of an error for its owner; of unforeseen ones the kind: they may quote input."""
    if isinstance(error, WhenceError):
        return error.slug, error.message[:2000]
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
    return "internal", f"an unforeseen error ({type(error).__name__}{where})"
