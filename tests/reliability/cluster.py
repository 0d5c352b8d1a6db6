"""A service with all its processes on a fixed port: to be killed, starved and started again.

`supervise` starts what has ended, as a supervisor would. What happened is read from the database itself.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from app.settings import Settings
from tests.api.service import ALL, ROOT, WHENCE, copied, environment, make_keys, production_settings
from tests.service.servers import Postgres, Redis, end, free_port

DIFF = {"Content-Type": "text/x-diff"}
MANY = {"rate_limit": "1000000/minute"}


@dataclass
class Cluster:
    """name: embedded or production. kinds: processes that belong to it, `api` among them."""

    name: str
    settings: Settings
    folder: Path
    kinds: tuple[str, ...]
    more: dict[str, str] = field(default_factory=dict)
    postgres: Postgres | None = None
    redis: Redis | None = None
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    secrets: dict[Any, str] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, kind: str, script: Path | None = None) -> subprocess.Popen[bytes]:
        """script: of a worker that behaves otherwise."""
        what = [*WHENCE, "serve", "--port", str(self.port)]
        if kind != "api":
            what = [sys.executable, *([str(script), kind] if script else ["-m", f"workers.{kind}"])]
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                what, cwd=ROOT, env=environment(self.settings, **self.more),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        if script is None:
            self.wanted.add(kind)
        self.processes[kind] = process
        return process

    def stop(self, kind: str, number: int = signal.SIGTERM, seconds: float = 40.0) -> int:
        """End one and do not start it again; its exit status."""
        self.wanted.discard(kind)
        return end(self.processes.pop(kind), number, seconds)

    def kill(self, kind: str, number: int = signal.SIGKILL) -> int:
        return end(self.processes[kind], number)

    def supervise(self) -> None:
        for kind in self.wanted:
            if self.processes[kind].poll() is not None:
                self.start(kind)

    def client(self, tenant: str | None = "ada", *scopes: str, **more: Any) -> httpx2.Client:
        key = self.secrets.get((tenant, tuple(sorted(scopes)) or ALL), "")
        headers = {"Authorization": f"Bearer {key}"} if tenant else {}
        return httpx2.Client(
            base_url=self.url, headers=headers, **{"timeout": 60, "trust_env": False, **more}
        )

    def ready(self, seconds: float = 240.0) -> float:
        """Wait until scans are accepted (and workers said that they live); seconds that took."""
        begun = time.monotonic()
        with self.client(None, timeout=5) as anybody:
            while True:
                assert time.monotonic() - begun < seconds, "the service did not get ready"
                try:
                    answer = anybody.get("/readyz")
                    if answer.status_code == 200 and not [
                        each for each in answer.json()["degraded"] if "alive" in each or "queue" in each
                    ]:
                        return time.monotonic() - begun
                except httpx2.TransportError:
                    pass
                time.sleep(0.05)

    def rows(self, statement: str) -> list[list[str]]:
        """What an administrator's statement gives, past the service."""
        if self.postgres is not None:
            name = self.settings.database_url.get_secret_value().rpartition("/")[2]
            text = self.postgres.sql(statement, name)
            return [line.split("|") for line in text.splitlines()]
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return [[str(value) for value in row] for row in connection.execute(statement)]

    @property
    def database(self) -> Path:
        return Path(self.settings.sqlalchemy_url.partition("///")[2])

    def state_of_events(self) -> str:
        return "data->>'state'" if self.postgres is not None else "json_extract(data, '$.state')"

    def ended_twice(self) -> list[str]:
        """Scans of which watchers were told more than once that they are done."""
        done = f"kind = 'state' AND {self.state_of_events()} = 'done'"
        return [
            row[0]
            for row in self.rows(
                f"SELECT subject FROM events WHERE {done} GROUP BY subject HAVING count(*) <> 1"
            )
        ]

    def states(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows("SELECT id, state FROM scans")}

    def finished(self, accepted: list[str], seconds: float) -> tuple[list[str], float]:
        """Wait until all are at their end: those that are not done then, and seconds that it took."""
        begun = time.monotonic()
        while True:
            self.supervise()
            states = self.states()
            open_ = [name for name in accepted if states.get(name) in ("queued", "running")]
            waited = time.monotonic() - begun
            if not open_ or waited > seconds:
                return [name for name in accepted if states.get(name) != "done"], waited
            time.sleep(0.5)

    def memory(self, kind: str = "api") -> int:
        """Resident bytes of one process."""
        return resident(self.processes[kind].pid)

    def logs(self) -> str:
        return "".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))


