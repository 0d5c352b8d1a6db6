"""Adding many releases is a job for each of them: spread, shared, settled, taken back, done again."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db import jobs as rows
from app.db import leases
from app.db.models import SYSTEM, Event, Job
from app.errors import Conflict
from app.services import corpora, releases, upkeep
from app.work import EVERY_TENANT
from corpus.index.blocks import read_manifest
from corpus.index.catalog import Catalog
from corpus.purl import local_purl
from tests.service.servers import Postgres, Redis
from tests.service.stacks import HERE, Stack, production, until, write_release

pytestmark = pytest.mark.anyio
PURLS = [f"pkg:pypi/made@{number}" for number in range(3)]


async def added(store: Stack, purls: list[str] = PURLS, **more: Any) -> str:
    async with store.context.work(SYSTEM) as work:
        return (await corpora.add(work, purls, **more)).id


async def read(store: Stack, identity: str) -> Job:
    async with store.context.work(SYSTEM, read=True) as work:
        return await corpora.job(work, identity)


async def parts_of(store: Stack, identity: str) -> list[Job]:
    async with store.context.work(SYSTEM, read=True) as work:
        return await rows.parts(work, identity)


async def builds(store: Stack) -> int:
    async with store.context.work(SYSTEM, read=True) as work:
        return int(await work.session.scalar(select(func.count()).where(Job.kind == "build")) or 0)


async def claim(store: Stack) -> Job:
    async with store.context.work(EVERY_TENANT) as work:
        job = await leases.claim(work, Job, 10, 3, Job.queue == "ingest")
    assert job is not None
    return job


async def spread(store: Stack, **more: Any) -> str:
    identity = await added(store, **more)
    whole = await claim(store)
    assert whole.id == identity
    async with store.context.work(SYSTEM) as work:
        assert await releases.spread(work, whole)
    return identity


async def end(store: Stack, part: Job, state: str = "done", status: str = "indexed", **more: Any) -> bool:
    said = {"purl": part.arguments["purl"], "status": status, "message": "", "published": False} | more
    async with store.context.work(SYSTEM) as work:
        if state == "done":
            return await releases.end(work, part, state, result=said)
        return await releases.end(work, part, state, error_slug="not-indexed", error="it is gone")


async def test_each_release_is_a_job_and_the_last_one_builds(store: Stack) -> None:
    before = await builds(store)
    identity = await spread(store, background=True)
    whole = await read(store, identity)
    assert (whole.state, whole.done, whole.total) == ("running", 0, 3)
    parts = await parts_of(store, identity)
    assert [part.arguments for part in parts] == [
        {"purl": purl, "background": True, "again": False} for purl in PURLS
    ]
    for number, purl in enumerate(PURLS):
        part = await claim(store)
        assert (part.parent, part.arguments["purl"]) == (identity, purl)
        assert (await read(store, identity)).done == number
        assert await end(store, part, "failed" if number == 1 else "done")
        assert not await end(store, part)  # whoever comes late changes nothing
    whole = await read(store, identity)
    assert (whole.state, whole.done, whole.total) == ("done", 3, 3)
    assert whole.result == {
        "releases": [
            {"purl": PURLS[0], "status": "indexed", "message": ""},
            {"purl": PURLS[1], "status": "failed", "message": "it is gone"},
            {"purl": PURLS[2], "status": "indexed", "message": ""},
        ]
    }
    async with store.context.work(SYSTEM, read=True) as work:
        told = await corpora.parts(work, [whole])
        assert whole.id not in [job.id for job in (await corpora.jobs(work, parent=identity)).rows]
        assert {job.parent for job in (await corpora.jobs(work)).rows} == {None}
        events = await work.session.scalars(
            select(Event.data).where(Event.subject == identity, Event.kind == "progress").order_by(Event.id)
        )
        steps = [data["step"] for data in events]
    assert told == {identity: corpora.Parts(0, 0, 2, {PURLS[1]: "it is gone"})}
    assert steps == ["", f"indexed: {PURLS[0]}", f"failed: {PURLS[1]}"]
    assert await builds(store) == before + 1


@pytest.mark.parametrize(
    ("build", "status", "published"), [(False, "indexed", False), (True, "unchanged", True)]
)
async def test_no_build_without_need(store: Stack, build: bool, status: str, published: bool) -> None:
    before = await builds(store)
    identity = await spread(store, build=build)
    for _ in PURLS:
        await end(store, await claim(store), status=status, published=published)
    assert (await read(store, identity)).state == "done"
    assert await builds(store) == before


async def test_what_has_not_begun_is_taken_back(store: Stack) -> None:
    before = await builds(store)
    identity = await spread(store)
    running = await claim(store)
    async with store.context.work(SYSTEM) as work:
        canceled = await corpora.cancel(work, identity)
    assert (canceled.state, canceled.done) == ("canceled", 2)
    assert sorted(part.state for part in await parts_of(store, identity)) == ["canceled"] * 2 + ["running"]
    assert await end(store, running)
    whole = await read(store, identity)
    assert (whole.state, whole.done) == ("canceled", 3)
    assert whole.result is not None
    assert [row["status"] for row in whole.result["releases"]] == ["indexed", "canceled", "canceled"]
    assert await builds(store) == before
    with pytest.raises(Conflict):
        async with store.context.work(SYSTEM) as work:
            await corpora.cancel(work, identity)


async def test_taken_back_before_and_during_the_spreading(store: Stack) -> None:
    identity = await added(store)
    whole = await claim(store)
    async with store.context.work(SYSTEM) as work:
        assert (await corpora.cancel(work, identity)).state == "canceled"
    async with store.context.work(SYSTEM) as work:
        assert not await releases.spread(work, whole)
    assert await parts_of(store, identity) == []
    identity = await spread(store)
    part = await claim(store)
    async with store.context.work(SYSTEM) as work:
        await rows.change(work, Job.id == identity, state="canceled")
    async with store.context.work(EVERY_TENANT) as work:
        assert await releases.is_void(work, part)
        await rows.change(work, Job.parent == identity, state="canceled")


async def test_one_release_is_taken_back(store: Stack) -> None:
    identity = await spread(store)
    for part in (await parts_of(store, identity))[1:]:
        async with store.context.work(SYSTEM) as work:
            assert (await corpora.cancel(work, part.id)).state == "canceled"
    assert await end(store, await claim(store))
    whole = await read(store, identity)
    assert whole.state == "done"
    assert whole.result is not None
    assert [row["status"] for row in whole.result["releases"]] == ["indexed", "canceled", "canceled"]


async def test_a_release_that_kills_its_workers_ends_the_job_too(store: Stack) -> None:
    identity = await spread(store)
    lost = await claim(store)
    for _ in PURLS[1:]:
        await end(store, await claim(store))
    async with store.context.work(SYSTEM) as work:
        await rows.change(work, Job.id == lost.id, attempts=3, lease_until=0.0)
    await upkeep.dispatch(store.context)
    whole = await read(store, identity)
    assert whole.state == "done"
    assert whole.result is not None
    assert [row["status"] for row in whole.result["releases"]] == ["failed", "indexed", "indexed"]


async def test_parts_go_with_their_job(store: Stack) -> None:
    identity = await spread(store)
    part = await claim(store)
    await end(store, part)
    async with store.context.work(SYSTEM) as work:
        await rows.change(work, Job.id == part.id, finished_at=1.0)
    await upkeep.sweep(store.context)
    assert len(await parts_of(store, identity)) == 3  # the job is not finished: its count must stay right
    async with store.context.work(SYSTEM) as work:
        await corpora.cancel(work, identity)
        await rows.change(work, Job.id == identity, finished_at=1.0)
    await upkeep.sweep(store.context)
    assert await parts_of(store, identity) == []


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_worker_is_killed_in_the_middle(
    where: str, tmp_path: Path, postgres: Postgres, redis_server: Redis
) -> None:
    names = ["held", "a", "b", "c", "d"]
    purls = [local_purl(write_release(tmp_path, name)) for name in names]
    flag, data = tmp_path / "flag", tmp_path / "data"
    redis_server.client().flushall()
    kinds = ("index", "chores")
    async with production(data, postgres.database(), redis_server, kinds, tmp_path / "log") as stack:
        stack.start_worker("ingest", HERE / "held_worker.py", name="held", HELD_AT=where, HELD_FLAG=str(flag))
        identity = await added(stack, purls)
        await until(flag.exists, 60, "the first worker stands still")
        stack.start_worker("ingest", name="second")
        for _ in range(3):  # bells that were rung already
            await stack.context.queue.wake("ingest", identity)

        async def done() -> int:
            return (await read(stack, identity)).done

        async def others_done() -> bool:
            return await done() == len(purls) - 1

        async def all_done() -> bool:
            return (await read(stack, identity)).state == "done"

        await until(others_done, 60, "the second worker does the others meanwhile")
        assert await builds(stack) == 0
        stack.stop_worker("held", signal.SIGKILL)
        await until(all_done, 60, "the release is done again")

        whole, parts = await read(stack, identity), await parts_of(stack, identity)
        assert whole.result is not None
        status = "unchanged" if where == "after" else "indexed"
        assert [row["status"] for row in whole.result["releases"]] == [status, *["indexed"] * 4]
        assert [part.attempts for part in parts] == [2, 1, 1, 1, 1]
        async with stack.context.work(SYSTEM, read=True) as work:
            ends = await work.session.scalars(
                select(Event.subject).where(Event.subject.in_([part.id for part in parts]))
                .where(Event.data["state"].as_string() == "done")
            )  # fmt: skip
            assert sorted(ends) == sorted(part.id for part in parts)

        async def published() -> bool:
            return (await corpora.overview(stack.context)).snapshot is not None

        await until(published, 60, "the build")
        assert await builds(stack) == 1
        catalog = Catalog(data)
        assert sorted(catalog.entries()) == sorted(purls)
        snapshot = read_manifest(catalog.snapshots_root / (catalog.current() or ""))
        assert sorted(row["purl"] for row in snapshot["segments"]) == sorted(purls)
        segments = [folder for folder in catalog.segments_root.glob("*/*") if folder.name[0] != "."]
        assert len(segments) == len(purls)
