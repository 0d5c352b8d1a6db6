"""Redis, PostgreSQL, a worker or the snapshot are away: what clients, watchers and alarms see (C8, C46)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.api.service import copied
from tests.figures import Figure
from tests.reliability.cluster import DIFF, Cluster, Posting, environment_number
from tests.service.stacks import HERE

Make = Callable[..., Cluster]
AWAY = environment_number("WHENCE_CHECK_AWAY", 20)
"""Seconds that a server is away; 60 for a long run."""


def readiness(client: httpx2.Client) -> tuple[int, dict]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def until(client: httpx2.Client, wanted: Callable[[int, dict], bool], seconds: float) -> float:
    """Seconds until /readyz says what is wanted."""
    begun = time.monotonic()
    while not wanted(*(seen := readiness(client))):
        assert time.monotonic() - begun < seconds, seen
        time.sleep(0.1)
    return time.monotonic() - begun


@pytest.mark.check("C8")
@pytest.mark.long
@pytest.mark.timeout(600)
def test_servers_are_away(cluster: Make, figure: Figure) -> None:
    cluster_ = cluster("production")
    assert cluster_.redis is not None
    assert cluster_.postgres is not None
    note = f"away for {AWAY} s"
    with cluster_.client(None) as anybody:
        cluster_.redis.stop(signal.SIGKILL)
        with Posting(cluster_, salt="redis") as posting:
            time.sleep(AWAY)
        _, seen = readiness(anybody)
        refused = sum(number for status, number in posting.statuses.items() if status != 202)
        figure("C8", "Redis down: answers other than 202", refused + posting.broken, exactly=0, note=note)
        figure("C8", "Redis down: /readyz is degraded and 200", seen["status"] == "degraded", exactly=True)
        cluster_.redis.start()
        lost, _ = cluster_.finished(list(posting.accepted), 60)
        figure("C8", "Redis down: scans not done", len(lost), exactly=0, note=f"of {len(posting.accepted)}")
        cluster_.ready()

        cluster_.postgres.stop(signal.SIGKILL)
        with Posting(cluster_, salt="postgres") as posting:
            time.sleep(AWAY)
        away = dict(posting.statuses)
        seconds = [spent for _, spent in posting.seconds]
        figure("C8", "database down: 202", away.get(202, 0), exactly=0, note=note)
        figure("C8", "database down: 500", posting.errors + posting.broken, exactly=0)
        figure(
            "C8", "database down: 503 without Retry-After", away.get(503, 0) - posting.retry_after, exactly=0
        )
        figure("C8", "database down: slowest answer", max(seconds), at_most=3, unit="s")
        assert away.get(503, 0) > 3
        cluster_.postgres.start()
        begun = time.monotonic()
        cluster_.ready()
        with cluster_.client() as ada:
            answer = ada.post("/v1/scans", content=copied("after"), headers=DIFF | {"Prefer": "wait=30"})
        assert answer.json()["state"] == "done"
        figure("C8", "database back: normal after", time.monotonic() - begun, at_most=30, unit="s")


class Watch:
    """Asks /livez all the time."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client, self.bad, self.asked = client, 0, 0

    def __call__(self) -> None:
        self.asked += 1
        self.bad += self.client.get("/livez").status_code != 200


def metric(client: httpx2.Client, pattern: str) -> float:
    """The value of the first line that fits; -2 when there is none."""
    time.sleep(1.1)  # what was found out is told again for a second
    text = client.get("/metrics").text
    found = re.search(rf"^{pattern}.* (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else -2.0


@pytest.mark.check("C46")
@pytest.mark.long
@pytest.mark.timeout(400)
def test_readiness_and_alarms(cluster: Make, corpus: Path, tmp_path: Path, figure: Figure) -> None:
    data = tmp_path / "own"
    shutil.copytree(corpus, data)
    one = cluster("production", data_dir=str(data))
    assert one.redis is not None
    assert one.postgres is not None
    fired = {}
    with one.client(None) as anybody, one.client() as ada:
        alive = Watch(anybody)
        changes = []

        def changed(wanted: Callable[[int, dict], bool], back: Callable[[], object]) -> None:
            changes.append(until(anybody, wanted, 30))
            alive()
            back()
            until(anybody, lambda code, seen: code == 200 and not sickness(seen), 60)

        def sickness(seen: dict) -> list[str]:
            return [each for each in seen["degraded"] if not each.startswith("this Python")]

        until(anybody, lambda code, seen: code == 200 and not sickness(seen), 60)
        one.redis.stop(signal.SIGKILL)
        changed(lambda code, seen: code == 200 and seen["queue"] is False, one.redis.start)
        one.postgres.stop(signal.SIGKILL)
        changed(lambda code, seen: code == 503 and seen["database"] is False, one.postgres.start)
        (data / "CURRENT").rename(data / "CURRENT.away")
        until(anybody, lambda code, seen: code == 503, 30)
        fired["whence_ready"] = metric(ada, "whence_ready") == 0
        changed(
            lambda code, seen: code == 503 and seen["snapshot"] is None,
            lambda: (data / "CURRENT.away").rename(data / "CURRENT"),
        )
        figure("C46", "/readyz tells that Redis, PostgreSQL or the snapshot is away", max(changes), at_most=5,
               unit="s", note="the slowest of the three")  # fmt: skip

        one.stop("scan", signal.SIGKILL)
        begun = time.monotonic()
        until(anybody, lambda code, seen: "no scan worker is alive" in seen["degraded"], 40)
        figure("C46", "/readyz tells that no worker lives", time.monotonic() - begun, at_most=20, unit="s")
        alive()
        waiting = ada.post("/v1/scans", content=copied("waits"), headers=DIFF).json()["id"]
        one.rows(f"UPDATE scans SET created_at = created_at - 100 WHERE id = '{waiting}'")
        one.rows("UPDATE heartbeats SET at = at - 40 WHERE kind = 'scan'")
        fired["whence_queue_oldest_seconds"] = metric(ada, "whence_queue_oldest_seconds") > 60
        fired["whence_worker_age_seconds"] = metric(ada, 'whence_worker_age_seconds{kind="scan"}') > 30
        one.start("scan", HERE / "poisoned_worker.py")
        poison = ada.post("/v1/scans", content=copied("poisonous_mark"), headers=DIFF).json()["id"]
        one.finished([poison, waiting], 60)
        time.sleep(5)  # workers tell their counts with their sign of life
        fired["sandbox_kills"] = metric(ada, 'whence_worker_count{kind="scan",what="sandbox_kills"}') > 0
        before = metric(ada, 'whence_http_refused_total{status="404"}')
        ada.get("/v1/nothing")
        fired["whence_http_refused_total"] = metric(ada, 'whence_http_refused_total{status="404"}') > before
        past = time.time() - 9 * 86400

        os.utime(data / "CURRENT", (past, past))
        fired["whence_snapshot_age_seconds"] = metric(ada, "whence_snapshot_age_seconds") > 8 * 86400
        fired["whence_disk_free_ratio"] = 0 < metric(ada, "whence_disk_free_ratio") <= 1
        alive()
        figure("C46", "alarms that can be told from /metrics", sum(fired.values()), exactly=len(fired))
        assert all(fired.values()), fired
        figure(
            "C46", "/livez answered other than 200", alive.bad, exactly=0, note=f"asked {alive.asked} times"
        )
