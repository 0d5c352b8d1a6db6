"""Progress of long work: bars on a terminal, a line a step elsewhere. Everything goes to standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from corpus.ingest import Outcome


class Bars:
    """One bar for all releases, one for the current step."""

    def __init__(self, releases: int) -> None:
        self._console = Console(stderr=True)
        self._live = sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self._console, disable=not self._live, transient=True,
        )  # fmt: skip
        self._all: TaskID = self._progress.add_task("releases", total=releases or None, visible=releases > 0)
        self._step: TaskID = self._progress.add_task("", total=None)

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

    def finish(self, outcome: Outcome) -> None:
        self._progress.advance(self._all)
        counts = outcome.counts
        size = f", {counts['files']} files, {counts['units']} code units" if counts else ""
        message = f": {outcome.message}" if outcome.message else ""
        self.say(f"{outcome.status:10s} {outcome.purl}{size}{message}")

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
