"""What the API answers with: one model a resource, with the example that the documentation shows."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.db.models import Scan

State = Literal["queued", "running", "done", "failed", "canceled"]


class Resource(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


def moment(seconds: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339, UTC, to the millisecond."""
    if seconds is None:
        return None
    return (
        dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


class FieldError(Resource):
    """A field that is not valid. It names the place and the rule, and does not repeat the value."""

    where: str = Field(examples=["body.files.0.path"])
    rule: str = Field(examples=["String should have at least 1 character"])


class Problem(Resource):
    """An error (RFC 9457). `type` ends in a stable word for machines, `detail` is for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:whence:problem:not-found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "there is no scan 'scan_01k9q8v7f3m2n5p6r8s9t0v1w2'",
                    "request_id": "4f1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] | None = None


class Progress(Resource):
    """Where a piece of work is; total is 0 when unknown."""

    step: str = Field(examples=["matching"])
    done: int
    total: int


class Outcome(Resource):
    """A report in a few words; the report itself is at `links.report`.

    worst: with the decisions of today. ai_use_fits: whether declared AI use fits the project's rule, null
    where it has none.
    """

    status: Literal["complete", "partial"]
    worst: Literal["ok", "attribution", "review", "conflict"] | None
    findings: int
    leads: int
    ai_use_fits: bool | None


class Failure(Resource):
    """Why a piece of work failed."""

    slug: str = Field(examples=["bad-diff"])
    message: str = Field(examples=["line 3 of the diff: not a unified diff"])


class ScanLinks(Resource):
    """Where to go from a scan."""

    self: str
    events: str
    report: str
    receipt: str


class ScanResource(Resource):
    """A scan: what was asked, its state, and how it ended."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "scan_01k9q8v7f3m2n5p6r8s9t0v1w2",
                    "state": "done",
                    "kind": "diff",
                    "label": "pull request 18765",
                    "created_at": "2026-11-22T10:00:00.000Z",
                    "started_at": "2026-11-22T10:00:00.120Z",
                    "finished_at": "2026-11-22T10:00:00.480Z",
                    "expires_at": "2027-02-20T10:00:00.480Z",
                    "attempts": 1,
                    "progress": {"step": "done", "done": 3, "total": 3},
                    "snapshot": "0f3a5c7e9b1d2f4a",
                    "engine": "0.1.0+5a1f0c9be3d27784",
                    "policy_name": "",
                    "outbound": "BSD-3-Clause",
                    "retain": 86400,
                    "result": {
                        "status": "complete",
                        "worst": "conflict",
                        "findings": 1,
                        "leads": 2,
                        "ai_use_fits": None,
                    },
                    "error": None,
                    "links": {
                        "self": "/v1/scans/scan_01k9q8v7f3m2n5p6r8s9t0v1w2",
                        "events": "/v1/scans/scan_01k9q8v7f3m2n5p6r8s9t0v1w2/events",
                        "report": "/v1/scans/scan_01k9q8v7f3m2n5p6r8s9t0v1w2/report",
                        "receipt": "/v1/scans/scan_01k9q8v7f3m2n5p6r8s9t0v1w2/receipt",
                    },
                }
            ]
        }
    )

    id: str
    state: State
    kind: Literal["diff", "files", "fingerprints"]
    label: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    expires_at: str | None
    attempts: int
    progress: Progress
    snapshot: str
    engine: str
    policy_name: str
    outbound: str
    retain: int
    result: Outcome | None
    error: Failure | None
    links: ScanLinks


class ScanPage(Resource):
    """Scans, newest first. `next` is the cursor of the following page, null at the end."""

    scans: list[ScanResource]
    next: str | None


def scan_resource(scan: Scan, worst: str | None = None) -> ScanResource:
    """A row as clients see it. worst: with decisions; None where there are none."""
    here = f"/v1/scans/{scan.id}"
    result = None
    if scan.state == "done" and scan.status is not None:
        result = Outcome.model_validate(
            {
                "status": scan.status,
                "worst": worst or scan.worst,
                "findings": scan.findings or 0,
                "leads": scan.leads or 0,
                "ai_use_fits": scan.ai_use_fits,
            }
        )
    return ScanResource.model_validate(
        {
            "id": scan.id,
            "state": scan.state,
            "kind": scan.kind,
            "label": scan.label,
            "created_at": moment(scan.created_at),
            "started_at": moment(scan.claimed_at),
            "finished_at": moment(scan.finished_at),
            "expires_at": moment(scan.expires_at),
            "attempts": scan.attempts,
            "progress": Progress(step=scan.step, done=scan.done, total=scan.total),
            "snapshot": scan.snapshot,
            "engine": scan.engine,
            "policy_name": scan.policy_name,
            "outbound": scan.outbound,
            "retain": scan.retain,
            "result": result,
            "error": failure_of(scan),
            "links": ScanLinks(
                self=here, events=f"{here}/events", report=f"{here}/report", receipt=f"{here}/receipt"
            ),
        }
    )


def failure_of(row: Any) -> Failure | None:
    """Why a piece of work failed; None when it did not."""
    if row.error_slug is None and not row.error:
        return None
    return Failure(slug=row.error_slug or "error", message=row.error or "")
