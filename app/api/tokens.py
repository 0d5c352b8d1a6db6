"""`/v1/tokens` and `/v1/trusts`: CI jobs scan without a stored key.

A job sends the identity token that its CI gives it (OpenID Connect) and gets a token that lives for a quarter
of an hour, if the repository is trusted.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.api.access import Asks, context_of, needs, problems
from app.api.keys import ScopeName
from app.api.resources import Resource, moment
from app.api.strict_json import Body, examples
from app.api.strict_route import StrictRoute
from app.auth.identity import Identities, refused
from app.auth.targets import checked_issuer
from app.auth.tokens import Tokens
from app.db import keys
from app.db.models import OidcTrust
from app.errors import Conflict
from app.services import audit
from app.work import EVERY_TENANT
from corpus.errors import BadInput

router = APIRouter(prefix="/v1", tags=["tokens"], route_class=StrictRoute)

GITHUB = "https://token.actions.githubusercontent.com"
Short = StringConstraints(strict=True, min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
SCAN: list[ScopeName] = ["read", "scan"]
TrustId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["trust_01k9q8v7f3m2n5p6r8s9t0v1w2"])]


class ExchangeBody(Body):
    """The identity token of a CI job, made for the audience that this service expects."""

    model_config = examples(
        {"identity_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJyZXBvIn0.c2lnbmF0dXJl"}
    )

    identity_token: Annotated[
        str, StringConstraints(strict=True, min_length=1, max_length=16384, pattern=r"^[\x21-\x7e]+$")
    ]


class TokenResource(Resource):
    """Send it as a key: `Authorization: Bearer …`. expires_in: seconds."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(examples=[900])


class TrustBody(Body):
    """A repository whose jobs may get tokens. repository_id: the CI's number of it, which is never reused."""

    model_config = examples(
        {
            "issuer": GITHUB,
            "repository_id": "1296269",
            "repository": "octocat/hello-world",
            "scopes": ["read", "scan"],
        }
    )

    issuer: Annotated[
        str, StringConstraints(strict=True, min_length=8, max_length=500, pattern=r"^https?://[\x21-\x7e]+$")
    ]
    repository_id: Annotated[str, Short]
    repository: Annotated[
        str, StringConstraints(strict=True, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")
    ] = Field(default="", description="Its name, for people.")
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=3)] = SCAN


class TrustResource(Resource):
    """A repository that is trusted."""

    id: str
    issuer: str
    repository_id: str
    repository: str
    scopes: list[ScopeName]
    created_at: str


class TrustList(Resource):
    """All trusts of the tenant."""

    trusts: list[TrustResource]


def _resource(trust: OidcTrust) -> TrustResource:
    return TrustResource(
        id=trust.id,
        issuer=trust.issuer,
        repository_id=trust.repository_id,
        repository=trust.repository,
        scopes=trust.scopes,
        created_at=moment(trust.created_at) or "",
    )


@router.post(
    "/tokens",
    operation_id="exchangeToken",
    summary="Exchange a CI job's identity token",
    status_code=201,
    responses=problems(400, 401, 408, 413, 415, 422, 429, 431, 500, 503),
    openapi_extra={"security": []},
)
async def exchange(request: Request, body: ExchangeBody) -> TokenResource:
    """Needs no key. A token that is refused is refused without a reason."""
    context = context_of(request)
    identities: Identities = request.app.state.identities
    tokens: Tokens = request.app.state.tokens
    async with context.work(EVERY_TENANT, read=True) as work:
        issuers = await keys.issuers(work)
    identity = await identities.identify(body.identity_token, issuers)
    async with context.work(EVERY_TENANT, read=True) as work:
        trust = await keys.trusted(work, identity.issuer, identity.repository_id)
    if trust is None:
        raise refused()
    async with context.work(trust.tenant) as work:
        await audit.record(work, trust.id, "token.issue", trust.id, {"repository_id": trust.repository_id})
    token, seconds = await tokens.issue(context, trust)
    return TokenResource(access_token=token, token_type="Bearer", expires_in=seconds)  # noqa: S106


@router.get("/trusts", operation_id="listTrusts", summary="List trusted repositories", **needs("admin"))
async def list_all(asking: Asks) -> TrustList:
    """The repositories whose jobs act for your tenant."""
    async with asking.work(read=True) as work:
        return TrustList(trusts=[_resource(trust) for trust in await keys.trusts(work)])


@router.post(
    "/trusts",
    operation_id="createTrust",
    summary="Trust a repository",
    status_code=201,
    **needs("admin", errors=(409,), body=True),
)
async def create(asking: Asks, body: TrustBody) -> TrustResource:
    """Its jobs get tokens with these scopes from now on."""
    issuer = checked_issuer(body.issuer, allow_private=asking.settings.webhook_private)
    async with asking.work() as work:
        try:
            trust = await keys.trust(
                work, issuer, body.repository_id, body.scopes, repository=body.repository
            )
        except BadInput as error:
            raise Conflict(error.message) from None
        await audit.record(
            work,
            asking.actor,
            "trust.create",
            trust.id,
            {"issuer": issuer, "repository_id": body.repository_id},
        )
    return _resource(trust)


@router.delete(
    "/trusts/{trust_id}",
    operation_id="deleteTrust",
    summary="Trust a repository no longer",
    status_code=204,
    **needs("admin", errors=(404,)),
)
async def delete(asking: Asks, trust_id: TrustId) -> Response:
    """Tokens that its jobs hold end with it."""
    async with asking.work() as work:
        await keys.distrust(work, trust_id)
        await audit.record(work, asking.actor, "trust.delete", trust_id)
    return Response(status_code=204)
