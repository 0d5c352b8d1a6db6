"""Processes are killed while clients post over HTTP: nothing accepted is lost or done twice (C1, C2, C9)."""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.figures import Figure
from tests.reliability.cluster import Cluster, Posting, environment_number, quantile

Make = Callable[..., Cluster]
FAULTS = ("api", "scan", "scan", "chores", "redis", "flush", "postgres")


def fault(cluster: Cluster, kind: str, rng: random.Random) -> None:
    """One fault; servers come back after a moment, processes at once."""
    assert cluster.redis is not None
    assert cluster.postgres is not None
    if kind in cluster.kinds:
        cluster.kill(kind)
    elif kind == "flush":
        cluster.redis.client().flushall()
    else:
        server: object = cluster.redis if kind == "redis" else cluster.postgres
        server.stop(signal.SIGKILL)  # type: ignore[attr-defined]
        time.sleep(rng.uniform(0, 1.5))
        server.start()  # type: ignore[attr-defined]
    cluster.supervise()


def storm(make: Make, figure: Figure, faults: int) -> None:
    """C1: one fault after the other while two clients post."""
    cluster, rng, done = make("production"), random.Random(faults), {}
    with Posting(cluster) as posting:
        for _ in range(faults):
            time.sleep(rng.uniform(0.5, 2.5))
            kind = rng.choice(FAULTS)
            done[kind] = done.get(kind, 0) + 1
            fault(cluster, kind, rng)
    last = time.monotonic()
    accepted = list(posting.accepted)
    lost, waited = cluster.finished(accepted, 120)
    findings = {row[0]: row[1] for row in cluster.rows("SELECT id, findings FROM scans")}
    waits = [float(row[0]) for row in cluster.rows(
        "SELECT finished_at - created_at FROM scans WHERE state = 'done'"
    )]  # fmt: skip
    told = f"{faults} faults: " + ", ".join(f"{number} {kind}" for kind, number in sorted(done.items()))
    figure("C1", "scans accepted under faults", len(accepted), at_least=faults, note=told)
    figure("C1", "of them lost", len(lost), exactly=0)
    figure("C1", "finished twice", len(cluster.ended_twice()), exactly=0)
    figure("C1", "with a wrong result", sum(findings[name] != "1" for name in accepted), exactly=0)
    figure("C1", "all done after the last fault", time.monotonic() - last, at_most=120, unit="s")
    figure("C1", "p95 from accepted to done", quantile(waits, 0.95), at_most=10, unit="s")
    figure("C1", "answers 500 and above but 503", posting.errors, exactly=0)
    assert waited <= 120


@pytest.mark.check("C1")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_sixty_faults(cluster: Make, figure: Figure) -> None:
    storm(cluster, figure, environment_number("WHENCE_CHECK_FAULTS", 60))


@pytest.mark.deep("C1")
@pytest.mark.timeout(3600)
def test_three_hundred_faults(cluster: Make, figure: Figure) -> None:
    storm(cluster, figure, 300)


def killed(cluster: Make, figure: Figure, kills: int) -> None:
    """C2, embedded: killed at any moment, also while it starts; the database is whole each time."""
    # Kills follow so closely that one scan may be tried more often than a poisonous one is: that is C7.
    one, rng, damaged = cluster("embedded", attempts=str(kills)), random.Random(2), 0
    with Posting(one, threads=1, pause=0.1) as posting:
        for number in range(kills):
            if number % 4 == 0:  # the others may be killed while they start
                one.ready()
            time.sleep(rng.uniform(0.0, 1.0))
            one.kill("api")
            with closing(sqlite3.connect(one.database, timeout=20)) as connection:
                damaged += connection.execute("PRAGMA integrity_check").fetchone() != ("ok",)
            one.supervise()
    one.ready()
    accepted = list(posting.accepted)
    lost, _ = one.finished(accepted, 120)
    figure("C2", "databases damaged", damaged, exactly=0, note=f"{kills} kill -9")
    figure("C2", "scans accepted between kills", len(accepted), at_least=kills // 4)
    figure("C2", "of them lost", len(lost), exactly=0)
    figure("C2", "finished twice", len(one.ended_twice()), exactly=0)


@pytest.mark.check("C2")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_one_process_is_killed(cluster: Make, figure: Figure) -> None:
    killed(cluster, figure, environment_number("WHENCE_CHECK_KILLS", 50))


@pytest.mark.deep("C2")
@pytest.mark.timeout(2400)
def test_the_one_process_is_killed_two_hundred_times(cluster: Make, figure: Figure) -> None:
    killed(cluster, figure, 200)


def stopped(make: Make, figure: Figure, times: int) -> None:
    """C9: SIGTERM under load, to the API and the scan worker in turn."""
    cluster = make("production", stop_seconds="10")
    codes, slowest, cut = [], 0.0, 0
    with Posting(cluster, threads=3, pause=0.02) as posting:
        for number in range(times):
            time.sleep(0.7)
            kind = "api" if number % 2 else "scan"
            before = posting.broken
            begun = time.monotonic()
            codes.append(cluster.kill(kind, signal.SIGTERM))
            slowest = max(slowest, time.monotonic() - begun)
            cut += kind == "scan" and posting.broken > before
            cluster.supervise()
            if kind == "api":
                cluster.ready()
    lost, _ = cluster.finished(list(posting.accepted), 120)
    figure("C9", "SIGTERM under load, exits other than 0", sum(code != 0 for code in codes), exactly=0,
           note=f"{times} times")  # fmt: skip
    figure("C9", "slowest end", slowest, at_most=30, unit="s")
    figure("C9", "accepted scans lost", len(lost), exactly=0, note=f"of {len(posting.accepted)}")
    figure("C9", "answers 500 and above but 503", posting.errors, exactly=0)
    figure("C9", "connections cut while a worker ended", cut, exactly=0)


@pytest.mark.check("C9")
@pytest.mark.timeout(900)
def test_asked_to_stop_under_load(cluster: Make, figure: Figure) -> None:
    stopped(cluster, figure, 8)


@pytest.mark.deep("C9")
@pytest.mark.timeout(1200)
def test_asked_to_stop_fifty_times(cluster: Make, figure: Figure) -> None:
    stopped(cluster, figure, 50)
