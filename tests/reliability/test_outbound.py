"""Addresses that lead inside are never connected to, however they are written or resolved (C29)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from app.auth.targets import BadTarget, check_target
from app.services.outbound import post
from corpus.sources.client import PublicTransport, is_public
from tests.api.test_limits import INSIDE
from tests.figures import Figure

MORE = (
    "[::7f00:1]", "[64:ff9b:1::7f00:1]", "[2001:0:53aa:64c::1]", "[fec0::1]", "[100::1]", "[2001:db8::1]",
    "[ff02::1]", "198.51.100.1", "203.0.113.9",
)  # fmt: skip


class Canary:
    """Listens on every address of this machine and counts who connects."""

    def __init__(self) -> None:
        self.reached = 0
        self.sockets = []
        for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            listener = socket.socket(family, socket.SOCK_STREAM)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, self.port if self.sockets else 0))
            listener.listen(64)
            listener.settimeout(0.1)
            self.sockets.append(listener)
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._count, args=(each,)) for each in self.sockets]

    @property
    def port(self) -> int:
        return int(self.sockets[0].getsockname()[1])

    def _count(self, listener: socket.socket) -> None:
        while not self.stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            self.reached += 1
            connection.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    for thread in made.threads:
        thread.start()
    yield made
    made.stop.set()
    for thread in made.threads:
        thread.join()
    for each in made.sockets:
        each.close()


@contextmanager
def resolving(monkeypatch: pytest.MonkeyPatch, answers: list[list[str]]) -> Iterator[list[str]]:
    """A resolver that answers otherwise each time; the names that it was asked."""
    asked: list[str] = []
    honest = socket.getaddrinfo

    def resolve(host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        if not str(host).endswith(".example.org"):
            return honest(host, port, *arguments, **more)
        asked.append(str(host))
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", resolve)
        yield asked


@pytest.mark.check("C29")
def test_no_connection_leads_inside(canary: Canary, monkeypatch: pytest.MonkeyPatch, figure: Figure) -> None:
    tried = 0
    for url in INSIDE:
        with pytest.raises(BadTarget):
            check_target(url)
        status, problem = post(url, "{}", {}, private=False)
        assert status is None, url
        assert problem, url
        tried += 1
    hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ]
    for host in (*hosts, *MORE):
        status, problem = post(f"http://{host}:{canary.port}/", "{}", {}, private=False)
        assert (status, bool(problem)) == (None, True), host
        tried += 1
    for host in MORE:
        assert not is_public(host.strip("[]")), host
    # A name that resolves inside; one of two addresses inside; one that changes between check and connection.
    for answers in ([["127.0.0.1"]], [["9.9.9.9", "127.0.0.1"]], [["127.0.0.1"], ["9.9.9.9"]]):
        with resolving(monkeypatch, answers):
            status, _ = post(f"http://hook.example.org:{canary.port}/", "{}", {}, private=False)
        assert status is None
        tried += 1
    with resolving(monkeypatch, [["9.9.9.9"], ["127.0.0.1"]]) as asked:
        seen: list[str] = []

        class Inner(httpx2.BaseTransport):
            def handle_request(self, request: httpx2.Request) -> httpx2.Response:
                seen.append(request.url.host)
                return httpx2.Response(302, headers={"Location": f"http://127.0.0.1:{canary.port}/"})

        careful = PublicTransport(Inner(), ())
        with (
            httpx2.Client(transport=careful, follow_redirects=True) as client,
            pytest.raises(httpx2.UnsupportedProtocol),
        ):
            client.get("http://hook.example.org/")  # and then it redirects inside
        assert (seen, asked) == (["9.9.9.9"], ["hook.example.org"])  # resolved once, that address is used
        tried += 1
    figure("C29", "addresses tried", tried, at_least=45)
    figure("C29", "connections to an address inside", canary.reached, exactly=0)
