"""Bytes from a registry: with limits, retries, resumption and digests. The only module that speaks HTTP here.

Promises: a file in the store has the digest that was announced for it; a transient error is tried again
with back-off; a transfer that was cut goes on where it stopped; no body grows past its limit; a message
never shows the user name or password of a URL. Called by the sources, never by shells.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from corpus.errors import DigestMismatch, NotInRegistry, SourceError
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store, digest_of, key_of

if TYPE_CHECKING:
    import httpx2

_BLOCK = 1 << 18
_LONGEST_WAIT = 30.0
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
# Best first; md5 alone would not keep out a forged file.
ALGORITHMS = ("sha512", "sha384", "sha256", "sha1")
_T = TypeVar("_T")


class _Transient(Exception):
    """A failure that another attempt may cure. `after`: seconds that the server asks to wait."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that lies in the store."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. digests: hex, by algorithm; size: bytes, when announced."""

    url: str
    name: str
    digests: Mapping[str, str]
    size: int | None = None

    def strongest(self) -> tuple[str, str] | None:
        """Return the best announced (algorithm, hex digest)."""
        for algorithm in ALGORITHMS:
            if digest := self.digests.get(algorithm):
                return algorithm, digest.lower()
        return None


class Downloader:
    """Fetches for one release from one registry.

    cafile, proxy: as the registry's own client is configured; environment variables count besides.
    trusted: hosts that may have non-public addresses although `public_only` is set.
    """

    def __init__(
        self,
        purl: str,
        store: Store,
        settings: SourceSettings,
        progress: Progress | None = None,
        *,
        cafile: str = "",
        proxy: str = "",
        trusted: tuple[str, ...] = (),
    ) -> None:
        from corpus.sources.client import open_client

        self.purl, self.store, self.settings = purl, store, settings
        self._progress = progress or (lambda name, done, total: None)
        self._client = open_client(settings, cafile=cafile, proxy=proxy, trusted=trusted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def read(self, url: str, limit: int, accept: str = "*/*") -> tuple[bytes, str, str]:
        """Return (body, content type, final URL) of a small document. Raises NotInRegistry, SourceError."""
        if url.startswith("file:"):
            return self._read_file(url, limit)

        def attempt(deadline: float) -> tuple[bytes, str, str]:
            with self._answer(url, {"Accept": accept}) as answer:
                blocks, size = [], 0
                for block in answer.iter_bytes(_BLOCK):
                    size += len(block)
                    self._within(url, size, limit, deadline)
                    blocks.append(block)
                return b"".join(blocks), answer.headers.get("content-type", ""), str(answer.url)

        return self._persist(url, attempt)

    def fetch(self, wanted: Wanted) -> Stored:
        """Bring one file into the store and check it. Raises NotInRegistry, DigestMismatch, SourceError."""
        sha256 = wanted.digests.get("sha256", "").lower()
        if sha256 and (path := self.store.find(sha256)):
            self._progress(wanted.name, path.stat().st_size, path.stat().st_size)
            return Stored(path, sha256)
        key = key_of(wanted.url, *sorted(wanted.digests.values()))
        with self.store.lock(key):
            # Another process may have brought it while this one waited.
            if sha256 and (path := self.store.find(sha256)):
                return Stored(path, sha256)
            return self._fetch_locked(wanted, self.store.part(key))

    def _fetch_locked(self, wanted: Wanted, part: Path) -> Stored:
        resumed = part.exists() and part.stat().st_size > 0
        self._transfer(wanted, part)
        try:
            return self._adopt(wanted, part)
        except DigestMismatch:
            # The first half may come from an earlier file under the same address: once more, whole.
            if not resumed:
                raise
            self._transfer(wanted, part)
            return self._adopt(wanted, part)

    def _adopt(self, wanted: Wanted, part: Path) -> Stored:
        """Check a complete transfer and move it into the store; a wrong one is deleted."""
        if best := wanted.strongest():
            algorithm, expected = best
            actual = digest_of(part, algorithm)
            if actual != expected:
                self._discard(part)
                raise DigestMismatch(self.purl, wanted.name, algorithm, expected, actual)
        sha256 = digest_of(part)
        _validator_file(part).unlink(missing_ok=True)
        return Stored(self.store.adopt(part, sha256), sha256)

    def _transfer(self, wanted: Wanted, part: Path) -> None:
        """Write the body of `wanted.url` to `part`, going on where an earlier transfer stopped."""
        if wanted.url.startswith("file:"):
            self._copy_file(wanted, part)
            return
        if wanted.size is not None:
            self._within(wanted.url, wanted.size, self.settings.max_bytes, float("inf"))

        def attempt(deadline: float) -> None:
            done = part.stat().st_size if part.exists() else 0
            if done and done == wanted.size:
                return
            with self._answer(wanted.url, _range_headers(part, done)) as answer:
                if answer.status_code == 416:
                    self._discard(part)
                    raise _Transient("the server has no such range")
                appending = answer.status_code == 206 and _range_start(answer) == done
                if answer.status_code == 206 and not appending:
                    self._discard(part)
                    raise _Transient("the server sent another range than the one asked for")
                self._write_body(wanted, part, answer, done if appending else 0, deadline)

        self._persist(wanted.url, attempt)

    def _write_body(
        self, wanted: Wanted, part: Path, answer: httpx2.Response, done: int, deadline: float
    ) -> None:
        validator = answer.headers.get("etag", "")
        if validator.startswith("W/"):
            validator = ""
        _validator_file(part).write_text(validator or answer.headers.get("last-modified", ""))
        length = answer.headers.get("content-length", "")
        total = wanted.size if wanted.size is not None else (done + int(length) if length.isdigit() else None)
        with part.open("ab" if done else "wb") as out:
            for block in answer.iter_raw(_BLOCK):
                done += len(block)
                try:
                    self._within(wanted.url, done, self.settings.max_bytes, deadline)
                except SourceError:
                    self._discard(part)
                    raise
                out.write(block)
                self._progress(wanted.name, done, total)
        if total is not None and done < total:
            raise _Transient(f"the transfer ended after {done} of {total} bytes")
        if wanted.size is not None and done > wanted.size:
            self._discard(part)
            why = f"{wanted.name} has {done} bytes but {wanted.size} were announced"
            raise SourceError(self.purl, why)

    @contextmanager
    def _answer(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx2.Response]:
        """Open one response whose body is still to be read; refusals become errors of ours."""
        import httpx2

        try:
            with self._client.stream("GET", url, headers=dict(headers)) as answer:
                status = answer.status_code
                if status in (404, 410):
                    raise NotInRegistry(self.purl, f"{shown(url)} is not there ({status})")
                if status in _TRANSIENT:
                    raise _Transient(f"the server answered {status}", _retry_after(answer))
                if status not in (200, 206, 416):
                    raise SourceError(self.purl, f"{shown(url)} answered {status}")
                yield answer
        except httpx2.TooManyRedirects:
            raise SourceError(self.purl, f"{shown(url)} redirects too often") from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise SourceError(self.purl, f"{shown(url)} cannot be fetched: {error}") from None
        except (httpx2.TransportError, httpx2.StreamError) as error:
            raise _Transient(f"{type(error).__name__}: {error}") from None
        except httpx2.DecodingError:
            raise SourceError(self.purl, f"{shown(url)} answered with a broken encoding") from None

    def _persist(self, url: str, attempt: Callable[[float], _T]) -> _T:
        """Run an attempt until it succeeds, fails for good or the retries or the time are used up."""
        deadline = time.monotonic() + self.settings.max_seconds
        wait = self.settings.backoff
        for left in range(self.settings.retries, -1, -1):
            try:
                return attempt(deadline)
            except _Transient as error:
                pause = min(max(wait, error.after), _LONGEST_WAIT)
                if not left or time.monotonic() + pause > deadline:
                    raise SourceError(self.purl, f"{shown(url)} could not be fetched: {error}") from None
                time.sleep(pause)
                wait *= 2
        raise AssertionError("the loop always returns or raises")

    def _within(self, url: str, size: int, limit: int, deadline: float) -> None:
        if size > limit:
            raise SourceError(self.purl, f"{shown(url)} is larger than the limit of {limit} bytes")
        if time.monotonic() > deadline:
            raise SourceError(
                self.purl, f"{shown(url)} took longer than {self.settings.max_seconds:.0f} seconds"
            )

    def _read_file(self, url: str, limit: int) -> tuple[bytes, str, str]:
        path = _file_path(url)
        if path.is_dir():
            path = path / "index.html"
        try:
            if path.stat().st_size > limit:
                raise SourceError(self.purl, f"{path} is larger than the limit of {limit} bytes")
            return path.read_bytes(), "text/html", path.as_uri()
        except FileNotFoundError:
            raise NotInRegistry(self.purl, f"{path} is not there") from None
        except OSError as error:
            raise SourceError(self.purl, f"{path} cannot be read: {error.strerror}") from None

    def _copy_file(self, wanted: Wanted, part: Path) -> None:
        path = _file_path(wanted.url)
        try:
            with path.open("rb") as source, part.open("wb") as out:
                done = 0
                while block := source.read(_BLOCK):
                    done += len(block)
                    self._within(wanted.url, done, self.settings.max_bytes, float("inf"))
                    out.write(block)
                    self._progress(wanted.name, done, wanted.size)
        except FileNotFoundError:
            raise NotInRegistry(self.purl, f"{path} is not there") from None
        except OSError as error:
            raise SourceError(self.purl, f"{path} cannot be read: {error.strerror}") from None

    def _discard(self, part: Path) -> None:
        part.unlink(missing_ok=True)
        _validator_file(part).unlink(missing_ok=True)


def shown(url: str) -> str:
    """Return a URL for a message: without user name, password, query and fragment."""
    pieces = urlsplit(url)
    host = pieces.netloc.rpartition("@")[2]
    return urlunsplit((pieces.scheme, host, pieces.path, "", ""))


def page_url(value: object) -> str:
    """Return a page's address as a registry states it, or "" when it is none that a report may link to."""
    if not isinstance(value, str) or len(value) > 2000 or not value.isprintable() or " " in value:
        return ""
    return value if value.startswith(("https://", "http://")) else ""


