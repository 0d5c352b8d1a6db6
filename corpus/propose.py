"""Which releases a manifest could list: from a registry's own metadata, each with the reason.

A Debian source package is judged by its debian/copyright (the paragraph for `*`, the header, or the common
licence that it refers to), a package of PyPI by the classifiers and the licence field of its metadata, one of
npm by its package.json. Only that is read: a proposal is no conclusion about files, which ingestion draws.
Called by the command line.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.archive import unpack as archive
from corpus.errors import NotInRegistry, WhenceError
from corpus.licenses import expression, is_metadata_file
from corpus.licenses.declared import metadata_expression, read_dep5
from corpus.licenses.names import from_name
from corpus.purl import canonical, parse
from corpus.sandbox import Pool
from corpus.sources import SourceSettings, fetch
from corpus.sources.debian import open_mirrors
from corpus.sources.debian_index import Announced, SourcePackage, read_sources
from corpus.sources.download import Downloader, Wanted
from corpus.sources.newest import newest
from corpus.sources.store import Store

COPYLEFT = ("Copyleft", "Copyleft Limited")
PERMISSIVE = ("Permissive", "Public Domain")
UNPACK_SECONDS = 120.0
_COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z]+(?:-\d(?:\.\d+)?)?)")
_LATER = re.compile(r"(?i)any\s+later\s+version|or\s+\(at\s+your\s+option\)")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A release and why it is or is not for a list.

    license: SPDX expression of the package as its metadata states it, or "". category: scancode's name.
    size: compressed bytes of its source, 0 where the registry does not say. fits: it is for the list.
    """

    purl: str
    license: str
    category: str
    size: int
    fits: bool
    reason: str

    def line(self) -> str:
        """A line of a manifest; a comment where the release does not fit."""
        entry = f'"{self.purl}",  # {self.reason}'
        return f"  {entry}" if self.fits else f"  # {entry}"


def propose(
    packages: Sequence[str],
    sections: Sequence[str],
    cache: Path,
    *,
    background: bool = False,
    largest: int = 20 << 20,
    settings: SourceSettings | None = None,
) -> Iterator[Proposal]:
    """Judge the newest release of each package, and those of whole Debian sections.

    packages: purls, with or without versions. sections: Debian's, e.g. `math`. background: the list is of
    permissive code, else of copyleft code. largest: compressed bytes of a source that is not too large.
    A package that cannot be read is a Proposal that says so; a Debian index that cannot be read raises.
    """
    settings = settings or SourceSettings.from_environment()
    names = [parse(package, release=False) for package in packages]
    debian = [p for p in names if p.type == "deb"]
    with Pool(1, preload=("corpus.archive.unpack",)) as pool:
        judge = _Judge(cache, settings, pool, background, largest)
        if debian or sections:
            yield from judge.debian([p.name for p in debian], sections)
        for package in packages:
            if parse(package, release=False).type != "deb":
                yield judge.other(package)


