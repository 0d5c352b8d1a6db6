"""A real service for the tests: `whence serve` in a process of its own, and keys of three tenants."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from app.context import Context
from app.db import keys
from app.settings import Settings
from tests.service.servers import Redis, end

ROOT = Path(__file__).parent.parent.parent
WHENCE = (sys.executable, "-c", "from app.cli.main import run; run()")
TENANTS = ("ada", "brin", "cleo")
ALL = ("admin", "read", "scan")
KERNEL = "\n".join(
    f"    total_{i} = weight_{i} * (alpha + {i}.5) - beta[{i}] / gamma_{i % 7}" for i in range(30)
)
SOURCE = f"def solve_kernel(alpha, beta, gamma):\n{KERNEL}\n    return total_3\n"


def diff_of(text: str, path: str = "mine.py") -> bytes:
    """A change that adds one file."""
    lines = text.splitlines()
    head = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
    return (head + "".join(f"+{line}\n" for line in lines)).encode()


def copied(salt: str = "") -> bytes:
    """A change that takes the indexed function over. salt: makes it another submission."""
    return diff_of(SOURCE + f"# {salt}\n")


@dataclass
class Service:
    """url: where it listens. secrets: a key for each tenant and set of scopes. log: its standard error."""

    name: str
    url: str
    settings: Settings
    process: subprocess.Popen[bytes]
    log: Path
    secrets: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    def key(self, tenant: str = "ada", *scopes: str) -> str:
        """The secret of a key with these scopes, all of them when none is named."""
        return self.secrets[tenant, tuple(sorted(scopes)) or ALL]

    def client(self, tenant: str | None = "ada", *scopes: str, **more: Any) -> httpx2.Client:
        """A client with such a key; None is without one."""
        headers = {"Authorization": f"Bearer {self.key(tenant, *scopes)}"} if tenant else {}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False, **more)

    def memory(self) -> int:
        """Resident bytes of the server's process."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no such process")


def make_keys(settings: Settings, scope_sets: tuple[tuple[str, ...], ...]) -> dict[Any, str]:
    """A key of each tenant with each set of scopes."""

    async def make() -> dict[Any, str]:
        made = {}
        async with Context.open(settings) as context:
            for tenant in TENANTS:
                async with context.work(tenant) as work:
                    for scopes in scope_sets:
                        key = await keys.create(work, f"{tenant}'s", scopes)
                        made[tenant, tuple(sorted(scopes))] = key.secret
        return made

    return asyncio.run(make())


def environment(settings: Settings, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "WHENCE_DATA_DIR": str(settings.data_dir),
        "WHENCE_DATABASE_URL": settings.database_url.get_secret_value(),
        "WHENCE_REDIS_URL": settings.redis_url.get_secret_value(),
        "WHENCE_SCAN_PROCESSES": "1",
        "WHENCE_KEYS_REQUIRED": "always",
        "WHENCE_WEBHOOK_PRIVATE": "true" if settings.webhook_private else "false",
        "WHENCE_RATE_LIMIT": settings.rate_limit,
        "WHENCE_POLL_SECONDS": "0.3",
        **more,
    }


@contextmanager
def serving(name: str, settings: Settings, folder: Path, **more: str) -> Iterator[Service]:
    """`whence serve` on a free port of loopback, until the end of the block."""
    secrets = make_keys(settings, (ALL, ("scan",), ("read",), ("admin",)))
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*WHENCE, "serve", "--port", "0"],
            cwd=ROOT,
            env=environment(settings, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        told = process.stdout.readline().decode()
        assert "http://" in told, log.read_text()
        url = told.split()[2]
        httpx2.get(url + "healthz", trust_env=False, timeout=30).raise_for_status()
        yield Service(name, url, settings, process, log, secrets)
    finally:
        end(process)


@contextmanager
def workers(settings: Settings, folder: Path, *kinds: str) -> Iterator[None]:
    """Worker processes of a production stack."""
    started = []
    with (folder / "workers.log").open("wb") as log:
        for kind in kinds:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", f"workers.{kind}"],
                    cwd=ROOT,
                    env=environment(settings),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )
        try:
            yield
        finally:
            for process in started:
                process.terminate()
            for process in started:
                end(process)


def production_settings(data: Path, database_url: str, redis: Redis, **more: Any) -> Settings:
    return Settings(data_dir=data, database_url=database_url, redis_url=redis.url, **more)
