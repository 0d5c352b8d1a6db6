"""`/v1/corpus`: what is indexed, and jobs that change it. All tenants share it: changing needs `admin`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from app.api.access import Asks, needs
from app.api.resources import Failure, Progress, Resource, State, failure_of, moment
from app.api.scans import Cursor, Limit
from app.api.stream import DOCUMENTED, Streams
from app.api.strict_json import Body, Purl, examples
from app.api.strict_route import StrictRoute
from app.db.models import SYSTEM, Job
from app.services import audit, corpora

router = APIRouter(prefix="/v1/corpus", tags=["corpus"], route_class=StrictRoute)

JobId = Annotated[str, Path(pattern=r"^[0-9a-z_]{1,64}$", examples=["job_01k9q8v7f3m2n5p6r8s9t0v1w2"])]
JobKind = Literal["add", "remove", "build", "rollback"]


class AddBody(Body):
    """Releases to fetch and index. background: known code that is common. build: publish at the end."""

    model_config = examples(
        {"releases": ["pkg:deb/debian/gsl@2.7.1+dfsg-5?arch=source", "pkg:pypi/chardet@5.2.0"]}
    )

    releases: Annotated[list[Purl], Field(min_length=1, max_length=2000)]
    background: bool = False
    again: bool = Field(default=False, description="Fetch and index anew what is indexed already.")
    build: bool = True


class RemoveBody(Body):
    """Releases to take out, with everything that was derived from them."""

    model_config = examples({"releases": ["pkg:pypi/chardet@5.2.0"]})

    releases: Annotated[list[Purl], Field(min_length=1, max_length=2000)]
    build: bool = True


class OverviewResource(Resource):
    """What is indexed in all. snapshot: the published one. date: of the newest release, "" without any.

    licenses, languages, skips: files, largest first. missing: parts that no registry has any more.
    failed: releases that could not be indexed.
    """

    snapshot: str | None
    snapshots: list[str]
    date: str = Field(examples=["2026-11-20"])
    releases: int
    files: int
    units: int
    lines: int
    licenses: dict[str, int] = Field(examples=[{"GPL-3.0-or-later": 1520}])
    languages: dict[str, int]
    skips: dict[str, int] = Field(examples=[{"binary": 12}])
    missing: list[str]
    failed: list[str] = Field(examples=[["pkg:pypi/gone@1.0"]])


class ReleaseResource(Resource):
    """An indexed release. licenses, skips: counts of files by SPDX expression and by reason."""

    purl: str
    background: bool
    added_at: str
    files: int
    units: int
    lines: int
    licenses: dict[str, int]
    skips: dict[str, int]


class ReleaseList(Resource):
    """Releases by package URL. `next` is the cursor of the following page."""

    releases: list[ReleaseResource]
    next: str | None


class FailedRelease(Resource):
    """A release of a job that could not be indexed, and why."""

    purl: str
    message: str


class JobReleases(Resource):
    """How far a job that adds releases is: how many wait, are worked on, are done; those that failed."""

    waiting: int
    running: int
    done: int
    failed: list[FailedRelease]


class JobResource(Resource):
    """A change of the corpus. result: what came of it, by kind of job.

    A job that adds releases is done by a job for each, which has it as `parent`; `releases` sums these up.
    """

    id: str
    parent: str | None
    kind: JobKind
    state: State
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: Progress
    releases: JobReleases | None
    result: dict[str, Any] | None
    error: Failure | None


class JobPage(Resource):
    """Jobs, newest first."""

    jobs: list[JobResource]
    next: str | None


def _job(job: Job, parts: corpora.Parts | None = None) -> JobResource:
    return JobResource.model_validate(
        {
            "id": job.id,
            "parent": job.parent,
            "kind": job.kind,
            "state": job.state,
            "created_at": moment(job.created_at),
            "started_at": moment(job.claimed_at),
            "finished_at": moment(job.finished_at),
            "progress": Progress(step=job.step, done=job.done, total=job.total),
            "releases": None if parts is None else _releases(parts),
            "result": job.result,
            "error": failure_of(job),
        }
    )


def _releases(parts: corpora.Parts) -> JobReleases:
    failed = [FailedRelease(purl=purl, message=message) for purl, message in parts.failed.items()]
    return JobReleases(waiting=parts.waiting, running=parts.running, done=parts.done, failed=failed)


def _accepted(job: Job, response: Response) -> JobResource:
    response.headers["Location"] = f"/v1/corpus/jobs/{job.id}"
    response.headers["Retry-After"] = "2"
    return _job(job)


def _release(found: corpora.Release) -> ReleaseResource:
    return ReleaseResource(
        purl=found.purl,
        background=found.background,
        added_at=moment(found.added) or "",
        files=found.files,
        units=found.units,
        lines=found.lines,
        licenses=found.licenses,
        skips=found.skips,
    )


@router.get("", operation_id="getCorpus", summary="What is indexed", **needs("read", "scan"))
async def overview(asking: Asks) -> OverviewResource:
    """Releases, files, licences, languages and what was skipped, in numbers; the snapshots that are kept."""
    found = await corpora.overview(asking.context)
    return OverviewResource(
        snapshot=found.snapshot,
        snapshots=list(found.snapshots),
        date=found.date,
        releases=found.releases,
        files=found.files,
        units=found.units,
        lines=found.lines,
        licenses=found.licenses,
        languages=found.languages,
        skips=found.skips,
        missing=list(found.missing),
        failed=list(found.failed),
    )


@router.get("/releases", operation_id="listReleases", summary="List releases", **needs("read", "scan"))
async def releases(
    asking: Asks,
    limit: Limit = 100,
    after: Annotated[
        str | None,
        Query(max_length=500, pattern=r"^pkg:[\x21-\x7e]+$", description="`next` of the page before."),
    ] = None,
) -> ReleaseList:
    """By package URL."""
    found = [each for each in await corpora.releases(asking.context) if after is None or each.purl > after]
    found.sort(key=lambda each: each.purl)
    shown = [_release(each) for each in found[:limit]]
    return ReleaseList(releases=shown, next=shown[-1].purl if len(found) > limit else None)


@router.get(
    "/release", operation_id="getRelease", summary="One release", **needs("read", "scan", errors=(404,))
)
async def release(
    asking: Asks,
    purl: Annotated[
        str,
        Query(
            min_length=5, max_length=500, pattern=r"^pkg:[\x21-\x7e]+$", examples=["pkg:pypi/chardet@5.2.0"]
        ),
    ],
) -> ReleaseResource:
    """What was kept of it and what was skipped, and why."""
    return _release(await corpora.release(asking.context, purl))


@router.post(
    "/releases",
    operation_id="addReleases",
    summary="Index releases",
    status_code=202,
    **needs("admin", body=True),
)
async def add(asking: Asks, body: AddBody, response: Response) -> JobResource:
    """A job that has each of them fetched and indexed, and then publishes a new snapshot.

    Ingest workers share the releases. Some may fail: the others are usable, and one build follows the last.
    """
    async with asking.context.work(SYSTEM) as work:
        job = await corpora.add(
            work,
            body.releases,
            background=body.background,
            again=body.again,
            build=body.build,
            actor=asking.actor,
        )
        await audit.record(work, asking.actor, "corpus.add", job.id, {"releases": len(body.releases)})
    return _accepted(job, response)


@router.post(
    "/removals",
    operation_id="removeReleases",
    summary="Take releases out",
    status_code=202,
    **needs("admin", body=True),
)
async def remove(asking: Asks, body: RemoveBody, response: Response) -> JobResource:
    """A job that drops their segments and publishes a snapshot without them."""
    async with asking.context.work(SYSTEM) as work:
        job = await corpora.remove(work, body.releases, build=body.build, actor=asking.actor)
        await audit.record(work, asking.actor, "corpus.remove", job.id, {"releases": len(body.releases)})
    return _accepted(job, response)


@router.post(
    "/builds", operation_id="buildCorpus", summary="Build and publish", status_code=202, **needs("admin")
)
async def build(asking: Asks, response: Response) -> JobResource:
    """A job that makes a snapshot from the segments and publishes it."""
    async with asking.context.work(SYSTEM) as work:
        job = await corpora.build(work, actor=asking.actor)
        await audit.record(work, asking.actor, "corpus.build", job.id)
    return _accepted(job, response)


@router.post(
    "/rollbacks",
    operation_id="rollBackCorpus",
    summary="Publish the snapshot before",
    status_code=202,
    **needs("admin"),
)
async def roll_back(asking: Asks, response: Response) -> JobResource:
    """A job that publishes the snapshot before the current one."""
    async with asking.context.work(SYSTEM) as work:
        job = await corpora.roll_back(work, actor=asking.actor)
        await audit.record(work, asking.actor, "corpus.rollback", job.id)
    return _accepted(job, response)


@router.get("/jobs", operation_id="listJobs", summary="List jobs", **needs("admin"))
async def jobs(
    asking: Asks,
    cursor: Cursor = None,
    limit: Limit = 50,
    parent: Annotated[
        str | None,
        Query(pattern=r"^[0-9a-z_]{1,64}$", description="List the jobs that this one consists of."),
    ] = None,
) -> JobPage:
    """Newest first: those that were asked for, or the parts of one of them."""
    async with asking.context.work(SYSTEM, read=True) as work:
        page = await corpora.jobs(work, cursor=cursor, limit=limit, parent=parent)
        parts = await corpora.parts(work, page.rows)
    return JobPage(jobs=[_job(job, parts.get(job.id)) for job in page.rows], next=page.next)


@router.get(
    "/jobs/{job_id}", operation_id="getJob", summary="State of a job", **needs("admin", errors=(404,))
)
async def job(asking: Asks, job_id: JobId) -> JobResource:
    """Its progress, and what came of it."""
    async with asking.context.work(SYSTEM, read=True) as work:
        found = await corpora.job(work, job_id)
        return _job(found, (await corpora.parts(work, [found])).get(job_id))


@router.delete(
    "/jobs/{job_id}", operation_id="cancelJob", summary="Take a job back", **needs("admin", errors=(404, 409))
)
async def cancel(asking: Asks, job_id: JobId) -> JobResource:
    """While it has not begun. Of a job that adds releases: those of them that have not begun.

    What is worked on goes on to its end. No build follows: the next one publishes what was indexed.
    """
    async with asking.context.work(SYSTEM) as work:
        canceled = await corpora.cancel(work, job_id)
        parts = await corpora.parts(work, [canceled])
        await audit.record(work, asking.actor, "corpus.cancel", job_id)
    return _job(canceled, parts.get(job_id))


def _watched() -> dict[str, Any]:
    arguments = needs("admin", errors=(404,))
    arguments["responses"][200] = DOCUMENTED
    return arguments


@router.get(
    "/jobs/{job_id}/events",
    operation_id="watchJob",
    summary="Progress of a job as it goes",
    response_class=StreamingResponse,
    **_watched(),
)
async def events(request: Request, asking: Asks, job_id: JobId) -> StreamingResponse:
    """Server-sent events, as of a scan."""
    streams: Streams = request.app.state.streams
    return await streams.answer(request, asking.context, SYSTEM, job_id)
