"""The events of a scan or a job as they happen: server-sent events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.responses import StreamingResponse

from app.api.problems import BadRequest
from app.api.resources import moment
from app.context import Context
from app.errors import Busy, NotFound
from app.services.progress import Happening, follow

MOST = 200
LONGEST = 600.0
QUIET = 15.0
"""Seconds after which a comment shows that the connection lives."""

EXAMPLE = """\
retry: 2000

id: 41
event: state
data: {"state": "running", "at": "2026-11-22T10:00:00.120Z"}

id: 42
event: progress
data: {"step": "matching", "done": 2, "total": 3, "at": "2026-11-22T10:00:00.300Z"}

id: 43
event: state
data: {"state": "done", "at": "2026-11-22T10:00:00.480Z"}
"""
DOCUMENTED = {
    "description": (
        "Events `state` {state} and `progress` {step, done, total}, each with `at`. The stream ends with the "
        "work, or after ten minutes; `Last-Event-ID` goes on where it was cut."
    ),
    "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
}


class Streams:
    """The event streams of one process, of which there may be so many."""

    def __init__(self) -> None:
        self.open = 0

    async def answer(
        self, request: Request, context: Context, tenant: str, subject: str
    ) -> StreamingResponse:
        """The stream of a scan or job of `tenant`. Raises NotFound, Busy."""
        after = _last_event_id(request)
        if self.open >= MOST:
            raise Busy("too many event streams are open")
        happenings = follow(context, tenant, subject, after=after, seconds=LONGEST)
        first = await anext(happenings, None)  # raises NotFound while there can still be a problem answered
        return StreamingResponse(
            self._encoded(first, happenings),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _encoded(
        self, first: Happening | None, happenings: AsyncIterator[Happening | None]
    ) -> AsyncIterator[bytes]:
        self.open += 1
        told = time.monotonic()
        try:
            yield b"retry: 2000\n\n"
            if first is not None:
                yield _encode(first)
            async for happening in happenings:
                if happening is not None:
                    yield _encode(happening)
                elif time.monotonic() - told > QUIET:
                    yield b": still here\n\n"
                else:
                    continue
                told = time.monotonic()
        except NotFound:  # erased meanwhile
            return
        finally:
            self.open -= 1


def _encode(happening: Happening) -> bytes:
    data = json.dumps({**happening.data, "at": moment(happening.at)}, allow_nan=False)
    return f"id: {happening.id}\nevent: {happening.kind}\ndata: {data}\n\n".encode()


def _last_event_id(request: Request) -> int:
    given = request.headers.get("last-event-id", "").strip()
    if given and not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise BadRequest("Last-Event-ID is not one that this service gave.")
    return int(given or 0)
