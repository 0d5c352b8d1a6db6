"""The outermost layer: gives each request an id, logs one line, counts, and answers when all else failed.

The log has the route's template, never the path, query, headers or body: those may quote private text.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.answers import send_problem
from app.telemetry import frames
from corpus.errors import WhenceError

log = structlog.get_logger("whence.http")
_OWN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/healthz", "/livez", "/readyz", "/metrics")

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Counts(Protocol):
    """Where finished requests are counted."""

    def request(self, method: str, route: str, status: int, seconds: float) -> None: ...


class Requests:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp, counts: Counts | None = None) -> None:
        self.app, self.counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _given_id(scope) or uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        began, status, started = time.perf_counter(), 500, False

        async def finish(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = list(message.get("headers", ()))
                present = {name for name, _ in headers}
                headers.append((b"x-request-id", request_id.encode()))
                headers += [pair for pair in SECURITY_HEADERS if pair[0] not in present]
                headers += [(k.encode(), v.encode()) for k, v in state.get("answer_headers", {}).items()]
                message = {**message, "headers": headers}
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self.app(scope, receive, finish)
        except Exception as error:
            log.error("request_failed", error=type(error).__name__, frames=frames(error))
            if started:
                raise  # the server cuts the connection, so that a half answer is not taken for a whole one
            await send_problem(WhenceError("unexpected"), scope, finish)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
            self._note(scope, request_id, status, time.perf_counter() - began)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        if self.counts:
            self.counts.request(method, route, status, seconds)
        if route in _QUIET and status < 400:
            return
        caller = scope.get("state", {}).get("caller")
        log.info(
            "request",
            request_id=request_id,
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            key=getattr(caller, "key_id", None),
            tenant=getattr(caller, "tenant", None),
        )


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def route_of(scope: Scope) -> str:
    """The template of the route that answered, or `(none)`."""
    return str(getattr(scope.get("route"), "path", None) or "(none)")


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _OWN_ID.fullmatch(text) else None
    return None
