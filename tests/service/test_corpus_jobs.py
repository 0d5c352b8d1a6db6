"""Changing the corpus by jobs, on both stacks, each with a data folder of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.db.models import SYSTEM, Job
from app.services import corpora, progress
from corpus.errors import BadPurl, NoCorpus, UnknownRelease
from corpus.purl import local_purl
from tests.service.servers import Postgres, Redis
from tests.service.stacks import FOLDER_LICENSE, Stack, copied, embedded, production, write_release

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
Body = Callable[[Stack, Path, str], Awaitable[None]]


@pytest.fixture(params=["embedded", "production"])
def on_stack(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Body, str], Awaitable[None]]:
    async def run(body: Body, tenant: str) -> None:
        data = tmp_path / "data"
        if request.param == "embedded":
            async with embedded(data, tmp_path / "whence.db") as stack:
                await body(stack, tmp_path, tenant)
            return
        server: Postgres = request.getfixturevalue("postgres")
        redis: Redis = request.getfixturevalue("redis_server")
        redis.client().flushall()
        kinds = ("scan", "ingest", "index", "chores")
        async with production(data, server.database(), redis, kinds, tmp_path / "log") as stack:
            await body(stack, tmp_path, tenant)

    return run


async def finished(stack: Stack, job: Job, state: str = "done") -> Job:
    async for _ in progress.follow(stack.context, SYSTEM, job.id, seconds=60):
        pass
    async with stack.context.work(SYSTEM, read=True) as work:
        row = await corpora.job(work, job.id)
    assert row.state == state, row.error
    return row


async def built(stack: Stack) -> None:
    """The build that followed the newest job is done."""
    async with stack.context.work(SYSTEM, read=True) as work:
        newest = next(row for row in (await corpora.jobs(work)).rows if row.kind == "build")
    await finished(stack, newest)


async def life(stack: Stack, folder: Path, tenant: str) -> None:
    context = stack.context
    with pytest.raises(NoCorpus):
        await stack.submit(copied(tenant), tenant)
    first, second = (local_purl(write_release(folder, name)) for name in ("one", "two"))

    async def do(what: Any, *arguments: Any, **more: Any) -> Job:
        async with context.work(SYSTEM) as work:
            job: Job = await what(work, *arguments, **more)
        return job

    job = await finished(
        stack, await do(corpora.add, [first, "pkg:generic/gone@1?download_url=file:///gone"])
    )
    assert job.result is not None
    assert [row["status"] for row in job.result["releases"]] == ["indexed", "failed"]
    await built(stack)
    overview = await corpora.overview(context)
    assert (overview.releases, overview.licenses) == (1, {FOLDER_LICENSE: 1})
    assert [purl.partition("?")[0] for purl in overview.failed] == ["pkg:generic/gone@1"]
    found = await corpora.release(context, first)
    assert found.licenses == {FOLDER_LICENSE: 1}
    scan = await stack.ended(await stack.submit(copied(tenant), tenant), tenant)
    assert (scan.state, scan.findings) == ("done", 1)

    await finished(stack, await do(corpora.add, [second], build=False))
    one = (await corpora.overview(context)).snapshot
    job = await finished(stack, await do(corpora.build))
    two = (await corpora.overview(context)).snapshot
    assert job.result == {"snapshot": two}
    assert one != two
    rescan = await stack.ended(await stack.submit(copied(tenant), tenant), tenant)
    assert rescan.id != scan.id  # another snapshot is another answer
    assert rescan.snapshot == two

    await finished(stack, await do(corpora.roll_back))
    assert (await corpora.overview(context)).snapshot == one
    await finished(stack, await do(corpora.remove, [first]))
    await built(stack)
    assert [row.purl for row in await corpora.releases(context)] == [second]
    with pytest.raises(UnknownRelease):
        await corpora.release(context, first)
    job = await finished(stack, await do(corpora.remove, [first]), "failed")
    assert job.error_slug == "unknown-release"
    with pytest.raises(BadPurl):
        await do(corpora.add, ["not a purl"])


async def test_the_life_of_a_corpus(on_stack: Callable[[Body, str], Awaitable[None]], tenant: str) -> None:
    await on_stack(life, tenant)
