"""Private servers for the tests: PostgreSQL and Redis from the machine's binaries, on free ports of loopback.

Each is one process of ours, ended by its id. PostgreSQL refuses to run as root: then it runs as `postgres`.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, seconds: float = 20.0) -> int:
    """Signal a process and wait for its end; SIGKILL when it does not come. Returns its exit status."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _as_postgres() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


@dataclass
class Postgres:
    """A cluster of its own; `database()` makes an empty database that a plain user owns."""

    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="whence-pg-")))
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    made: int = 0

    @property
    def bin(self) -> Path:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = str(found[-1]) if found else shutil.which("initdb")
        assert initdb, "PostgreSQL is not installed: `make servers` installs it"
        return Path(initdb).parent

    def create(self) -> None:
        if os.getuid() == 0:
            shutil.chown(self.root, "postgres", "postgres")
        self._run("initdb", "-D", str(self.root / "data"), "-U", "admin", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        self.start()
        self.sql("CREATE ROLE whence LOGIN")

    def start(self, seconds: float = 30.0) -> None:
        """Also after a kill: until the last process of the old server is gone, a new one ends at once."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                self._launch()
            probe = [str(self.bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start")

    def _launch(self) -> None:
        arguments = ["-D", str(self.root / "data"), "-p", str(self.port), "-k", str(self.root),
                     "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=32MB",
                     "-c", "max_connections=80"]  # fmt: skip
        self.process = subprocess.Popen(
            [*_as_postgres(), str(self.bin / "postgres"), *arguments],
            cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def stop(self, number: int = signal.SIGINT) -> None:
        if self.process is not None:
            end(self.process, number)

    def destroy(self) -> None:
        self.stop(signal.SIGQUIT)  # nobody will read it again: no checkpoint
        shutil.rmtree(self.root, ignore_errors=True)

    def database(self) -> str:
        self.made += 1
        name = f"whence_{self.made}"
        self.sql(f"CREATE DATABASE {name} OWNER whence")
        return f"postgresql://whence@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres", user: str = "admin") -> str:
        done = subprocess.run(
            [str(self.bin / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", user, "-d", database,
             "-v", "ON_ERROR_STOP=1", "-AtXc", statement],
            capture_output=True, check=True, text=True, cwd="/",
        )  # fmt: skip
        return done.stdout.strip()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*_as_postgres(), str(self.bin / program), *arguments], check=True, capture_output=True, cwd="/"
        )


@dataclass
class Redis:
    """A server without persistence; `start` after `stop` comes back empty on the same port."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, socket_timeout=2)

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", tempfile.gettempdir(), "--maxmemory-policy", "noeviction"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(100):
            try:
                self.client().ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
        raise RuntimeError("redis-server did not start")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            end(self.process, number)
