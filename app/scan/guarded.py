"""The scan pipeline over submitted bytes: children read and tokenise, this process matches.

`run` is synchronous and runs in a thread of a worker. A file that a child cannot read is a partial skip; a
change that cannot be read at all raises. It looks at `Control` between files: for being stopped, for the
time that is left, and to tell how far it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.policy.model import Policy
from app.policy.parse import parse, with_outbound
from app.receipt.body import Body, body_of
from app.report.codec import decode
from app.report.model import AiUse, Report
from app.scan.child import WHERE
from app.scan.diff import Diff
from app.scan.pipeline import Scanner, adds, language_of_change, scan
from app.scan.wire import decode_diff, decode_query, encode_regions
from corpus.errors import SandboxError, WhenceError
from corpus.index.snapshot import Index
from corpus.model import ChangedFile, Region
from corpus.query import Query
from corpus.sandbox import Pool

CHILD = "app.scan.child"


class Stopped(BaseException):
    """The scan is no longer wanted here. Not an Exception: the pipeline turns those into skips."""


@dataclass
class Control:
    """What the task tells the thread, and the thread the task.

    deadline: of time.monotonic(). done, total: files. kills: children that died or were killed.
    """

    deadline: float
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 0
    kills: int = 0

    def check(self) -> None:
        if self.stop.is_set():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Searched:
    """added: path → [[first, last], …] ranges of added lines. receipt: None where no text was sent."""

    report: Report
    added: dict[str, list[list[int]]]
    receipt: Body | None


def run(
    body: bytes, kind: str, policy_text: str, outbound: str, index: Index, children: Pool, control: Control
) -> Searched:
    """Search one submission. Raises WhenceError when it cannot be read, Stopped."""
    diff, pull_request, query = (
        _sketched(body, children) if kind == "fingerprints" else _read(body, children, control)
    )
    policy = read_policy(policy_text, outbound)
    control.total = len(diff.files)

    def guarded(changed: ChangedFile, language: str) -> Query:
        control.check()
        if time.monotonic() > control.deadline:
            raise SandboxError("timeout", "the time for this scan was used up")
        try:
            return query(changed, language)
        except SandboxError:
            control.kills += 1
            raise
        finally:
            control.done += 1

    scanner = Scanner(index, policy, query=guarded, excluded=_excluded(policy, diff, children))
    use = _ai_use(diff, pull_request, policy, children)
    report = scan(diff, scanner, leads=True, ai_use=use)
    control.check()
    if kind == "fingerprints":  # its "words" are digests
        return Searched(report.without_submitted_text(), {}, None)
    return Searched(report, added_lines(diff), body_of(report, diff, index.facts))


def read_policy(text: str, outbound: str) -> Policy:
    """The policy of a stored scan; its text was parsed in a child before it was stored."""
    policy = parse(text, WHERE)
    return with_outbound(policy, outbound) if outbound else policy


def added_lines(diff: Diff) -> dict[str, list[list[int]]]:
    """Ranges of added lines by path; numbers only."""
    found: dict[str, list[list[int]]] = {}
    for changed in diff.files:
        ranges = found.setdefault(changed.path, [])
        for region in changed.regions:
            for number, added in enumerate(region.added, region.first_line):
                if not added:
                    continue
                if ranges and ranges[-1][1] == number - 1:
                    ranges[-1][1] = number
                else:
                    ranges.append([number, number])
    return {path: ranges for path, ranges in found.items() if ranges}


def _excluded(policy: Policy, diff: Diff, children: Pool) -> Callable[[str], bool]:
    """Patterns of the client on paths of the client can take for ever: a child tries them."""
    if not policy.excludes:
        return lambda path: False
    paths = [changed.path for changed in diff.files]
    return set(children.run(f"{CHILD}:excluded", list(policy.excludes), paths)).__contains__


def _ai_use(diff: Diff, pull_request: str | None, policy: Policy, children: Pool) -> AiUse | None:
    """Messages and texts of others are read in a child."""
    if policy.ai_disclosure == "off" and pull_request is None:
        return None
    found: AiUse | None = decode(
        AiUse | None,
        children.run(f"{CHILD}:ai_use", list(diff.commits), pull_request, policy.ai_disclosure),
    )
    return found


Sketch = Callable[[ChangedFile, str], Query]
Read = tuple[Diff, str | None, Sketch]
"""The change, the text of its pull request, and how a file of it is sketched."""


def _read(body: bytes, children: Pool, control: Control) -> Read:
    left = max(1.0, control.deadline - time.monotonic())
    seconds = min(left, children.limits.seconds)
    told = children.run(f"{CHILD}:read", body, seconds=seconds)
    diff = decode_diff(told["diff"])

    return diff, told["pull_request"], _Sketches(diff, children, control)


class _Sketches:
    """Queries of changed files, made in children. Small files go there several at a time: the way costs more.

    Of a batch in which one cannot be read each file is asked for alone, so that only that one is left out.
    """

    FILES, SIZE, SECONDS = 100, 64 << 10, 5.0

    def __init__(self, diff: Diff, children: Pool, control: Control) -> None:
        self._children, self._control = children, control
        self._files = [changed for changed in diff.files if adds(changed)]
        self._place = {id(changed): place for place, changed in enumerate(self._files)}
        self._next = 0  # the first file that was in no batch yet
        self._made: dict[int, Any] = {}

    def __call__(self, changed: ChangedFile, language: str) -> Query:
        if self._place[id(changed)] >= self._next:
            self._ahead(self._place[id(changed)])
        made = self._made.pop(id(changed), None)
        if made is None:
            made = self._child("query", *_asked(changed, language), most=self._children.limits.seconds)
        return decode_query(made)

    def _ahead(self, first: int) -> None:
        """Ask for this file together with small ones that follow it."""
        batch: list[tuple[ChangedFile, str]] = []
        size = 0
        for each in self._files[first : first + self.FILES]:
            size += sum(len(line) for region in each.regions for line in region.lines)
            if size > self.SIZE:
                break
            self._next = self._place[id(each)] + 1
            if (language := language_of_change(each)) is not None:
                batch.append((each, language))
        if len(batch) > 1:
            with suppress(WhenceError):
                made = self._child("queries", [_asked(*each) for each in batch], most=self.SECONDS)
                self._made = {id(each): query for (each, _), query in zip(batch, made, strict=True)}

    def _child(self, function: str, *arguments: Any, most: float) -> Any:
        left = max(0.5, self._control.deadline - time.monotonic())
        return self._children.run(f"{CHILD}:{function}", *arguments, seconds=min(most, left))


def _asked(changed: ChangedFile, language: str) -> list[Any]:
    return [changed.path, encode_regions(changed.regions), language]


def _sketched(body: bytes, children: Pool) -> Read:
    """Sketches of the client: files without text, each with the query that came for it."""
    queries = [decode_query(value) for value in children.run(f"{CHILD}:sketches", body)]
    by_path = {query.path: query for query in queries}
    files = tuple(ChangedFile(path, _unseen(query)) for path, query in by_path.items())
    return Diff(files), None, lambda changed, language: by_path[changed.path]


def _unseen(query: Query) -> tuple[Region, ...]:
    """Empty lines where the client's tokens stand: their text was not sent."""
    regions: list[Region] = []
    lines, first = np.unique(query.line, return_index=True)
    runs = np.split(np.arange(len(lines)), np.flatnonzero(np.diff(lines) > 1) + 1)
    for run in runs:
        if len(run):
            added = tuple(query.added[first[run]].tolist())
            regions.append(Region(int(lines[run[0]]), (b"",) * len(run), added))
    return tuple(regions)
