"""`/v1/scans/{id}/report`: the result of a scan, in every format that there is."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from starlette.responses import Response

from app.api.access import Asking, Asks, ScanId, needs
from app.api.formats import SUFFIXES, TYPES, by_accept, by_suffix
from app.api.resources import moment
from app.api.scans import matches
from app.report.renderers import RENDERERS, RenderContext, render
from app.services import scans

router = APIRouter(prefix="/v1/scans/{scan_id}", tags=["reports"])

Leads = Annotated[bool, Query(description="Also weaker candidates, for a person to look at.")]
IfNoneMatch = Annotated[str | None, Header(max_length=500)]


def _documented(*errors: int) -> dict[str, Any]:
    arguments = needs("read", "scan", errors=(304, 404, 409, *errors))
    content: dict[str, Any] = {
        # A format that is JSON has a schema of its own; one that is text is a string.
        media_type: {"schema": {} if media_type.endswith("json") else {"type": "string"}}
        for media_type in TYPES
    }
    content["application/json"] = {
        "schema": {
            "type": ["object", "array"],
            "description": "The report (see its JSON Schema), or GitLab's Code Quality list of findings.",
        }
    }
    arguments["responses"][200] = {"description": "The report.", "content": content}
    return arguments


@router.get(
    "/report",
    operation_id="getReport",
    summary="Report by Accept",
    response_class=Response,
    **_documented(406),
)
async def report(
    request: Request, asking: Asks, scan_id: ScanId, leads: Leads = False, if_none_match: IfNoneMatch = None
) -> Response:
    """The report in the format that `Accept` prefers; JSON by default. 409 while the scan is not done."""
    name = by_accept(request.headers.get("accept", ""))
    answer = await _rendered(asking, scan_id, name, leads, if_none_match)
    answer.headers["Vary"] = "Accept"
    return answer


@router.get(
    "/report.{suffix}",
    operation_id="getReportAs",
    summary="Report by suffix",
    response_class=Response,
    **_documented(),
)
async def report_as(
    asking: Asks,
    scan_id: ScanId,
    suffix: Annotated[
        str, Path(pattern=r"^[a-z.]{1,20}$", json_schema_extra={"enum": list(SUFFIXES)}, examples=["sarif"])
    ],
    leads: Leads = False,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The report in the format of the suffix: json, txt, md, sarif and others."""
    return await _rendered(asking, scan_id, by_suffix(suffix), leads, if_none_match)


async def _rendered(
    asking: Asking, scan_id: str, name: str, leads: bool, if_none_match: str | None
) -> Response:
    async with asking.work(read=True) as work:
        stored = await scans.report(work, scan_id)
    version = f"{stored.etag} {name} {leads}".encode()
    etag = f'"{hashlib.sha256(version).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    shown = stored.report if leads else replace(stored.report, leads=None)
    context = RenderContext(
        added_lines={path: tuple((a, b) for a, b in ranges) for path, ranges in stored.added.items()},
        time=moment(stored.scan.finished_at) or "",
    )
    text = await asyncio.to_thread(render, name, shown, context)
    return Response(text.encode("utf-8"), 200, headers, RENDERERS[name].media_type)
