"""A release, unpacked: its source files, the texts that licences are concluded from, and what was left out.

`read_tree` is what ingestion calls. A child of the sandbox unpacks each artifact and decides what is kept
(`sift`), so that the bytes of nothing else leave it; the parent believes neither its numbers nor its words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from corpus.archive import spool
from corpus.archive.limits import ArchiveLimits
from corpus.archive.unpack import Found, Judge, Unspooled, unpacked
from corpus.errors import ArchiveError
from corpus.files import LABELS, LONGEST, Look, kept, look, settle
from corpus.languages import LANGUAGES
from corpus.licenses import is_license_file, is_metadata_file
from corpus.model import Artifact, Fetched, Skip, TreeFile
from corpus.sandbox import Pool

UNPACK_SECONDS = 600.0
COPYRIGHT = "debian/copyright"


@dataclass(slots=True)
class Tree:
    """An unpacked release. files: in order of path.

    cut: artifacts that could be read up to a point only, with the reason.
    """

    files: list[TreeFile] = field(default_factory=list)
    evidence: dict[str, bytes] = field(default_factory=dict)
    debian_copyright: bytes | None = None
    skips: list[Skip] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


def read_tree(pool: Pool, fetched: Fetched, spool_folder: Path) -> Tree:
    """Unpack all artifacts of a release in children of `pool`. Raises ArchiveError or SandboxError."""
    tree = Tree()
    files: dict[str, TreeFile] = {}
    for artifact in fetched.artifacts:
        stored = artifact.path.name  # the cache names it by its digest
        try:
            found = pool.run(
                "corpus.tree:sift",
                *(str(artifact.path), str(spool_folder), asdict(ArchiveLimits())),
                *(artifact.role == "upstream", artifact.folder),
                seconds=UNPACK_SECONDS,
            )
        except ArchiveError as error:
            raise ArchiveError(error.message.replace(stored, artifact.name)) from error
        try:
            _take(found, artifact, spool_folder, tree, files)
        except (TypeError, ValueError, LookupError) as error:
            raise ArchiveError(f"what was unpacked of {artifact.name} cannot be understood") from error
    tree.files = [files[path] for path in sorted(files)]
    return tree


def _take(
    found: dict[str, Any], artifact: Artifact, spool_folder: Path, tree: Tree, files: dict[str, TreeFile]
) -> None:
    """Add what a child tells of one artifact; it may tell anything."""
    volumes = spool.Reader(spool_folder, found["volumes"])
    for told in found["skips"]:
        skip = _skip(*told)
        if skip.partial and skip.path == artifact.path.name:  # where the reader stopped, nothing follows
            tree.cut.append(f"{artifact.name} ({skip.reason})")
            skip = replace(skip, path=artifact.name)
        tree.skips.append(skip)
    read = _Once(volumes)
    for path, *place in found["evidence"]:
        data = read(*place)
        if _text(path) == COPYRIGHT:
            tree.debian_copyright = data
        if is_license_file(path) or is_metadata_file(path):
            tree.evidence[path] = data
    read = _Once(volumes)
    for told in found["members"]:
        if len(told) == 3:
            tree.skips.append(_skip(*told))
            continue
        path, language, labels, *place = told
        if language not in LANGUAGES or not LABELS.issuperset(labels):
            raise ValueError
        if _text(path) in files:
            tree.skips.append(Skip(path, "duplicate name"))
        else:
            files[path] = kept(path, read(*place), language, tuple(labels))


class _Once:
    """Reads members of volumes, of which no byte belongs to two: a lie must not fill the memory."""

    def __init__(self, volumes: spool.Reader) -> None:
        self._volumes, self._left = volumes, volumes.size

    def __call__(self, number: int, offset: int, size: int) -> bytes:
        member = self._volumes.member(number, offset, size)
        self._left -= size
        if self._left < 0 or size > LONGEST:
            raise ArchiveError("what was unpacked is not there")
        return member.read_bytes()


def _skip(path: str, reason: str, partial: bool) -> Skip:
    return Skip(_text(path), _text(reason), bool(partial))


def _text(told: str) -> str:
    """A text that can be written somewhere. Raises TypeError or ValueError for what is none."""
    if not isinstance(told, str):
        raise TypeError
    if not told.isascii():
        told.encode()
    return told


def sift(
    path: str, spool_folder: str, limits: dict[str, int], strip_top: bool, folder: str
) -> dict[str, Any]:
    """What is kept of one artifact that belongs into `folder` of the tree; runs in a child.

    {"members": [[path, reason, partial] or [path, language, labels, volume, offset, size]],
    "evidence": [[path, volume, offset, size]], "skips": [[path, reason, partial]], "volumes"}
    """
    prefix = f"{folder}/" if folder else ""
    arguments = path, spool_folder, limits, strip_top
    try:
        found = unpacked(*arguments, _judge(prefix))
    except Unspooled:  # names that come again are rare
        found = unpacked(*arguments, lambda path, data: (True, _judge(prefix)(path, data)[1]))
    evidence = [
        [prefix + name, *place]
        for name, (place, seen) in found.files.items()
        if place is not None and _is_evidence(prefix + name)
    ]
    return {
        "members": list(_members(found, prefix)),
        "evidence": evidence,
        "skips": found.skips,
        "volumes": found.volumes,
    }


def _judge(prefix: str) -> Judge:
    """Wanted are the bytes of what may be kept or may be evidence, with the top folder or without."""

    def judge(path: str, data: bytes) -> tuple[bool, Look]:
        seen = look(path, data, compiled=True)
        wanted = seen.may_be_kept or _is_evidence(prefix + path)
        if not wanted and prefix and path.count("/") == 1:
            wanted = _is_evidence(prefix + path.partition("/")[2])
        return wanted, seen

    return judge


def _members(found: Found, prefix: str) -> Iterator[list[Any]]:
    for name, (place, seen) in found.files.items():
        outcome = settle(prefix + name, seen, found.files.keys())
        if isinstance(outcome, Skip):
            yield [outcome.path, outcome.reason, outcome.partial]
        else:
            assert place is not None  # it may be kept
            yield [prefix + name, *outcome, *place]


def _is_evidence(path: str) -> bool:
    return is_license_file(path) or is_metadata_file(path) or path == COPYRIGHT
