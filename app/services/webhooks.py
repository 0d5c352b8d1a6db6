"""Telling other services that a scan is finished: Standard Webhooks messages, retried with back-off.

A delivery is written in the transaction that finishes the scan, so that none is forgotten; the chores send
it (app.services.outbound) and write what came of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import select

from app.db.engine import clock, new_id
from app.db.models import Delivery, Scan, Webhook
from app.errors import NotFound
from app.services.pages import MAX_PAGE
from app.services.sealing import SEALED, seal, unseal
from app.work import Work
from corpus.errors import BadInput

EVENTS = ("scan.done", "scan.failed", "scan.canceled")
MAX_HOOKS = 20


async def create(work: Work, url: str, *, events: Sequence[str] = EVENTS, pepper: str = "") -> Webhook:
    """A new endpoint; its secret is shown by the API once. pepper: seals it at rest. Raises BadInput."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or len(url) > 2000:
        raise BadInput("a webhook's address is an http(s) URL with a host, without a user name")
    if not events or not set(events) <= set(EVENTS):
        raise BadInput(f"events are one or more of {', '.join(EVENTS)}")
    if len(await webhooks(work)) >= MAX_HOOKS:
        raise BadInput(f"at most {MAX_HOOKS} webhooks")
    identity = new_id("hook")
    raw = secrets.token_bytes(32)
    secret = seal(raw, identity, pepper) if pepper else _shown(raw)
    await work.insert(
        Webhook, id=identity, url=url, secret=secret, events=sorted(set(events)), created_at=clock(),
        disabled_at=None,
    )  # fmt: skip
    return await get(work, identity)


def secret_of(hook: Webhook, pepper: str) -> str:
    """The secret as the client knows it, `whsec_…`. Raises CannotUnseal."""
    return _shown(unseal(hook.secret, hook.id, pepper)) if hook.secret.startswith(SEALED) else hook.secret


def _shown(raw: bytes) -> str:
    return "whsec_" + base64.b64encode(raw).decode()


async def get(work: Work, identity: str) -> Webhook:
    """Raises NotFound."""
    found = (await work.session.scalars(select(Webhook).where(Webhook.id == identity))).one_or_none()
    if found is None:
        raise NotFound("webhook", identity)
    return found


async def webhooks(work: Work) -> list[Webhook]:
    return list(await work.session.scalars(select(Webhook).order_by(Webhook.id)))


async def remove(work: Work, identity: str) -> None:
    """With its deliveries. Raises NotFound."""
    await work.session.delete(await get(work, identity))
    await work.session.flush()


async def deliveries(work: Work, webhook: str, *, limit: int = 50) -> list[Delivery]:
    """Newest first. Raises NotFound."""
    await get(work, webhook)
    query = select(Delivery).where(Delivery.webhook_id == webhook).order_by(Delivery.id.desc())
    return list(await work.session.scalars(query.limit(max(1, min(limit, MAX_PAGE)))))


async def announce(work: Work, scan: Scan, event: str) -> None:
    """Write a delivery for each endpoint that wants `event` of this scan's tenant."""
    found = await work.session.scalars(select(Webhook).where(Webhook.tenant == scan.tenant))
    for hook in found:
        if event not in hook.events or hook.disabled_at is not None:
            continue
        identity = new_id("msg")
        await work.insert(
            Delivery, tenant=scan.tenant, id=identity, state="queued", attempts=0, created_at=clock(),
            not_before=0.0, lease_until=0.0, step="", done=0, total=0, webhook_id=hook.id, subject=scan.id,
            event=event, body=_message(scan, event), answer=None,
        )  # fmt: skip
        work.wake("chores", identity)


def _message(scan: Scan, event: str) -> str:
    data = {
        "scan": scan.id, "state": event.partition(".")[2], "status": scan.status, "worst": scan.worst,
        "findings": scan.findings, "label": scan.label,
    }  # fmt: skip
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps({"type": event, "timestamp": now, "data": data}, separators=(",", ":"))


def signature_headers(secret: str, identity: str, timestamp: int, body: str) -> dict[str, str]:
    """Headers of Standard Webhooks (version 1): HMAC-SHA256 over `id.timestamp.body`, base 64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{identity}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(signed).decode(),
    }
