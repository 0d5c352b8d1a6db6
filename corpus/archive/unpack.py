"""From an archive or folder to files in a spool, each member kept or skipped with a reason.

`read` is what ingestion calls: it runs `unpack` in a sandbox child. `unpack` never raises for what
an archive holds: a member that cannot be kept is a skip, a limit or damage ends the archive with
what was read until then. ArchiveError is for files that are no archive at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from corpus.archive import debian_diff, folder, spool, tar
from corpus.archive import zip as zip_archive
from corpus.archive.limits import Account, ArchiveLimits, Entry, Exhausted, Stop, Unreadable
from corpus.archive.names import common_top, member_path, shown
from corpus.archive.streams import Stream
from corpus.errors import ArchiveError
from corpus.model import Skip
from corpus.sandbox import Pool

NESTED_SUFFIXES = (
    *(".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".zip"),
)
# Between the name of a nested archive and the path inside it.
INSIDE = "!/"


@dataclass(frozen=True, slots=True)
class Member:
    """A regular file that was read. path: without the common top folder."""

    path: str
    location: spool.Stored

    @property
    def size(self) -> int:
        return self.location.size


@dataclass(frozen=True, slots=True)
class Unpacked:
    """top: the common top folder that the paths are without, or ""."""

    members: tuple[Member, ...]
    skips: tuple[Skip, ...]
    top: str


def read(
    pool: Pool,
    path: Path,
    spool_folder: Path,
    limits: ArchiveLimits | None = None,
    *,
    strip_top: bool = True,
    seconds: float | None = None,
) -> Unpacked:
    """Unpack the archive or folder at `path` in a child of `pool` into `spool_folder`.

    strip_top: leave out the one folder that holds everything (not for a debian/ tarball).
    Raises ArchiveError, or SandboxError when the child was killed.
    """
    found = pool.run(
        "corpus.archive.unpack:unpack",
        *(str(path), str(spool_folder), asdict(limits or ArchiveLimits()), strip_top),
        seconds=seconds,
    )
    volumes = spool.Reader(spool_folder, found["volumes"])
    return Unpacked(
        tuple(Member(name, volumes.member(*place)) for name, *place in found["files"]),
        tuple(Skip(*skip) for skip in found["skips"]),
        found["top"],
    )


def unpack(path: str, spool_folder: str, limits: dict[str, int], strip_top: bool) -> dict[str, Any]:
    """{"files": [[path, volume, offset, size]], "skips": [[path, reason, partial]], "top", "volumes"}.

    Runs in a child; there is a limit to the size of its files, which volumes stay below.
    """
    found = unpacked(path, spool_folder, limits, strip_top)
    files = [[name, *(place or ())] for name, (place, _) in found.files.items()]
    return {"files": files, "skips": found.skips, "top": found.top, "volumes": found.volumes}


Judge = Callable[[str, bytes], tuple[bool, Any]]
"""Told path (with the top folder) and bytes of a member: whether the bytes are wanted, and what else is."""


class Unspooled(Exception):
    """Two members have one name, and the bytes of the first are gone: whether they differ cannot be told."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a child found. files: where the bytes of each path are, if they were wanted, and what else was."""

    files: dict[str, tuple[spool.Place | None, Any]]
    skips: list[list[Any]]
    top: str
    volumes: int


def unpacked(
    path: str, spool_folder: str, limits: dict[str, int], strip_top: bool, judge: Judge | None = None
) -> Found:
    """What the archive or folder at `path` holds; without a judge all bytes are wanted.

    Raises ArchiveError for what is none, and Unspooled where a judge did not want the bytes of a name that
    comes again.
    """
    unpacking = _Unpacking(Path(spool_folder), ArchiveLimits(**limits), judge)
    source = Path(path)
    try:
        if source.is_dir():
            unpacking.take(folder.entries(source, unpacking.account), source.name)
            return unpacking.result("")
        with source.open("rb") as file:
            kind, entries = _entries(file, unpacking.account)
            if entries is None:
                raise ArchiveError(f"{source.name} is not an archive of a kind that can be read")
            unpacking.take(entries, source.name)
        return unpacking.result(unpacking.top() if strip_top and kind != "diff" else "")
    finally:
        unpacking.close()