@dataclass(frozen=True, slots=True)
class _Judge:
    cache: Path
    settings: SourceSettings
    pool: Pool
    background: bool
    largest: int

    def debian(self, names: Sequence[str], sections: Iterable[str]) -> Iterator[Proposal]:
        from debian_inspector.version import Version

        store, sections, asked = Store(self.cache), frozenset(sections), frozenset(names)
        with open_mirrors("pkg:deb/debian", "debian", store, self.settings) as (downloader, mirrors):
            found: dict[str, SourcePackage] = {}
            for package in read_sources(downloader, mirrors):
                if package.name not in asked and package.sections.isdisjoint(sections):
                    continue
                known = found.get(package.name)
                if known is None or Version.from_string(known.version) < Version.from_string(package.version):
                    found[package.name] = package
            for name in dict.fromkeys([*names, *sorted(found)]):
                if name in found:
                    yield self._debian_package(downloader, found[name])
                else:
                    yield _refused(f"pkg:deb/debian/{name}", "no such source package on the mirrors")

    def _debian_package(self, downloader: Downloader, package: SourcePackage) -> Proposal:
        purl = canonical(f"pkg:deb/debian/{package.name}@{package.version}?arch=source")
        packaging = [n for n in package.files if re.search(r"\.debian\.tar\.|\.diff\.gz$", n)]
        upstream = [n for n in package.files if not n.endswith((".dsc", ".asc")) and n not in packaging]
        size = sum(package.files[name].size for name in upstream)
        name = (packaging or upstream or [""])[0]
        if size > self.largest:
            return _refused(purl, f"{_mb(size)}: larger than {_mb(self.largest)}")
        try:
            text = self._copyright(downloader, name, package.files[name])
        except (WhenceError, KeyError) as error:
            return _refused(purl, f"its debian/copyright cannot be read: {error}")
        license, where = _of_copyright(text)
        return self._judged(purl, license, where, size)

    def _copyright(self, downloader: Downloader, name: str, file: Announced) -> bytes:
        stored = downloader.fetch(Wanted(f"{file.base}/{name}", name, {"sha256": file.sha256}, file.size))
        with tempfile.TemporaryDirectory(dir=self.cache / "parts", prefix="scratch-") as spool:
            found = archive.read(self.pool, stored.path, Path(spool), strip_top=False, seconds=UNPACK_SECONDS)
            for member in found.members:
                if member.path == "debian/copyright" or member.path.endswith("/debian/copyright"):
                    return member.location.read_bytes()
        raise NotInRegistry(name, "it has none")

    def other(self, package: str) -> Proposal:
        """A package of PyPI or npm: its newest release is fetched for its metadata."""
        purl = package
        try:
            purl = newest(package, self.cache, self.settings)
            fetched = fetch(purl, self.cache, self.settings)
            size = sum(artifact.path.stat().st_size for artifact in fetched.artifacts)
            if size > self.largest:
                return _refused(purl, f"{_mb(size)}: larger than {_mb(self.largest)}")
            license, where = from_name(fetched.declared), "its registry"
            for artifact in fetched.artifacts if not license else ():
                license, where = self._of_metadata(artifact.path)
        except WhenceError as error:
            return _refused(purl, error.message)
        return self._judged(purl, license, where, size)

    def _of_metadata(self, path: Path) -> tuple[str, str]:
        with tempfile.TemporaryDirectory(dir=self.cache / "parts", prefix="scratch-") as spool:
            found = archive.read(self.pool, path, Path(spool), strip_top=True, seconds=UNPACK_SECONDS)
            for member in found.members:
                if "/" in member.path or not is_metadata_file(member.path):
                    continue
                if stated := metadata_expression(member.path, member.location.read_bytes()):
                    return stated, member.path
        return "", ""

    def _judged(self, purl: str, license: str, where: str, size: int) -> Proposal:
        category = expression.category(license) if license else "Unknown"
        fits = category in (PERMISSIVE if self.background else COPYLEFT)
        said = f"{license or 'no licence that can be read'}"
        reason = f"{said} by {where}, {_mb(size)}" if where else f"{said}, {_mb(size)}"
        if not fits and license:
            reason = f"{category}, not {'permissive' if self.background else 'copyleft'}: {reason}"
        return Proposal(purl, license, category, size, fits, reason)


def _refused(purl: str, why: str) -> Proposal:
    return Proposal(purl, "", "Unknown", 0, False, why)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _of_copyright(text: bytes) -> tuple[str, str]:
    """The licence of the package as a whole, and where debian/copyright says so."""
    dep5 = read_dep5(text)
    if dep5 is not None:
        everything = dep5.stanza("*")
        if everything is not None and everything.expression:
            return everything.expression, "debian/copyright, Files: *"
        if dep5.whole:
            return dep5.whole, "debian/copyright, its header"
    prose = text.decode("utf-8", "replace")
    named = _COMMON.findall(prose)
    if not named:
        return "", ""
    later = "+" if _LATER.search(prose) else ""
    return from_name(named[0] + later) or from_name(
        named[0]
    ), "the common licence that debian/copyright names"
