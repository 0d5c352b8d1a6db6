"""Twenty scans a second, and five times what can be done: served, or refused in time (C43, C44)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.load import Clients, drained, memory, pulse
from tests.figures import Figure
from tests.reliability.cluster import Cluster, environment_number, quantile

RATE = environment_number("WHENCE_CHECK_RATE", 20)
LINES_OF_20_KB = 375
"""Lines of `change` that are 20 KB of diff."""


def descriptors(cluster: Cluster) -> int:
    return len(list(Path(f"/proc/{cluster.processes['api'].pid}/fd").iterdir()))


def steady(cluster: Cluster, figure: Figure, seconds: int) -> None:
    """C43."""
    Clients(cluster, 4, wait=60, lines=LINES_OF_20_KB).run(5)  # children are started, pages are read
    size, files = memory(cluster), descriptors(cluster)
    with pulse(cluster) as healthy:
        found = Clients(cluster, 16, rate=RATE, lines=LINES_OF_20_KB).run(seconds)
        grown = memory(cluster) / size - 1
        drained(cluster)
    waits = [float(row[0]) for row in cluster.rows(
        "SELECT finished_at - created_at FROM scans WHERE state = 'done'"
    )]  # fmt: skip
    bad = cluster.rows("SELECT count(*) FROM scans WHERE state <> 'done'")
    errors = found.total - len(found.good) + found.broken + int(bad[0][0])
    note = f"{RATE} scans/s of 20 KB for {seconds} s"
    figure("C43", "errors", errors, exactly=0, note=note)
    figure("C43", "accepted p95", quantile(found.good, 0.95) * 1000, at_most=250, unit="ms")
    figure("C43", "from accepted to done p95", quantile(waits, 0.95), at_most=5, unit="s")
    figure("C43", "memory grown", grown * 100, at_most=5, unit="%")
    figure("C43", "file descriptors more", descriptors(cluster) - files, at_most=20)
    figure("C43", "p99 of /healthz", quantile(healthy, 0.99) * 1000, at_most=100, unit="ms")


@pytest.mark.deep("C43")
@pytest.mark.timeout(900)
def test_twenty_scans_a_second(cluster: Callable[..., Cluster], figure: Figure) -> None:
    steady(cluster("production"), figure, environment_number("WHENCE_CHECK_SECONDS", 120))


def overrun(cluster: Cluster, figure: Figure, seconds: int, room: int) -> None:
    """C44: as fast as 16 clients go, which is several times what is finished."""
    queued = []
    found = Clients(cluster, 16)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            queued.append(int(cluster.rows("SELECT count(*) FROM scans WHERE state = 'queued'")[0][0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = found.run(seconds)
    stop.set()
    watcher.join()
    begun = time.monotonic()
    drained(cluster)
    refused = {status: len(times) for status, times in answers.seconds.items() if status >= 400}
    note = f"{seconds} s: {len(answers.good)} accepted, refused {refused}"
    others = sum(number for status, number in refused.items() if status not in (429, 503))
    figure("C44", "answers other than 202, 429, 503; timeouts", others + answers.broken, exactly=0, note=note)
    figure("C44", "refusals without Retry-After", answers.silent, exactly=0)
    figure("C44", "most scans that waited", max(queued), at_most=room + 16, note=f"the limit is {room}")
    lost = cluster.rows("SELECT count(*) FROM scans WHERE state <> 'done'")
    figure("C44", "accepted scans not done", int(lost[0][0]), exactly=0)
    figure("C44", "queue empty after", time.monotonic() - begun, at_most=60, unit="s")
    assert refused


@pytest.mark.check("C44")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_overload_in_short(cluster: Callable[..., Cluster], figure: Figure) -> None:
    # So short a queue overruns on a slow machine, too, where fewer are posted in the time.
    overrun(cluster("production", max_queued="40"), figure, 20, 40)


@pytest.mark.deep("C44")
@pytest.mark.timeout(2400)
def test_overload(cluster: Callable[..., Cluster], figure: Figure) -> None:
    overrun(cluster("production", max_queued="1000", max_queued_tenant="1000"), figure, 300, 1000)
