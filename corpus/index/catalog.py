"""Which releases are in a corpus and which snapshot is published: the data folder's layout.

DATA/catalog.json            purl → segment, background; replaced atomically, under a lock
DATA/segments/<params>-<format>/<id>   the truth
DATA/snapshots/<id>          built from segments; kept: the published one, the one before, those still read
DATA/snapshots/.<id>.null.json   what unrelated code reaches in it, once measured (corpus.calibration)
DATA/covered/<id>.json       what a snapshot covers, in short (corpus.covered)
DATA/CURRENT, DATA/PREVIOUS  ids of these two; replaced atomically
DATA/cache, DATA/licenses    downloads; licence detections by header
"""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from corpus.coverage import coverage
from corpus.covered import covered_file
from corpus.errors import CorpusError, CorruptSnapshot, NoCorpus, UnknownRelease, WhenceError
from corpus.index.blocks import read_manifest, replace_file, sync_folder, verify_folder
from corpus.index.build import Progress, build_snapshot
from corpus.index.segment import Segment
from corpus.index.snapshot import Snapshot, is_held, null_file
from corpus.null import Null
from corpus.params import DEFAULT, Params

ABANDONED = 24 * 3600
"""Seconds after which the unfinished work of an ingestion is taken for that of a dead one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One release of the catalogue. added: seconds since the epoch."""

    purl: str
    segment: str
    background: bool
    added: float


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
            if not (self.segments_root / segment).is_dir():
                raise CorpusError(f"{purl} was removed while it was indexed: add it again")
            entries = self.entries()
            before = entries.get(purl)
            entries[purl] = Entry(purl, segment, background, time.time())
            self._store(entries)
            if before is not None:
                self._delete_unused({before.segment})

    def remove(self, purls: Sequence[str]) -> None:
        """Take releases out. What the published snapshot still reads is deleted by the next `build`."""
        with self.lock():
            entries = self.entries()
            for purl in purls:
                if purl not in entries:
                    raise UnknownRelease(purl)
            gone = {entries.pop(purl).segment for purl in set(purls)}
            self._store(entries)
            self._delete_unused(gone)

    def _delete_unused(self, names: set[str]) -> None:
        """Delete those of the named segments that neither the catalogue nor a snapshot has."""
        used = {e.segment for e in self.entries().values()}
        for folder in self._snapshots():
            used |= {row["name"] for row in _segments_of(folder)}
        for name in names - used:
            shutil.rmtree(self.segments_root / name, ignore_errors=True)

    def segment(self, entry: Entry) -> Segment:
        return Segment(self.segments_root, entry.segment, self.params)

    def is_published(self, purl: str) -> bool:
        """Whether the published snapshot has a release, as it is in the catalogue."""
        entry, current = self.entries().get(purl), self.current()
        if entry is None or current is None:
            return False
        return any(row["name"] == entry.segment for row in _segments_of(self.snapshots_root / current))

    def build(self, progress: Progress | None = None) -> str:
        """Build a snapshot of all releases, verify it, publish it. Returns its id."""
        with self.lock():
            entries = self.entries()
            if not entries:
                raise CorpusError("nothing is indexed yet: whence corpus add PURL…")
            segments = [self.segment(e) for e in entries.values()]
            self._require_space(segments)
            self.snapshots_root.mkdir(parents=True, exist_ok=True)
            self._clear_leftovers()
            identity = build_snapshot(self.snapshots_root, segments, self.params, progress)
            verify_folder(self.snapshots_root / identity)
            self._note_covered(self.snapshots_root / identity)
            self._publish(identity)
            return identity

    def _note_covered(self, folder: Path) -> None:
        file = covered_file(folder)
        file.parent.mkdir(exist_ok=True)
        for other in file.parent.iterdir():
            if not (self.snapshots_root / other.stem).is_dir():
                other.unlink()
        try:
            replace_file(file, coverage(self).short().encode())
        except CorruptSnapshot:  # what is damaged is not what was built: readers tell from its manifest then
            file.unlink(missing_ok=True)

    def _require_space(self, segments: Sequence[Segment]) -> None:
        need = 2 * sum(e["bytes"] for s in segments for e in s.manifest["sealed"].values())
        free = shutil.disk_usage(self.data).free
        if free < need:
            raise CorpusError(
                f"{self.data} has {free >> 20} MiB free; building needs {need >> 20} MiB. Free some space."
            )

    def withdraw(self) -> None:
        """Publish nothing: readers get NoCorpus; what the catalogue does not name is deleted."""
        with self.lock():
            for name in ("CURRENT", "PREVIOUS"):
                (self.data / name).unlink(missing_ok=True)
            sync_folder(self.data)
            self._sweep()

    def _clear_leftovers(self) -> None:
        """Delete what killed builds left, and killed ingestions a day ago (younger ones may be alive)."""
        for folder in self.snapshots_root.glob(".new-*"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (*self.segments_root.glob("*/.new-*"), *self.data.glob(".spool-*")):
            if time.time() - folder.stat().st_mtime > ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)

    def _snapshots(self) -> list[Path]:
        found = self.snapshots_root.glob("*") if self.snapshots_root.is_dir() else ()
        return [folder for folder in found if not folder.name.startswith(".")]

    def _restorable(self, folder: Path) -> bool:
        """Whether a snapshot holds only releases that are still in the catalogue."""
        return self.entries().keys() >= {row["purl"] for row in _segments_of(folder)}

    def _sweep(self) -> None:
        """Delete snapshots that are neither published, nor the one before, nor read, and what only they name.

        Segments go first, so that a run that is killed leaves their names for the next one.
        """
        current, previous = self.current(), self._pointer("PREVIOUS")
        doomed, candidates = [], set()
        used = {e.segment for e in self.entries().values()}
        for folder in self._snapshots():
            names = {row["name"] for row in _segments_of(folder)}
            keep = folder.name == current or (folder.name == previous and self._restorable(folder))
            if keep or is_held(folder):
                used |= names
            else:
                doomed.append(folder)
                candidates |= names
        for name in candidates - used:
            shutil.rmtree(self.segments_root / name, ignore_errors=True)
        for folder in doomed:
            null_file(folder).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def calibrate(self, identity: str, null: Null) -> None:
        """Keep what unrelated code reaches in a snapshot; the next ones go on with it until measured."""
        with self.lock():
            folder = self.snapshots_root / identity
            if not folder.is_dir():
                raise CorpusError(f"snapshot {identity} was replaced while it was measured: calibrate again")
            replace_file(null_file(folder), null.encode())

    def _publish(self, identity: str) -> None:
        sync_folder(self.snapshots_root)
        previous = self._pointer("CURRENT")
        known, new = (null_file(self.snapshots_root / (name or "-")) for name in (previous, identity))
        if known.exists() and not new.exists():
            replace_file(new, known.read_text())
        if previous and previous != identity:
            replace_file(self.data / "PREVIOUS", previous + "\n")
        replace_file(self.data / "CURRENT", identity + "\n")
        self._sweep()

    def rollback(self) -> str:
        """Publish the snapshot before the current one again."""
        with self.lock():
            previous = self._pointer("PREVIOUS")
            folder = self.snapshots_root / (previous or "")
            if not previous or previous == self.current() or not folder.is_dir():
                raise CorpusError("there is no earlier snapshot to go back to")
            if not self._restorable(folder):
                raise CorpusError(
                    "the earlier snapshot holds releases that were removed since: it cannot come back"
                )
            Snapshot(folder, self.segments_root, self.params, verify=True)
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
        while True:
            identity = self.current()
            if identity is None:
                raise NoCorpus(self.data)
            try:
                folder = self.snapshots_root / identity
                return Snapshot(folder, self.segments_root, self.params, verify=verify)
            except CorruptSnapshot:
                if self.current() == identity:
                    raise  # otherwise it was replaced and deleted meanwhile: take the new one

    def problems(self) -> list[str]:
        """What `whence doctor` reports: every damaged segment or snapshot, verified in full."""
        found = []
        segments = {e.segment: e.purl for e in self.entries().values()}
        if self.current() is not None:
            try:
                snapshot = self.open()
                rows = verify_folder(snapshot.folder)["segments"]
                segments |= {row["name"]: row["purl"] for row in rows}
                _ = snapshot.null
            except WhenceError as error:
                found.append(str(error))
        for name, purl in segments.items():
            try:
                verify_folder(Segment(self.segments_root, name, self.params).folder)
            except WhenceError as error:
                found.append(f"{purl}: {error}")
        return found


def _segments_of(snapshot: Path) -> list[dict[str, str]]:
    """The rows of a snapshot's segments; none when its manifest is damaged."""
    try:
        rows: list[dict[str, str]] = read_manifest(snapshot)["segments"]
    except CorruptSnapshot:
        return []
    return rows
