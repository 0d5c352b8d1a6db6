"""Debian source packages from the mirrors that apt, or WHENCE_DEBIAN_MIRROR, names.

The .dsc in `pool/<component>/<prefix>/<source>/` announces the names, sizes and SHA-256 of the other files.
Upstream tarballs have role `upstream`; an `orig-foo` tarball belongs in the folder foo. Debian's own part
has role `packaging`: `.debian.tar.*`, or the `.diff.gz` of format 1.0, a gzipped patch from which only the
added file debian/copyright is wanted. Where a mirror has replaced the version, the upstream tarball that
its successors still share is fetched, and what is gone is named in `missing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

from corpus.errors import NoSource, NotConfigured, NotInRegistry, SourceError
from corpus.model import Artifact, Fetched
from corpus.sources.apt_config import Mirror, apt_proxy, configured_mirrors, mirror_of
from corpus.sources.deb822 import checksums, paragraphs, unsigned
from corpus.sources.debian_index import announced_elsewhere
from corpus.sources.download import Downloader, Stored, Wanted, page_url
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store

if TYPE_CHECKING:
    from packageurl import PackageURL

_DSC_LIMIT = 4 << 20
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]*")
_TARBALL = r"\.tar\.(?:gz|bz2|xz|lzma|zst)"
_COMPONENT = re.compile(rf"\.orig-(?P<folder>[A-Za-z0-9-]+){_TARBALL}")
_SUFFIXES = ("xz", "gz", "bz2")


@dataclass(frozen=True, slots=True)
class _Source:
    """One version of one source package, and the parts of its file names."""

    purl: str
    name: str
    version: str

    @property
    def file_version(self) -> str:
        """The version without its epoch, which file names never carry."""
        return self.version.partition(":")[2] or self.version

    @property
    def upstream(self) -> str:
        """The upstream version; "" for a native package."""
        return self.file_version.rpartition("-")[0]

    @property
    def stem(self) -> str:
        return f"{self.name}_{self.file_version}"

    @property
    def orig(self) -> str:
        return f"{self.name}_{self.upstream}"

    def folder(self, component: str) -> str:
        prefix = self.name[:4] if self.name.startswith("lib") else self.name[:1]
        return f"pool/{component}/{prefix}/{self.name}"


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Fetch one Debian source package. Raises NotInRegistry, NoSource, NotConfigured, SourceError."""
    purl = str(parsed.to_string())
    arch = parsed.qualifiers.get("arch", "source")
    if arch != "source":
        raise NoSource(
            purl, f"it names a binary package; ask for its source with ?arch=source instead of {arch}"
        )
    source = _Source(purl, parsed.name, parsed.version or "")
    distribution = parsed.namespace or "debian"
    with open_mirrors(purl, distribution, store, settings, progress) as (downloader, mirrors):
        failures: list[SourceError] = []
        for mirror, base in _places(source, mirrors):
            try:
                body, _, _ = downloader.read(f"{base}/{quote(source.stem + '.dsc')}", _DSC_LIMIT)
            except NotInRegistry:
                continue
            except SourceError as error:
                failures.append(error)
                continue
            others = [place for _, place in _places(source, [m for m in mirrors if m is not mirror])]
            return _fetch_described(downloader, source, [base, *others], body.decode("utf-8", "replace"))
        if failures:
            # Nothing is known about a mirror that did not answer: do not call the version gone.
            raise failures[0]
        return _fetch_upstream_only(downloader, source, mirrors)


