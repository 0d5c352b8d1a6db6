"""Progress of long work: bars on a terminal, a line a step elsewhere. Everything goes to standard error."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

if TYPE_CHECKING:
    from corpus.crew import Pace
    from corpus.ingest import Outcome

SECONDS_BETWEEN_LINES = 30.0


class Bars:
    """One bar for all releases, one for the current step."""

    def __init__(self, releases: int) -> None:
        self._console = Console(stderr=True)
        self._live = sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"), console=self._console, disable=not self._live, transient=True,
        )  # fmt: skip
        self._all: TaskID = self._progress.add_task(
            "releases", total=releases or None, visible=releases > 0, left=""
        )
        self._step: TaskID = self._progress.add_task("", total=None, left="")
        self._told = 0.0
        self._pace = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, purl: str, step: str, done: int, total: int | None) -> None:
        name = purl.split("?")[0].rsplit("/", 1)[-1]
        self._progress.update(self._step, description=f"{name}: {step}", completed=done, total=total)

    def build(self, step: str, done: int, total: int) -> None:
        self._progress.update(self._step, description=f"snapshot: {step}", completed=done, total=total)

    def count(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._step, description=what, completed=done, total=total)
        if not self._live and time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            self.say(f"{done:,} of {total:,} {what}")

    def finish(self, outcome: Outcome) -> None:
        self._progress.advance(self._all)
        counts = outcome.counts
        size = f", {counts['files']} files, {counts['units']} code units" if counts else ""
        message = f": {outcome.message}" if outcome.message else ""
        self.say(f"{self._pace}{outcome.status:10s} {outcome.purl}{size}{message}")

    def pace(self, pace: Pace) -> None:
        """How long the rest takes, by bytes; where no bar is, before the next outcome."""
        seconds = pace.left()
        left = f"about {timedelta(seconds=round(seconds))} left" if seconds is not None else ""
        self._progress.update(self._all, left=left)
        if not self._live:
            rate = pace.done_bytes / 1e6 / max(time.monotonic() - pace.begun, 1e-3)
            self._pace = f"[{pace.done}/{pace.releases}, {rate:.2f} MB/s{', ' + left if left else ''}] "

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
