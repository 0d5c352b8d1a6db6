"""`/healthz` (is this process alive?), `/readyz` (would a scan be accepted?) and `/metrics`.

The first two need no key, so they tell what works and nothing of the inside. `/metrics` needs `admin`.
"""

from __future__ import annotations

import time
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from app.api.access import Asks, context_of, needs, problems
from app.api.metrics import CONTENT_TYPE, Metrics
from app.api.resources import Resource
from app.services.health import Health, check

router = APIRouter(tags=["health"])
KEPT = 1.0
"""Seconds that an answer is given again: who asks often does not burden the database."""


class Liveness(Resource):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Resource):
    """Whether scans are accepted. snapshot: of the corpus. degraded: what does not work as it should."""

    status: Literal["ready", "degraded", "unready"]
    database: bool
    queue: bool
    snapshot: str | None
    degraded: list[str] = Field(examples=[["no scan worker is alive"]])


class LastCheck:
    """The last answer, for a moment."""

    def __init__(self) -> None:
        self.at = float("-inf")
        self.health: Health | None = None

    async def __call__(self, request: Request) -> Health:
        if self.health is None or time.monotonic() - self.at > KEPT:
            self.health, self.at = await check(context_of(request)), time.monotonic()
        return self.health


def _readiness(health: Health) -> Readiness:
    degraded = [each for each in health.degraded if "/" not in each]  # a path is the operator's business
    if health.snapshot is None:
        degraded.insert(0, "no snapshot of the corpus is published")
    status: Any = "unready" if not health.ready else "degraded" if degraded else "ready"
    return Readiness(
        status=status,
        database=health.database,
        queue=health.queue,
        snapshot=health.snapshot,
        degraded=degraded,
    )


@router.get(
    "/healthz",
    operation_id="getLiveness",
    summary="Liveness",
    responses=problems(431, 500),
    openapi_extra={"security": []},
)
@router.get("/livez", include_in_schema=False)
async def liveness() -> Liveness:
    """Answered without a look at anything else."""
    return Liveness()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Readiness",
    response_model=Readiness,
    responses={**problems(431, 500), 503: {"model": Readiness, "description": "Scans are not accepted now."}},
    openapi_extra={"security": []},
)
async def readiness(request: Request) -> Response:
    """Database, queue, snapshot and workers, as they were a second ago at most."""
    last: LastCheck = request.app.state.last_check
    answer = _readiness(await last(request))
    status = 503 if answer.status == "unready" else 200
    headers = {"Retry-After": "5"} if status == 503 else {}
    return JSONResponse(answer.model_dump(mode="json"), status, headers)


def _documented() -> dict[str, Any]:
    arguments = needs("admin")
    arguments["responses"][200] = {
        "description": "Prometheus' text format.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
    return arguments


@router.get(
    "/metrics", operation_id="getMetrics", summary="Metrics", response_class=Response, **_documented()
)
async def metrics(request: Request, asking: Asks) -> Response:
    """Requests by route and status, scans by state, age of the oldest waiting one, what workers counted."""
    last: LastCheck = request.app.state.last_check
    counted: Metrics = request.app.state.metrics
    counted.read(await last(request))
    return Response(counted.shown(), media_type=CONTENT_TYPE)
