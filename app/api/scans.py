"""`/v1/scans`: hand in a change, watch it, erase it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.api.access import Asking, Asks, ScanId, needs, wait_of
from app.api.intake import DIFF, ScanBody, read_submission
from app.api.resources import ScanPage, ScanResource, State, scan_resource
from app.api.stream import DOCUMENTED, Streams
from app.api.strict_route import StrictRoute
from app.db.models import Scan
from app.services import decisions, progress, scans
from app.services.submission import Submission, prepare

router = APIRouter(prefix="/v1/scans", tags=["scans"], route_class=StrictRoute)

Prefer = Annotated[
    str | None,
    Header(description="`wait=N`: answer when the scan is finished, after N seconds at most (60)."),
]
Cursor = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,100}$", description="`next` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=200)]
LATER = {"description": "Accepted. Come back to `Location` after `Retry-After` seconds."}
TEXT = {"schema": {"contentMediaType": "text/x-diff"}}


def _body_documentation() -> dict[str, Any]:
    option = {"type": "string"}
    parts = {
        "diff": {"type": "string", "format": "binary", "description": "A unified diff or format-patch mail."},
        "file": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "description": "Files after the change; each part's filename is the path.",
        },
        "message": {"type": "array", "items": option, "description": "Commit messages."},
        "pull_request": {**option, "description": "Text of the pull request, read for declared AI use."},
        **dict.fromkeys(("policy", "policy_name", "outbound", "label", "retain"), option),
    }
    example = {
        "diff": DIFF,
        "message": ["Add gcd"],
        "pull_request": "## AI use\nnone\n",
        "outbound": "BSD-3-Clause",
        "retain": "0",
    }
    return {
        "required": True,
        "content": {
            "text/x-diff": {**TEXT, "example": DIFF},
            "application/json": {"schema": {"$ref": f"#/components/schemas/{ScanBody.__name__}"}},
            "multipart/form-data": {"schema": {"type": "object", "properties": parts}, "example": example},
        },
    }


def _create() -> dict[str, Any]:
    arguments = needs("scan", errors=(404, 409), body=True)
    arguments["openapi_extra"]["requestBody"] = _body_documentation()
    arguments["responses"] |= {
        200: {
            "model": ScanResource,
            "description": "A scan that is there already, or that `Prefer: wait` saw end.",
        },
        202: {"model": ScanResource, **LATER},
    }
    return arguments


@router.post("", operation_id="createScan", summary="Search a change", status_code=202, **_create())
async def create(
    request: Request,
    asking: Asks,
    prefer: Prefer = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=255,
            description="The same key and body again give the same scan; another body is refused with 409.",
        ),
    ] = None,
) -> Response:
    """Hand in a diff, or files. The scan is stored before the answer: it will be done, or fail with a reason.

    A body `text/x-diff` takes the options (policy, policy_name, outbound, label, retain) in the query.
    The same content, options and corpus give the same scan again, with status 200.
    """
    return await accepted_answer(request, asking, await read_submission(request), idempotency_key)


async def accepted_answer(
    request: Request, asking: Asking, submission: Submission, idempotency_key: str | None
) -> Response:
    """Store a scan, or find the one that is the answer already; wait for it if the client would like that."""
    prepared = await prepare(asking.context, submission)
    async with asking.work() as work:
        accepted = await scans.accept(work, asking.settings, prepared, idempotency_key=idempotency_key)
        scan = accepted.scan
    seconds = wait_of(request)
    finished = scan.state in scans.FINAL
    if seconds and not finished:
        scan = await progress.wait(asking.context, asking.caller.tenant, scan.id, seconds)
        finished = scan.state in scans.FINAL
    status = 202 if accepted.created and not finished else 200
    headers = {"Location": f"/v1/scans/{scan.id}"}
    if not finished:
        headers["Retry-After"] = "1"
    if seconds:
        headers["Preference-Applied"] = f"wait={seconds}"
    resource = await with_decisions(asking, scan)
    return JSONResponse(resource.model_dump(mode="json"), status, headers)


async def with_decisions(asking: Asking, scan: Scan) -> ScanResource:
    """A scan as its client sees it, today's decisions counted."""
    async with asking.work(read=True) as work:
        worst = await decisions.worst_by_scan(work, [scan])
    return scan_resource(scan, worst.get(scan.id))


@router.get(
    "", operation_id="listScans", summary="List scans", response_model=ScanPage, **needs("read", "scan")
)
async def list_all(
    asking: Asks, cursor: Cursor = None, limit: Limit = 50, state: Annotated[State | None, Query()] = None
) -> ScanPage:
    """The scans of your tenant, newest first."""
    async with asking.work(read=True) as work:
        page = await scans.list_scans(work, cursor=cursor, limit=limit, state=state)
        worst = await decisions.worst_by_scan(work, page.rows)
    return ScanPage(scans=[scan_resource(scan, worst.get(scan.id)) for scan in page.rows], next=page.next)


@router.get(
    "/{scan_id}",
    operation_id="getScan",
    summary="State of a scan",
    response_model=ScanResource,
    **needs("read", "scan", errors=(304, 404)),
)
async def get(
    request: Request,
    asking: Asks,
    scan_id: ScanId,
    prefer: Prefer = None,
    if_none_match: Annotated[str | None, Header(max_length=500)] = None,
) -> Response:
    """Its state, and in four words how it ended. `Retry-After` is there while it is not finished."""
    scan = await progress.wait(asking.context, asking.caller.tenant, scan_id, wait_of(request))
    resource = (await with_decisions(asking, scan)).model_dump_json().encode()
    etag = f'"{hashlib.sha256(resource).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if scan.state not in scans.FINAL:
        headers["Retry-After"] = "1"
    if matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(resource, 200, headers, "application/json")


def _events() -> dict[str, Any]:
    arguments = needs("read", "scan", errors=(404,))
    arguments["responses"][200] = DOCUMENTED
    return arguments


@router.get(
    "/{scan_id}/events",
    operation_id="watchScan",
    summary="Progress of a scan as it goes",
    response_class=StreamingResponse,
    **_events(),
)
async def events(
    request: Request,
    asking: Asks,
    scan_id: ScanId,
    last_event_id: Annotated[str | None, Header(max_length=30, description="Go on after this event.")] = None,
) -> StreamingResponse:
    """Server-sent events: `state` when it changes its state, `progress` in between. Ends with the scan."""
    streams: Streams = request.app.state.streams
    return await streams.answer(request, asking.context, asking.caller.tenant, scan_id)


@router.post(
    "/{scan_id}/cancel",
    operation_id="cancelScan",
    summary="Stop a scan",
    response_model=ScanResource,
    **needs("scan", errors=(404, 409)),
)
async def cancel(asking: Asks, scan_id: ScanId) -> ScanResource:
    """Stop a scan that is not finished. Its text is erased, its record stays as `canceled`."""
    async with asking.work() as work:
        return scan_resource(await scans.cancel(work, scan_id))


@router.delete(
    "/{scan_id}",
    operation_id="deleteScan",
    summary="Erase a scan",
    status_code=204,
    **needs("scan", errors=(404,)),
)
async def delete(asking: Asks, scan_id: ScanId) -> Response:
    """Erase the scan with its text, its report and its events, in whatever state it is."""
    async with asking.work() as work:
        await scans.erase(work, scan_id)
    return Response(status_code=204)


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether a client has this version already (weak comparison, RFC 9110)."""
    if not if_none_match:
        return False
    given = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in given or etag in given
