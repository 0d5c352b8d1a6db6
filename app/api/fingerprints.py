"""`POST /v1/fingerprints`: search sketches that the client made. No source text leaves it.

The answer is a scan like any other; its report has no renames, and its line numbers are the client's.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import Field
from starlette.responses import Response

from app.api.access import Asks, needs
from app.api.intake import Options
from app.api.resources import ScanResource
from app.api.scans import LATER, Prefer, accepted_answer
from app.api.strict_json import examples
from app.api.strict_route import StrictRoute
from app.fingerprints import from_json
from app.services.submission import MAX_FILES, Submission

router = APIRouter(prefix="/v1/fingerprints", tags=["scans"], route_class=StrictRoute)

FILE: dict[str, Any] = {
    "path": "src/gcd.c",
    "language": "c",
    "raw": [[0], ""],
    "renamed": [[0], ""],
    "kind": [[0], ""],
    "line": [[0], ""],
    "added": [[0], ""],
    "spelling": [],
    "literal": [[[0], ""], [[0], ""]],
    "renamed_prints": [[[0], ""], [[0], ""]],
    "bands": [[0, 25], ""],
    "units": [],
}


class FingerprintsBody(Options):
    """One object a file. Arrays: shape, and little-endian bytes in base 64. Words: digests of six bytes."""

    model_config = examples({"files": [FILE], "outbound": "BSD-3-Clause"})

    files: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_FILES)]


def _documented() -> dict[str, Any]:
    arguments = needs("scan", errors=(404, 409), body=True)
    arguments["responses"] |= {
        200: {
            "model": ScanResource,
            "description": "A scan that is there already, or that `Prefer: wait` saw end.",
        },
        202: {"model": ScanResource, **LATER},
    }
    return arguments


@router.post(
    "", operation_id="createFingerprintScan", summary="Search sketches", status_code=202, **_documented()
)
async def create(
    request: Request,
    asking: Asks,
    body: FingerprintsBody,
    prefer: Prefer = None,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> Response:
    """`whence check --server … --fingerprints-only` makes the body."""
    sketches = await asyncio.to_thread(lambda: [from_json(each) for each in body.files])
    submission = Submission(
        fingerprints=sketches,
        policy=body.policy,
        policy_name=body.policy_name,
        outbound=body.outbound,
        retain=body.retain,
        label=body.label,
    )
    return await accepted_answer(request, asking, submission, idempotency_key)
