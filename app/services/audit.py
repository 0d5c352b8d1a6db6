"""The audit log: each privileged action once, in a chain of digests a tenant.

An entry's digest covers its content and the digest before it; the head names the last one. `verify` finds
edited, deleted, reordered and cut-off entries. Entries are written in the transaction of what they tell.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.db.engine import clock
from app.db.models import AuditEntry, AuditHead
from app.services.pages import MAX_PAGE
from app.work import Work

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Verification:
    """entries: how many were read. problem: what does not fit and where, or None."""

    entries: int
    problem: str | None


async def record(
    work: Work, actor: str, action: str, subject: str = "", detail: dict[str, Any] | None = None
) -> None:
    """Append an entry. actor: a key's id, `cli` or a trust's id. action: `key.create`, `corpus.add`, ….

    detail: plain JSON values; no secrets and no submitted text.
    """
    await work.insert(AuditHead, or_skip=True, number=0, digest=START)
    head = (
        await work.session.scalars(select(AuditHead).where(AuditHead.tenant == work.tenant).with_for_update())
    ).one()
    number, at = head.number + 1, round(float(await work.session.scalar(select(clock())) or 0.0), 3)
    digest = _digest(work.tenant, number, at, actor, action, subject[:500], detail or {}, head.digest)
    await work.insert(
        AuditEntry, number=number, at=at, actor=actor, action=action, subject=subject[:500],
        detail=detail or {}, previous=head.digest, digest=digest,
    )  # fmt: skip
    head.number, head.digest = number, digest
    await work.session.flush()


async def entries(work: Work, *, before: int | None = None, limit: int = 50) -> list[AuditEntry]:
    """Newest first; `before`: the number of the last one seen."""
    query = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(max(1, min(limit, MAX_PAGE)))
    if before is not None:
        query = query.where(AuditEntry.number < before)
    return list(await work.session.scalars(query))


async def verify(work: Work) -> Verification:
    """Read the whole chain of this tenant."""
    previous, number = START, 0
    stream = await work.session.stream_scalars(select(AuditEntry).order_by(AuditEntry.number))
    async for entry in stream:
        number += 1
        if entry.number != number:
            return Verification(number, f"entry {number} is missing")
        expected = _digest(
            entry.tenant,
            entry.number,
            entry.at,
            entry.actor,
            entry.action,
            entry.subject,
            entry.detail,
            previous,
        )
        if entry.previous != previous or entry.digest != expected:
            return Verification(number, f"entry {number} was changed")
        previous = entry.digest
    head = (await work.session.scalars(select(AuditHead))).one_or_none()
    if (head.number, head.digest) != (number, previous) if head else number:
        return Verification(number, f"entries after {number} are missing, or the head was changed")
    return Verification(number, None)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
