"""Errors of the HTTP layer, and how every error becomes `application/problem+json` (RFC 9457).

WhenceError (app.errors has those of the service)
├── RequestError
│   ├── BadRequest        400  bytes that are not what their headers say
│   ├── NotAcceptable     406  no format that the client accepts
│   ├── RequestTimeout    408  the body did not arrive in time
│   ├── UnsupportedMedia  415  a body or a coding of a kind that is not read here
│   ├── Invalid           422  well-formed, but a field is wrong: `errors` names the fields
│   └── HeadersTooLarge   431
└── TooLarge
    └── BodyTooLarge      413  the body, also once it is unpacked

An answer never repeats what was sent: it names places and rules. Errors from 500 on say nothing of the inside
either; the log has it under the request id. Used by the middleware, the handlers and the routes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from app.errors import TooLarge
from corpus.errors import WhenceError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:whence:problem:"
IN_OTHER_WORDS = {
    "no-corpus": "Nothing is indexed yet: POST /v1/corpus/releases or `whence corpus add` adds releases.",
}
"""Details of errors whose own message is for the operator of this machine, by slug."""
CHALLENGE = 'Bearer realm="whence"'


class RequestError(WhenceError):
    """`headers` go into the answer."""

    slug, status = "request-error", 400
    default: ClassVar[str] = ""

    def __init__(self, message: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message or self.default)
        self.headers = dict(headers or {})


class BadRequest(RequestError):
    slug, status = "bad-request", 400


class NotAcceptable(RequestError):
    slug, status = "not-acceptable", 406


class RequestTimeout(RequestError):
    slug, status, default = "request-timeout", 408, "The body did not arrive in time."


class UnsupportedMedia(RequestError):
    slug, status = "unsupported-media-type", 415


class Invalid(RequestError):
    """`errors`: where (`body.files[0].path`) and what rule, one a field."""

    slug, status, default = "invalid-request", 422, "The request has fields that are not valid."

    def __init__(self, errors: Sequence[Mapping[str, str]], message: str = "") -> None:
        super().__init__(message)
        self.errors = list(errors)


class HeadersTooLarge(RequestError):
    slug, status, default = "headers-too-large", 431, "Too many or too long header fields."


class BodyTooLarge(TooLarge):
    """For a body that was not read to its end: nobody knows its size."""

    def __init__(self, limit: int) -> None:
        WhenceError.__init__(self, f"The body is larger than {limit} bytes (unpacked, if it was compressed).")


def problem_of(error: WhenceError, request_id: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers for an error."""
    status = error.status
    inside = status >= 500 and status != HTTPStatus.SERVICE_UNAVAILABLE
    detail = "The service failed; its log has this under the request id." if inside else error.message
    detail = IN_OTHER_WORDS.get(error.slug, detail)
    body = document(error.slug, status, detail, request_id)
    if errors := getattr(error, "errors", None):
        body["errors"] = errors
    headers: dict[str, str] = dict(getattr(error, "headers", None) or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", CHALLENGE)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is None and status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = 5
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    return status, body, headers


def document(slug: str, status: int, detail: str, request_id: str) -> dict[str, Any]:
    """The members that every problem has."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": _clean(detail),
        "request_id": request_id,
    }


def encoded(body: Mapping[str, Any]) -> bytes:
    """ASCII JSON: no character of a message can break a log, a terminal or a decoder."""
    return json.dumps(body, allow_nan=False).encode("ascii")


def _clean(text: str, most: int = 500) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text[:most])
