"""Bodies that are too large, too slow, too clever: refused without being kept."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import threading
import zlib
from collections.abc import Iterator

import pytest
from starlette.types import Message

from app.middleware.body import BodyLimits, Limits
from tests.api.service import Service, copied
from tests.figures import Figure

MIB = 1 << 20
DIFF = {"Content-Type": "text/x-diff"}
JSON = {"Content-Type": "application/json"}


def chunks(total: int, size: int = 256 << 10) -> Iterator[bytes]:
    block = b"x" * size
    for _ in range(total // size):
        yield block


def bomb(megabytes: int) -> bytes:
    """gzip of so many MiB of zeros, made without holding them."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(pack.compress(bytes(MIB)) for _ in range(megabytes)) + pack.flush()


@pytest.mark.check("C21")
def test_large_bodies_are_refused_and_not_kept(embedded: Service, figure: Figure) -> None:
    with embedded.client("ada") as ada:
        ada.post("/v1/scans", content=b"x" * MIB, headers=JSON)
        before = embedded.memory()
        cases = [
            (b"x" * (11 * MIB), JSON),
            (b"x" * (6 * MIB), DIFF),
            (chunks(1024 * MIB, MIB), JSON),
            (bomb(200), JSON | {"Content-Encoding": "gzip"}),
            (bomb(6), DIFF | {"Content-Encoding": "gzip"}),
            (gzip.compress(bytes(9 * MIB)) * 2, JSON | {"Content-Encoding": "gzip"}),
        ]
        for content, headers in cases:
            answer = ada.post("/v1/scans", content=content, headers=headers)
            assert answer.status_code == 413, answer.text
            assert answer.json()["type"] == "urn:whence:problem:too-large"
        assert ada.post("/v1/scans", content=copied("after"), headers=DIFF).status_code in (200, 202)
    grown = (embedded.memory() - before) / MIB
    figure("C21", "memory after bodies of 11 MiB, 1 GiB and bombs", grown, at_most=32, unit="MiB")


@pytest.mark.check("C21")
def test_twenty_at_once_stay_within_bounds(embedded: Service, figure: Figure) -> None:
    before, statuses = embedded.memory(), []
    highest = [before]
    stop = threading.Event()

    def post() -> None:
        with embedded.client("ada") as ada:
            statuses.append(ada.post("/v1/scans", content=chunks(11 * MIB), headers=JSON).status_code)

    def watch() -> None:
        while not stop.wait(0.02):
            highest.append(embedded.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    watcher.join()
    assert len(statuses) == 20
    assert set(statuses) <= {413, 503}
    grown = (max(highest) - before) / MIB
    figure("C21", "memory for 20 large bodies at once", grown, at_most=300, unit="MiB")


def raw(service: Service, request: bytes, finish: bool = True) -> bytes:
    """Bytes sent as they are, and the answer until the server closes."""
    host, port = service.url.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        if finish:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # what was sent and not read cuts the connection
            while part := connection.recv(65536):
                answer += part
        return answer


def head(service: Service, *lines: str) -> bytes:
    authorization = f"Authorization: Bearer {service.key('ada')}"
    return "\r\n".join(["POST /v1/scans HTTP/1.1", "Host: x", authorization, *lines, "", ""]).encode()


@pytest.mark.check("C21")
def test_a_lying_length_gets_no_scan(embedded: Service) -> None:
    announced = head(embedded, "Content-Type: text/x-diff", "Content-Length: 100")
    assert b"HTTP/1.1 202" not in raw(embedded, announced + b"+x\n")
    too_long = head(embedded, "Content-Type: text/x-diff", "Content-Length: 99999999999")
    assert raw(embedded, too_long + b"x", finish=False).startswith(b"HTTP/1.1 413")
    for wrong in ("-1", "1e3", "0x10", "1" * 30):
        request = head(embedded, "Content-Type: text/x-diff", f"Content-Length: {wrong}") + b"x"
        assert raw(embedded, request, finish=False).split(b" ")[1] in (b"400", b"413"), wrong
    both = head(embedded, "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n"
    assert b"HTTP/1.1 202" not in raw(embedded, both)


def test_huge_headers_end_the_connection(embedded: Service) -> None:
    answer = raw(embedded, head(embedded, "X-Long: " + "x" * 200_000), finish=False)
    assert not answer or answer.split(b" ")[1] in (b"400", b"431")


class Upstream:
    """Stands behind the layer: answers 200 and keeps what came."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: dict, receive, send) -> None:  # type: ignore[no-untyped-def,type-arg]
        message = await receive()
        assert not message["more_body"]
        self.bodies.append(message["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def statuses_of(limits: Limits, *requests: tuple[list[bytes], dict[bytes, bytes], float]) -> list[int]:
    """Statuses for requests of (chunks, headers, seconds before each chunk) that come at the same time."""
    layer = BodyLimits(Upstream(), limits)

    async def one(parts: list[bytes], headers: dict[bytes, bytes], pause: float) -> int:
        waiting, sent = list(parts), []

        async def receive() -> Message:
            await asyncio.sleep(pause)
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting)}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": list(headers.items()), "state": {}}
        await layer(scope, receive, send)
        return int(sent[0]["status"])

    async def all_of_them() -> list[int]:
        return list(await asyncio.gather(*(one(*request) for request in requests)))

    found = asyncio.run(all_of_them())
    assert layer.held == 0
    return found


@pytest.mark.parametrize(
    ("parts", "headers", "status"),
    [
        ([b"x" * 100], {}, 200),
        ([b"x" * 50, b"x" * 50], {}, 200),
        ([b"x" * 50, b"x" * 51], {}, 413),
        ([b"x" * 40], {b"content-type": b"text/x-diff; charset=utf-8"}, 200),
        ([b"x" * 41], {b"content-type": b"Text/X-Diff"}, 413),
        ([gzip.compress(b"x" * 100)], {b"content-encoding": b"gzip"}, 200),
        ([gzip.compress(b"x" * 60) + gzip.compress(b"x" * 40)], {b"content-encoding": b"gzip"}, 200),
        ([gzip.compress(b"x" * 101)], {b"content-encoding": b"gzip"}, 413),
        ([gzip.compress(b"x" * 50)[:-1]], {b"content-encoding": b"gzip"}, 400),
        ([gzip.compress(b"x" * 50) + b"tail"], {b"content-encoding": b"gzip"}, 400),
        ([b"x"], {b"content-encoding": b"deflate"}, 415),
        ([b"x"], {b"content-length": b"101"}, 413),
        ([b"x"], {b"content-length": b"one"}, 400),
    ],
)
def test_limits_hold_at_their_edges(parts: list[bytes], headers: dict[bytes, bytes], status: int) -> None:
    assert statuses_of(Limits(limit=100, diff_limit=40), (parts, headers, 0.0)) == [status]


def test_a_slow_body_is_given_up_and_a_steady_one_is_not() -> None:
    limits = Limits(seconds=0.3)
    slow, steady = ([b"x"] * 20, {}, 0.05), ([b"x"] * 4, {}, 0.01)
    assert statuses_of(limits, slow, steady) == [408, 200]


def test_all_bodies_share_one_room() -> None:
    limits = Limits(limit=100, room=250)
    together = statuses_of(limits, *[([b"x" * 90, b"x"], {}, 0.01)] * 4)
    assert sorted(together) == [200, 200, 503, 503]
