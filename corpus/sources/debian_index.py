"""Which source files a Debian mirror holds now: the Sources indexes that its Release files vouch for.

Called by the Debian source when a version has been replaced, to learn the digest of an upstream tarball that
later versions share; by newest and corpus.propose to learn which packages and versions there are.
"""

from __future__ import annotations

import gzip
import json
import lzma
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

from corpus.errors import NotInRegistry, SourceError
from corpus.sources.apt_config import DEFAULT_SUITES, Mirror
from corpus.sources.deb822 import checksums, paragraphs, unsigned
from corpus.sources.download import Downloader, Wanted

_RELEASE_LIMIT = 32 << 20
_INDEX_LIMIT = 2 << 30
_COMPRESSIONS = ("xz", "gz")


@dataclass(frozen=True, slots=True)
class Announced:
    """A file of a source package: where it lies and what its bytes are."""

    base: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SourcePackage:
    """One version of one source package as an index announces it.

    sections: those of its binary packages and its own. files: by name.
    """

    name: str
    version: str
    sections: frozenset[str]
    homepage: str
    files: dict[str, Announced]


def read_sources(downloader: Downloader, mirrors: list[Mirror], package: str = "") -> Iterator[SourcePackage]:
    """Yield what the mirrors' indexes announce, of all packages or of one, in the order of the suites.

    An index that a mirror does not have is passed over; one that cannot be read raises SourceError.
    """
    for mirror in mirrors:
        for suite in mirror.suites:
            yield from _of_suite(downloader, mirror, suite, package)


def announced_elsewhere(downloader: Downloader, source: str, mirrors: list[Mirror]) -> dict[str, Announced]:
    """Return all files, by name, that the mirrors' indexes announce for any version of a source package.

    Suites that apt is not configured with are asked too: they vouch for files of the same pool. An index that
    cannot be read is passed over: the caller then finds fewer digests, and says so.
    """
    found: dict[str, Announced] = {}
    for mirror in mirrors:
        for suite in dict.fromkeys([*mirror.suites, *DEFAULT_SUITES]):
            try:
                for package in _of_suite(downloader, mirror, suite, source):
                    for name, file in package.files.items():
                        found.setdefault(name, file)
            except (SourceError, OSError, EOFError, lzma.LZMAError):
                continue
    return found


def _of_suite(downloader: Downloader, mirror: Mirror, suite: str, package: str) -> Iterator[SourcePackage]:
    try:
        indexes = list(_indexes(downloader, mirror, suite))
    except NotInRegistry:
        return
    for index in indexes:
        with closing(sqlite3.connect(_database(downloader, index))) as database:
            rows = database.execute("SELECT * FROM packages WHERE ? IN ('', name)", (package,))
            for name, version, sections, homepage, folder, files in rows:
                base = f"{mirror.url}/{folder}"
                announced = {file: Announced(base, *facts) for file, facts in json.loads(files).items()}
                yield SourcePackage(name, version, frozenset(sections.split()), homepage, announced)


def _database(downloader: Downloader, index: Path) -> Path:
    """An index as a table by package, made once and named by the digest of the index."""
    store = downloader.store
    target = store.root / "indexes" / f"{index.name}.sqlite"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        with store.lock(f"index-{index.name}"), store.scratch() as folder:
            if not target.exists():
                draft = folder / "index"
                with closing(sqlite3.connect(draft)) as database, database:
                    database.execute(
                        "CREATE TABLE packages (name, version, sections, homepage, folder, files)"
                    )
                    database.executemany("INSERT INTO packages VALUES (?, ?, ?, ?, ?, ?)", _rows(index))
                    database.execute("CREATE INDEX by_name ON packages (name)")
                os.replace(draft, target)
    return target


def _rows(index: Path) -> Iterator[tuple[str, str, str, str, str, str]]:
    for stanza in _stanzas_of(index):
        # "name deb section priority …", one line a binary package
        binaries = (line.split() for line in stanza.get("package-list", "").splitlines())
        sections = {words[2] for words in binaries if len(words) > 2} | {stanza.get("section", "")}
        yield (
            stanza.get("package", ""), stanza.get("version", ""), " ".join(sorted(sections)),
            stanza.get("homepage", ""), stanza.get("directory", ""),
            json.dumps(checksums(stanza.get("checksums-sha256", ""))),
        )  # fmt: skip


def _indexes(downloader: Downloader, mirror: Mirror, suite: str) -> Iterator[Path]:
    """Fetch the Sources indexes of one suite, checked against the digests in its Release file."""
    base = f"{mirror.url}/dists/{suite.rstrip('/')}"
    try:
        body, _, _ = downloader.read(f"{base}/InRelease", _RELEASE_LIMIT)
    except NotInRegistry:
        body, _, _ = downloader.read(f"{base}/Release", _RELEASE_LIMIT)
    release = next(paragraphs(unsigned(body.decode("utf-8", "replace"))), {})
    listed = checksums(release.get("sha256", ""))
    for component in mirror.components:
        for suffix in _COMPRESSIONS:
            name = f"{component}/source/Sources.{suffix}"
            if name not in listed:
                continue
            sha256, size = listed[name]
            shown = f"{suite} {component} Sources.{suffix}"
            try:
                yield downloader.fetch(Wanted(f"{base}/{name}", shown, {"sha256": sha256}, size)).path
                break
            except NotInRegistry:
                continue


def _stanzas_of(index: Path) -> Iterator[dict[str, str]]:
    """Yield the stanzas of a compressed index, read as a stream."""
    with index.open("rb") as stream:
        opener = lzma.open if stream.read(6) == b"\xfd7zXZ\x00" else gzip.open
    with opener(index, "rb") as raw:
        text = TextIOWrapper(cast(BinaryIO, raw), encoding="utf-8", errors="replace")
        yield from paragraphs(_limited(text))


def _limited(lines: Iterable[str]) -> Iterator[str]:
    read = 0
    for line in lines:
        read += len(line)
        if read > _INDEX_LIMIT:
            return
        yield line
