"""Files that were indexed before: their records are read back from the segment that holds them.

Releases share files: vendored libraries, modules of gnulib, the next version of a project. Which segment
holds which file stands in DATA/seen.sqlite, by git's id of the bytes and the language; it only saves work, is
checked against the segments, and may be deleted at any time. A record that is read back equals a new one, so
that a segment is the same with and without. Called by ingestion.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np

from corpus.errors import WhenceError
from corpus.fingerprint.hashing import U64
from corpus.index.blocks import MappedArray
from corpus.index.catalog import Catalog
from corpus.index.packed import U32, order_of
from corpus.index.record import Record
from corpus.index.segment import TABLES, VOCABULARY, Segment, SegmentFile, generation
from corpus.model import TreeFile

OPEN_SEGMENTS = 8
"""Segments that stay open, their lists of files in memory."""

_POSTINGS = {f"{name}_{part}" for name in TABLES for part in ("key", "unit")}
_KNOWN = _POSTINGS | {
    *(f"vocab_{name}" for name in (*VOCABULARY, "ends", "text")), "ids", "lines", "units", "digest",
}  # fmt: skip


class Seen:
    """Which indexed file has which content. One in each process; several may share the data folder."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._path = catalog.data / "seen.sqlite"
        self._open: OrderedDict[str, Segment] = OrderedDict()
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
        positions = {_content(file): position for position, file in enumerate(files)}
        usable: dict[str, bool] = {}
        with self._database() as database:
            rows = database.execute(
                "SELECT content, segment, file FROM files"
                " WHERE content IN (SELECT value FROM json_each(?)) ORDER BY segment",
                (json.dumps([*positions]),),
            )
            for content, segment, number in rows:
                if segment not in usable:
                    usable[segment] = self._is_usable(segment)
                if usable[segment]:
                    found.setdefault(positions[content], (segment, number))
        return found

    def records(self, segment: str, wanted: Mapping[int, TreeFile]) -> dict[int, Record]:
        """The records of files of a segment, by their numbers; of those that it holds, if it is there."""
        try:
            return _read(self._segment(segment), wanted)
        except (WhenceError, OSError):
            self._open.pop(segment, None)
            return {}

    def _segment(self, name: str) -> Segment:
        if name not in self._open:
            self._open[name] = Segment(self._catalog.segments_root, name, self._catalog.params)
            if len(self._open) > OPEN_SEGMENTS:
                self._open.popitem(last=False)
        self._open.move_to_end(name)
        return self._open[name]

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
            segment.startswith(f"{generation(self._catalog.params)}/")
            and (self._catalog.segments_root / segment).is_dir()
        )

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
            database.execute("PRAGMA synchronous = NORMAL")
            yield database


def _content(file: TreeFile) -> str:
    return f"{file.sha1} {file.language}"


def _read(segment: Segment, wanted: Mapping[int, TreeFile]) -> dict[int, Record]:
    files = segment.files
    held = [
        number
        for number, file in sorted(wanted.items())
        if number < len(files) and (files[number].sha1, files[number].language) == (file.sha1, file.language)
    ]
    tables = {name: _of_files(segment, name, [files[number] for number in held]) for name in TABLES}
    digest = segment.array("digest", "<u8")
    return {
        number: _record(
            segment,
            number,
            digest,
            {name: parts[at] for name, parts in tables.items()},
            segment.respelled.get(number, {}),
        )
        for at, number in enumerate(held)
    }


def _of_files(segment: Segment, table: str, files: Sequence[SegmentFile]) -> list[tuple[U64, U32]]:
    """The keys that each of some files has in a table, with the units of the file that have them.

    Of most segments a few files are wanted: their postings are picked out before they are put in order.
    """
    postings = segment.table(table)
    unit = postings.values()
    whose = np.full(segment.counts["units"], len(files), np.uint32)
    for position, file in enumerate(files):
        whose[file.first_unit : file.last_unit] = position
    owner = whose[unit]
    picked = np.flatnonzero(owner < len(files))
    picked = picked[order_of(owner[picked])]
    key, unit, owner = postings.hashes_of(picked), unit[picked], owner[picked]
    edges = np.searchsorted(owner, np.arange(len(files) + 1)).tolist()
    return [
        (key[first:last], unit[first:last] - np.uint32(file.first_unit))
        for file, (first, last) in zip(files, pairwise(edges), strict=True)
    ]


def _record(
    segment: Segment,
    number: int,
    digest: MappedArray,
    tables: Mapping[str, tuple[U64, U32]],
    respelled: Mapping[int, bytes],
) -> Record:
    held, tokens = segment.files[number], segment.tokens(number)
    distinct, ids = np.unique(tokens.vocab, return_inverse=True)
    first_token = np.zeros(len(distinct), np.int64)
    first_token[ids[::-1]] = np.arange(len(ids))[::-1]
    spelled = [respelled[v] if v in respelled else segment.spelled(v) for v in distinct.tolist()]
    columns: dict[str, Any] = {f"vocab_{name}": getattr(tokens, name)[first_token] for name in VOCABULARY}
    for name, (key, unit) in tables.items():
        columns[f"{name}_key"], columns[f"{name}_unit"] = key, unit
    return Record(
        **columns,
        vocab_ends=np.cumsum([*map(len, spelled)], dtype=np.uint32),
        vocab_text=np.frombuffer(b"".join(spelled), np.uint8),
        ids=ids.astype(np.uint32),
        lines=tokens.line,
        units=segment.units.slice(held.first_unit, held.last_unit),
        digest=digest.slice(held.first_unit, held.last_unit),
    )
