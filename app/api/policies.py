"""`/v1/policies`: policies that a tenant stores, so that scans can name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.api.access import Asks, needs
from app.api.resources import Resource, moment
from app.api.strict_json import Body, examples
from app.api.strict_route import StrictRoute
from app.db.models import NamedPolicy
from app.services import audit, policies

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=StrictRoute)

PolicyName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", examples=["strict"])]
TEXT = 'outbound = "BSD-3-Clause"\npreset = "permissive"\ndeny = ["GPL-3.0-or-later"]\n'


class PolicyBody(Body):
    """text: TOML, as `[tool.whence]` of a pyproject.toml has it, or a whence.toml."""

    model_config = examples({"text": TEXT})

    text: Annotated[str, StringConstraints(strict=True, max_length=200_000, pattern=r"^[^\x00]*$")]


class PolicyResource(Resource):
    """A stored policy. digest: changes exactly when a verdict could."""

    name: str
    text: str = Field(examples=[TEXT])
    digest: str
    updated_at: str


class PolicyList(Resource):
    """All policies of the tenant, by name."""

    policies: list[PolicyResource]


def _resource(policy: NamedPolicy) -> PolicyResource:
    return PolicyResource(
        name=policy.name, text=policy.text, digest=policy.digest, updated_at=moment(policy.updated_at) or ""
    )


@router.get("", operation_id="listPolicies", summary="List policies", **needs("read", "scan"))
async def list_all(asking: Asks) -> PolicyList:
    """What scans of your tenant can name."""
    async with asking.work(read=True) as work:
        return PolicyList(policies=[_resource(policy) for policy in await policies.list_policies(work)])


@router.get("/{name}", operation_id="getPolicy", summary="A policy", **needs("read", "scan", errors=(404,)))
async def get(asking: Asks, name: PolicyName) -> PolicyResource:
    """Its text and its digest."""
    async with asking.work(read=True) as work:
        return _resource(await policies.get(work, name))


@router.put("/{name}", operation_id="putPolicy", summary="Store a policy", **needs("admin", body=True))
async def put(asking: Asks, name: PolicyName, body: PolicyBody) -> PolicyResource:
    """Store or replace it. Scans that were accepted before keep the text that they had."""
    digest = await policies.checked(asking.context, name, body.text)
    async with asking.work() as work:
        stored = await policies.put(work, name, body.text, digest)
        await audit.record(work, asking.actor, "policy.put", name, {"digest": digest})
    return _resource(stored)


@router.delete(
    "/{name}",
    operation_id="deletePolicy",
    summary="Remove a policy",
    status_code=204,
    **needs("admin", errors=(404,)),
)
async def delete(asking: Asks, name: PolicyName) -> Response:
    """Scans that were accepted with it keep its text."""
    async with asking.work() as work:
        await policies.remove(work, name)
        await audit.record(work, asking.actor, "policy.delete", name)
    return Response(status_code=204)
