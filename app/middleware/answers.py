"""Sends a problem from a plain ASGI layer, where no framework helps."""

from __future__ import annotations

from starlette.types import Scope, Send

from app.api.problems import MEDIA_TYPE, encoded, problem_of
from corpus.errors import WhenceError


def request_id_of(scope: Scope) -> str:
    """The id that the outermost layer gave this request, or ""."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


async def send_problem(error: WhenceError, scope: Scope, send: Send) -> None:
    """Answer with the problem for `error`."""
    status, body, headers = problem_of(error, request_id_of(scope))
    content = encoded(body)
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(content)), **headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