def integrity_digests(integrity: str) -> dict[str, str]:
    """Read a Subresource Integrity string (`sha512-<base64> …`) as hex digests by algorithm."""
    import base64
    import binascii

    digests: dict[str, str] = {}
    for entry in integrity.split():
        algorithm, mark, value = entry.partition("-")
        if not mark or algorithm not in ALGORITHMS:
            continue
        try:
            raw = base64.b64decode(value.partition("?")[0], validate=True)
        except binascii.Error:
            continue
        if len(raw) == hashlib.new(algorithm).digest_size:
            digests[algorithm] = raw.hex()
    return digests


def _file_path(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def _validator_file(part: Path) -> Path:
    return part.with_suffix(".validator")


def _range_headers(part: Path, done: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers["Range"] = f"bytes={done}-"
        validator = _validator_file(part)
        # A server without validators can be resumed too: the digest tells whether the halves fit.
        if validator.exists() and (value := validator.read_text()):
            headers["If-Range"] = value
    return headers


def _range_start(answer: httpx2.Response) -> int:
    unit, _, rest = answer.headers.get("content-range", "").partition(" ")
    start = rest.partition("-")[0]
    return int(start) if unit == "bytes" and start.isdigit() else -1


def _retry_after(answer: httpx2.Response) -> float:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0
