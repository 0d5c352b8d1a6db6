"""Detect each distinct notice once, ever: a cache that outlives releases, then sandboxed children.

The children (scancode: about 1.4 GB and several seconds each) start only when the cache has no answer.
The cache is one SQLite file in a folder that several processes may share; its rows are named by
scancode's version, the format of our own reading of its matches, and the key of the notice.
Called by conclude, for the ingest pipeline.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from corpus.errors import SandboxError, WhenceError
from corpus.licenses.header import notice_key
from corpus.licenses.standard import read_standard
from corpus.sandbox import MIB, Limits, Pool

# Raised by hand whenever detect or header change what they answer for the same text.
FORMAT = 3
MAX_TEXT = 1024 * 1024
SECONDS = 60
# By the clock a notice may take longer: a verdict must not depend on what else the machine does.
PATIENCE = 10.0
MEMORY = 2560 * MIB
# A child may read many: its start costs as much as 200 notices, and all that it holds is the index.
NOTICES_OF_CHILD = 4000
# A child is worth its start when it has at least so many notices to read.
NOTICES_PER_CHILD = 16

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Detection:
    """What a text says. expression: SPDX, or "" when none was found.

    score: 0..1, how much of the known notice was there. matched_lines: first and last, 1-based, within
    the text. bare: a licence text that nothing applies to a work (names the licence, not only/or-later).
    reason: why there is no answer (`timeout`, `memory`, `crash`, `too long`, `ambiguous`); "" when there is.
    """

    expression: str
    score: float = 0.0
    matched_lines: tuple[int, int] | None = None
    bare: bool = False
    reason: str = ""


NOTHING = Detection("")


class TextDetector(Protocol):
    """What conclusions need: a Detector, or what asks one in another process."""

    def detect(self, texts: Sequence[str], progress: Progress | None = None) -> list[Detection]: ...


class Detector(AbstractContextManager["Detector"]):
    """Detects licences in texts; holds the cache and, from the first unknown notice on, the children.

    cache_dir: a folder for the cache, made when missing; None keeps answers in memory only.
    processes: upper limit of children; by default as many as memory (2.5 GiB each) and processors allow.
    many: more texts will follow, so that all children are worth their start. Safe to use from many threads.
    """

    def __init__(self, cache_dir: Path | None, processes: int | None = None, *, many: bool = False) -> None:
        self._cache = _Cache(cache_dir)
        self._processes = max(1, processes or affordable())
        self._many = many
        self._pool: Pool | None = None
        self._lock = threading.Lock()

    @property
    def started(self) -> bool:
        """Whether children were needed so far."""
        return self._pool is not None

    def detect(self, texts: Sequence[str], progress: Progress | None = None) -> list[Detection]:
        """One detection for each text, in order. Texts with the same words are detected once.

        progress(done, total) counts distinct texts that the cache does not know. Never raises for
        a text: a timeout or a crash is a Detection with a `reason`, and is not cached.
        """
        keys = [notice_key(text) if text.strip() else "" for text in texts]
        answers = self._cache.find({key for key in keys if key})
        answers[""] = NOTHING
        unknown: dict[str, str] = {}
        for key, text in zip(keys, texts, strict=True):
            if key not in answers and (stated := read_standard(text)):
                answers[key] = Detection(stated, 1.0, (1, text.count("\n") + 1))
            elif len(text) > MAX_TEXT:
                answers.setdefault(key, Detection("", reason="too long"))
            elif key not in answers:
                unknown.setdefault(key, text)
        for done, (key, found) in enumerate(self._run(unknown), 1):
            answers[key] = found
            if progress is not None:
                progress(done, len(unknown))
        return [answers[key] for key in keys]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, unknown: dict[str, str]) -> Iterator[tuple[str, Detection]]:
        if not unknown:
            return
        with self._lock:
            if self._pool is None:
                worth = self._processes if self._many else -(-len(unknown) // NOTICES_PER_CHILD)
                self._pool = Pool(
                    min(self._processes, worth),
                    Limits(memory=MEMORY, seconds=SECONDS, recycle_after=NOTICES_OF_CHILD),
                    preload=("corpus.licenses.detect",),
                    patience=PATIENCE,
                )
            pool = self._pool
        keys = list(unknown)
        jobs = ((unknown[key],) for key in keys)
        for at, outcome in pool.map_unordered("corpus.licenses.detect:detect_text", jobs):
            found = _detection(outcome)
            if not isinstance(outcome, WhenceError):
                self._cache.keep(keys[at], found)
            yield keys[at], found


def _detection(outcome: dict[str, Any] | WhenceError) -> Detection:
    if isinstance(outcome, SandboxError):
        return Detection("", reason=outcome.reason)
    if isinstance(outcome, WhenceError):
        return Detection("", reason=outcome.slug)
    lines = outcome["matched_lines"]
    return Detection(
        str(outcome["expression"]),
        float(outcome["score"]),
        (int(lines[0]), int(lines[1])) if lines else None,
        bool(outcome["bare"]),
        str(outcome["reason"]),
    )


class _Cache:
    """key -> Detection, in memory and in `licenses.sqlite` of a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._known: dict[str, Detection] = {}
        self._path = folder / "licenses.sqlite" if folder is not None else None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with self._open() as database:
                with suppress(sqlite3.OperationalError):  # others have it open: a later start changes it
                    # A WAL, which needs shared memory, would serve the processes of one machine only.
                    database.execute("PRAGMA journal_mode = DELETE")
                database.execute(
                    "CREATE TABLE IF NOT EXISTS detections"
                    " (engine TEXT, key TEXT, answer TEXT NOT NULL, PRIMARY KEY (engine, key)) WITHOUT ROWID"
                )

    def find(self, keys: Iterable[str]) -> dict[str, Detection]:
        wanted = set(keys)
        missing = sorted(wanted - self._known.keys())
        if missing and self._path is not None:
            with self._open() as database:
                for key in missing:
                    row = database.execute(
                        "SELECT answer FROM detections WHERE engine = ? AND key = ?", (_engine(), key)
                    ).fetchone()
                    if row is not None and (found := _restored(row[0])) is not None:
                        self._known[key] = found
        return {key: self._known[key] for key in wanted if key in self._known}

    def keep(self, key: str, found: Detection) -> None:
        self._known[key] = found
        if self._path is not None:
            with self._open() as database:
                database.execute(
                    "INSERT OR REPLACE INTO detections VALUES (?, ?, ?)",
                    (_engine(), key, json.dumps(asdict(found), sort_keys=True)),
                )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One connection for each use: none is shared between threads or outlives a fork."""
        assert self._path is not None
        with closing(sqlite3.connect(self._path, timeout=30)) as database, database:
            database.execute("PRAGMA synchronous = NORMAL")
            yield database


def _restored(answer: str) -> Detection | None:
    """A cached answer; None (detect again) for a row that no version of this program wrote."""
    try:
        fields = json.loads(answer)
        lines = fields.pop("matched_lines")
        return Detection(**fields, matched_lines=(lines[0], lines[1]) if lines else None)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


@lru_cache(maxsize=1)
def _engine() -> str:
    return f"scancode-{metadata.version('scancode-toolkit')}/{FORMAT}"


def affordable() -> int:
    """Children that fit: 2.5 GiB of available memory and one processor each, at least one."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            available = next(
                int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")
            )
    except (OSError, StopIteration, ValueError, IndexError):
        available = 2 * MEMORY
    return max(1, min(available // MEMORY, len(os.sched_getaffinity(0))))
