"""What dies, gets lost or lies: no accepted scan is lost, none is done twice (C2, C6, C7, C10, C11)."""

from __future__ import annotations

import asyncio
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.models import Event, Scan
from app.queue import ArqBells
from app.scan import guarded
from app.services import scans, upkeep
from app.work import EVERY_TENANT
from tests.figures import Figure
from tests.service import poison
from tests.service.servers import Postgres, Redis, end
from tests.service.stacks import HERE, ROOT, Stack, copied, embedded, long_change, production, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def own_production(
    corpus: Path, postgres: Postgres, kinds: tuple[str, ...], folder: Path
) -> AsyncIterator[Stack]:
    """A production stack that a test may damage, with a Redis of its own."""
    redis = Redis()
    redis.start()
    try:
        async with production(corpus, postgres.database(), redis, kinds, folder / "log") as stack:
            yield stack
    finally:
        redis.stop()


async def row_of(stack: Stack, scan: Scan) -> Scan:
    async with stack.context.work(EVERY_TENANT, read=True) as work:
        return (await work.session.scalars(select(Scan).where(Scan.id == scan.id))).one()


async def endings(stack: Stack, subject: str) -> int:
    """How often watchers were told that it is done."""
    async with stack.context.work(EVERY_TENANT, read=True) as work:
        events = await work.session.scalars(select(Event).where(Event.subject == subject))
        return sum(event.data.get("state") == "done" for event in events)


@pytest.mark.check("C6")
async def test_a_worker_killed_in_the_middle(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str, figure: Figure
) -> None:
    """kill -9: another worker begins again within 15 s, and the scan ends once."""
    async with own_production(corpus, postgres, ("scan", "chores"), tmp_path) as stack:
        scan = await stack.submit(long_change(300, tenant), tenant)

        async def begun() -> bool:
            return (await row_of(stack, scan)).done > 3

        await until(begun, 30, "the scan is in the middle")
        assert stack.stop_worker("scan", signal.SIGKILL) == -signal.SIGKILL
        died = time.monotonic()
        stack.start_worker("scan")

        async def again() -> bool:
            row = await row_of(stack, scan)
            return row.attempts == 2 and row.state in ("running", "done")

        await until(again, 120, "the second attempt")
        figure(
            "C6", "a killed worker's scan begins again after", time.monotonic() - died, at_most=15, unit="s"
        )
        ended = await stack.ended(scan, tenant, 60)
        assert (ended.state, ended.attempts, ended.findings) == ("done", 2, 300)
        assert await endings(stack, scan.id) == 1


async def test_a_worker_asked_to_stop_gives_back(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str
) -> None:
    """SIGTERM: a scan that takes longer than the grace goes back, and the attempt does not count. Exit 0."""
    async with own_production(corpus, postgres, (), tmp_path) as stack:
        stack.start_worker("scan", WHENCE_STOP_SECONDS="0.2")
        scan = await stack.submit(long_change(300, tenant), tenant)

        async def begun() -> bool:
            return (await row_of(stack, scan)).done > 3

        await until(begun, 30, "the scan is in the middle")
        assert stack.stop_worker("scan") == 0
        row = await row_of(stack, scan)
        assert (row.state, row.attempts) == ("queued", 0)


@pytest.mark.slow
async def test_redis_forgets_everything(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str
) -> None:
    """FLUSHALL, then Redis gone and back: what waits in the database is done all the same."""
    async with own_production(corpus, postgres, (), tmp_path) as stack:
        assert stack.redis is not None
        made = [await stack.submit(copied(f"{tenant}{number}"), tenant) for number in range(30)]
        assert stack.redis.client().zcard("whence:scan") == 30
        stack.redis.client().flushall()
        stack.start_worker("scan")
        for scan in made:
            assert (await stack.ended(scan, tenant, 60)).state == "done"
        stack.redis.stop(signal.SIGKILL)
        lonely = await stack.submit(copied(f"{tenant} without a queue"), tenant)
        assert (await stack.ended(lonely, tenant)).state == "done"
        stack.redis.start()
        await asyncio.sleep(2.1)  # bells are quiet for a while after one that did not sound
        assert (
            await stack.ended(await stack.submit(copied(f"{tenant} after"), tenant), tenant)
        ).state == "done"
        assert stack.workers["scan"].poll() is None


@asynccontextmanager
async def cutting_proxy(port: int, mark: bytes) -> AsyncIterator[tuple[int, list[int]]]:
    """A port that leads to `port` until `mark` is sent: then both sides are cut off."""
    cuts = [0]

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, watch: bool) -> None:
        try:
            while data := await reader.read(65536):
                if watch and mark in data:
                    cuts[0] += 1
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, there_writer, True), pump(there_reader, writer, False))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cuts
    finally:
        server.close()


@pytest.mark.slow
async def test_bells_cut_between_watch_and_exec(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str
) -> None:
    """No bell of the API arrives; the dispatcher rings again for all of them."""
    async with own_production(corpus, postgres, (), tmp_path) as stack:
        assert stack.redis is not None
        async with cutting_proxy(stack.redis.port, b"MULTI") as (port, cuts):
            bells = ArqBells(f"redis://127.0.0.1:{port}/0")
            stack.context.database.queue = bells
            made = []
            for number in range(20):
                bells._quiet_until = 0.0  # each bell is tried
                made.append(await stack.submit(copied(f"{tenant}{number}"), tenant))
            await bells.close()
        assert cuts[0] >= 20
        assert stack.redis.client().zcard("whence:scan") == 0
        stack.context.database.queue = stack.context.queue
        await upkeep.dispatch(stack.context)
        assert stack.redis.client().zcard("whence:scan") == 20
        stack.start_worker("scan")
        for scan in made:
            assert (await stack.ended(scan, tenant, 60)).state == "done"


