"""`/v1/decisions`: what people decided about findings, counted whenever a report is rendered."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BeforeValidator, Field, StringConstraints
from starlette.responses import Response

from app.api.access import Asks, needs
from app.api.resources import Resource, moment
from app.api.scans import Cursor, Limit
from app.api.strict_json import Body, Line, examples
from app.api.strict_route import StrictRoute
from app.db.models import Decision
from app.services import audit, decisions

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=StrictRoute)

DecisionId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["dec_01k9q8v7f3m2n5p6r8s9t0v1w2"])]
Reason = Literal[
    "common-idiom", "same-author", "permission-granted", "credited", "public-domain", "not-similar",
    "rewritten", "ours",
]  # fmt: skip
FindingId = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{32}$")]
FINDING = "5b1c0d7e9a2f4c6885d3e1f0a7b9c2d4"


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("a day, as 2027-01-31") from None
    return value


Day = Annotated[date, BeforeValidator(_day)]


class DecisionBody(Body):
    """A decision about one finding. Who decides is named by `owner`; `permission-granted` needs a link."""

    model_config = examples(
        {
            "finding": FINDING,
            "reason": "permission-granted",
            "owner": "Ada",
            "link": "https://example.org/mail/4",
            "expires": "2030-01-31",
        }
    )

    finding: FindingId = Field(
        description="The `id` of a finding; it stays when lines move or layout changes."
    )
    reason: Reason
    owner: Line
    link: Annotated[str, StringConstraints(strict=True, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    note: Annotated[str, StringConstraints(strict=True, max_length=2000, pattern=r"^[^\x00]*$")] = ""
    expires: Day | None = Field(default=None, description="The last day on which it holds (UTC).")
    policy_name: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9._-]{0,100}$")] = Field(
        default="", description="Only for scans under this stored policy; empty: for all of your tenant."
    )


class DecisionResource(Resource):
    """A decision. matched_at: when a finished scan last had the finding, null when none has since."""

    id: str
    finding: str
    reason: Reason
    owner: str
    decided_on: str = Field(examples=["2026-11-25"])
    expires: str | None
    in_force: bool
    link: str
    note: str
    policy_name: str
    created_at: str
    matched_at: str | None


class DecisionPage(Resource):
    """Decisions, newest first. `next` is the cursor of the following page, null at the end."""

    decisions: list[DecisionResource]
    next: str | None


def _resource(decision: Decision) -> DecisionResource:
    return DecisionResource.model_validate(
        {
            "id": decision.id,
            "finding": decision.finding,
            "reason": decision.reason,
            "owner": decision.owner,
            "decided_on": decision.decided_on,
            "expires": decision.expires,
            "in_force": decision.expires is None or decision.expires >= decisions.today().isoformat(),
            "link": decision.link,
            "note": decision.note,
            "policy_name": decision.policy_name,
            "created_at": moment(decision.created_at),
            "matched_at": moment(decision.matched_at),
        }
    )


READERS = ("read", "scan", "decide", "admin")


@router.get("", operation_id="listDecisions", summary="List decisions", **needs(*READERS))
async def list_all(
    asking: Asks,
    cursor: Cursor = None,
    limit: Limit = 50,
    finding: Annotated[FindingId | None, Query(description="About this finding only.")] = None,
    policy_name: Annotated[
        str | None, Query(max_length=100, description="For this stored policy only.")
    ] = None,
    state: Annotated[
        Literal["active", "expired", "unmatched"] | None,
        Query(description="`unmatched`: in force, and no scan has had the finding since."),
    ] = None,
) -> DecisionPage:
    """The decisions of your tenant, newest first."""
    async with asking.work(read=True) as work:
        page = await decisions.page(
            work, cursor=cursor, limit=limit, finding=finding, policy_name=policy_name, state=state
        )
    return DecisionPage(decisions=[_resource(each) for each in page.rows], next=page.next)


@router.post(
    "",
    operation_id="createDecision",
    summary="Record a decision",
    status_code=201,
    **needs("decide", "admin", errors=(404, 409), body=True),
)
async def create(asking: Asks, body: DecisionBody) -> DecisionResource:
    """The finding stays in reports, as `ok`, wherever its lines move; reports that there are already, too.

    `whence waive ID --reason REASON --server URL` does it. 409 where the finding is decided already.
    """
    draft = decisions.Draft(**body.model_dump())
    async with asking.work() as work:
        made = await decisions.create(work, draft, asking.actor)
        detail = {"finding": made.finding, "reason": made.reason, "policy_name": made.policy_name}
        await audit.record(work, asking.actor, "decision.create", made.id, detail)
    return _resource(made)


@router.get(
    "/{decision_id}", operation_id="getDecision", summary="A decision", **needs(*READERS, errors=(404,))
)
async def get(asking: Asks, decision_id: DecisionId) -> DecisionResource:
    """Who decided what, when, and until when it holds."""
    async with asking.work(read=True) as work:
        return _resource(await decisions.get(work, decision_id))


@router.delete(
    "/{decision_id}",
    operation_id="deleteDecision",
    summary="Take a decision back",
    status_code=204,
    **needs("decide", "admin", errors=(404,)),
)
async def delete(asking: Asks, decision_id: DecisionId) -> Response:
    """The finding has its verdict back, in reports that there are already, too."""
    async with asking.work() as work:
        gone = await decisions.remove(work, decision_id)
        detail = {"finding": gone.finding, "reason": gone.reason, "policy_name": gone.policy_name}
        await audit.record(work, asking.actor, "decision.delete", decision_id, detail)
    return Response(status_code=204)
