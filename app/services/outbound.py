"""Sends webhook deliveries: to public addresses only, never following a redirect, in bounded time.

The host is resolved once and the connection goes to the address that was checked. Called by the chores.
"""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import select

from app.context import Context
from app.db import leases
from app.db.models import Delivery, Webhook
from app.services.sealing import CannotUnseal
from app.services.webhooks import secret_of, signature_headers
from app.work import EVERY_TENANT

SECONDS = 10.0
FIRST, FACTOR, LONGEST = 5.0, 4.0, 6 * 3600.0
"""Back-off: 5 s, 20 s, 80 s, … up to six hours."""


async def deliver(context: Context) -> bool:
    """Claim one delivery and send it; False when none is due."""
    settings = context.settings
    async with context.work(EVERY_TENANT) as work:
        row = await leases.claim(work, Delivery, SECONDS + 20, settings.webhook_attempts)
        if row is None:
            return False
        hook = (await work.session.scalars(select(Webhook).where(Webhook.id == row.webhook_id))).one()
    now = int(time.time())
    answer: int | None = None
    problem: str | None
    try:
        secret = secret_of(hook, settings.key_pepper.get_secret_value())
        headers = signature_headers(secret, row.id, now, row.body)
        answer, problem = await asyncio.to_thread(post, hook.url, row.body, headers, settings.webhook_private)
    except CannotUnseal as error:  # tried again: the operator may put the pepper right
        problem = error.message
    async with context.work(EVERY_TENANT) as work:
        if problem is None:
            await leases.finish(work, row, "done", answer=answer, error=None)
        elif row.attempts >= settings.webhook_attempts or answer == 410:
            await leases.finish(work, row, "failed", answer=answer, error=problem)
        else:
            delay = min(LONGEST, FIRST * FACTOR ** (row.attempts - 1))
            await leases.give_back(work, row, delay=delay, answer=answer, error=problem)
    context.count("chores", "webhooks_sent" if problem is None else "webhooks_refused")
    return True


def post(url: str, body: str, headers: dict[str, str], private: bool) -> tuple[int | None, str | None]:
    """(HTTP status, None) when it was taken, else (status or None, what is wrong)."""
    import httpx2

    from corpus.sources.client import PublicTransport

    inner = httpx2.HTTPTransport()
    transport: httpx2.BaseTransport = inner if private else PublicTransport(inner, ())
    sent = {"content-type": "application/json", "user-agent": "whence", **headers}
    try:
        with (
            httpx2.Client(transport=transport, timeout=SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=body.encode(), headers=sent) as answer,
        ):
            status = answer.status_code
            if 200 <= status < 300:
                return status, None
            return status, f"answered {status}"
    except httpx2.UnsupportedProtocol:
        return None, "the address is not a public one"
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        return None, f"could not be reached ({type(error).__name__})"
