"""Hostile diffs over HTTP, to the result: nothing fails, hangs or vanishes in silence (C12, C14)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest

from tests.api.service import Service
from tests.app.scan.test_diff_strict import MALFORMED
from tests.figures import Figure
from tests.reliability.cluster import DIFF, Cluster, children, environment_number, quantile, resident
from tests.reliability.hostile_diffs import SEEDS, mutated, structured

MIB = 1 << 20
MUTATED = environment_number("WHENCE_CHECK_MUTATED", 2000)


class Watching:
    """The most memory of a process and of each child of another; how long /livez took."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.api, self.child = cluster, 0, 0
        self.lags: list[float] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()

        def watch() -> None:
            with self.cluster.client(None) as client:
                while not stop.wait(0.1):
                    self.api = max(self.api, self.cluster.memory("api"))
                    worker = self.cluster.processes["scan"].pid
                    self.child = max([self.child, *map(resident, children(worker))])
                    begun = time.monotonic()
                    client.get("/livez")
                    self.lags.append(time.monotonic() - begun)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def post_all(cluster: Cluster, diffs: Iterable[bytes], threads: int) -> list[tuple[int, str]]:
    """Status and id of each; waits while the queue is full."""

    def post(client: httpx2.Client, diff: bytes) -> tuple[int, str]:
        while True:
            answer = client.post("/v1/scans", content=diff, headers=DIFF, params={"retain": "0"})
            if answer.status_code not in (429, 503):
                return answer.status_code, answer.json().get("id", "")
            time.sleep(float(answer.headers["retry-after"]) / 5)

    with cluster.client() as client, ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda diff: post(client, diff), diffs))


def hostile(cluster: Cluster, figure: Figure, number: int) -> None:
    """C12."""
    worker, watching = cluster.processes["scan"], Watching(cluster)
    begun = time.monotonic()
    with watching.running():
        chaff = [text for seed in SEEDS for text in mutated(seed, number // len(SEEDS))]
        answers = post_all(cluster, chaff, 4)
        lost, _ = cluster.finished([name for _, name in answers if name], 600)
        aimed = structured()
        answers += post_all(cluster, aimed.values(), 2)
        cluster.finished([name for _, name in answers if name], 300)
    seconds = time.monotonic() - begun
    ends = cluster.rows("SELECT state, coalesce(error_slug, ''), finished_at - claimed_at FROM scans")
    faults = [slug for state, slug, _ in ends if state == "failed" and slug != "bad-diff"]
    longest = max(float(spent) for _, _, spent in ends)
    note = f"{len(chaff)} mutated in {len(SEEDS)} seeds, {len(aimed)} structured, {seconds:.0f} s"
    figure("C12", "answers 500 and above", sum(code >= 500 for code, _ in answers), exactly=0, note=note)
    figure("C12", "structured hostile diffs", len(aimed), at_least=150)
    figure("C12", "scans that ended neither done nor as no diff", len(faults), exactly=0,
           note=", ".join(sorted(set(faults))))  # fmt: skip
    figure("C12", "longest scan", longest, at_most=5, unit="s")
    figure("C12", "worker exits", worker.poll() is not None, exactly=0)
    figure("C12", "memory of the API", watching.api / MIB, at_most=300, unit="MiB")
    figure("C12", "memory of the largest child", watching.child / MIB, at_most=512, unit="MiB")
    figure("C12", "p99 of /livez meanwhile", quantile(watching.lags, 0.99), at_most=0.2, unit="s")
    assert len(lost) <= len(ends)


@pytest.mark.check("C12")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_hostile_diffs(cluster: Callable[..., Cluster], figure: Figure) -> None:
    hostile(cluster("production"), figure, MUTATED)


@pytest.mark.deep("C12")
@pytest.mark.timeout(3600)
def test_ten_thousand_mutated_diffs(cluster: Callable[..., Cluster], figure: Figure) -> None:
    hostile(cluster("production"), figure, 10_000)


@pytest.mark.check("C14")
@pytest.mark.timeout(900)
def test_nothing_is_unscanned_in_silence(service: Service, ada: httpx2.Client, figure: Figure) -> None:
    """Each malformed diff is partial, or refused with a line of it."""
    told = partial = 0
    for text in MALFORMED:
        whole = text.rstrip(b"\n") + b"\n"  # one more empty line would be a line of context
        answer = ada.post("/v1/scans", content=whole, headers=DIFF | {"Prefer": "wait=25"}).json()
        if answer["state"] == "done":
            report = ada.get(answer["links"]["report"]).json()
            lines = [skip for skip in report["skipped"] if skip["partial"] and "line " in skip["reason"]]
            partial += report["status"] == "partial" and bool(lines)
            told += report["status"] == "partial" and bool(lines)
        else:
            told += answer["error"]["slug"] == "bad-diff" and "line " in answer["error"]["message"]
    note = f"{partial} partial, the others refused with a line"
    figure("C14", "malformed diffs that are told", told, exactly=len(MALFORMED), note=note)
