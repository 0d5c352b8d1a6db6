"""Git as a child process that trusts nothing: no foreign configuration, one protocol, limits, no questions.

Called by the git source only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from corpus.errors import NotConfigured, NotInRegistry, SourceError
from corpus.sources.download import shown
from corpus.sources.settings import SourceSettings

_TICK = 0.2
_OUTPUT_LIMIT = 1 << 20
_PASSED_ON = (
    "PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
# Said on the command line, which outranks every file.
_CONFIGURATION = {
    "protocol.allow": "never",
    "protocol.https.allow": "always",
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.symlinks": "false",
    "credential.helper": "",
    "fetch.unpackLimit": "1",
    "fetch.recurseSubmodules": "no",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.followRedirects": "initial",
    "http.lowSpeedLimit": "100",
    "http.lowSpeedTime": "60",
}


class GitProcess:
    """Runs git for one release.

    objects: the object folder of a local repository that is read as an alternate, or None.
    expired: a batch process was ended because its time was up.
    """

    def __init__(self, purl: str, scratch: Path, settings: SourceSettings) -> None:
        self._purl, self._scratch, self._settings = purl, scratch, settings
        self.objects: Path | None = None
        self.expired = False

    def _environment(self) -> dict[str, str]:
        """Return the whole environment of the child."""
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        env |= {
            "HOME": str(self._scratch),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": "https",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TEMPLATE_DIR": "",
        }
        if "SSL_CERT_FILE" in env:
            env["GIT_SSL_CAINFO"] = env["SSL_CERT_FILE"]
        if self.objects is not None:
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(self.objects)
        return env

    def command(self, *arguments: str, repository: Path | None = None) -> list[str]:
        """Return the argument list of a git call with our configuration."""
        options = [word for name, value in _CONFIGURATION.items() for word in ("-c", f"{name}={value}")]
        place = [f"--git-dir={repository}"] if repository else []
        return ["git", *place, *options, *arguments]

    @contextmanager
    def batch(self, repository: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Start `cat-file --batch` with pipes; it is killed at the end, or when the time is up."""
        command = self.command("cat-file", "--batch", repository=repository)
        child = self._spawn(command, subprocess.PIPE, subprocess.PIPE, subprocess.DEVNULL)
        timer = threading.Timer(self._settings.max_seconds, self._expire, (child,))
        timer.daemon = True
        timer.start()
        try:
            yield child
        finally:
            timer.cancel()
            stop(child)
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with suppress(BrokenPipeError):
                        pipe.close()

    def run(
        self, *arguments: str, repository: Path | None = None, limit: int = _OUTPUT_LIMIT, missing: str = ""
    ) -> bytes:
        """Run git and return its output. Raises SourceError; NotInRegistry with `missing` when git fails."""
        output = self._scratch / "output"
        with output.open("wb") as out, self._errors().open("wb") as errors:
            command = self.command(*arguments, repository=repository)
            child = self._spawn(command, subprocess.DEVNULL, out.fileno(), errors.fileno())
            self._wait(child, output, limit, lambda size: None)
        if child.returncode:
            if missing:
                raise NotInRegistry(self._purl, missing)
            raise SourceError(self._purl, f"git {arguments[0]} failed: {self._complaint()}")
        return output.read_bytes()

    def fetch_commit(
        self, repository: Path, address: str, commit: str, progress: Callable[[int], None]
    ) -> None:
        """Fetch one commit without its history over https, within the limits on bytes and time."""
        options = ["-c", "http.sslVerify=true"]
        if self._settings.public_only:
            options += self._pinned(address)
        command = self.command(repository=repository)
        command += [*options, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules"]
        command += ["--no-write-fetch-head", "--end-of-options", address, commit]
        with self._errors().open("wb") as errors:
            child = self._spawn(command, subprocess.DEVNULL, subprocess.DEVNULL, errors.fileno())
            self._wait(child, repository / "objects" / "pack", self._settings.max_bytes, progress)
        if child.returncode:
            why = self._complaint()
            gone = "not our ref" in why or "not found" in why
            kind = NotInRegistry if gone else SourceError
            raise kind(self._purl, f"{shown(address)} could not be fetched: {why}")

    def _spawn(self, command: list[str], stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        """Start git in a process group of its own. Raises NotConfigured when there is no git."""
        try:
            return subprocess.Popen(
                command, cwd=self._scratch, env=self._environment(), start_new_session=True,
                stdin=stdin, stdout=stdout, stderr=stderr,
            )  # fmt: skip
        except FileNotFoundError:
            raise NotConfigured(self._purl, "git is not installed here") from None

    def _wait(
        self, child: subprocess.Popen[bytes], growing: Path, limit: int, progress: Callable[[int], None]
    ) -> None:
        """Wait for a child whose output grows at `growing`; kill its group when a limit is passed."""
        deadline = time.monotonic() + self._settings.max_seconds
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_TICK)
                size = _size(growing)
                progress(size)
                if size > limit:
                    raise SourceError(self._purl, f"git brought more than the limit of {limit} bytes")
                if child.returncode is not None:
                    return
                if time.monotonic() > deadline:
                    why = f"git took longer than {self._settings.max_seconds:.0f} seconds"
                    raise SourceError(self._purl, why)
        finally:
            stop(child)

    def _pinned(self, address: str) -> list[str]:
        """Return options by which git connects to a checked public address only, without redirects."""
        from corpus.sources.client import public_address

        url = urlsplit(address)
        host, port = url.hostname or "", url.port or 443
        target = public_address(host, port)
        if target is None:
            raise SourceError(self._purl, f"{host} is not a public address")
        return ["-c", f"http.curloptResolve={host}:{port}:{target}", "-c", "http.followRedirects=false"]

    def _expire(self, child: subprocess.Popen[bytes]) -> None:
        self.expired = True
        stop(child)

    def _errors(self) -> Path:
        return self._scratch / "errors"

    def _complaint(self) -> str:
        with self._errors().open("rb") as stream:
            text = stream.read(2000).decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        printable = "".join(c if c.isprintable() else "?" for c in (lines[-1] if lines else ""))
        return printable[:200] or "it gave no reason"


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a child with all that it started."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _size(place: Path) -> int:
    """Return the bytes of a file, or of the files in a folder, that another process is writing."""
    total = 0
    for path in list(place.iterdir()) if place.is_dir() else [place]:
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _quoted(path: Path) -> str:
    """Quote a path for git's colon-separated list of object folders."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
