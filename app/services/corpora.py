"""The corpus as clients see and change it: jobs that add and remove releases, build, publish, roll back.

Changing is for the scope `admin` and belongs to the installation, not to a tenant: open the work with
`app.db.models.SYSTEM`. `Job` rows have state, step, done, total, error and result; watch them with
`app.services.progress.follow(context, SYSTEM, job.id)`. What is indexed is read from the data folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.context import Context
from app.db import jobs as rows
from app.db.models import Job
from app.errors import Conflict, NotFound
from app.services import releases as releases_of
from app.services.pages import MAX_PAGE, Page, from_cursor, to_cursor
from app.work import Work
from corpus.coverage import FAILURES, Coverage, coverage
from corpus.errors import BadInput, UnknownRelease
from corpus.index.catalog import Catalog
from corpus.purl import canonical

MAX_PURLS = 2000


@dataclass(frozen=True, slots=True)
class Release:
    """An indexed release. licenses, skips: counts of files by SPDX expression and by reason."""

    purl: str
    background: bool
    added: float
    files: int
    units: int
    lines: int
    licenses: dict[str, int]
    skips: dict[str, int]


@dataclass(frozen=True, slots=True)
class Parts:
    """How many releases of a job wait, are worked on, are done; failed: purl → why."""

    waiting: int
    running: int
    done: int
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class Overview:
    """What is indexed in all. snapshot: the published one or None; snapshots: those kept, newest first.

    date: ISO, of the newest release; "" without any. licenses, languages, skips: files. failed: releases that
    could not be indexed.
    """

    snapshot: str | None
    snapshots: tuple[str, ...]
    date: str
    releases: int
    files: int
    units: int
    lines: int
    licenses: dict[str, int]
    languages: dict[str, int]
    skips: dict[str, int]
    missing: tuple[str, ...]
    failed: tuple[str, ...]


async def add(
    work: Work, purls: Sequence[str], *, background: bool = False, again: bool = False, build: bool = True,
    actor: str = "",
) -> Job:  # fmt: skip
    """Queue the fetching and indexing of releases, a job for each; one build follows the last.

    Raises BadPurl, BadInput.
    """
    wanted = _checked(purls)
    arguments = {"purls": wanted, "background": background, "again": again, "build": build}
    return await _queue(work, "ingest", "add", arguments, actor)


async def remove(work: Work, purls: Sequence[str], *, build: bool = True, actor: str = "") -> Job:
    """Queue the removal of releases and of all that was derived from them. Raises BadPurl, BadInput."""
    return await _queue(work, "index", "remove", {"purls": _checked(purls), "build": build}, actor)


async def build(work: Work, *, actor: str = "") -> Job:
    """Queue a build and its publication; a build that waits already is the answer."""
    return await job(work, await rows.queue_build(work, actor))


async def roll_back(work: Work, *, actor: str = "") -> Job:
    """Queue the publication of the snapshot before the current one."""
    return await _queue(work, "index", "rollback", {}, actor)


async def job(work: Work, identity: str) -> Job:
    """Raises NotFound."""
    found = await rows.get(work, identity)
    if found is None:
        raise NotFound("job", identity)
    return found


async def jobs(
    work: Work, *, cursor: str | None = None, limit: int = 50, parent: str | None = None
) -> Page[Job]:
    """Newest first. parent: the parts of this job, instead of those that were asked for."""
    limit = max(1, min(limit, MAX_PAGE))
    found = await rows.page(work, from_cursor(cursor) if cursor else None, limit + 1, parent)
    return Page(found[:limit], to_cursor(found[limit - 1].id) if len(found) > limit else None)


async def parts(work: Work, jobs: Iterable[Job]) -> dict[str, Parts]:
    """How far the parts of jobs are, by the job's id; jobs without parts are left out."""
    ids = [each.id for each in jobs if releases_of.is_whole(each)]
    if not ids:
        return {}
    failed: dict[str, dict[str, str]] = {}
    for part in await rows.failed_parts(work, ids):
        failed.setdefault(part.parent or "", {})[part.arguments["purl"]] = part.error or ""
    return {
        name: Parts(states["queued"], states["running"], states["done"], failed.get(name, {}))
        for name, states in (await rows.part_states(work, ids)).items()
    }


async def cancel(work: Work, identity: str) -> Job:
    """Take back a job that has not begun, or what has not begun of one with parts.

    Raises NotFound, Conflict.
    """
    found = await job(work, identity)
    if not await releases_of.cancel(work, found):
        raise Conflict(f"the job is {found.state} already")
    await work.session.refresh(found)
    return found


async def releases(context: Context) -> list[Release]:
    """All indexed releases, by purl."""
    return await asyncio.to_thread(_releases, context.catalog)


async def release(context: Context, purl: str) -> Release:
    """Raises BadPurl, UnknownRelease."""
    wanted = canonical(purl)
    for found in await releases(context):
        if found.purl == wanted:
            return found
    raise UnknownRelease(wanted)


async def overview(context: Context) -> Overview:
    """Counts over everything that is indexed."""
    return await asyncio.to_thread(_overview, context.catalog)


def _releases(catalog: Catalog) -> list[Release]:
    found = []
    for entry in catalog.entries().values():
        counts = catalog.segment(entry).counts
        found.append(
            Release(
                entry.purl, entry.background, entry.added, counts["files"], counts["units"], counts["lines"],
                counts["licenses"], counts["skips"],
            )
        )  # fmt: skip
    return found


def _overview(catalog: Catalog) -> Overview:
    found = _coverage(catalog, _stamps(catalog))
    root = catalog.snapshots_root
    kept = [p for p in root.iterdir() if not p.name.startswith(".")] if root.is_dir() else []
    kept.sort(key=lambda folder: -folder.stat().st_mtime)
    total = found.total
    return Overview(
        catalog.current(), tuple(folder.name for folder in kept), found.date, len(found.releases),
        total.files, total.units, total.lines,
        licenses={name: tally.files for name, tally in found.licenses.items()},
        languages={name: tally.files for name, tally in found.languages.items()},
        skips={reason: left.files for reason, left in found.skips.items()},
        missing=tuple(f"{row.purl}: {part}" for row in found.releases for part in row.missing),
        failed=tuple(found.failed),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _coverage(catalog: Catalog, stamps: tuple[object, ...]) -> Coverage:
    """Read once for each state of the corpus: it goes through every file of every segment."""
    return coverage(catalog)


def _stamps(catalog: Catalog) -> tuple[object, ...]:
    """Other ones when releases, failures or the snapshot changed: these files are replaced as a whole."""

    def stamp(name: str) -> object:
        try:
            told = (catalog.data / name).stat()
        except FileNotFoundError:
            return None
        return told.st_ino, told.st_mtime_ns, told.st_size

    return tuple(map(stamp, ("catalog.json", FAILURES, "CURRENT")))


def _checked(purls: Sequence[str]) -> list[str]:
    if not 1 <= len(purls) <= MAX_PURLS:
        raise BadInput(f"give 1 to {MAX_PURLS} package URLs")
    return list(dict.fromkeys(canonical(purl) for purl in purls))


async def _queue(work: Work, queue: str, kind: str, arguments: dict[str, Any], actor: str) -> Job:
    return await job(work, (await rows.queue(work, queue, kind, [arguments], actor))[0])
