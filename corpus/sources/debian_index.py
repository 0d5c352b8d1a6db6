"""Which source files a Debian mirror holds now: the Sources indexes that its Release files vouch for.

Called by the Debian source when a version has been replaced, to learn the digest of an upstream tarball that
later versions share.
"""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

from corpus.errors import NotInRegistry, SourceError
from corpus.sources.apt_config import Mirror
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


def announced_elsewhere(downloader: Downloader, source: str, mirrors: list[Mirror]) -> dict[str, Announced]:
    """Return all files, by name, that the mirrors' indexes announce for any version of a source package.

    An index that cannot be read is passed over: the caller then finds fewer digests, and says so.
    """
    found: dict[str, Announced] = {}
    for mirror in mirrors:
        for suite in mirror.suites:
            try:
                for index in _indexes(downloader, mirror, suite):
                    for stanza in _stanzas_of(index, source):
                        base = f"{mirror.url}/{stanza.get('directory', '')}"
                        for name, (sha256, size) in checksums(stanza.get("checksums-sha256", "")).items():
                            found.setdefault(name, Announced(base, sha256, size))
            except (SourceError, OSError, EOFError, lzma.LZMAError):
                continue
    return found


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


def _stanzas_of(index: Path, source: str) -> Iterator[dict[str, str]]:
    """Yield the stanzas of one source package from a compressed index, read as a stream."""
    with index.open("rb") as stream:
        opener = lzma.open if stream.read(6) == b"\xfd7zXZ\x00" else gzip.open
    wanted = f"Package: {source}\n"
    with opener(index, "rb") as raw:
        lines: list[str] = []
        read = 0
        for line in TextIOWrapper(cast(BinaryIO, raw), encoding="utf-8", errors="replace"):
            read += len(line)
            if read > _INDEX_LIMIT:
                return
            if line.strip():
                lines.append(line)
                continue
            if wanted in lines:
                yield from paragraphs(lines)
            lines = []
        if wanted in lines:
            yield from paragraphs(lines)
