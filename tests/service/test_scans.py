"""Scans from acceptance to report on both stacks: real children, real workers."""

from __future__ import annotations

import asyncio
import json

import pytest

from app.errors import Conflict, NotFound
from app.scan.wire import encode_query
from app.services import health, progress, scans
from app.services.submission import Submission, prepare
from corpus.model import ChangedFile, Region
from corpus.query import make_query
from tests.service.stacks import SOURCE, Stack, copied, diff_of, long_change, until

pytestmark = pytest.mark.anyio
OWN = "def greet(name):\n    return f'hello {name}'\n"


async def test_a_copy_is_found(stack: Stack, tenant: str) -> None:
    scan = await stack.ended(await stack.submit(copied(tenant), tenant, outbound="BSD-3-Clause"), tenant)
    assert (scan.state, scan.status, scan.worst, scan.findings) == ("done", "complete", "conflict", 1), (
        scan.error
    )
    stored = await stack.stored(scan.id, tenant)
    (finding,) = stored.report.findings
    assert finding.origin.path == "kernel.py"
    assert finding.license.expression == "GPL-3.0-or-later"
    assert stored.report.outbound == "BSD-3-Clause"
    assert stored.report.snapshot.id == scan.snapshot
    assert list(stored.added) == ["mine.py"]
    assert (scan.done, scan.total) == (1, 1)
    assert scan.expires_at is not None
    assert scan.finished_at is not None
    assert scan.expires_at > scan.finished_at


async def test_own_code_is_not(stack: Stack, tenant: str) -> None:
    scan = await stack.ended(await stack.submit(diff_of(OWN + f"# {tenant}\n"), tenant), tenant)
    assert (scan.state, scan.status, scan.worst, scan.findings) == ("done", "complete", "ok", 0), scan.error


async def test_whole_files(stack: Stack, tenant: str) -> None:
    files = {"a/mine.py": SOURCE.encode(), "b/own.py": (OWN + tenant).encode(), "c.bin": b"\0\1"}
    prepared = await prepare(stack.context, Submission(files=files))
    async with stack.context.work(tenant) as work:
        accepted = await scans.accept(work, stack.settings, prepared)
    scan = await stack.ended(accepted.scan, tenant)
    assert scan.findings == 1, scan.error
    report = (await stack.stored(scan.id, tenant)).report
    assert report.findings[0].region.path == "a/mine.py"
    assert ("c.bin", "binary") in [(skip.path, skip.reason) for skip in report.skipped]


async def test_files_after_the_change_give_context(stack: Stack, tenant: str) -> None:
    """With the whole file known, a hunk inside a long comment is read as the comment that it is."""
    text = '"""\n' + SOURCE.replace('"', "'") + f'"""\n# {tenant}\n'
    lines = text.splitlines()
    inside = lines[4:30]
    diff = f"--- a/m.py\n+++ b/m.py\n@@ -5,0 +5,{len(inside)} @@\n" + "".join(f"+{x}\n" for x in inside)
    for files, found in (({}, 1), ({"m.py": text.encode()}, 0)):
        scan = await stack.ended(await stack.submit(diff.encode(), tenant, files=files), tenant)
        assert (scan.state, scan.findings) == ("done", found), (scan.error, bool(files))


async def test_sketches_find_what_the_text_would(stack: Stack, tenant: str) -> None:
    """Sketches instead of text: the same finding, and no word of the text is sent or stored."""
    lines = tuple(SOURCE.partition("\n\n")[2].encode().splitlines())
    query = make_query(ChangedFile("mine.py", (Region(1, lines, (True,) * len(lines)),)), "python")
    sketches = [encode_query(query, spelling=False)]
    prepared = await prepare(stack.context, Submission(fingerprints=sketches, label=tenant))
    async with stack.context.work(tenant) as work:
        accepted = await scans.accept(work, stack.settings, prepared)
    scan = await stack.ended(accepted.scan, tenant)
    assert (scan.state, scan.findings) == ("done", 1), scan.error
    text = await stack.ended(await stack.submit(copied(), tenant), tenant)
    ours, theirs = [(await stack.stored(one, tenant)).report.findings[0] for one in (scan.id, text.id)]
    assert (ours.origin.path, ours.evidence.line_pairs) == (theirs.origin.path, theirs.evidence.line_pairs)
    assert ours.evidence.renames == {}


