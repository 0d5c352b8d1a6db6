"""Identity tokens of CI jobs (OpenID Connect): is this token genuine, and whose job is it?

An issuer is trusted by its address, which some trust in the database names; its signing keys are fetched from
that host only and kept for a while. The repository's number counts, not its name, which somebody else may
take over. Called by the token exchange (app.api.tokens).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt

from app.auth.targets import checked_issuer
from app.errors import Busy, Unauthorized
from corpus.errors import WhenceError
from corpus.sources.client import PublicTransport

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
MAX_TOKEN = 16_384
MAX_DOCUMENT = 256 << 10
MOST_KEYS = 50
SECONDS = 5.0
KEYS_FOR = 600.0
RETRY_AFTER = 10.0
LEEWAY = 30
REPOSITORY_CLAIMS = ("repository_id", "project_id")


@dataclass(frozen=True, slots=True)
class Identity:
    """A job: its issuer, and the issuer's number of the repository (GitHub) or project (GitLab)."""

    issuer: str
    repository_id: str


@dataclass
class _Keys:
    at: float = 0.0
    tried: float = 0.0
    by_id: dict[str, Any] = field(default_factory=dict)


class Identities:
    """Checks tokens for one audience; one for a process.

    allow_private: also an issuer of one's own, on this machine or network, without TLS.
    """

    def __init__(self, audience: str, *, allow_private: bool = False) -> None:
        self.audience, self.allow_private = audience, allow_private
        self.keys: dict[str, _Keys] = {}
        self.lock = asyncio.Lock()

    async def identify(self, token: str, issuers: Collection[str]) -> Identity:
        """Whose job the token speaks for, if one of `issuers` signed it.

        Raises Unauthorized, which never says which check failed, and Busy while an issuer does not answer.
        """
        try:
            header, claims = _unverified(token)
        except jwt.PyJWTError:
            raise refused() from None
        issuer, algorithm, key_id = claims.get("iss"), header.get("alg"), header.get("kid", "")
        if not isinstance(issuer, str) or issuer.rstrip("/") not in issuers:
            raise refused()
        if algorithm not in ALGORITHMS or not isinstance(key_id, str):
            raise refused()
        key = await self._key(issuer, key_id)
        try:
            verified = jwt.decode(
                token,
                key=key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except (jwt.PyJWTError, TypeError, ValueError):
            raise refused() from None
        repository = next((verified[name] for name in REPOSITORY_CLAIMS if name in verified), None)
        if not isinstance(repository, str | int) or not str(repository):
            raise refused()
        return Identity(issuer, str(repository))

    async def _key(self, issuer: str, key_id: str) -> Any:
        async with self.lock:
            known = self.keys.setdefault(issuer, _Keys())
            now = time.monotonic()
            stale = now - known.at > KEYS_FOR or not known.at
            if (stale or key_id not in known.by_id) and (not known.tried or now - known.tried > RETRY_AFTER):
                known.tried = now
                try:
                    known.by_id = await asyncio.to_thread(fetch_keys, issuer, self.allow_private)
                    known.at = now
                except (
                    httpx2.HTTPError,
                    ValueError,
                    KeyError,
                    TypeError,
                    jwt.PyJWTError,
                    TimeoutError,
                    WhenceError,
                ):
                    if not known.by_id:
                        raise Busy("The issuer's signing keys could not be fetched.") from None
            if key_id not in known.by_id:
                raise refused()
            return known.by_id[key_id]


def fetch_keys(issuer: str, private: bool) -> dict[str, Any]:
    """The issuer's signing keys by id. Public addresses only, resolved once, in bounded time and size.

    Raises HTTPError, ValueError, KeyError, TypeError, PyJWTError, BadTarget.
    """
    inner = httpx2.HTTPTransport()
    transport: httpx2.BaseTransport = inner if private else PublicTransport(inner, ())
    with httpx2.Client(
        transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False
    ) as client:
        where = _document(client, issuer, f"{issuer.rstrip('/')}/.well-known/openid-configuration", private)
        if where.get("issuer") != issuer:
            raise ValueError("the issuer calls itself otherwise")
        keys = _document(client, issuer, str(where["jwks_uri"]), private)
    found: dict[str, Any] = {}
    for entry in keys["keys"][:MOST_KEYS]:
        if entry.get("use", "sig") == "sig" and isinstance(entry.get("kid"), str):
            try:
                found[entry["kid"]] = jwt.PyJWK(entry).key
            except jwt.PyJWTError:
                continue  # a kind of key that is not read here; the others are
    return found


def _document(client: httpx2.Client, issuer: str, url: str, private: bool) -> dict[str, Any]:
    if urlsplit(url).hostname != urlsplit(issuer).hostname:
        raise ValueError("not an address of the issuer")
    checked_issuer(url, allow_private=private)
    body, until = bytearray(), time.monotonic() + SECONDS
    with client.stream("GET", url) as response:
        if response.status_code != 200:
            raise ValueError("no such document")
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_DOCUMENT or time.monotonic() > until:
                raise ValueError("the document is too large or too slow")
    document = json.loads(bytes(body))
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims before any check: only to choose the issuer's keys with."""
    if len(token) > MAX_TOKEN:
        raise jwt.InvalidTokenError("too long")
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.get_unverified_header(token), claims


def refused() -> Unauthorized:
    """The one answer to every token that is not accepted."""
    return Unauthorized("this identity token is not accepted here")
