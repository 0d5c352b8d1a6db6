"""Short-lived tokens of this service: what a CI job gets for its identity token.

A JSON Web Token signed with a secret that the installation made for itself; it names the trust that it comes
from, so that it ends with it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import jwt

from app.context import Context
from app.db import keys
from app.db.models import SYSTEM, OidcTrust

ALGORITHM = "HS256"
ISSUER = "whence"
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """Which trust of which tenant a token comes from, and what it may do."""

    tenant: str
    trust_id: str
    scopes: tuple[str, ...]


class Tokens:
    """Makes and reads tokens; one for a process."""

    def __init__(self) -> None:
        self._secret: bytes | None = None

    async def issue(self, context: Context, trust: OidcTrust) -> tuple[str, int]:
        """A token and the seconds that it lives."""
        seconds, now = context.settings.token_seconds, int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": trust.id,
            "tenant": trust.tenant,
            "scopes": trust.scopes,
            "iat": now,
            "exp": now + seconds,
        }
        return jwt.encode(claims, await self._key(context), ALGORITHM), seconds

    async def read(self, context: Context, token: str) -> Claims | None:
        """The claims of a token that is ours and still lives; None for anything else."""
        if len(token) > LONGEST or token.count(".") != 2:
            return None
        try:
            claims = jwt.decode(
                token,
                await self._key(context),
                [ALGORITHM],
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"]},
            )
        except (jwt.PyJWTError, ValueError):
            return None
        return Claims(claims["tenant"], claims["sub"], tuple(claims["scopes"]))

    async def _key(self, context: Context) -> bytes:
        if self._secret is None:
            pepper = context.settings.key_pepper.get_secret_value()
            if pepper:
                self._secret = pepper.encode()
            else:
                async with context.work(SYSTEM) as work:
                    self._secret = await keys.installation_secret(work, "tokens")
        return self._secret
