"""Who is asking: from the text of a key or a short-lived token to a tenant and its scopes.

Promise: a revoked or expired key is refused at most `FRESH` seconds later; nothing but digests is kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.auth.tokens import Tokens
from app.context import Context
from app.db import keys
from app.db.models import OidcTrust
from app.errors import Unauthorized
from app.work import EVERY_TENANT

FRESH = 2.0
MOST = 2000
DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's key and what it may do. key_id: "" where no key was asked for."""

    tenant: str
    key_id: str
    scopes: frozenset[str]


ANONYMOUS = Caller(DEFAULT_TENANT, "", frozenset(keys.SCOPES))
"""Whoever asks a service that runs without keys, on this machine only."""


class Authenticator:
    """Looks keys and tokens up, with a short memory. `context` is asked for when the first one comes."""

    def __init__(self, context: Callable[[], Context], tokens: Tokens) -> None:
        self.context, self.tokens = context, tokens
        self.known: dict[bytes, tuple[float, Caller]] = {}

    async def __call__(self, secret: str) -> Caller:
        """The caller. Raises Unauthorized, which is the same for all that can be wrong, and Unavailable."""
        digest = hashlib.sha256(secret.encode("utf-8", "replace")).digest()
        now = time.monotonic()
        until, caller = self.known.get(digest, (0.0, None))
        if caller is not None and now < until:
            return caller
        caller = await (self._key(secret) if secret.startswith(keys.PREFIX) else self._token(secret))
        if len(self.known) >= MOST:
            self.known.clear()
        self.known[digest] = (now + FRESH, caller)
        return caller

    async def _key(self, secret: str) -> Caller:
        if not keys.looks_right(secret):
            raise _refused()
        context = self.context()
        async with context.work(EVERY_TENANT, read=True) as work:
            key = await keys.find(work, secret)
        if key is None:
            raise _refused()
        if key.last_used_at is None or time.time() - key.last_used_at > keys.FRESH:
            async with context.work(EVERY_TENANT) as work:
                await keys.touch(work, key.id)
        return Caller(key.tenant, key.id, frozenset(key.scopes))

    async def _token(self, secret: str) -> Caller:
        context = self.context()
        claims = await self.tokens.read(context, secret)
        if claims is None:
            raise _refused()
        async with context.work(claims.tenant, read=True) as work:
            trust = await work.session.get(OidcTrust, claims.trust_id)
        if trust is None or trust.tenant != claims.tenant:  # distrusted since the token was given
            raise _refused()
        return Caller(claims.tenant, claims.trust_id, frozenset(claims.scopes).intersection(trust.scopes))


def _refused() -> Unauthorized:
    return Unauthorized("this key is not valid here")
