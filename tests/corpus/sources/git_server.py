"""Git repositories for the tests: made by git itself, and served over https on loopback by git's own CGI."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import os
import ssl
import subprocess
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from corpus.model import Fetched
from corpus.sources import SourceSettings
from tests.corpus.sources.registry_server import QuietServer

_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
}  # fmt: skip


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Run git in a folder, as the tests' own user, and return its output."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=_ENVIRONMENT,
        input=stdin,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().strip()


def make_repository(folder: Path, files: dict[str, bytes], *init: str) -> str:
    """Make a repository with one commit of these files; return the commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", *init)
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=one")
    return git(folder, "rev-parse", "HEAD")


FILES = {"src/main.c": b"int main(void) { return 0; }\n", "COPYING": b"GPL\n", "\u00e4 b.txt": b"x\n"}
SETTINGS = SourceSettings(max_seconds=30)


def purl_of(address: str, commit: str) -> str:
    return f"pkg:generic/thing?vcs_url=git+{address}@{commit}"


def contents(fetched: Fetched) -> dict[str, bytes]:
    with tarfile.open(fetched.artifacts[0].path) as archive:
        found = {}
        for member in archive:
            assert member.isreg()
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name.partition("/")[2]] = stream.read()
        return found


class GitServer:
    """Serves the repositories under `root` at https://127.0.0.1:<port>/.

    redirects: path → URL. stall: seconds before each answer.
    certificate: a PEM file that vouches for the server.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.redirects: dict[str, str] = {}
        self.requests: list[str] = []
        self.stall = 0.0
        self.certificate, key = _self_signed(folder)
        handler = type("Handler", (_Handler,), {"git_server": self})
        self._server = QuietServer(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"https://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    git_server: ClassVar[GitServer]

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output quiet."""

    def do_GET(self) -> None:
        self.git_server.requests.append(self.path)
        time.sleep(self.git_server.stall)
        path = urlsplit(self.path)
        for start, target in self.git_server.redirects.items():
            if path.path.startswith(start):
                self.send_response(302)
                self.send_header("Location", target)
                self.end_headers()
                return
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        environment = _ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.git_server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path.path,
            "QUERY_STRING": path.query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False, timeout=60
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET


def _self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 and its key, made for this run."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file
