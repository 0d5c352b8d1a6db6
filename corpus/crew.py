"""Many releases at once: one process a core, each with one release at a time, fed by the process that calls.

    fetch (a few threads, ahead of the others) → ready, largest first → a worker: unpack … segment → catalogue

A release is one job that may be repeated: it ends with its entry in the catalogue, or leaves nothing that
counts. A run that was killed goes on by being started again: what is in the catalogue is not done twice, what
was fetched is in the cache, notices that were read are in the licence cache, and files whose text was seen
are in the record cache. Licences are read for all workers by the children of one Detector in the calling
process: each holds 1.4 GB, so there may be fewer of them than workers.

Workers end when the caller does: their pipe closes. Called by the command line; a service runs the same
`Ingester.ingest` for each release of its jobs.
"""

from __future__ import annotations

import heapq
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from corpus.errors import WhenceError
from corpus.index.catalog import Catalog
from corpus.ingest import Ingester, Outcome, Progress, is_indexed, obtain
from corpus.licenses import Detector, affordable
from corpus.licenses.detector import Detection
from corpus.model import Fetched
from corpus.purl import canonical
from corpus.sources import SourceSettings

FETCHERS = 4
"""Releases fetched at the same time: a registry is a guest's to be gentle with."""

AHEAD = 24
"""Releases that may lie fetched and wait, so that the largest of them can go first."""


@dataclass(frozen=True, slots=True)
class Options:
    """How releases are indexed. jobs: worker processes. again: also what is in already."""

    jobs: int
    settings: SourceSettings
    keep_text: bool = True
    again: bool = False


@dataclass(order=True, slots=True)
class _Ready:
    """A fetched release that waits for a worker, the largest first. note: why it is not the one asked for."""

    rank: int
    purl: str = field(compare=False)
    background: bool = field(compare=False)
    note: str = field(compare=False, default="")

    @property
    def size(self) -> int:
        return -self.rank


@dataclass(slots=True)
class Pace:
    """How far a run is, in bytes of fetched archives; `left` is honest only once sizes are known."""

    releases: int
    done: int = 0
    done_bytes: int = 0
    known: int = 0
    known_bytes: int = 0
    begun: float = field(default_factory=time.monotonic)

    def left(self) -> float | None:
        """Seconds that the rest takes at the pace so far; releases without a size count as the mean."""
        if not self.done_bytes or not self.known:
            return None
        unknown = self.releases - self.known
        rest = self.known_bytes - self.done_bytes + unknown * self.known_bytes / self.known
        return (time.monotonic() - self.begun) * rest / self.done_bytes


Report = Callable[[Pace], None]


def ingest_all(
    catalog: Catalog,
    wanted: Sequence[tuple[str, bool]],
    options: Options,
    progress: Progress | None = None,
    report: Report | None = None,
) -> Iterator[Outcome]:
    """Index releases, given as (purl, background); yields each outcome as it comes, in no order.

    progress: told the steps of releases, from several threads. report: told the pace before each outcome.
    """
    with ExitStack() as stack:
        crew = _Crew(catalog, options, progress)
        stack.callback(crew.close)
        yield from crew.run(wanted, report)