def resident(process: int) -> int:
    """Resident bytes; 0 when the process is gone."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) * 1024 if found else 0


def children(process: int) -> list[int]:
    """Ids of the processes that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(after[1]) == process:
                found.append(int(entry.name))
    return found


@contextmanager
def _running(cluster: Cluster) -> Iterator[Cluster]:
    cluster.secrets = make_keys(cluster.settings, (ALL, ("scan",), ("read",), ("admin",)))
    try:
        for kind in cluster.kinds:
            cluster.start(kind)
        cluster.ready()
        yield cluster
    finally:
        for process in cluster.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in cluster.processes.values():
            end(process)


def variables(more: dict[str, str]) -> dict[str, str]:
    """tmpdir is no setting of ours."""
    return {"TMPDIR" if name == "tmpdir" else f"WHENCE_{name.upper()}": value for name, value in more.items()}


@contextmanager
def embedded_cluster(data: Path, folder: Path, **more: str) -> Iterator[Cluster]:
    """One process on SQLite."""
    settings = Settings(data_dir=data, database_url=f"sqlite+aiosqlite:///{folder / 'whence.db'}", **MANY)  # type: ignore[arg-type]
    lease = {"lease_seconds": "3", **more}
    with _running(Cluster("embedded", settings, folder, ("api",), variables(lease))) as cluster:
        yield cluster


@contextmanager
def production_cluster(data: Path, folder: Path, **more: str) -> Iterator[Cluster]:
    """PostgreSQL, Redis, API, a scan worker and the chores, all of its own."""
    postgres, redis = Postgres(), Redis()
    try:
        postgres.create()
        redis.start()
        settings = production_settings(data, postgres.database(), redis, **MANY)
        lease = {"lease_seconds": "3", "scan_processes": "2", **more}
        with _running(
            Cluster(
                "production", settings, folder, ("api", "scan", "chores"), variables(lease), postgres, redis
            )
        ) as cluster:
            yield cluster
    finally:
        redis.stop()
        postgres.destroy()


class Posting:
    """Threads that post one scan after the other and remember what was answered."""

    def __init__(
        self, cluster: Cluster, threads: int = 2, pause: float = 0.15, tenant: str = "ada", salt: str = ""
    ) -> None:
        self.cluster, self.pause, self.tenant, self.salt = cluster, pause, tenant, salt
        self.accepted: dict[str, float] = {}
        self.statuses: dict[int, int] = {}
        self.seconds: list[tuple[int, float]] = []
        self.broken = 0
        self.retry_after = 0
        self._numbers = itertools.count()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._post) for _ in range(threads)]

    def __enter__(self) -> Posting:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _post(self) -> None:
        with self.cluster.client(self.tenant) as client:
            while not self._stop.is_set():
                diff = copied(f"{self.salt}{self.tenant} {next(self._numbers)}")
                begun = time.monotonic()
                try:
                    answer = client.post("/v1/scans", content=diff, headers=DIFF)
                except httpx2.TransportError:
                    self.broken += 1
                    self._stop.wait(0.1)
                    continue
                now = time.monotonic()
                self.seconds.append((answer.status_code, now - begun))
                self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
                self.retry_after += "retry-after" in answer.headers and answer.status_code in (429, 503)
                if answer.status_code == 202:
                    self.accepted[answer.json()["id"]] = now
                self._stop.wait(self.pause)

    @property
    def errors(self) -> int:
        """Answers of 500 and above that are not "come back later"."""
        return sum(number for status, number in self.statuses.items() if status >= 500 and status != 503)


def quantile(values: list[float], share: float) -> float:
    """0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def environment_number(name: str, default: int) -> int:
    """A size of a check that may be set: more for a long run."""
    return int(os.environ.get(name, str(default)))
