"""What a route says of itself (its scope, its errors) and what it is handed (caller, context).

`needs("read", errors=(404,))` are the keyword arguments of a route: the check of the caller's key, and the
documentation of both. A test compares all of them with the committed openapi.json.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Request

from app.api.problems import MEDIA_TYPE
from app.auth.callers import Caller
from app.context import Context
from app.errors import Forbidden, Unauthorized
from app.settings import Settings
from app.work import Work

MEANINGS = {
    304: "Not changed since the ETag that was sent.",
    400: "The request is malformed.",
    401: "No key, or not a valid one.",
    403: "The key lacks the scope that this needs.",
    404: "Does not exist, or belongs to somebody else.",
    406: "None of the accepted formats can be given.",
    408: "The body did not arrive in time.",
    409: "Contradicts the state of what it names.",
    413: "The body is too large.",
    415: "A body of a kind that is not read here.",
    422: "A field is not valid; `errors` says which.",
    429: "Too many requests, or too many scans waiting; `Retry-After` says when to come back.",
    431: "Too many or too long header fields.",
    500: "The service failed.",
    503: "No room or no database now; `Retry-After` says when to come back.",
}
ALWAYS = (400, 422, 431, 429, 500, 503)
WITH_BODY = (408, 413, 415)
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?([0-9]{1,4})\"?(?=$|[,;\s])")
LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class Asking:
    """A request's caller and what this process holds."""

    caller: Caller
    context: Context

    @property
    def actor(self) -> str:
        """Who did it, for the audit log."""
        return self.caller.key_id or "anonymous"

    @property
    def settings(self) -> Settings:
        return self.context.settings

    def work(self, *, read: bool = False) -> AbstractAsyncContextManager[Work]:
        """One transaction of the caller's tenant."""
        return self.context.work(self.caller.tenant, read=read)


def context_of(request: Request) -> Context:
    """What the process holds; set when the application starts."""
    context: Context = request.app.state.context
    return context


async def asking(request: Request) -> Asking:
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        raise Unauthorized("send a key: `Authorization: Bearer whence_…`")
    return Asking(caller, context_of(request))


Asks = Annotated[Asking, Depends(asking)]
ScanId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["scan_01k9q8v7f3m2n5p6r8s9t0v1w2"])]


def needs(*scopes: str, errors: tuple[int, ...] = (), body: bool = False) -> dict[str, Any]:
    """Arguments of a route that a key with any one of `scopes` may use.

    errors: further statuses that it answers with. body: whether it reads one.
    """
    listed = sorted({*ALWAYS, 401, 403, *errors, *(WITH_BODY if body else ())})
    return {
        "dependencies": [Depends(_require(scopes))],
        "responses": problems(*listed),
        "openapi_extra": {"security": [{"key": []}], "x-scopes": list(scopes)},
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of errors."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    found: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        found[status] = {"description": MEANINGS[status], **({"content": content} if status >= 400 else {})}
    return found


def _require(scopes: tuple[str, ...]) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        who = await asking(request)
        if not who.caller.scopes.intersection(scopes):
            raise Forbidden(f"this key does not have the scope {' or '.join(scopes)}")

    return check


def wait_of(request: Request) -> int:
    """Seconds that `Prefer: wait=N` asks for, at most LONGEST_WAIT; 0 without."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(int(found[1]), LONGEST_WAIT) if found else 0
