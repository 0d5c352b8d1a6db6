"""Turns whatever a route or the framework raises into problem+json. Registered by `create_app`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.api.problems import MEDIA_TYPE, Invalid, document, encoded, problem_of
from app.telemetry import frames
from corpus.errors import WhenceError

log = structlog.get_logger("whence.api")
SLUGS = {
    400: "bad-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
}
MOST_ERRORS = 20


def register(app: FastAPI) -> None:
    """The handlers for every kind of error."""
    app.add_exception_handler(WhenceError, _whence)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def answer(error: WhenceError, request: Request) -> Response:
    """The problem for `error`."""
    status, body, headers = problem_of(error, getattr(request.state, "request_id", ""))
    if status >= 500:
        log.error("service_error", slug=error.slug, status=status, frames=frames(error))
    return Response(encoded(body), status, headers, MEDIA_TYPE)


async def _whence(request: Request, error: Exception) -> Response:
    assert isinstance(error, WhenceError)
    return answer(error, request)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(Invalid(field_errors(error.errors())), request)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(
        error.__cause__, WhenceError
    ):  # what the reading of a body raised, wrapped by the framework
        return answer(error.__cause__, request)
    status = error.status_code
    body = document(SLUGS.get(status, "http-error"), status, "", getattr(request.state, "request_id", ""))
    body["detail"] = f"{body['title']}."
    headers = dict(error.headers or {})
    if status == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return Response(encoded(body), status, headers, MEDIA_TYPE)


def _methods(request: Request) -> list[str]:
    """All methods of a path; a router knows only those of the first route that fits."""
    found: set[str] = set()
    for template, methods in request.app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), request.url.path):
            found |= {method.upper() for method in methods}
    return sorted(found)


async def _unexpected(request: Request, error: Exception) -> Response:
    return answer(WhenceError("unexpected"), request)


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Place and rule of each; a name that the client made up is not repeated."""
    found = []
    for error in errors:
        place = list(error["loc"])
        if error["type"] == "extra_forbidden":
            place[-1] = "(an unknown field)"
        found.append({"where": ".".join(str(part) for part in place), "rule": str(error["msg"])[:200]})
        if len(found) == MOST_ERRORS:
            break
    return found
