"""Scans from acceptance to erasure: what the API, the workers and the chores do with them.

Every function works in the transaction that it is given; another tenant's scan is NotFound, as one that
does not exist. Promise: when `accept` was committed, the scan will be done or failed with a reason.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import delete, func, select

from app.db import policies as policy_rows
from app.db import scans as rows
from app.db.engine import clock, new_id
from app.db.models import Delivery, Event, IdempotencyKey, Payload, Scan
from app.errors import Conflict, KeyReused, NotFound, QueueFull, TooMany
from app.receipt.body import Body, restated
from app.report.model import Report
from app.services import decisions
from app.services.pages import MAX_PAGE, Page, from_cursor, to_cursor
from app.services.submission import Prepared
from app.settings import Settings
from app.work import Work
from corpus.errors import BadInput

STATES = ("queued", "running", "done", "failed", "canceled")
FINAL = ("done", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Accepted:
    """created: False when an earlier scan is the answer (same content, or the same Idempotency-Key)."""

    scan: Scan
    created: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished scan's report, decisions counted. private: whether submitted text is still quoted in it.

    etag: changes when the report does, also when its private part expires. added: path → [[first, last], …]
    lines that the change added. receipt: the body of its receipt with the same verdicts, None where no text
    was sent (or by a version that made none).
    """

    scan: Scan
    report: Report
    private: bool
    etag: str
    added: dict[str, list[list[int]]]
    receipt: Body | None


async def accept(
    work: Work, settings: Settings, prepared: Prepared, *, idempotency_key: str | None = None
) -> Accepted:
    """Store a scan and ring for it after the commit; or find the one that answers this request already.

    Raises KeyReused, NotFound (the named policy), TooMany, QueueFull.
    """
    identity = new_id("scan")
    if idempotency_key is not None and (earlier := await _reserve(work, idempotency_key, prepared, identity)):
        return earlier
    submission = prepared.submission
    policy = submission.policy or ""
    if submission.policy_name is not None:
        named = await policy_rows.get(work, submission.policy_name)
        if named is None:
            raise NotFound("policy", submission.policy_name)
        policy = named.text
    dedup = _dedup(prepared, policy)
    if (twin := await rows.by_dedup(work, dedup)) is not None:
        return await _answer_with(work, twin, idempotency_key)
    await _require_room(work, settings, prepared.size)
    stored = await work.insert(
        Scan, or_skip=True, id=identity, state="queued", created_at=clock(), not_before=0.0, lease_until=0.0,
        attempts=0, step="", done=0, total=0, kind=submission.kind, dedup=dedup, label=submission.label[:200],
        policy=policy, policy_name=submission.policy_name or "", outbound=submission.outbound or "",
        snapshot=prepared.snapshot, engine=prepared.engine, bytes=prepared.size, retain=prepared.retain,
    )  # fmt: skip
    if not stored:  # the same request was committed a moment ago
        twin = await rows.by_dedup(work, dedup)
        assert twin is not None
        return await _answer_with(work, twin, idempotency_key)
    await work.insert(Payload, scan_id=identity, body=prepared.body, report=None, expires_at=None)
    await rows.tell(work, identity, "state", {"state": "queued"})
    work.wake("scan", identity)
    return Accepted(await get(work, identity), True)


async def _reserve(work: Work, key: str, prepared: Prepared, identity: str) -> Accepted | None:
    """Take the key for a new scan, or find what it was taken for. A parallel request waits here."""
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise BadInput("the Idempotency-Key has 1 to 255 printable characters")
    taken = await work.insert(
        IdempotencyKey, or_skip=True, key=key, body=prepared.request, scan_id=identity, created_at=clock()
    )
    if taken:
        return None
    earlier = await rows.idempotency(work, key)
    if earlier is None or earlier.body != prepared.request:
        raise KeyReused
    return Accepted(await get(work, earlier.scan_id), False)


async def _answer_with(work: Work, twin: Scan, key: str | None) -> Accepted:
    if key is not None and (reserved := await rows.idempotency(work, key)) is not None:
        reserved.scan_id = twin.id
        await work.session.flush()
    return Accepted(twin, False)


