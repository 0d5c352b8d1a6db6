"""`/v1/keys`: the API keys of a tenant. The secret of a key is in one answer only, the one that makes it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from app.api.access import Asks, needs
from app.api.resources import Resource, moment
from app.api.strict_json import Body, Line, examples
from app.api.strict_route import StrictRoute
from app.db import keys
from app.db.models import ApiKey
from app.services import audit

router = APIRouter(prefix="/v1/keys", tags=["keys"], route_class=StrictRoute)

ScopeName = Literal["scan", "read", "decide", "admin"]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["key_01k9q8v7f3m2n5p6r8s9t0v1w2"])]
DAY = 86400
YEARS = 10 * 366 * DAY


class KeyBody(Body):
    """A key to make. lifetime: seconds, null for ever."""

    model_config = examples({"name": "ci of gsl", "scopes": ["read", "scan"], "lifetime": 7776000})

    name: Annotated[Line, Field(max_length=100)]
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=3)]
    lifetime: Annotated[int, Field(ge=60, le=YEARS)] | None = 365 * DAY


class RotationBody(Body):
    """overlap: seconds that the old key stays valid beside the new one."""

    model_config = examples({"overlap": 86400})

    overlap: Annotated[int, Field(ge=0, le=30 * DAY)] = DAY


class KeyResource(Resource):
    """A key, without its secret. prefix: its first characters, to tell it from others."""

    id: str
    name: str
    prefix: str = Field(examples=["whence_3kT9x"])
    scopes: list[ScopeName]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None
    successor: str | None = Field(description="The key that replaces it, after a rotation.")


class NewKeyResource(KeyResource):
    """A fresh key. `secret` is shown this once and never stored."""

    secret: str = Field(examples=["whence_…"])


class KeyList(Resource):
    """All keys of the tenant, oldest first."""

    keys: list[KeyResource]


def _resource(key: ApiKey) -> KeyResource:
    return KeyResource(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        created_at=moment(key.created_at) or "",
        expires_at=moment(key.expires_at),
        last_used_at=moment(key.last_used_at),
        revoked_at=moment(key.revoked_at),
        successor=key.successor,
    )


def _new(made: keys.NewKey) -> NewKeyResource:
    return NewKeyResource(**_resource(made.key).model_dump(), secret=made.secret)


@router.get("", operation_id="listKeys", summary="List keys", **needs("admin"))
async def list_all(asking: Asks) -> KeyList:
    """Your tenant's keys, also those that ended."""
    async with asking.work(read=True) as work:
        return KeyList(keys=[_resource(key) for key in await keys.keys(work)])


@router.post("", operation_id="createKey", summary="Make a key", status_code=201, **needs("admin", body=True))
async def create(asking: Asks, body: KeyBody) -> NewKeyResource:
    """Its secret is in this answer only."""
    async with asking.work() as work:
        made = await keys.create(work, body.name, body.scopes, lifetime=body.lifetime)
        await audit.record(
            work,
            asking.actor,
            "key.create",
            made.key.id,
            {"name": body.name, "scopes": list(made.key.scopes)},
        )
    return _new(made)


@router.post(
    "/{key_id}/rotate",
    operation_id="rotateKey",
    summary="Replace a key",
    status_code=201,
    **needs("admin", errors=(404,), body=True),
)
async def rotate(asking: Asks, key_id: KeyId, body: RotationBody) -> NewKeyResource:
    """A new key with the same name and scopes; the old one is valid for `overlap` seconds more."""
    async with asking.work() as work:
        made = await keys.rotate(work, key_id, overlap=body.overlap)
        await audit.record(work, asking.actor, "key.rotate", key_id, {"successor": made.key.id})
    return _new(made)


@router.delete(
    "/{key_id}",
    operation_id="revokeKey",
    summary="Revoke a key",
    status_code=204,
    **needs("admin", errors=(404,)),
)
async def revoke(asking: Asks, key_id: KeyId) -> Response:
    """It is refused within seconds; its record stays."""
    async with asking.work() as work:
        await keys.revoke(work, key_id)
        await audit.record(work, asking.actor, "key.revoke", key_id)
    return Response(status_code=204)