def _entries(file: BinaryIO, account: Account) -> tuple[str, Iterator[Entry] | None]:
    """The reader that fits the first bytes of `file`, None when none does."""
    head = file.read(8)
    file.seek(0)
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "zip", zip_archive.entries(file, account)
    stream = Stream(file, account)
    try:
        block = stream.peek(tar.BLOCK)
    except Stop as stop:
        return "damaged", _stopped(stop)
    if tar.is_header(block) or (block and not any(block)):
        return "tar", tar.entries(stream, account)
    if stream.is_compressed and debian_diff.is_diff(block):
        return "diff", debian_diff.entries(stream, account)
    return "unknown", None


def _stopped(stop: Stop) -> Iterator[Entry]:
    raise stop
    yield


class _Unpacking:
    """What was kept and skipped of one release so far."""

    def __init__(self, folder: Path, limits: ArchiveLimits, judge: Judge | None) -> None:
        self.account = Account(limits)
        self._limits = limits
        self._spool = spool.Writer(folder)
        self._judge = judge
        self._files: dict[str, tuple[spool.Place | None, Any]] = {}
        self._skips: list[tuple[str, str, bool]] = []
        self._seen: list[str] = []  # paths that have a say in what the common top folder is
        self._nested = 0

    def take(self, entries: Iterator[Entry], name: str) -> None:
        """All entries of the outermost archive, whatever they are."""
        try:
            self._take(entries, "", 0)
        except Stop as stop:
            self._skips.append((name, str(stop), True))
        except (MemoryError, OSError, Unspooled):
            raise  # this process or the spool is in trouble, not the archive
        except Exception as error:
            self._skips.append((name, f"unreadable from here on ({type(error).__name__})", True))

    def top(self) -> str:
        return common_top(self._seen)

    def close(self) -> None:
        self._spool.close()

    def result(self, top: str) -> Found:
        self.close()
        cut = len(top) + 1 if top else 0
        inside = set(self._seen)

        def below_top(path: str) -> str:
            return path[cut:] if path in inside or path.partition(INSIDE)[0] in inside else path

        files = {path[cut:]: file for path, file in self._files.items()}
        skips = [[below_top(path), reason, partial] for path, reason, partial in self._skips]
        return Found(files, skips, top, self._spool.volumes)

    def _take(self, entries: Iterator[Entry], prefix: str, depth: int) -> None:
        for name, skip, partial, content in entries:
            try:
                path = prefix + member_path(name, self._limits)
            except Unreadable as error:
                self._skips.append((prefix + shown(name), skip or str(error), partial or not skip))
                continue
            if depth == 0:
                self._seen.append(path)
            try:
                if skip:
                    self._skips.append((path, skip, partial))
                elif path.lower().endswith(NESTED_SUFFIXES):
                    self._open_nested(path, content, depth)
                else:
                    self._keep(path, content)
            except Unreadable as error:
                self._skips.append((path, str(error), True))

    def _keep(self, path: str, content: Iterable[bytes]) -> None:
        pieces: list[bytes] = []
        size = 0
        for piece in content:
            pieces.append(piece)
            size += len(piece)
            if size > self._limits.file_bytes:
                raise Unreadable("too large")
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if path not in self._files:
            wanted, said = (True, None) if self._judge is None else self._judge(path, data)
            self._files[path] = self._spool.add(data) if wanted else None, said
            return
        earlier, _ = self._files[path]
        if earlier is None:
            raise Unspooled
        differs = size != earlier[2] or self._spool.read(earlier) != data
        self._skips.append((path, "duplicate name", differs))

    def _open_nested(self, path: str, content: Iterable[bytes], depth: int) -> None:
        if depth >= self._limits.nesting:
            raise Unreadable("nested archive")
        with self._temporary(content) as file:
            _, entries = _entries(file, self.account)
            if entries is None:
                self._skips.append((path, "named like an archive, but none that can be read", False))
                return
            try:
                self._take(entries, path + INSIDE, depth + 1)
            except Exhausted:
                raise
            except Stop as stop:
                raise Unreadable(f"nested archive: {stop}") from None

    @contextmanager
    def _temporary(self, content: Iterable[bytes]) -> Iterator[BinaryIO]:
        """A nested archive as a file of its own for as long as it is read."""
        self._spool.folder.mkdir(parents=True, exist_ok=True)
        self._nested += 1
        place = self._spool.folder / f"nested-{os.getpid()}-{self._nested}"
        try:
            with place.open("x+b") as file:
                for piece in content:
                    if file.tell() + len(piece) > self._limits.nested_bytes:
                        raise Unreadable("too large")
                    file.write(piece)
                file.seek(0)
                yield file
        finally:
            place.unlink(missing_ok=True)