def _dedup(prepared: Prepared, policy: str) -> str:
    parts = [
        prepared.digest, policy, prepared.submission.outbound or "", prepared.snapshot, prepared.engine,
        str(prepared.retain),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


async def _require_room(work: Work, settings: Settings, size: int) -> None:
    mine, _ = await rows.waiting(work)
    if mine >= settings.max_queued_tenant:
        raise TooMany(f"{mine} of your scans are waiting; send more when some are done", 5)
    count, waiting = await rows.waiting_in_all(work)
    if count >= settings.max_queued or waiting + size > settings.max_queued_bytes:
        raise QueueFull(f"{count} scans are waiting, no more are taken now", 5)


async def get(work: Work, identity: str) -> Scan:
    """Raises NotFound."""
    scan = await rows.get(work, identity)
    if scan is None:
        raise NotFound("scan", identity)
    return scan


async def list_scans(
    work: Work, *, cursor: str | None = None, limit: int = 50, state: str | None = None
) -> Page[Scan]:
    """Newest first. Raises BadInput for a cursor or state that there is not."""
    if state is not None and state not in STATES:
        raise BadInput(f"state is one of {', '.join(STATES)}")
    limit = max(1, min(limit, MAX_PAGE))
    found = await rows.page(work, from_cursor(cursor) if cursor else None, limit + 1, state)
    return Page(found[:limit], to_cursor(found[limit - 1].id) if len(found) > limit else None)


async def report(work: Work, identity: str) -> Stored:
    """The report of a scan that is done, with today's decisions.

    Raises NotFound, Conflict while it is not done or when it failed.
    """
    scan = await get(work, identity)
    stored = await rows.report(work, identity)
    if stored is None:
        raise Conflict(
            f"the scan is {scan.state}: it has no report" + (f" ({scan.error})" if scan.error else "")
        )
    payload = await rows.payload(work, identity)
    private = payload is not None and payload.report is not None
    body = payload.report if payload is not None and payload.report is not None else stored.body
    found = Report.from_dict(_unpacked(body))
    day = decisions.today()
    waivers = await decisions.about(work, scan, (finding.id for finding in found.findings))
    found = decisions.decided(found, waivers, scan, day)
    receipt = None if stored.receipt is None else restated(Body.from_dict(_unpacked(stored.receipt)), found)
    etag = [
        stored.digest,
        private,
        [(repr(each), bool(each.expires and each.expires < day)) for each in waivers],
    ]
    return Stored(
        scan, found, private, hashlib.sha256(repr(etag).encode()).hexdigest(), stored.added, receipt
    )


def _unpacked(body: bytes) -> Any:
    return json.loads(zstandard.ZstdDecompressor().decompress(body))


async def cancel(work: Work, identity: str) -> Scan:
    """Stop a scan that is not finished: its text goes, its row stays. A finished one is Conflict."""
    scan = await get(work, identity)
    changed = await rows.change(
        work, identity, states=rows.ACTIVE, state="canceled", dedup=None, finished_at=clock()
    )
    if not changed:
        raise Conflict(f"the scan is {scan.state} already")
    await erase_text(work, identity)
    await rows.tell(work, identity, "state", {"state": "canceled"})
    await work.session.refresh(scan)
    return scan


async def erase(work: Work, identity: str) -> None:
    """Delete a scan with everything that belongs to it, in whatever state. Raises NotFound."""
    await get(work, identity)
    await _erase_all(work, [identity])
    work.wake("chores", "sweep")


async def erase_text(work: Work, identity: str) -> None:
    """Delete the submitted text of a scan and what quotes it; the report without it stays."""
    await work.session.execute(delete(Payload).where(Payload.scan_id == identity))
    work.wake("chores", "sweep")


async def _erase_all(work: Work, identities: list[str]) -> None:
    for model, column in (
        (IdempotencyKey, IdempotencyKey.scan_id), (Event, Event.subject), (Delivery, Delivery.subject),
        (Scan, Scan.id),
    ):  # fmt: skip
        await work.session.execute(
            delete(model).where(column.in_(identities)).execution_options(synchronize_session=False)
        )


async def expire(work: Work, limit: int = 500) -> int:
    """Delete texts and scans whose time has come, of every tenant; how many. Called by the chores."""
    texts = select(Payload.scan_id).where(Payload.expires_at <= clock()).limit(limit)
    done: Any = await work.session.execute(
        delete(Payload).where(Payload.scan_id.in_(texts)).execution_options(synchronize_session=False)
    )
    due = select(Scan.id).where(Scan.expires_at <= clock()).limit(limit)
    old = list(await work.session.scalars(due))
    if old:
        await _erase_all(work, old)
    return int(done.rowcount) + len(old)


async def counts(work: Work) -> dict[str, int]:
    """Scans by state."""
    return await rows.by_state(work)


async def last_event(work: Work, identity: str) -> int:
    """The number of the newest event of a scan or job; 0 when there is none."""
    return int(await work.session.scalar(select(func.max(Event.id)).where(Event.subject == identity)) or 0)