@contextmanager
def open_mirrors(
    purl: str, distribution: str, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Iterator[tuple[Downloader, list[Mirror]]]:
    """Give a downloader and the mirrors of a distribution that it may read. Raises NotConfigured."""
    mirrors = _mirrors(purl, distribution, settings)
    hosts = tuple(urlsplit(mirror.url).hostname or "" for mirror in mirrors)
    scheme = urlsplit(mirrors[0].url).scheme
    proxy = "" if settings.debian_mirrors else apt_proxy(scheme)
    with Downloader(purl, store, settings, progress, proxy=proxy, trusted=hosts) as downloader:
        yield downloader, mirrors


def _mirrors(purl: str, distribution: str, settings: SourceSettings) -> list[Mirror]:
    if settings.debian_mirrors:
        return [mirror_of(url) for url in settings.debian_mirrors]
    # Other vendors' repositories stand in the same configuration; ask only those of the distribution.
    configured = configured_mirrors()
    mirrors = [mirror for mirror in configured if distribution in mirror.url]
    if not mirrors and distribution == "debian":
        mirrors = configured  # a local mirror under a name of its own
    if not mirrors:
        why = f"apt has no mirror of {distribution} here; set WHENCE_DEBIAN_MIRROR to the URL of one"
        raise NotConfigured(purl, why)
    return mirrors


def _places(source: _Source, mirrors: list[Mirror]) -> Iterator[tuple[Mirror, str]]:
    """Yield each mirror with the URL of each folder in which it may keep this source."""
    for mirror in mirrors:
        # A security archive calls its components updates/main in old releases.
        for component in dict.fromkeys(name.removeprefix("updates/") for name in mirror.components):
            yield mirror, f"{mirror.url}/{source.folder(component)}"


def _fetch_described(downloader: Downloader, source: _Source, bases: list[str], dsc: str) -> Fetched:
    """Fetch the files that a .dsc announces, each from the first folder that has it."""
    stanza = next(paragraphs(unsigned(dsc)), {})
    _check_identity(source, stanza)
    artifacts: list[Artifact] = []
    missing: list[str] = []
    for name, (sha256, size) in checksums(stanza.get("checksums-sha256", "")).items():
        if part := _part_of(source, name):
            stored = _first_found(downloader, bases, name, {"sha256": sha256}, size)
            if stored is None:
                missing.append(f"{name} is no longer on the mirror")
            else:
                artifacts.append(Artifact(name, stored.path, stored.sha256, *part))
    if not any(artifact.role == "upstream" for artifact in artifacts):
        if missing:
            raise NotInRegistry(source.purl, "; ".join(missing))
        raise NoSource(source.purl, "its .dsc announces no upstream tarball with a SHA-256")
    return Fetched(source.purl, tuple(artifacts), tuple(missing), "", page_url(stanza.get("homepage")))


def _first_found(
    downloader: Downloader, bases: list[str], name: str, digests: dict[str, str], size: int | None
) -> Stored | None:
    for base in bases:
        try:
            return downloader.fetch(Wanted(f"{base}/{quote(name)}", name, digests, size))
        except NotInRegistry:
            continue
    return None


def _check_identity(source: _Source, stanza: dict[str, str]) -> None:
    name, version = stanza.get("source", ""), stanza.get("version", "")
    without_epoch = version.partition(":")[2] or version
    if name != source.name or source.version not in (version, without_epoch):
        raise SourceError(source.purl, f"the mirror's .dsc is of {name or '?'} {version or '?'}")


def _part_of(source: _Source, name: str) -> tuple[Literal["upstream", "packaging"], str] | None:
    """Tell (role, folder) of a file of this source by its name; None for one that holds no tree."""
    if not _FILE_NAME.fullmatch(name):
        return None
    rest = name.removeprefix(source.stem)
    if rest != name:
        if re.fullmatch(rf"\.debian{_TARBALL}|\.diff\.gz", rest):
            return "packaging", ""
        if re.fullmatch(_TARBALL, rest):
            return "upstream", ""  # a native package
    rest = name.removeprefix(source.orig)
    if source.upstream and rest != name:
        if re.fullmatch(rf"\.orig{_TARBALL}", rest):
            return "upstream", ""
        if match := _COMPONENT.fullmatch(rest):
            return "upstream", match["folder"]
    return None


def _fetch_upstream_only(downloader: Downloader, source: _Source, mirrors: list[Mirror]) -> Fetched:
    """Fetch the upstream tarball of a version whose .dsc is gone.

    Its digest is taken from the apt index, if a version that is there now has the same upstream tarball.
    """
    gone = f"{source.stem}.dsc is on none of {len(mirrors)} mirrors"
    if not source.upstream:
        raise NotInRegistry(source.purl, f"{gone}, and a native package has no upstream tarball")
    artifacts: list[Artifact] = []
    missing = [f"{gone}: Debian's own part (debian/, with debian/copyright) cannot be had"]
    for name, entry in announced_elsewhere(downloader, source.name, mirrors).items():
        part = _part_of(source, name)
        if part is None or not name.startswith(f"{source.orig}.orig"):
            continue
        stored = _first_found(downloader, [entry.base], name, {"sha256": entry.sha256}, entry.size)
        if stored is None:
            missing.append(f"{name} is no longer on the mirror")
        else:
            artifacts.append(Artifact(name, stored.path, stored.sha256, *part))
    if not any(not artifact.folder for artifact in artifacts):
        artifacts += _fetch_unannounced(downloader, source, mirrors, missing)
    if not artifacts:
        raise NotInRegistry(source.purl, f"{gone}, nor is its upstream tarball")
    return Fetched(source.purl, tuple(artifacts), tuple(missing))


def _fetch_unannounced(
    downloader: Downloader, source: _Source, mirrors: list[Mirror], missing: list[str]
) -> list[Artifact]:
    """Fetch the upstream tarball by its derivable name, and say that nothing vouches for its bytes."""
    bases = [base for _, base in _places(source, mirrors)]
    for suffix in _SUFFIXES:
        name = f"{source.orig}.orig.tar.{suffix}"
        if stored := _first_found(downloader, bases, name, {}, None):
            missing.append(f"no index announces a digest of {name} any more: its bytes are unchecked")
            return [Artifact(name, stored.path, stored.sha256)]
    return []
