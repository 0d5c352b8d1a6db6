"""The front that is shipped ends half-open and slow connections, and good requests pass (C22)."""

from __future__ import annotations

import re
import selectors
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.api.service import ROOT, Service
from tests.figures import Figure
from tests.reliability.cluster import quantile
from tests.service.servers import end, free_port

HALF_OPEN, SLOW, SECONDS, BETWEEN_BYTES = 500, 200, 60, 2


def configuration(folder: Path, port: int, service: Service) -> Path:
    """deploy/nginx.conf with the certificate, the ports and what an `http` block needs; nothing else."""
    text = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    upstream = re.sub(r"^https?://|/$", "", service.url)
    for old, new in (
        ("server 127.0.0.1:8321;", f"server {upstream};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("/etc/ssl/whence/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/ssl/whence/key.pem", str(folder / "key.pem")),
    ):
        assert old in text
        text = text.replace(old, new)
    whole = (
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        "events { worker_connections 2048; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{text}\n}}\n"
    )
    path = folder / "nginx.conf"
    path.write_text(whole)
    return path


class Attackers:
    """Half-open and slow connections, each replaced when the front has closed it, until they are told to end.

    The half-open ones send a head, the slow ones a body that nobody refuses: a byte now and then, so that no
    single read takes long. closed: seconds that each lived. left: seconds that those still open live.
    """

    def __init__(self, port: int, key: str) -> None:
        self.closed: list[float] = []
        self.left: list[float] = []
        self._port, self._key = port, key
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self.all_open = threading.Event()
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _open(self, number: int) -> None:
        raw = socket.socket()
        # Other loopback addresses: one client alone is limited to fifty connections.
        raw.bind((f"127.0.{1 + number // 40}.1", 0))
        raw.settimeout(20)
        raw.connect(("127.0.0.1", self._port))
        connection = self._context.wrap_socket(raw)
        if number < HALF_OPEN:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: whence.example.org\r\nX-Slow: ")
        else:
            connection.sendall(
                b"POST /v1/scans HTTP/1.1\r\nHost: whence.example.org\r\nContent-Type: text/x-diff\r\n"
                b"Authorization: Bearer %b\r\nContent-Length: 100000\r\n\r\n" % self._key.encode()
            )
        connection.settimeout(0)
        self._selector.register(connection, selectors.EVENT_READ, (number, time.monotonic()))

    def _hold(self) -> None:
        for number in range(HALF_OPEN + SLOW):
            self._open(number)
            self._look(0)
        self.all_open.set()
        sent = 0.0
        while not self._stop.is_set():
            if time.monotonic() - sent > BETWEEN_BYTES:
                sent = time.monotonic()
                for key in list(self._selector.get_map().values()):
                    self._try(key, lambda connection: connection.send(b"x"))
            self._look(0.2)
        for key in list(self._selector.get_map().values()):
            self.left.append(time.monotonic() - key.data[1])
            key.fileobj.close()  # type: ignore[union-attr]

    def _look(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._try(key, lambda connection: connection.recv(4096))

    def _try(self, key: selectors.SelectorKey, act: Callable[[ssl.SSLSocket], object]) -> None:
        """Read or send; another connection takes the place of one that has ended."""
        connection: ssl.SSLSocket = key.fileobj  # type: ignore[assignment]
        try:
            if act(connection):
                return
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
            return
        except OSError:
            pass
        number, begun = key.data
        self.closed.append(time.monotonic() - begun)
        self._selector.unregister(connection)
        connection.close()
        self._open(number)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.mark.check("C22")
@pytest.mark.long
@pytest.mark.timeout(400)
def test_slow_connections_end_at_the_front(embedded: Service, tmp_path: Path, figure: Figure) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    assert Path(nginx).exists(), "nginx is not installed: `make check` installs it"
    tmp_path.chmod(0o755)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=whence",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    front = subprocess.Popen(
        [nginx, "-c", str(configuration(tmp_path, port, embedded)), "-e", str(tmp_path / "error.log")],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    attackers = None
    try:
        with httpx2.Client(verify=False, trust_env=False, timeout=30) as client:
            address = f"https://127.0.0.1:{port}"
            for _ in range(100):
                try:
                    assert client.get(f"{address}/healthz").status_code == 200
                    break
                except httpx2.TransportError:
                    assert front.poll() is None, (tmp_path / "error.log").read_text()
                    time.sleep(0.05)
            attackers = Attackers(port, embedded.key("brin"))
            assert attackers.all_open.wait(60)
            begun, spent, refused = time.monotonic(), [], 0
            headers = {"Authorization": f"Bearer {embedded.key('ada')}"}
            while time.monotonic() - begun < SECONDS:
                at = time.monotonic()
                refused += client.get(f"{address}/healthz").status_code != 200
                spent.append(time.monotonic() - at)
                refused += client.get(f"{address}/v1/scans", headers=headers).status_code != 200
                time.sleep(0.05)
    finally:
        if attackers:
            attackers.close()
        end(front)
    assert len(attackers.closed) > HALF_OPEN + SLOW
    note = f"{HALF_OPEN} half-open, {SLOW} with slow bodies, a byte each {BETWEEN_BYTES} s, for {SECONDS} s"
    figure("C22", "p99 of /healthz through nginx", quantile(spent, 0.99), at_most=0.5, unit="s", note=note)
    figure("C22", "good requests refused", refused, exactly=0, note=f"of {2 * len(spent)}")
    lives = [*attackers.closed, *attackers.left]
    figure(
        "C22", "longest life of a bad connection", max(lives), at_most=30, unit="s", note=f"of {len(lives)}"
    )
