"""Which releases are in a corpus and which snapshot is published: the data folder's layout.

DATA/catalog.json            purl → segment, background; replaced atomically, under a lock
DATA/segments/<params>/<id>  the truth
DATA/snapshots/<id>          built from segments; the newest KEEP are kept
DATA/CURRENT                 id of the published snapshot; replaced atomically
DATA/cache, DATA/licenses    downloads; licence detections by header
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus.errors import CorpusError, CorruptSnapshot, NoCorpus, UnknownRelease, WhenceError
from corpus.index.blocks import sync_folder, verify_folder
from corpus.index.build import Progress, build_snapshot
from corpus.index.segment import Segment
from corpus.index.snapshot import Snapshot
from corpus.params import DEFAULT, Params

KEEP = 2
"""Snapshots kept, so that readers of the one before can finish and a publication can be rolled back."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release of the catalogue. added: seconds since the epoch."""

    purl: str
    segment: str
    background: bool
    added: float


def replace_file(path: Path, text: str) -> None:
    """Write a small file so that readers see the old or the new one, whatever happens."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


class Catalog:
    """The corpus in one data folder."""

    def __init__(self, data: Path, params: Params = DEFAULT) -> None:
        self.data, self.params = data, params
        self.segments_root = data / "segments"
        self.snapshots_root = data / "snapshots"
        self.cache = data / "cache"
        self.licenses = data / "licenses"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer at a time; others wait."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def entries(self) -> dict[str, Entry]:
        path = self.data / "catalog.json"
        try:
            rows = json.loads(path.read_text())["releases"]
            return {row["purl"]: Entry(**row) for row in rows}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptSnapshot(path, str(error)) from error

    def _store(self, entries: dict[str, Entry]) -> None:
        rows = [asdict(entries[purl]) for purl in sorted(entries)]
        replace_file(self.data / "catalog.json", json.dumps({"format": 1, "releases": rows}, indent=1))

    def put(self, purl: str, segment: str, *, background: bool) -> None:
        with self.lock():
            entries = self.entries()
            entries[purl] = Entry(purl, segment, background, time.time())
            self._store(entries)

    def remove(self, purls: Sequence[str]) -> None:
        """Take releases out and delete their segments; the next snapshot is without them."""
        with self.lock():
            entries = self.entries()
            for purl in purls:
                if purl not in entries:
                    raise UnknownRelease(purl)
            gone = [entries.pop(purl) for purl in purls]
            self._store(entries)
            still_used = {e.segment for e in entries.values()}
            for entry in gone:
                if entry.segment not in still_used:
                    shutil.rmtree(self.segments_root / entry.segment, ignore_errors=True)

    def segment(self, entry: Entry) -> Segment:
        return Segment(self.segments_root, entry.segment, self.params)

    def build(self, progress: Progress | None = None) -> str:
        """Build a snapshot of all releases, verify it, publish it. Returns its id."""
        with self.lock():
            entries = self.entries()
            segments = [self.segment(e) for e in entries.values()]
            self._require_space(segments)
            self.snapshots_root.mkdir(parents=True, exist_ok=True)
            self._clear_leftovers()
            identity = build_snapshot(self.snapshots_root, segments, self.params, progress)
            verify_folder(self.snapshots_root / identity)
            self._publish(identity)
            return identity

    def _require_space(self, segments: Sequence[Segment]) -> None:
        need = 2 * sum(e["bytes"] for s in segments for e in s.manifest["sealed"].values())
        free = shutil.disk_usage(self.data).free
        if free < need:
            raise CorpusError(
                f"{self.data} has {free >> 20} MiB free; building needs {need >> 20} MiB. Free some space."
            )

    def _clear_leftovers(self) -> None:
        for folder in self.snapshots_root.glob(".new-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self, identity: str) -> None:
        sync_folder(self.snapshots_root)
        previous = self._pointer("CURRENT")
        if previous and previous != identity:
            replace_file(self.data / "PREVIOUS", previous + "\n")
        replace_file(self.data / "CURRENT", identity + "\n")
        keep = {identity, self._pointer("PREVIOUS")}
        for folder in self.snapshots_root.iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def rollback(self) -> str:
        """Publish the snapshot before the current one again."""
        with self.lock():
            previous = self._pointer("PREVIOUS")
            if not previous or not (self.snapshots_root / previous).is_dir():
                raise CorpusError("there is no earlier snapshot to go back to")
            verify_folder(self.snapshots_root / previous)
            self._publish(previous)
            return previous

    def _pointer(self, name: str) -> str | None:
        try:
            return (self.data / name).read_text().strip() or None
        except FileNotFoundError:
            return None

    def current(self) -> str | None:
        return self._pointer("CURRENT")

    def open(self, *, verify: bool = False) -> Snapshot:
        """The published snapshot; NoCorpus when there is none, CorruptSnapshot when it is damaged."""
        identity = self.current()
        if identity is None:
            raise NoCorpus(self.data)
        folder = self.snapshots_root / identity
        if not folder.is_dir():
            raise CorruptSnapshot(folder, "the folder is missing")
        return Snapshot(folder, self.segments_root, self.params, verify=verify)

    def problems(self) -> list[str]:
        """What `whence doctor` reports: every damaged segment or snapshot, verified in full."""
        found = []
        for entry in self.entries().values():
            try:
                verify_folder(self.segment(entry).folder)
            except WhenceError as error:
                found.append(f"{entry.purl}: {error}")
        if self.current() is not None:
            try:
                self.open(verify=True)
            except WhenceError as error:
                found.append(str(error))
        return found
