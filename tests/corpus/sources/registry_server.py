"""A registry on loopback for the tests: real HTTP, content made by the tests, faults on demand."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import lzma
import tarfile
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote


class Registry:
    """Serves `files` (path → bytes) until closed.

    faults: path → what happens to the next requests for it, one entry each: an int is a status,
    ("cut", n) ends the connection after n bytes of the body, "endless" never ends the body,
    ("redirect", url) redirects. requests: (path, headers) in order of arrival.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.faults: dict[str, list[object]] = defaultdict(list)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.validators = True
        self.ranges = True
        handler = type("Handler", (_Handler,), {"registry": self})
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def asked_for(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.requests if asked == path]

    # ---- content -------------------------------------------------------------------------------

    def add_debian(
        self,
        source: str,
        version: str,
        files: dict[str, bytes],
        component: str = "main",
        root: str = "/debian",
    ) -> str:
        """Put a source package into the pool; return the folder's path."""
        prefix = source[:4] if source.startswith("lib") else source[0]
        folder = f"{root}/pool/{component}/{prefix}/{source}"
        stem = f"{source}_{version.partition(':')[2] or version}"
        self.files[f"{folder}/{stem}.dsc"] = dsc(source, version, files).encode()
        for name, body in files.items():
            self.files[f"{folder}/{name}"] = body
        return folder

    def add_sources_index(self, suite: str, stanzas: str, root: str = "/debian", suffix: str = "xz") -> None:
        packed = lzma.compress(stanzas.encode()) if suffix == "xz" else gzip.compress(stanzas.encode())
        name = f"main/source/Sources.{suffix}"
        release = f"Suite: {suite}\nSHA256:\n {_sha256(packed)} {len(packed)} {name}\n"
        self.files[f"{root}/dists/{suite}/InRelease"] = signed(release).encode()
        self.files[f"{root}/dists/{suite}/{name}"] = packed

    def add_pypi(
        self, name: str, files: dict[str, bytes], *, digests: bool = True, html: bool = False
    ) -> None:
        links, entries = [], []
        for filename, body in files.items():
            self.files[f"/files/{filename}"] = body
            sha256 = _sha256(body) if digests else ""
            fragment = f"#sha256={sha256}" if digests else ""
            links.append(f'<a href="../../files/{filename}{fragment}">{filename}</a>')
            entries.append(
                {
                    "filename": filename,
                    "url": f"../../files/{filename}",
                    "hashes": {"sha256": sha256} if digests else {},
                    "size": len(body),
                }
            )
        path = f"/simple/{name}/"
        if html:
            self.files[path] = f"<!DOCTYPE html><html><body>{'<br>'.join(links)}</body></html>".encode()
            self.types[path] = "text/html"
        else:
            page = {"meta": {"api-version": "1.0"}, "name": name, "files": entries}
            self.files[path] = json.dumps(page).encode()
            self.types[path] = "application/vnd.pypi.simple.v1+json"

    def add_npm(self, name: str, version: str, tarball: bytes, **extra: object) -> str:
        """Put a package into the registry; return the tarball's path."""
        base = name.rpartition("/")[2]
        path = f"/npm/{name}/-/{base}-{version}.tgz"
        self.files[path] = tarball
        dist = {
            "tarball": self.url + path,
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode(),
            "shasum": hashlib.sha1(tarball).hexdigest(),
        }
        release = {"name": name, "version": version, "dist": dist, "license": "GPL-3.0-only", **extra}
        document = json.dumps({"name": name, "versions": {version: release}}).encode()
        self.files["/npm/" + name.replace("/", "%2F")] = document
        return path


class QuietServer(ThreadingHTTPServer):
    """A client that hangs up, as ours does at a limit, is no error of the server."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    registry: ClassVar[Registry]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output quiet."""

    def do_GET(self) -> None:
        registry = self.registry
        registry.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        fault = registry.faults[self.path].pop(0) if registry.faults[self.path] else None
        body = registry.files.get(self.path, registry.files.get(unquote(self.path)))
        if isinstance(fault, int):
            self._answer(fault, b"", {"Retry-After": "0"})
        elif isinstance(fault, tuple) and fault[0] == "redirect":
            self._answer(302, b"", {"Location": fault[1]})
        elif fault == "endless":
            self._endless()
        elif body is None:
            self._answer(404, b"", {})
        else:
            cut = fault[1] if isinstance(fault, tuple) else None
            self._answer_file(body, cut)

    def _answer_file(self, body: bytes, cut: int | None) -> None:
        registry = self.registry
        headers = {"Content-Type": registry.types.get(self.path, "application/octet-stream")}
        etag = f'"{_sha256(body)[:16]}"'
        if registry.validators:
            headers["ETag"] = etag
        wanted = self.headers.get("Range", "")
        fits = self.headers.get("If-Range") in (None, etag)
        if wanted.startswith("bytes=") and registry.ranges and fits:
            start = int(wanted[6:].rstrip("-"))
            if start >= len(body):
                self._answer(416, b"", {})
                return
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._answer(206, body[start:], headers, cut)
        else:
            self._answer(200, body, headers, cut)

    def _answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()
        if cut is not None:
            self.close_connection = True

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for _ in range(20_000):  # 1.2 GiB at most: far above the limits that the tests set
                self.wfile.write(b"x" * 65536)
        except OSError:
            return


def dsc(source: str, version: str, files: dict[str, bytes]) -> str:
    """Return a .dsc with an inline signature, as Debian writes it (the signature itself is nonsense)."""
    listed = "\n".join(f" {_sha256(body)} {len(body)} {name}" for name, body in files.items())
    text = (
        f"Format: 3.0 (quilt)\nSource: {source}\nVersion: {version}\n"
        f"Homepage: https://www.example.org/{source}\nChecksums-Sha256:\n{listed}\n"
    )
    return signed(text)


def signed(text: str) -> str:
    return (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{text}"
        "-----BEGIN PGP SIGNATURE-----\n\niQAA\n-----END PGP SIGNATURE-----\n"
    )


def sources_stanza(source: str, version: str, files: dict[str, bytes]) -> str:
    listed = "\n".join(f" {_sha256(body)} {len(body)} {name}" for name, body in files.items())
    return (
        f"Package: {source}\nVersion: {version}\nDirectory: pool/main/{source[0]}/{source}\n"
        f"Checksums-Sha256:\n{listed}\n\n"
    )


def tarball(files: dict[str, bytes]) -> bytes:
    """Return a .tar.gz of these files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return out.getvalue()


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
