"""A folder or an archive file of this machine, named by `download_url=file:///…`.

An archive file is copied into the store. A folder stays where it is: its artifact has the folder's path,
and as sha256 the digest over its sorted file list (`list_digest`), so that a change is noticed. A folder is
read as plain files: links are never followed, other devices never entered, version control's own folders
left out, and no program is run in it. Nothing here is remembered between calls, since local files change.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from corpus.errors import BadPurl, NotInRegistry, SourceError
from corpus.model import Artifact, Fetched
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store, key_of

if TYPE_CHECKING:
    from packageurl import PackageURL

MAX_FILES = 200_000
MAX_DEPTH = 64
VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", "CVS"})
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file: its path inside the folder, with slashes, and what its bytes are."""

    path: str
    size: int
    sha256: str


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Take a folder or archive file as a release. Raises BadPurl, NotInRegistry, SourceError."""
    purl = str(parsed.to_string())
    url = urlsplit(parsed.qualifiers["download_url"])
    if url.scheme != "file" or url.netloc not in ("", "localhost"):
        raise BadPurl(purl, "download_url must be a file: URL of this machine")
    if not settings.allow_local:
        raise BadPurl(purl, "files of this machine cannot be indexed here")
    report = progress or (lambda name, done, total: None)
    try:
        # The path itself is the user's own word and may be a link; nothing below it is followed.
        place = Path(unquote(url.path)).resolve(strict=True)
        if place.is_dir():
            digest = list_digest(walk(purl, place, settings, report))
            return Fetched(purl, (Artifact(place.name, place, digest),))
        return Fetched(purl, (_copied(purl, place, store, settings, report),))
    except FileNotFoundError:
        raise NotInRegistry(purl, f"{unquote(url.path)} is not there") from None
    except (ValueError, RuntimeError):
        raise BadPurl(purl, "download_url is not a path that can be opened") from None


def list_digest(files: Iterator[LocalFile]) -> str:
    """Return the SHA-256 over one line `<sha256> <size> <path>` a file, each ended by NUL, sorted by path."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda file: os.fsencode(file.path)):
        digest.update(f"{file.sha256} {file.size} ".encode() + os.fsencode(file.path) + b"\0")
    return digest.hexdigest()


def walk(purl: str, folder: Path, settings: SourceSettings, progress: Progress) -> Iterator[LocalFile]:
    """Yield the regular files under a folder, never through a link, never on another device.

    Raises SourceError when there are more files, bytes or levels than the limits allow.
    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    device = os.fstat(root).st_dev
    count = size = 0
    # Open descriptors of the folders on the way down, with what is left to read in each.
    levels: list[tuple[int, str, list[str]]] = [(root, "", _names(root))]
    try:
        while levels:
            descriptor, prefix, names = levels[-1]
            if not names:
                os.close(levels.pop()[0])
                continue
            name = names.pop()
            entry = _open(descriptor, name, device)
            if entry is None:
                continue
            if stat.S_ISDIR(os.fstat(entry).st_mode):
                levels.append((entry, f"{prefix}{name}/", _names(entry)))
                if len(levels) > MAX_DEPTH:
                    raise SourceError(purl, f"{folder} has more than {MAX_DEPTH} levels of folders")
                continue
            file = _read(entry, f"{prefix}{name}")
            count, size = count + 1, size + file.size
            if count > MAX_FILES or size > settings.max_bytes:
                limit = f"{MAX_FILES} files or {settings.max_bytes} bytes"
                raise SourceError(purl, f"{folder} has more than {limit}")
            progress(folder.name, size, None)
            yield file
    finally:
        for descriptor, _, _ in levels:
            os.close(descriptor)


def _names(descriptor: int) -> list[str]:
    return [name for name in os.listdir(descriptor) if name not in VERSION_CONTROL]


def _open(folder: int, name: str, device: int) -> int | None:
    """Open a regular file or a folder on this device; None for anything else, and for what is unreadable."""
    try:
        # O_NONBLOCK: a pipe that takes the place of a file must not hold us up.
        entry = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    status = os.fstat(entry)
    if status.st_dev == device and (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        return entry
    os.close(entry)
    return None


def _read(descriptor: int, path: str) -> LocalFile:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(descriptor, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return LocalFile(path, size, digest.hexdigest())


def _copied(purl: str, place: Path, store: Store, settings: SourceSettings, progress: Progress) -> Artifact:
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as source:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(purl, f"{place} is neither a folder nor a regular file")
        with store.scratch() as scratch:
            part = scratch / key_of(purl)
            digest, done = hashlib.sha256(), 0
            with part.open("wb") as out:
                while block := source.read(_BLOCK):
                    done += len(block)
                    if done > settings.max_bytes:
                        why = f"{place} is larger than the limit of {settings.max_bytes} bytes"
                        raise SourceError(purl, why)
                    digest.update(block)
                    out.write(block)
                    progress(place.name, done, status.st_size)
            sha256 = digest.hexdigest()
            return Artifact(place.name, store.adopt(part, sha256), sha256)
