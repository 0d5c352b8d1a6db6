"""A running service without its HTTP face, on either stack; and the changes that the tests submit."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.context import Context
from app.db.models import Scan
from app.queue import started
from app.services import progress, scans
from app.services.submission import Submission, prepare
from app.settings import Settings
from tests.service.servers import Redis, end

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
KERNEL = "\n".join(
    f"    total_{i} = weight_{i} * (alpha + {i}.5) - beta[{i}] / gamma_{i % 7}" for i in range(30)
)
SOURCE = (
    "# SPDX-License-Identifier: GPL-3.0-or-later\n\n"
    f"def solve_kernel(alpha, beta, gamma):\n{KERNEL}\n    return total_3\n"
)


def diff_of(text: str, path: str = "mine.py") -> bytes:
    lines = text.splitlines()
    head = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n"
    return (head + "".join(f"+{line}\n" for line in lines)).encode()


def copied(salt: str = "", path: str = "mine.py") -> bytes:
    """A change that takes the indexed function over. salt: makes it another submission."""
    return diff_of(SOURCE.partition("\n\n")[2] + f"# {salt}\n", path)


def long_change(files: int, salt: str = "") -> bytes:
    """A change that takes seconds: many files."""
    return b"".join(copied(f"{salt}{number}", f"part_{number}.py") for number in range(files))


@dataclass
class Stack:
    """name: embedded or production. With production the work is done by processes of their own."""

    name: str
    settings: Settings
    context: Context
    redis: Redis | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logs: Path | None = None

    async def submit(self, diff: bytes, tenant: str, **more: Any) -> Scan:
        key = more.pop("idempotency_key", None)
        prepared = await prepare(self.context, Submission(diff=diff, **more))
        async with self.context.work(tenant) as work:
            return (await scans.accept(work, self.settings, prepared, idempotency_key=key)).scan

    async def ended(self, scan: Scan | str, tenant: str, seconds: float = 30.0) -> Scan:
        identity = scan if isinstance(scan, str) else scan.id
        return await progress.wait(self.context, tenant, identity, seconds)

    async def stored(self, identity: str, tenant: str) -> scans.Stored:
        async with self.context.work(tenant, read=True) as work:
            return await scans.report(work, identity)

    def start_worker(
        self, kind: str, script: Path | None = None, *, name: str = "", **environment: str
    ) -> subprocess.Popen[bytes]:
        """name: tells workers of one kind apart; by default a kind has one."""
        what = [str(script), kind] if script else ["-m", f"workers.{kind}"]
        with open(self.logs or os.devnull, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, *what], cwd=ROOT, env=self.environment() | environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.workers[name or kind] = process
        return process

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(ROOT),
            "WHENCE_DATA_DIR": str(self.settings.data_dir),
            "WHENCE_DATABASE_URL": self.settings.database_url.get_secret_value(),
            "WHENCE_REDIS_URL": self.settings.redis_url.get_secret_value(),
            **{f"WHENCE_{name.upper()}": str(value) for name, value in TEST_SETTINGS.items()},
        }

    def stop_worker(self, name: str, number: int = signal.SIGTERM) -> int:
        return end(self.workers.pop(name), number)

    def stop_workers(self) -> None:
        for process in self.workers.values():
            process.terminate()
        for name in list(self.workers):
            self.stop_worker(name)


TEST_SETTINGS: dict[str, Any] = {
    "scan_processes": 2,
    "allow_local": True,
    "webhook_private": True,
    "lease_seconds": 3,
    "poll_seconds": 0.3,
    "stop_seconds": 10,
}


@asynccontextmanager
async def embedded(data: Path, database: Path, *, work: bool = True, **more: Any) -> AsyncIterator[Stack]:
    """SQLite; with `work`, this process does the work."""
    settings = Settings(
        data_dir=data, database_url=f"sqlite+aiosqlite:///{database}", **{**TEST_SETTINGS, **more}
    )  # type: ignore[arg-type]
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(Context.open(settings))
        if work:
            await stack.enter_async_context(started(context))
        yield Stack("embedded", settings, context)


@asynccontextmanager
async def production(
    data: Path, database_url: str, redis: Redis | None, kinds: tuple[str, ...], logs: Path, **more: Any
) -> AsyncIterator[Stack]:
    """PostgreSQL, Redis, and a worker process for each of `kinds`."""
    settings = Settings(
        data_dir=data, database_url=database_url, redis_url=redis.url if redis else "redis://127.0.0.1:1/0",
        **{**TEST_SETTINGS, **more},
    )  # type: ignore[arg-type]  # fmt: skip
    async with Context.open(settings) as context:
        stack = Stack("production", settings, context, redis, logs=logs)
        try:
            for kind in kinds:
                stack.start_worker(kind)
            yield stack
        finally:
            stack.stop_workers()


async def until(condition: Callable[[], Any], seconds: float, what: str) -> None:
    """Wait for a condition (a function or coroutine function)."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


FOLDER_LICENSE = "GPL-3.0-or-later"


def write_release(folder: Path, name: str) -> Path:
    """A folder with one source file, under FOLDER_LICENSE."""
    made = folder / name
    made.mkdir()
    (made / "kernel.py").write_text(SOURCE + f"# {name}\n")
    return made
