"""Asks a Whence server to scan a change, and brings its report home. Used by `whence check --server`.

The server is told the change, the policy and the outbound licence; it is waited for; the report comes back as
data and is rendered by the caller. Errors of the server or the network are `ServerError`, in words.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from corpus.errors import BadInput, WhenceError

if TYPE_CHECKING:
    import httpx2

    from app.report.model import Report

WAIT = 30
"""Seconds that one request lets the server wait before it answers that a scan is not done."""
RETRIES = 5
LONGEST_PAUSE = 30.0
MAX_ANSWER = 64 << 20
FINAL = ("done", "failed", "canceled")
_SCAN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ServerError(WhenceError):
    """The server refused, failed, or could not be reached."""

    slug, status = "server-error", 502


class Client:
    """One server and one key. Use it in a `with` block."""

    def __init__(self, server: str, key: str = "", *, patience: float = 600.0) -> None:
        """patience: seconds until a scan must be done. Raises BadInput for an address that is none."""
        import httpx2

        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadInput(f"--server {server!r} is not an address such as https://whence.example.org")
        if parts.username or parts.password:
            raise BadInput("--server holds a user name or a password: give the key with --key or WHENCE_KEY")
        headers = {"User-Agent": "whence", **({"Authorization": f"Bearer {key}"} if key else {})}
        self.patience = patience
        self.http = httpx2.Client(
            base_url=server.rstrip("/") + "/", headers=headers, timeout=httpx2.Timeout(WAIT + 30, connect=10)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def scan(
        self,
        diff: bytes | None,
        files: Mapping[str, bytes] | None = None,
        *,
        messages: Sequence[bytes] = (),
        pull_request: str | None = None,
        policy: str = "",
        outbound: str = "",
        progress: Callable[[str], None] = lambda state: None,
    ) -> str:
        """Scan a diff, or whole files by path, and wait for its end; the id of the scan.

        messages: of commits, where the diff does not hold them. pull_request: its text, for declared AI use.
        policy: TOML text, "" for the default. progress is told the state now and then. Raises ServerError.
        """
        parts: list[tuple[str, Any]] = []
        if diff is not None:
            parts.append(("diff", ("change.diff", diff, "text/x-diff")))
        parts += [("file", (path, text, "application/octet-stream")) for path, text in (files or {}).items()]
        parts += [("message", (None, text.decode("utf-8", "replace"))) for text in messages]
        if pull_request is not None:
            parts.append(("pull_request", (None, pull_request)))
        fields = {"policy": policy, "outbound": outbound}
        parts += [(name, (None, value)) for name, value in fields.items() if value]
        return self._done(progress, "v1/scans", files=parts)

    def scan_sketches(
        self,
        sketches: list[dict[str, object]],
        *,
        policy: str = "",
        outbound: str = "",
        progress: Callable[[str], None] = lambda state: None,
    ) -> str:
        """Scan sketches (`app.fingerprints.to_json`, one a file) and wait for the end; the id of the scan."""
        if not sketches:
            raise BadInput("nothing in this change is source text that could be searched")
        fields = {"policy": policy, "outbound": outbound}
        body = {"files": sketches, **{name: value for name, value in fields.items() if value}}
        return self._done(progress, "v1/fingerprints", json=body)

    def _done(self, progress: Callable[[str], None], path: str, **body: Any) -> str:
        # The same request again (after a cut connection) finds the scan that the first one made.
        headers = {"Prefer": f"wait={WAIT}", "Idempotency-Key": secrets.token_hex(16)}
        scan = self._ask("POST", path, headers=headers, **body).json()
        return str(self._finished(scan, progress)["id"])

    def report(self, scan_id: str) -> Report:
        """The report of a finished scan, leads included."""
        from app.report.model import Report

        answer = self._ask("GET", f"v1/scans/{scan_id}/report.json", params={"leads": "true"})
        return Report.from_dict(answer.json())

    def receipt(self, scan_id: str) -> bytes:
        """The signed receipt of a finished scan, as a file holds it."""
        return self._ask("GET", f"v1/scans/{scan_id}/receipt.json").content

    def receipt_key(self) -> str:
        """64 hex digits of the key that signs this server's receipts."""
        return str(self._ask("GET", "v1/receipts/key").json().get("public_key", ""))

    def decide(self, decision: Mapping[str, str]) -> dict[str, Any]:
        """Record a decision about a finding; the fields are those of `POST /v1/decisions`."""
        recorded: dict[str, Any] = self._ask("POST", "v1/decisions", json=dict(decision)).json()
        return recorded

    def _finished(self, scan: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
        until = time.monotonic() + self.patience
        while True:
            state, scan_id = str(scan.get("state")), str(scan.get("id"))
            if not _SCAN_ID.fullmatch(scan_id):
                raise ServerError("the server's answer is not that of a Whence server")
            progress(state)
            if state == "done":
                return scan
            if state in FINAL:
                error = scan.get("error") or {}
                raise ServerError(
                    f"the scan {scan_id} {state}: {_plain(error.get('message', 'no reason given'))}"
                )
            if time.monotonic() > until:
                raise ServerError(
                    f"the scan {scan_id} was not done after {self.patience:.0f} s; it goes on there"
                )
            scan = self._ask("GET", f"v1/scans/{scan_id}", headers={"Prefer": f"wait={WAIT}"}).json()

    def _ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """One request; refusals that name a time to wait, and cut connections, are tried again."""
        import httpx2

        problem = ""
        for attempt in range(RETRIES):
            try:
                answer = self.http.request(method, path, **request)
            except httpx2.TransportError as error:
                problem, pause = (
                    f"{self.http.base_url} cannot be reached ({type(error).__name__})",
                    2.0**attempt / 2,
                )
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise ServerError(f"{self.http.base_url}: {type(error).__name__}") from None
            else:
                if answer.is_success:
                    if len(answer.content) > MAX_ANSWER:
                        raise ServerError("the server's answer is too large")
                    return answer
                problem = _told(answer)
                if answer.status_code not in (429, 502, 503, 504):
                    break
                pause = _pause(answer, attempt)
            if attempt + 1 < RETRIES:
                time.sleep(pause)
        raise ServerError(problem)


def _pause(answer: httpx2.Response, attempt: int) -> float:
    named = answer.headers.get("retry-after", "")
    return min(LONGEST_PAUSE, float(named) if named.isdigit() else 2.0**attempt / 2)


def _told(answer: httpx2.Response) -> str:
    """What a problem document says, in one line."""
    try:
        body = answer.json()
        detail = str(body["detail"])
        for error in body.get("errors", ())[:3]:
            detail += f" {error['where']}: {error['rule']}."
    except (ValueError, KeyError, TypeError):
        detail = "no explanation"
    return f"the server answered {answer.status_code}: {_plain(detail)}"


def _plain(text: object) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in str(text)[:500])
