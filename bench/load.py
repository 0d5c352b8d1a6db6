"""Load on loopback: how many scans are accepted and finished a second, how long they take, and what it costs.

    python -m bench.load [--seconds 20] [--clients 1 4 16] [--stacks embedded production] [--data DATA]

Each stack is started on free ports with a small index (or the one in DATA). Clients post different diffs of
300 lines. *Accepting* clients post and go on; *waiting* clients post with `Prefer: wait` and so see each scan
to its end. Meanwhile /healthz is asked. At the end the queue is made short and overrun: every answer must be
202, 429 or 503 with Retry-After, in time. Clients, service and servers share the machine's processors.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.cluster import (
    Cluster,
    children,
    embedded_cluster,
    production_cluster,
    quantile,
    resident,
)
from tests.small_corpus import sample_corpus

LINES = 300
STACKS = {"embedded": embedded_cluster, "production": production_cluster}


def change(rng: random.Random, lines: int = LINES) -> bytes:
    """A diff that adds so many lines of Python, unlike any other."""
    text = []
    while len(text) < lines:
        names = [f"{word}_{rng.randrange(10**6)}" for word in ("value", "row", "state", "weight")]
        text += [f"def step_{rng.randrange(10**9)}({', '.join(names)}):"]
        for _ in range(rng.randint(5, 30)):
            a, b, c = rng.choice(names), rng.choice(names), rng.randrange(1000)
            text.append(
                rng.choice(
                    (
                        f"    {a} = {b} * {c} + len({a})",
                        f"    if {a} > {c}:",
                        f"        {a}.append(({b}, {c}))",
                        f"    for item in range({c}): {b} += item % {c + 1}",
                        f"    {a} = [{b}[{c}] for {b} in {a} if {b}]",
                    )
                )
            )
        text.append(f"    return {rng.choice(names)}")
    added = "".join(f"+{line}\n" for line in text[:lines])
    path = f"load_{rng.randrange(10**9)}.py"
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n{added}".encode()


@dataclass
class Answers:
    """What clients saw: seconds by status; ids that were accepted; timeouts and broken connections."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    broken: int = 0
    silent: int = 0

    def note(self, status: int, seconds: float) -> None:
        self.seconds.setdefault(status, []).append(seconds)

    @property
    def good(self) -> list[float]:
        return [each for status in (200, 202) for each in self.seconds.get(status, [])]

    @property
    def total(self) -> int:
        return sum(map(len, self.seconds.values()))


class Clients:
    """Threads that post. wait: seconds of `Prefer: wait`; rate: posts a second in all, 0: no limit."""

    def __init__(
        self, cluster: Cluster, number: int, *, wait: int = 0, rate: float = 0, lines: int = LINES
    ) -> None:
        self.cluster, self.wait, self.rate, self.lines = cluster, wait, rate, lines
        self.answers = Answers()
        self._end = self._begin = 0.0
        self._turn, self._posted = threading.Lock(), 0
        self._threads = [threading.Thread(target=self._post, args=(each,)) for each in range(number)]

    def run(self, seconds: float) -> Answers:
        self._begin = time.monotonic()
        self._end = self._begin + seconds
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join()
        return self.answers

    def _post(self, number: int) -> None:
        rng = random.Random(f"{number} {time.time_ns()}")
        key = self.cluster.secrets["ada", ("admin", "read", "scan")]
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/x-diff"}
        if self.wait:
            headers["Prefer"] = f"wait={self.wait}"
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.port, timeout=90)
        diff = change(rng, self.lines)
        while time.monotonic() < self._end:
            if self.rate:
                with self._turn:
                    due = self._begin + self._posted / self.rate
                    self._posted += 1
                time.sleep(max(0.0, due - time.monotonic()))
            begun = time.monotonic()
            try:
                connection.request("POST", "/v1/scans", diff, headers)
                answer = connection.getresponse()
                body = answer.read()
            except OSError:
                self.answers.broken += 1
                connection.close()
                continue
            self.answers.note(answer.status, time.monotonic() - begun)
            if answer.status in (200, 202):
                self.answers.accepted.append(json.loads(body)["id"])
            elif not answer.headers.get("Retry-After"):
                self.answers.silent += 1
            diff = diff.replace(b"+def step_", b"+def step_%d" % rng.randrange(10**6), 3)


