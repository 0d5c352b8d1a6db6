"""The cache of fetched files: content-addressed, shared by processes, complete or absent.

    <cache>/<sha256[:2]>/<sha256>      the bytes of one file
    <cache>/records/<key>.json         what was fetched for one release: a second fetch needs no network
    <cache>/parts/<key>.part           a transfer that can be resumed
    <cache>/locks/<key>                held (flock) by the one process that fetches a release or a file

A file appears by a rename after fsync, so a reader never sees half of one. Called by the sources.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, cast

from corpus.model import Artifact, Fetched

_RECORD_FORMAT = 1
_ABANDONED_AFTER = 7 * 24 * 3600.0


def key_of(*parts: str) -> str:
    """Return a file name that stands for these strings."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


class Store:
    """One cache folder. Values are immutable; two processes may share it."""

    def __init__(self, cache: Path) -> None:
        self.root = cache
        for name in ("records", "parts", "locks"):
            (cache / name).mkdir(parents=True, exist_ok=True)
        self._sweep()

    def _sweep(self) -> None:
        """Remove transfers and scratch folders that nobody has gone on with for a week."""
        oldest = time.time() - _ABANDONED_AFTER
        for path in (self.root / "parts").iterdir():
            with suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def place(self, sha256: str) -> Path:
        """Return where the bytes with this digest lie, or would lie."""
        return self.root / sha256[:2] / sha256

    def find(self, sha256: str) -> Path | None:
        """Return the file with this digest when it is here and undamaged."""
        path = self.place(sha256)
        if not path.is_file():
            return None
        if digest_of(path) != sha256:
            path.unlink(missing_ok=True)
            return None
        return path

    def part(self, key: str) -> Path:
        """Return the place of a transfer that has not ended."""
        return self.root / "parts" / f"{key}.part"

    def adopt(self, part: Path, sha256: str) -> Path:
        """Move a complete, checked file to its place; it survives a crash from here on."""
        target = self.place(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(part)
        os.replace(part, target)
        _sync(target.parent)
        return target

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a temporary folder on the same file system, removed at the end."""
        with tempfile.TemporaryDirectory(dir=self.root / "parts", prefix="scratch-") as folder:
            yield Path(folder)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the lock of this name; others wait. The kernel frees it when the process dies."""
        descriptor = os.open(self.root / "locks" / key, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def recall(self, purl: str) -> Fetched | None:
        """Return what was fetched for this canonical purl, if all of it is still here and undamaged."""
        try:
            record = json.loads(self._record(purl).read_bytes())
            if record["format"] != _RECORD_FORMAT or record["purl"] != purl:
                return None
            artifacts = tuple(self._artifact(item) for item in record["artifacts"])
            if any(self.find(artifact.sha256) is None for artifact in artifacts):
                return None
            missing = tuple(str(sentence) for sentence in record["missing"])
            return Fetched(purl, artifacts, missing, str(record["declared"]), str(record["url"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, fetched: Fetched) -> None:
        """Record what was fetched. All artifacts must lie in this store."""
        record = {
            "format": _RECORD_FORMAT,
            "purl": fetched.purl,
            "artifacts": [
                {"name": a.name, "sha256": a.sha256, "role": a.role, "folder": a.folder}
                for a in fetched.artifacts
            ],
            "missing": list(fetched.missing),
            "declared": fetched.declared,
            "url": fetched.url,
        }
        target = self._record(fetched.purl)
        with self.scratch() as folder:
            draft = folder / "record"
            draft.write_text(json.dumps(record, indent=1), encoding="utf-8")
            _sync(draft)
            os.replace(draft, target)
        _sync(target.parent)

    def forget(self, purls: Iterable[str], digests: Iterable[str] = ()) -> None:
        """Delete what was remembered of releases, and those of their files that no other release has.

        digests: SHA-256 of further files to delete, of releases that are never remembered.
        """
        doomed, gone = set(digests), [self._record(purl) for purl in purls]
        kept: set[str] = set()
        for path in (self.root / "records").glob("*.json"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                found = {item["sha256"] for item in json.loads(path.read_bytes())["artifacts"]}
                (doomed if path in gone else kept).update(found)
        for path in gone:
            path.unlink(missing_ok=True)
        for digest in doomed - kept:
            self.place(digest).unlink(missing_ok=True)

    def _record(self, purl: str) -> Path:
        return self.root / "records" / f"{key_of(purl)}.json"

    def _artifact(self, item: dict[str, str]) -> Artifact:
        role = item["role"]
        if role not in ("upstream", "packaging"):
            raise ValueError(role)
        checked = cast(Literal["upstream", "packaging"], role)
        return Artifact(item["name"], self.place(item["sha256"]), item["sha256"], checked, item["folder"])


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
