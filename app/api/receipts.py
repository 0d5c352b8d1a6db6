"""`/v1/scans/{id}/receipt`: a signed record of what was searched, to keep and to check offline."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Request
from pydantic import Field
from starlette.responses import Response

from app.api.access import Asking, Asks, ScanId, needs, problems
from app.api.formats import choose
from app.api.resources import Resource
from app.api.scans import matches
from app.errors import Conflict, NotFound
from app.receipt.markdown import render
from app.receipt.signature import verify
from app.services import scans
from app.services.receipts import Signer

router = APIRouter(prefix="/v1", tags=["receipts"])

IfNoneMatch = Annotated[str | None, Header(max_length=500)]
TYPES = {"application/json": "json", "text/markdown": "md"}


class ReceiptKeyResource(Resource):
    """The key that signs this server's receipts: 64 hex digits, as `whence receipt verify --key` reads it."""

    algorithm: Literal["Ed25519"]
    public_key: str = Field(examples=["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"])
    fingerprint: str = Field(examples=["21fe31dfa154a261"])


def _documented(*errors: int) -> dict[str, Any]:
    arguments = needs("read", "scan", errors=(304, 404, 409, *errors))
    arguments["responses"][200] = {
        "description": "The receipt: canonical JSON, byte for byte as it was signed; or a summary to read.",
        "content": {
            "application/json": {"schema": {"type": "object", "required": ["body", "signature", "signed"]}},
            "text/markdown": {"schema": {"type": "string"}},
        },
    }
    return arguments


@router.get(
    "/scans/{scan_id}/receipt",
    operation_id="getReceipt",
    summary="Receipt by Accept",
    response_class=Response,
    **_documented(406),
)
async def receipt(
    request: Request, asking: Asks, scan_id: ScanId, if_none_match: IfNoneMatch = None
) -> Response:
    """JSON to verify, or Markdown to show. 409 while the scan is not done, and where no text was sent.

    It holds digests of the lines that were searched, never the lines, and stays when their text is erased.
    """
    wanted = choose(request.headers.get("accept", ""), TYPES, "json")
    answer = await _answer(request, asking, scan_id, wanted, if_none_match)
    answer.headers["Vary"] = "Accept"
    return answer


@router.get(
    "/scans/{scan_id}/receipt.{suffix}",
    operation_id="getReceiptAs",
    summary="Receipt by suffix",
    response_class=Response,
    **_documented(),
)
async def receipt_as(
    request: Request,
    asking: Asks,
    scan_id: ScanId,
    suffix: Annotated[
        str, Path(pattern="^[a-z]{1,20}$", json_schema_extra={"enum": ["json", "md"]}, examples=["json"])
    ],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The receipt as json or md."""
    if suffix not in TYPES.values():
        raise NotFound("format", suffix)
    return await _answer(request, asking, scan_id, suffix, if_none_match)


async def _answer(
    request: Request, asking: Asking, scan_id: str, suffix: str, if_none_match: str | None
) -> Response:
    signer: Signer = request.app.state.signer
    async with asking.work(read=True) as work:
        stored = await scans.report(work, scan_id)
    if stored.receipt is None:
        raise Conflict(
            "there is no receipt of this scan: sketches were sent, and no text to state digests of"
        )
    # Weak: each answer is signed anew, the statement is the same.
    version = f"{stored.receipt.digest} {await signer.public_key()} {suffix}".encode()
    etag = f'W/"{hashlib.sha256(version).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if matches(if_none_match, etag.removeprefix("W/")):
        return Response(status_code=304, headers=headers)
    signed = await signer.sign(stored.receipt)
    if suffix == "json":
        return Response(signed, 200, headers, "application/json")
    text = await asyncio.to_thread(lambda: render(verify(signed)))
    return Response(text.encode("utf-8"), 200, headers, "text/markdown")


@router.get(
    "/receipts/key",
    operation_id="getReceiptKey",
    summary="The key that signs receipts",
    responses=problems(400, 401, 403, 422, 429, 431, 500, 503),
)
async def key(request: Request) -> ReceiptKeyResource:
    """For those who check receipts: `whence receipt verify FILE --key KEYFILE`. Needs no API key."""
    signer: Signer = request.app.state.signer
    public_key = await signer.public_key()
    fingerprint = hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]
    return ReceiptKeyResource(algorithm="Ed25519", public_key=public_key, fingerprint=fingerprint)