async def test_damaged_sketches_fail_with_their_field(stack: Stack, tenant: str) -> None:
    for damage in ({"raw": [[3], b"x"]}, {"line": 7}, {"units": [["function", "", 0, 10**6, 1, 1]]}):
        lines = tuple(SOURCE.encode().splitlines())
        query = make_query(ChangedFile("m.py", (Region(1, lines, (True,) * len(lines)),)), "python")
        broken = {**encode_query(query, spelling=False), **damage}
        prepared = await prepare(stack.context, Submission(fingerprints=[broken]))
        async with stack.context.work(tenant) as work:
            accepted = await scans.accept(work, stack.settings, prepared)
        scan = await stack.ended(accepted.scan, tenant)
        assert (scan.state, scan.error_slug, scan.attempts) == ("failed", "bad-fingerprints", 1)
        assert scan.error


async def test_what_is_no_diff_fails_with_its_line(stack: Stack, tenant: str) -> None:
    scan = await stack.ended(await stack.submit(b"--- a/x\n+++ b/x\n@@ lies @@\n+x\n", tenant), tenant)
    assert scan.state in ("failed", "done")
    if scan.state == "failed":
        assert (scan.error_slug, scan.attempts) == ("bad-diff", 1)
        assert "line " in (scan.error or "")
    else:
        assert scan.status == "partial"
    with pytest.raises(Conflict) if scan.state == "failed" else pytest.raises(NotFound):
        await stack.stored(scan.id if scan.state == "failed" else "scan_" + "0" * 26, tenant)


async def test_events_are_told_in_order_and_resume(stack: Stack, tenant: str) -> None:
    scan = await stack.submit(long_change(25, tenant), tenant)
    seen = [e async for e in progress.follow(stack.context, tenant, scan.id, seconds=40) if e is not None]
    states = [event.data["state"] for event in seen if event.kind == "state"]
    assert states == ["queued", "running", "done"]
    assert [event.id for event in seen] == sorted({event.id for event in seen})
    assert seen[-1].data["findings"] == 25
    resumed = [
        e async for e in progress.follow(stack.context, tenant, scan.id, after=seen[0].id) if e is not None
    ]
    assert [event.id for event in resumed] == [event.id for event in seen[1:]]
    assert json.dumps([event.data for event in seen])


async def test_canceling_stops_the_search(stack: Stack, tenant: str) -> None:
    scan = await stack.submit(long_change(150, tenant), tenant)

    async def runs() -> bool:
        async with stack.context.work(tenant, read=True) as work:
            return (await scans.get(work, scan.id)).state == "running"

    await until(runs, 15, "the scan begins")
    async with stack.context.work(tenant) as work:
        await scans.cancel(work, scan.id)
    after = await stack.ended(await stack.submit(copied(tenant), tenant), tenant, 15)
    assert after.state == "done"
    assert (await stack.ended(scan, tenant)).state == "canceled"
    async with stack.context.work(tenant) as work:
        with pytest.raises(Conflict):
            await scans.cancel(work, scan.id)
        with pytest.raises(Conflict, match="canceled"):
            await scans.report(work, scan.id)


async def test_many_at_once_all_end(stack: Stack, tenant: str) -> None:
    made = await asyncio.gather(*(stack.submit(copied(f"{tenant}{n}"), tenant) for n in range(25)))
    ended = await asyncio.gather(*(stack.ended(scan, tenant, 60) for scan in made))
    assert {(scan.state, scan.attempts, scan.findings) for scan in ended} == {("done", 1, 1)}


async def test_the_installation_says_how_it_is(stack: Stack, tenant: str) -> None:
    await stack.ended(await stack.submit(copied(tenant), tenant), tenant)

    async def told() -> bool:
        found = await health.check(stack.context)
        kinds = {p.kind for p in found.processes if p.age < health.STALE}
        counted = sum(p.facts.get("scans_done", 0) for p in found.processes)
        return {"scan", "chores"} <= kinds and counted > 0

    await until(told, 10, "signs of life")
    found = await health.check(stack.context)
    assert found.ready
    assert found.database
    assert found.queue
    assert found.snapshot == stack.context.snapshots.current_id()
    assert found.scans["done"] >= 1
    assert not any("worker" in problem for problem in found.degraded)