class Exploit:
    """Pickled, it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.check("C11")
async def test_nothing_written_to_redis_runs(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str, figure: Figure
) -> None:
    canary = tmp_path / "canary"
    async with own_production(corpus, postgres, ("scan",), tmp_path) as stack:
        assert stack.redis is not None
        client = stack.redis.client()
        for number in range(20):
            job = {"t": 1, "f": "ring", "a": (Exploit(canary),), "k": {}, "et": 1}
            client.set(f"arq:job:scan:evil{number}", pickle.dumps(job))
            client.zadd("whence:scan", {f"scan:evil{number}": 1})
        scan = await stack.submit(copied(tenant), tenant)
        assert (await stack.ended(scan, tenant)).state == "done"
        await until(lambda: client.zcard("whence:scan") == 0, 20, "the bad jobs are thrown away")
        figure("C11", "pickled payloads in Redis that ran", canary.exists(), exactly=0, note="of 20")
        assert stack.workers["scan"].poll() is None
        pickle.loads(pickle.dumps(Exploit(canary)))
        assert canary.exists()  # it would have been dangerous


async def poisoned(stack: Stack, tenant: str, bad: int, good: int, seconds: float = 60.0) -> None:
    poisons = [await stack.submit(copied(f"{poison.MARK.decode()}{tenant}{n}"), tenant) for n in range(bad)]
    fine = [await stack.submit(copied(f"{tenant}{n}"), tenant) for n in range(good)]
    for scan in fine:
        assert (await stack.ended(scan, tenant, seconds)).state == "done"
    for scan in poisons:
        ended = await stack.ended(scan, tenant, seconds)
        assert (ended.state, ended.attempts, ended.error_slug) == ("failed", 3, "sandbox")
        assert "tried 3 times" in (ended.error or "")
        assert "signal 9" in (ended.error or "")


@pytest.mark.slow
async def test_poison_in_production(corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str) -> None:
    async with own_production(corpus, postgres, (), tmp_path) as stack:
        worker = stack.start_worker("scan", HERE / "poisoned_worker.py")
        await poisoned(stack, tenant, 3, 20)
        assert worker.poll() is None


@pytest.mark.slow
async def test_poison_in_embedded_mode(
    corpus: Path, tmp_path: Path, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "CHILD", "tests.service.poison")
    monkeypatch.syspath_prepend(str(ROOT))
    async with embedded(corpus, tmp_path / "whence.db") as stack:
        await poisoned(stack, tenant, 3, 20)


EMBEDDED = """
import asyncio, sys
from app.context import Context
from app.queue import started
from app.settings import Settings

async def main():
    async with Context.open(Settings()) as context, started(context):
        await asyncio.sleep(300)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_embedded_mode_killed_and_started_again(corpus: Path, tmp_path: Path, tenant: str) -> None:
    """kill -9 of the one process, three times: what was accepted gets done, the database is whole."""
    database = tmp_path / "whence.db"
    async with embedded(corpus, database, work=False) as stack:
        made = [await stack.submit(long_change(12, f"{tenant}{number}"), tenant) for number in range(15)]
        for _ in range(3):
            before = await done(stack)
            process = subprocess.Popen([sys.executable, "-c", EMBEDDED], cwd=ROOT, env=stack.environment())
            await until(lambda before=before: _more(stack, before), 40, "some scans are done")
            assert end(process, signal.SIGKILL) == -signal.SIGKILL
            async with stack.context.database.engine.connect() as connection:
                check = await connection.exec_driver_sql("PRAGMA integrity_check")
                assert check.scalar() == "ok"
    async with embedded(corpus, database) as stack:
        for scan in made:
            ended = await stack.ended(scan, tenant, 60)
            assert (ended.state, ended.findings) == ("done", 12)
            assert await endings(stack, scan.id) == 1


async def done(stack: Stack) -> int:
    async with stack.context.work(EVERY_TENANT, read=True) as work:
        return (await scans.counts(work)).get("done", 0)


async def _more(stack: Stack, before: int) -> bool:
    async with stack.context.work(EVERY_TENANT, read=True) as work:
        running = await work.session.scalar(select(func.count()).where(Scan.state == "running"))
    return bool(running) and await done(stack) > before


@pytest.mark.slow
async def test_a_worker_that_stands_still_ends_itself(
    corpus: Path, postgres: Postgres, tmp_path: Path, tenant: str
) -> None:
    """Whoever starts it again gets the others done; the cause fails after three attempts."""
    async with own_production(corpus, postgres, ("chores",), tmp_path) as stack:
        bad = await stack.submit(copied(f"standstill_mark {tenant}"), tenant)
        for _ in range(3):
            worker = stack.start_worker("scan", HERE / "stuck_worker.py")
            await until(lambda worker=worker: worker.poll() is not None, 30, "it ends itself")
        good = [await stack.submit(copied(f"{tenant}{n}"), tenant) for n in range(5)]
        stack.start_worker("scan", HERE / "stuck_worker.py")
        for scan in good:
            assert (await stack.ended(scan, tenant, 40)).state == "done"
        ended = await stack.ended(bad, tenant, 20)
        assert (ended.state, ended.error_slug, ended.attempts) == ("failed", "worker-lost", 3)
