"""Sends a problem from a plain ASGI layer, where no framework helps."""

from __future__ import annotations

from starlette.types import Scope, Send

from app.api.problems import MEDIA_TYPE, encoded, problem_of
from corpus.errors import WhenceError


def request_id_of(scope: Scope) -> str:
    """The id that the outermost layer gave this request, or ""."""
    found: str = scope.get("state", {}).get("request_id", "")
    return found


def has_body(scope: Scope) -> bool:
    """Whether the client announced a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0"))
        for name, value in scope["headers"]
    )


async def send_problem(error: WhenceError, scope: Scope, send: Send) -> None:
    """Answer with the problem for `error`; the connection ends where a body was left unread."""
    status, body, headers = problem_of(error, request_id_of(scope))
    content = encoded(body)
    if has_body(scope) and not scope.get("state", {}).get("body_complete"):
        headers["Connection"] = "close"  # or the server would read on, as long as the client likes to send
    headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(content)), **headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
