"""API keys and the CI identities that are trusted: rows and the rules of their life. HTTP is in app.auth.

A key is `whence_` + 32 random bytes + a checksum, in base 62; its SHA-256 is what is stored, and looked up.
A wrong checksum is refused without asking the database.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update

from app.db.engine import clock, new_id
from app.db.models import ApiKey, OidcTrust, Secret
from app.errors import NotFound
from app.work import Work
from corpus.errors import BadInput

SCOPES = ("scan", "read", "decide", "admin")
PREFIX = "whence_"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY, CHECK = 43, 6
DAY = 86400.0
FRESH = 60.0
"""Seconds between two writes of `last_used_at`."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """secret: shown once, never stored."""

    key: ApiKey
    secret: str


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def looks_right(secret: str) -> bool:
    """Whether the text has the form and the checksum of a key."""
    body = secret[len(PREFIX) : -CHECK]
    return secret.startswith(PREFIX) and len(body) == BODY and secret[-CHECK:] == _checksum(body)


def _base62(value: int, length: int) -> str:
    out = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        out.append(DIGITS[digit])
    return "".join(reversed(out))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode(errors="replace")), CHECK)


async def create(
    work: Work, name: str, scopes: Sequence[str], *, lifetime: float | None = 365 * DAY
) -> NewKey:
    """A new key of this tenant. lifetime: seconds, None for ever. Raises BadInput."""
    granted = _checked(scopes)
    body = _base62(int.from_bytes(secrets.token_bytes(32), "big"), BODY)
    secret = f"{PREFIX}{body}{_checksum(body)}"
    identity = new_id("key")
    await work.insert(
        ApiKey, id=identity, name=name[:100], prefix=secret[: len(PREFIX) + 5], sha256=digest(secret),
        scopes=granted, created_at=clock(), expires_at=None if lifetime is None else clock() + lifetime,
        last_used_at=None, revoked_at=None, successor=None,
    )  # fmt: skip
    return NewKey(await get(work, identity), secret)


async def find(work: Work, secret: str) -> ApiKey | None:
    """The key of a secret when it is valid now. Needs a work of every tenant: the key says whose it is.

    Writes `last_used_at` at most once a minute.
    """
    if not looks_right(secret):
        return None
    valid = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > clock())
    key = (
        await work.session.scalars(
            select(ApiKey).where(ApiKey.sha256 == digest(secret), ApiKey.revoked_at.is_(None), valid)
        )
    ).one_or_none()
    return key


async def touch(work: Work, identity: str) -> None:
    """Note that a key was used, at most once a minute."""
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < clock() - FRESH)
    await work.session.execute(
        update(ApiKey)
        .where(ApiKey.id == identity, stale)
        .values(last_used_at=clock())
        .execution_options(synchronize_session=False)
    )


async def get(work: Work, identity: str) -> ApiKey:
    """Raises NotFound."""
    key = (await work.session.scalars(select(ApiKey).where(ApiKey.id == identity))).one_or_none()
    if key is None:
        raise NotFound("key", identity)
    return key


async def keys(work: Work) -> list[ApiKey]:
    return list(await work.session.scalars(select(ApiKey).order_by(ApiKey.id)))


async def any_exist(work: Work) -> bool:
    return await work.session.scalar(select(ApiKey.id).limit(1)) is not None


async def revoke(work: Work, identity: str) -> None:
    """Refused from the commit on. Raises NotFound."""
    key = await get(work, identity)
    if key.revoked_at is None:
        await work.session.execute(
            update(ApiKey)
            .where(ApiKey.id == identity)
            .values(revoked_at=clock())
            .execution_options(synchronize_session=False)
        )


async def rotate(work: Work, identity: str, *, overlap: float = DAY) -> NewKey:
    """A successor with the same name and scopes; the old key stays valid for `overlap` seconds. NotFound."""
    old = await get(work, identity)
    lifetime = None if old.expires_at is None else max(old.expires_at - old.created_at, overlap)
    new = await create(work, old.name, old.scopes, lifetime=lifetime)
    ends = clock() + overlap
    sooner = or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > ends)
    await work.session.execute(
        update(ApiKey)
        .where(ApiKey.id == identity, sooner)
        .values(expires_at=ends)
        .execution_options(synchronize_session=False)
    )
    await work.session.execute(
        update(ApiKey)
        .where(ApiKey.id == identity)
        .values(successor=new.key.id)
        .execution_options(synchronize_session=False)
    )
    return new


async def trust(
    work: Work, issuer: str, repository_id: str, scopes: Sequence[str], *, repository: str = ""
) -> OidcTrust:
    """Let CI jobs of a repository get tokens of this tenant. Raises BadInput when it is trusted already."""
    identity = new_id("trust")
    made = await work.insert(
        OidcTrust, or_skip=True, id=identity, issuer=issuer.rstrip("/"), repository_id=repository_id,
        repository=repository, scopes=_checked(scopes), created_at=clock(),
    )  # fmt: skip
    if not made:
        raise BadInput(f"repository {repository_id} of {issuer} is trusted already")
    return (await work.session.scalars(select(OidcTrust).where(OidcTrust.id == identity))).one()


async def trusted(work: Work, issuer: str, repository_id: str) -> OidcTrust | None:
    """Needs a work of every tenant: the trust says whose token it becomes."""
    return (
        await work.session.scalars(
            select(OidcTrust).where(
                OidcTrust.issuer == issuer.rstrip("/"), OidcTrust.repository_id == repository_id
            )
        )
    ).one_or_none()


async def issuers(work: Work) -> list[str]:
    """The allow-list: issuers that any trust names."""
    return list(await work.session.scalars(select(OidcTrust.issuer).distinct().order_by(OidcTrust.issuer)))


async def trusts(work: Work) -> list[OidcTrust]:
    return list(await work.session.scalars(select(OidcTrust).order_by(OidcTrust.id)))


async def distrust(work: Work, identity: str) -> None:
    """Raises NotFound."""
    row = (await work.session.scalars(select(OidcTrust).where(OidcTrust.id == identity))).one_or_none()
    if row is None:
        raise NotFound("trust", identity)
    await work.session.delete(row)
    await work.session.flush()


async def installation_secret(work: Work, name: str) -> bytes:
    """32 random bytes that are made once, for example to sign tokens. Use a work of SYSTEM."""
    await work.insert(Secret, or_skip=True, name=name, value=secrets.token_bytes(32))
    return (await work.session.scalars(select(Secret.value).where(Secret.name == name))).one()


def _checked(scopes: Sequence[str]) -> list[str]:
    granted = sorted(set(scopes))
    if not granted or not set(granted) <= set(SCOPES):
        raise BadInput(f"scopes are one or more of {', '.join(SCOPES)}")
    return granted