@contextmanager
def pulse(cluster: Cluster) -> Iterator[list[float]]:
    """Asks /healthz all the time; seconds of each answer."""
    seconds: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=30)
        while not stop.wait(0.05):
            begun = time.monotonic()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            seconds.append(time.monotonic() - begun)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seconds
    finally:
        stop.set()
        thread.join()


def memory(cluster: Cluster) -> int:
    """Resident bytes of all our processes and their children; shared pages count in each."""
    ours = [process.pid for process in cluster.processes.values()]
    return sum(map(resident, [*ours, *(child for process in ours for child in children(process))]))


def drained(cluster: Cluster, seconds: float = 600) -> float:
    """Seconds until nothing waits."""
    begun = time.monotonic()
    while cluster.rows("SELECT 1 FROM scans WHERE state IN ('queued', 'running') LIMIT 1"):
        if time.monotonic() - begun > seconds:
            raise TimeoutError("the queue does not drain")
        time.sleep(0.2)
    return time.monotonic() - begun


def measure(cluster: Cluster, clients: int, seconds: float) -> list[str]:
    """A row of the table: accepting clients, then waiting ones."""
    with pulse(cluster) as healthy:
        begun = time.monotonic()
        posting = Clients(cluster, clients).run(seconds)
        spent = time.monotonic() - begun
        drained(cluster)
        begun = time.monotonic()
        waiting = Clients(cluster, clients, wait=60).run(seconds)
        waited = time.monotonic() - begun
        size = memory(cluster)
    return [
        cluster.name,
        str(clients),
        f"{len(posting.good) / spent:.1f}",
        *(f"{quantile(posting.good, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99)),
        f"{len(waiting.good) / waited:.1f}",
        *(f"{quantile(waiting.good, share):.2f}" for share in (0.5, 0.95, 0.99)),
        f"{quantile(healthy, 0.99) * 1000:.0f}",
        f"{size >> 20}",
        str(posting.broken + waiting.broken),
    ]


def overload(cluster: Cluster, seconds: float, clients: int = 16) -> str:
    """A sentence about clients that post faster than the queue is drained."""
    found = Clients(cluster, clients).run(seconds)
    told = ", ".join(f"{len(times)} × {status}" for status, times in sorted(found.seconds.items()))
    slowest = max((each for times in found.seconds.values() for each in times), default=0.0)
    empty = drained(cluster)
    return (
        f"{cluster.name}, queue of 50, {clients} clients: {told}; {found.silent} refusals without "
        f"Retry-After, {found.broken} timeouts, slowest answer {slowest:.2f} s, "
        f"queue empty {empty:.0f} s later"
    )


HEAD = (
    "stack", "clients", "accepted/s", "p50 ms", "p95 ms", "p99 ms", "finished/s", "p50 s", "p95 s", "p99 s",
    "/healthz p99 ms", "memory MiB", "broken",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Load on loopback.")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--stacks", nargs="+", choices=STACKS, default=list(STACKS))
    parser.add_argument("--data", type=Path, help="a data folder with a published snapshot")
    given = parser.parse_args()
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    told = []
    room = dict.fromkeys(("max_queued", "max_queued_tenant"), "1000000")
    room["max_queued_bytes"] = "10000000000"
    with tempfile.TemporaryDirectory(prefix="whence-load-") as scratch:
        data = given.data or sample_corpus(Path(scratch) / "data").data
        for stack in given.stacks:
            for name, settings in (("wide", room), ("short", {"max_queued": "50"})):
                folder = Path(scratch) / f"{stack}-{name}"
                folder.mkdir()
                with STACKS[stack](data, folder, **settings) as cluster:
                    if name == "short":
                        told.append(overload(cluster, given.seconds))
                        continue
                    for clients in given.clients:
                        print("| " + " | ".join(measure(cluster, clients, given.seconds)) + " |", flush=True)
    print("\n" + "\n".join(f"Overload: {each}." for each in told))
    print(f"\n{os.cpu_count()} processors; load average at the end {os.getloadavg()[0]:.1f}.")


if __name__ == "__main__":
    main()