class _Crew:
    """The calling process's side: fetchers, the detector, one thread for each worker process."""

    def __init__(self, catalog: Catalog, options: Options, progress: Progress | None) -> None:
        self.catalog, self.options = catalog, options
        self._progress = progress or (lambda purl, step, done, total: None)
        self._ready: list[_Ready] = []
        self._changed = threading.Condition()
        self._to_fetch = 0
        self._closed = False
        self._outcomes: queue.Queue[Outcome | BaseException] = queue.Queue()
        self._detector = Detector(catalog.licenses, min(options.jobs, affordable()), many=True)
        self._workers: list[_Worker] = []
        self._sizes: dict[str, int] = {}

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._changed.notify_all()
        for worker in self._workers:
            worker.kill()
        self._detector.close()

    def run(self, wanted: Sequence[tuple[str, bool]], report: Report | None) -> Iterator[Outcome]:
        pace = Pace(len(wanted))
        self._to_fetch = len(wanted)
        fetchers = ThreadPoolExecutor(FETCHERS, thread_name_prefix="fetch")
        jobs = max(1, min(self.options.jobs, len(wanted)))
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(jobs)]
        try:
            for thread in threads:
                thread.start()
            for purl, background in wanted:
                fetchers.submit(self._fetch, purl, background)
            for _ in wanted:
                outcome = self._outcomes.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                pace.done += 1
                pace.known, pace.known_bytes = len(self._sizes), sum(self._sizes.values())
                pace.done_bytes += self._sizes.get(outcome.purl, 0)
                if report is not None:
                    report(pace)
                yield outcome
        finally:
            self.close()
            fetchers.shutdown(wait=True, cancel_futures=True)

    def _fetch(self, purl: str, background: bool) -> None:
        """Fetch one release and put it among those that wait for a worker."""
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or len(self._ready) < AHEAD)
            if self._closed:
                return
            ready = self._prepare(purl, background)
        except Exception as error:  # of one release, whatever it is: the others go on
            self._ended(Outcome(purl, "failed", _said(error)))
            return
        except BaseException as error:
            self._outcomes.put(error)
            return
        if isinstance(ready, Outcome):
            self._ended(ready)
            return
        with self._changed:
            self._to_fetch -= 1
            heapq.heappush(self._ready, ready)
            self._changed.notify_all()

    def _ended(self, outcome: Outcome) -> None:
        """A release that never reaches a worker."""
        self._sizes[outcome.purl] = 0
        with self._changed:
            self._to_fetch -= 1
            self._changed.notify_all()
        self._outcomes.put(outcome)

    def _prepare(self, purl: str, background: bool) -> _Ready | Outcome:
        purl = canonical(purl)
        if not self.options.again and is_indexed(self.catalog, purl, background=background):
            return Outcome(purl, "unchanged", "already indexed")
        fetched, note = obtain(self.catalog, purl, self.options.settings, self._progress)
        if note and not self.options.again and is_indexed(self.catalog, fetched.purl, background=background):
            return Outcome(fetched.purl, "unchanged", f"already indexed, {note}")
        size = _size(fetched)
        self._sizes[fetched.purl] = size
        return _Ready(-size, fetched.purl, background, note)

    def _next(self) -> _Ready | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._ready or not self._to_fetch)
            if self._closed or not self._ready:
                return None
            ready = heapq.heappop(self._ready)
            self._changed.notify_all()
            return ready

    def _serve(self) -> None:
        """Give one worker process releases until none is left; a worker that died is replaced."""
        worker = None
        try:
            while (ready := self._next()) is not None:
                if worker is None or not worker.alive():
                    worker = _Worker(self.catalog, self.options)
                    self._workers.append(worker)
                try:
                    outcome = worker.ingest(ready, self._detector, self._progress)
                except Exception as error:  # of this side: what the worker waits for is not known any more
                    worker.kill()
                    outcome = Outcome(ready.purl, "failed", _said(error))
                if ready.note:
                    message = f"{outcome.message}; {ready.note}" if outcome.message else ready.note
                    outcome = Outcome(outcome.purl, outcome.status, message, outcome.counts)
                self._outcomes.put(outcome)
        except BaseException as error:
            if not self._closed:
                self._outcomes.put(error)
        finally:
            if worker is not None:
                worker.stop()


def _said(error: Exception) -> str:
    return error.message if isinstance(error, WhenceError) else f"{type(error).__name__}: {error}"


def _size(fetched: Fetched) -> int:
    return sum(a.path.stat().st_size for a in fetched.artifacts if a.path.is_file())


class _Worker:
    """The caller's end of one worker process."""

    def __init__(self, catalog: Catalog, options: Options) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, catalog.data, catalog.cache, options), daemon=True
        )
        self._process.start()
        theirs.close()

    def alive(self) -> bool:
        return self._process.is_alive()

    def ingest(self, ready: _Ready, detector: Detector, progress: Progress) -> Outcome:
        """Have one release indexed; serves the worker's questions until it is done."""
        try:
            self._pipe.send((ready.purl, ready.background))
            while True:
                kind, *rest = self._pipe.recv()
                if kind == "detect":
                    self._pipe.send(detector.detect(*rest))
                elif kind == "tell":
                    progress(*rest)
                else:
                    outcome: Outcome = rest[0]
                    return outcome
        except (EOFError, OSError):
            self._process.join(5)
            return Outcome(
                ready.purl, "failed", f"its process ended (exit code {self._process.exitcode}); add it again"
            )

    def kill(self) -> None:
        """End it whatever it does: a release that is not in the catalogue is simply done again."""
        self._process.kill()
        self._process.join()  # until then it looks alive, and would be given the next release

    def stop(self) -> None:
        """Let it end; only its own thread calls this."""
        with suppress(OSError):
            self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class _AskedDetector:
    """A worker's stand-in for the caller's detector."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def detect(self, texts: Sequence[str], progress: Any = None) -> list[Detection]:
        """As Detector.detect; progress is told at the end only."""
        self._pipe.send(("detect", list(texts)))
        found: list[Detection] = self._pipe.recv()
        return found


def _work(pipe: Connection, data: Path, cache: Path, options: Options) -> None:
    """Main function of a worker process; ends when the pipe does."""
    told = 0.0

    def tell(purl: str, step: str, done: int, total: int | None) -> None:
        nonlocal told
        if done and done != total and time.monotonic() - told < 0.2:
            return
        told = time.monotonic()
        pipe.send(("tell", purl, step, done, total))

    threading.Thread(target=_end_with_parent, daemon=True).start()
    catalog = Catalog(data)
    catalog.cache = cache
    with (
        suppress(EOFError, OSError, KeyboardInterrupt),
        Ingester(
            catalog, processes=1, settings=options.settings, keep_text=options.keep_text, progress=tell,
            detector=_AskedDetector(pipe),
        ) as ingester,
    ):  # fmt: skip
        while True:
            purl, background = pipe.recv()
            pipe.send(("done", ingester.ingest(purl, background=background, again=options.again)))
    os._exit(0)


def _end_with_parent() -> None:
    """A worker in the middle of a release would not notice before it next tells its progress."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
