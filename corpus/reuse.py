"""Files that were indexed before: their records are read back from the segment that holds them.

Releases share files: vendored libraries, modules of gnulib, the next version of a project. Which segment
holds which file stands in DATA/seen.sqlite, by git's id of the bytes and the language; it only saves work, is
checked against the segments, and may be deleted at any time. A record that is read back equals a new one, so
that a segment is the same with and without. Called by ingestion.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.errors import WhenceError
from corpus.index.catalog import Catalog
from corpus.index.record import Record
from corpus.index.segment import TABLES, Segment
from corpus.languages import LANGUAGES
from corpus.model import TreeFile

OPEN_SEGMENTS = 8
"""Segments whose tables are kept in memory, sorted by unit."""

_VOCABULARY = ("raw", "renamed", "kind", "neutral")
_POSTINGS = {f"{name}_{part}" for name in TABLES for part in ("key", "unit")}
_KNOWN = _POSTINGS | {
    *(f"vocab_{name}" for name in (*_VOCABULARY, "ends", "text")), "ids", "lines", "units", "digest",
}  # fmt: skip


class Seen:
    """Which indexed file has which content. One in each process; several may share the data folder."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._path = catalog.data / "seen.sqlite"
        self._open: OrderedDict[str, _Postings] = OrderedDict()
        # A kind of record that this module does not know is never read back.
        self._able = {f.name for f in fields(Record)} == _KNOWN
        catalog.data.mkdir(parents=True, exist_ok=True)
        with self._database() as database:
            with suppress(sqlite3.OperationalError):  # others have it open: a later start changes it
                # A WAL serves the processes of one machine only.
                database.execute("PRAGMA journal_mode = DELETE")
            database.execute(
                "CREATE TABLE IF NOT EXISTS files (content TEXT, segment TEXT, file INTEGER,"
                " PRIMARY KEY (content, segment)) WITHOUT ROWID"
            )

    def find(self, files: Sequence[TreeFile]) -> dict[int, tuple[str, int]]:
        """Where files of these contents are indexed: position → (segment, number of the file in it)."""
        found: dict[int, tuple[str, int]] = {}
        if not self._able:
            return found
        usable: dict[str, bool] = {}
        with self._database() as database:
            for position, file in enumerate(files):
                # Of a language that folds case one spelling stands for several: read such a file anew.
                if LANGUAGES[file.language].caseless:
                    continue
                rows = database.execute(
                    "SELECT segment, file FROM files WHERE content = ?", (_content(file),)
                )
                for segment, number in rows:
                    if segment not in usable:
                        usable[segment] = self._is_usable(segment)
                    if usable[segment]:
                        found[position] = segment, number
                        break
        return found

    def record(self, segment: str, number: int, file: TreeFile) -> Record | None:
        """The record of an indexed file; None where the segment is gone or does not hold what it should."""
        try:
            if segment not in self._open:
                self._open[segment] = _Postings(
                    Segment(self._catalog.segments_root, segment, self._catalog.params)
                )
                if len(self._open) > OPEN_SEGMENTS:
                    self._open.popitem(last=False)
            self._open.move_to_end(segment)
            return self._open[segment].record(number, file)
        except (WhenceError, OSError):
            self._open.pop(segment, None)
            return None

    def add(self, segment: str, files: Iterable[TreeFile]) -> None:
        """Note the files of a segment, in its order."""
        with self._database() as database:
            database.executemany(
                "INSERT OR IGNORE INTO files VALUES (?, ?, ?)",
                ((_content(file), segment, number) for number, file in enumerate(files)),
            )

    def forget(self, segments: Iterable[str]) -> None:
        """Drop all files of segments that are gone."""
        with self._database() as database:
            database.executemany("DELETE FROM files WHERE segment = ?", ((name,) for name in segments))

    def _is_usable(self, segment: str) -> bool:
        return (
            segment.startswith(f"{self._catalog.params.digest}/")
            and (self._catalog.segments_root / segment).is_dir()
        )

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
            database.execute("PRAGMA synchronous = NORMAL")
            yield database


def _content(file: TreeFile) -> str:
    return f"{file.sha1} {file.language}"


class _Postings:
    """A segment with its tables in order of units instead of hashes."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._digest = segment.array("digest", "<u8")
        self._by_unit: dict[str, tuple[NDArray[np.uint64], NDArray[np.uint32]]] = {}
        for name in TABLES:
            unit = segment.array(f"{name}.unit", "<u4").all()
            order = np.argsort(unit, kind="stable")
            self._by_unit[name] = segment.array(f"{name}.key", "<u8").all()[order], unit[order]

    def record(self, number: int, file: TreeFile) -> Record | None:
        held = self._segment.files[number]
        if (held.sha1, held.language) != (file.sha1, file.language):
            return None
        tokens = self._segment.tokens(number)
        distinct, ids = np.unique(tokens.vocab, return_inverse=True)
        first_token = np.zeros(len(distinct), np.int64)
        first_token[ids[::-1]] = np.arange(len(ids))[::-1]
        spelled = [self._segment.spelled(v) for v in distinct.tolist()]
        first, last = held.first_unit, held.last_unit
        columns: dict[str, Any] = {
            f"vocab_{name}": getattr(tokens, name)[first_token] for name in _VOCABULARY
        }
        for name, (key, unit) in self._by_unit.items():
            low, high = np.searchsorted(unit, [first, last])
            columns[f"{name}_key"] = key[low:high]
            columns[f"{name}_unit"] = unit[low:high] - np.uint32(first)
        return Record(
            **columns,
            vocab_ends=np.cumsum([*map(len, spelled)], dtype=np.uint32),
            vocab_text=np.frombuffer(b"".join(spelled), np.uint8),
            ids=ids.astype(np.uint32),
            lines=tokens.line,
            units=self._segment.units.slice(first, last),
            digest=self._digest.slice(first, last),
        )
