"""`/v1/audit`: who did what that only an admin may."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.access import Asking, Asks, needs
from app.api.resources import Resource, moment
from app.db.models import SYSTEM
from app.services import audit

router = APIRouter(prefix="/v1/audit", tags=["audit"])

Of = Annotated[
    Literal["tenant", "installation"],
    Query(description="`installation`: what was done to the corpus, which all tenants share."),
]


class AuditEntryResource(Resource):
    """One action. actor: a key's or a trust's id, `cli`, or `anonymous`.

    digest: covers the entry and all before it.
    """

    number: int
    at: str
    actor: str = Field(examples=["key_01k9q8v7f3m2n5p6r8s9t0v1w2"])
    action: str = Field(examples=["key.create"])
    subject: str
    detail: dict[str, Any]
    digest: str


class AuditPage(Resource):
    """Entries, newest first. next: number to give as `before` for the following page, null at the end."""

    entries: list[AuditEntryResource]
    next: int | None


class AuditCheck(Resource):
    """Whether the log is whole. problem: what does not fit and where, or null."""

    entries: int
    problem: str | None


def _tenant(asking: Asking, of: str) -> str:
    return SYSTEM if of == "installation" else asking.caller.tenant


@router.get("", operation_id="listAudit", summary="Read the audit log", **needs("admin"))
async def list_all(
    asking: Asks,
    of: Of = "tenant",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditPage:
    """Keys, trusts, policies and webhooks of your tenant; or the corpus."""
    async with asking.context.work(_tenant(asking, of), read=True) as work:
        found = await audit.entries(work, before=before, limit=limit)
    shown = [
        AuditEntryResource(
            number=each.number,
            at=moment(each.at) or "",
            actor=each.actor,
            action=each.action,
            subject=each.subject,
            detail=each.detail,
            digest=each.digest,
        )
        for each in found
    ]
    more = len(found) == limit and found[-1].number > 1
    return AuditPage(entries=shown, next=found[-1].number if more else None)


@router.get("/verification", operation_id="verifyAudit", summary="Verify the audit log", **needs("admin"))
async def verify(asking: Asks, of: Of = "tenant") -> AuditCheck:
    """Reads the whole chain: an entry that was changed, removed, moved or cut off is named."""
    async with asking.context.work(_tenant(asking, of), read=True) as work:
        found = await audit.verify(work)
    return AuditCheck(entries=found.entries, problem=found.problem)
