"""Takes a request's headers and body in, within limits, before anything reads them.

Promise: at most `limit` bytes of a body are held, decoded (`diff_limit` for a bare diff); a body that is too
large, too slow, or packed so that it would become too large ends in 413 or 408 without being kept; all bodies
together stay under `room`. A gzip body arrives unpacked. The route behind sees one complete message.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import BadRequest, BodyTooLarge, HeadersTooLarge, RequestTimeout, UnsupportedMedia
from app.errors import Busy
from app.middleware.answers import send_problem
from corpus.errors import WhenceError

DIFF_TYPES = (b"text/x-diff", b"text/x-patch")
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Limits:
    """limit, diff_limit, room: bytes. seconds: until the whole body is here. headers: how many, and bytes."""

    limit: int = 10 << 20
    diff_limit: int = 5 << 20
    room: int = 128 << 20
    seconds: float = 15.0
    header_count: int = 100
    header_bytes: int = 32 << 10


class _Gone(Exception):
    """The client went away before its body was complete."""


class BodyLimits:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits()
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = _Account(self)
        try:
            body = await self._take(scope, receive, send, taken)
            if body is not None:
                _set_length(scope, len(body))
                await self.app(scope, _Replay(body, receive), send)
        finally:
            taken.close()

    async def _take(self, scope: Scope, receive: Receive, send: Send, taken: _Account) -> bytes | None:
        """The body; None once a refusal has been answered, or where nobody waits for an answer."""
        try:
            headers = self._headers(scope)
            limit = self._limit(headers)
            try:
                async with asyncio.timeout(self.limits.seconds):
                    return await self._read(headers, limit, receive, taken)
            except TimeoutError:
                raise RequestTimeout from None
        except WhenceError as error:
            taken.close()
            scope.setdefault("state", {})["body_complete"] = taken.complete
            if isinstance(error, BodyTooLarge) and not taken.complete:
                await self._drain(receive)
            await send_problem(error, scope, send)
        except _Gone:
            pass
        return None

    def _headers(self, scope: Scope) -> dict[bytes, bytes]:
        raw: list[tuple[bytes, bytes]] = scope["headers"]
        total = sum(len(name) + len(value) for name, value in raw) + len(scope.get("raw_path") or b"")
        total += len(scope.get("query_string", b""))
        if len(raw) > self.limits.header_count or total > self.limits.header_bytes:
            raise HeadersTooLarge
        return dict(raw)

    def _limit(self, headers: dict[bytes, bytes]) -> int:
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        limit = self.limits.diff_limit if kind in DIFF_TYPES else self.limits.limit
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 18:
            raise BadRequest("Content-Length is not a number of bytes.")
        if int(declared) > limit:
            raise BodyTooLarge(limit)
        return limit

    async def _read(
        self, headers: dict[bytes, bytes], limit: int, receive: Receive, taken: _Account
    ) -> bytes:
        coding = headers.get(b"content-encoding", b"identity").strip().lower()
        if coding not in (b"identity", b"gzip", b"x-gzip", b""):
            raise UnsupportedMedia(
                "Bodies are read plain or as gzip.", headers={"Accept-Encoding": "gzip, identity"}
            )
        unpack = _Gunzip(limit) if b"gzip" in coding else None
        parts: list[bytes] = []
        arrived = size = 0
        more = True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                chunk: bytes = message.get("body", b"")
                more = message.get("more_body", False)
                taken.complete = not more
                arrived += len(chunk)
                if arrived > limit:
                    raise BodyTooLarge(limit)
                for part in unpack.feed(chunk) if unpack else (chunk,):
                    size += len(part)
                    if size > limit:
                        raise BodyTooLarge(limit)
                    taken.add(len(part))
                    parts.append(part)
        except BaseException:
            parts.clear()  # the traceback would keep them alive while the refusal is answered
            raise
        if unpack and arrived:
            unpack.finish()
        return b"".join(parts)

    async def _drain(self, receive: Receive) -> None:
        """Let an honest client finish sending, so that it reads the answer instead of a reset connection."""
        left = 2 * self.limits.limit
        try:
            async with asyncio.timeout(2.0):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return
        except TimeoutError:
            return


class _Account:
    """What one request holds of the room that all share. complete: nothing more of its body will come."""

    def __init__(self, layer: BodyLimits) -> None:
        self.layer, self.size, self.complete = layer, 0, False

    def add(self, size: int) -> None:
        if self.layer.held + size > self.layer.limits.room:
            raise Busy("too many large bodies are arriving at once")
        self.layer.held += size
        self.size += size

    def close(self) -> None:
        self.layer.held -= self.size
        self.size = 0


class _Gunzip:
    """Unpacks step by step; never holds more than a step beyond the limit."""

    STEP = 256 << 10

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.stream = zlib.decompressobj(_GZIP)
        self.members = 0

    def feed(self, chunk: bytes) -> Iterable[bytes]:
        data = chunk
        while data:
            if self.stream.eof:
                self.members += 1
                if self.members > 64:
                    raise BadRequest("The gzip body has too many members.")
                self.stream = zlib.decompressobj(_GZIP)
            try:
                part = self.stream.decompress(data, self.STEP)
            except zlib.error:
                raise BadRequest("The body is not valid gzip.") from None
            if part:
                yield part
            data = self.stream.unused_data if self.stream.eof else self.stream.unconsumed_tail

    def finish(self) -> None:
        if not self.stream.eof:
            raise BadRequest("The gzip body is cut off.")


class _Replay:
    """Hands the complete body over once, then what really happens on the connection."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Message:
        if self.body is not None:
            body, self.body = self.body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self.receive()


def _set_length(scope: Scope, length: int) -> None:
    """Let the headers say that the body was sent plainly."""
    if length:
        dropped = (b"content-encoding", b"content-length", b"transfer-encoding")
        headers = [pair for pair in scope["headers"] if pair[0] not in dropped]
        scope["headers"] = [*headers, (b"content-length", str(length).encode())]
