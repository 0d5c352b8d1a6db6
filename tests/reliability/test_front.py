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
from pathlib import Path

import httpx2
import pytest

from tests.api.service import ROOT, Service
from tests.figures import Figure
from tests.reliability.cluster import quantile
from tests.service.servers import end, free_port

HALF_OPEN, SLOW, SECONDS = 500, 200, 60


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


def attack(port: int, number: int) -> socket.socket:
    """A connection that sends half a head (by plain TLS), or a head and then a byte of body now and then."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Other loopback addresses: one client alone is limited to fifty connections.
    raw = socket.socket()
    raw.bind((f"127.0.{1 + number // 40}.1", 0))
    raw.settimeout(20)
    raw.connect(("127.0.0.1", port))
    connection = context.wrap_socket(raw)
    if number < HALF_OPEN:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: whence.example.org\r\nX-Slow: ")
    else:
        connection.sendall(
            b"POST /v1/scans HTTP/1.1\r\nHost: whence.example.org\r\nContent-Type: text/x-diff\r\n"
            b"Content-Length: 100000\r\n\r\n"
        )
    connection.settimeout(0)
    return connection


class Attackers:
    """Keeps them open; notes when the front closed each."""

    def __init__(self, port: int) -> None:
        self.lives: list[float] = []
        self.selector = selectors.DefaultSelector()
        self.stop = threading.Event()
        for number in range(HALF_OPEN + SLOW):
            self.selector.register(attack(port, number), selectors.EVENT_READ, time.monotonic())
        self.thread = threading.Thread(target=self._hold)
        self.thread.start()

    def _hold(self) -> None:
        while self.selector.get_map() and not self.stop.is_set():
            for key, _ in self.selector.select(0.2):
                connection = key.fileobj
                try:
                    ended = not connection.recv(4096)  # type: ignore[union-attr]
                except (ssl.SSLWantReadError, BlockingIOError):
                    continue
                except OSError:
                    ended = True
                if ended:
                    self.lives.append(time.monotonic() - key.data)
                    self.selector.unregister(connection)
                    connection.close()  # type: ignore[union-attr]

    def close(self) -> int:
        """How many the front left open."""
        self.stop.set()
        self.thread.join()
        left = [key.fileobj for key in list(self.selector.get_map().values())]
        for connection in left:
            connection.close()  # type: ignore[union-attr]
        return len(left)


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
            attackers = Attackers(port)
            begun, spent, refused = time.monotonic(), [], 0
            headers = {"Authorization": f"Bearer {embedded.key('ada')}"}
            while time.monotonic() - begun < SECONDS:
                at = time.monotonic()
                refused += client.get(f"{address}/healthz").status_code != 200
                spent.append(time.monotonic() - at)
                refused += client.get(f"{address}/v1/scans", headers=headers).status_code != 200
                time.sleep(0.05)
            left = attackers.close()
    finally:
        end(front)
    note = f"{HALF_OPEN} half-open, {SLOW} without a body, {SECONDS} s"
    figure("C22", "p99 of /healthz through nginx", quantile(spent, 0.99), at_most=0.5, unit="s", note=note)
    figure("C22", "good requests refused", refused, exactly=0, note=f"of {2 * len(spent)}")
    figure("C22", "bad connections left open", left, exactly=0)
    figure("C22", "longest life of one", max(attackers.lives), at_most=30, unit="s")
