"""Source distributions from the simple indexes that pip, or WHENCE_PYPI_INDEX, names.

The archive is never built or unpacked here: asking a build backend for anything would run foreign code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corpus.errors import NoSource, NotConfigured, NotInRegistry, SourceError
from corpus.model import Artifact, Fetched
from corpus.sources.download import ALGORITHMS, Downloader, Wanted, shown
from corpus.sources.pip_config import pip_config
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store

if TYPE_CHECKING:
    from packageurl import PackageURL
    from pypi_simple import DistributionPackage, ProjectPage

_PAGE_LIMIT = 64 << 20
_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Fetch the sdist of one release. Raises NotInRegistry, NoSource, NotConfigured, SourceError."""
    purl = str(parsed.to_string())
    with _open_indexes(purl, store, settings, progress) as (downloader, indexes):
        found = False
        failures: list[SourceError] = []
        for index in indexes:
            try:
                page = _page(downloader, purl, index, parsed.name)
            except NotInRegistry:
                continue
            except SourceError as error:
                failures.append(error)
                continue
            files = [file for file in page.packages if _is_version(file, parsed.version or "")]
            found = found or bool(files)
            if sdist := _best_sdist(files):
                return _fetch_sdist(downloader, purl, f"{index.rstrip('/')}/{parsed.name}/", sdist)
        if failures:
            raise failures[0]
        if found:
            raise NoSource(purl, "it was released as wheels only, without a source distribution")
        where = ", ".join(shown(index) for index in indexes)
        raise NotInRegistry(purl, f"no such release in {where}")


def versions(purl: str, name: str, store: Store, settings: SourceSettings) -> list[str]:
    """Return the versions of a project that have a source distribution, ascending, final releases last."""
    from packaging.version import InvalidVersion, Version

    known: set[Version] = set()
    with _open_indexes(purl, store, settings) as (downloader, indexes):
        for index in indexes:
            try:
                page = _page(downloader, purl, index, name)
            except NotInRegistry:
                continue
            for file in page.packages:
                if _best_sdist([file]) is not None and not file.is_yanked:
                    with suppress(InvalidVersion):
                        known.add(Version(file.version or ""))
    return [str(v) for v in sorted(known, key=lambda v: (not v.is_prerelease, v))]


@contextmanager
def _open_indexes(
    purl: str, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Iterator[tuple[Downloader, tuple[str, ...]]]:
    config = pip_config()
    indexes = settings.pypi_indexes or (config.index or _default_index(purl), *config.extra)
    hosts = tuple(urlsplit(index).hostname or "" for index in indexes)
    with Downloader(
        purl, store, settings, progress, cafile=config.cafile, proxy=config.proxy, trusted=hosts
    ) as downloader:
        yield downloader, tuple(indexes)


def _default_index(purl: str) -> str:
    """Return the index that pip uses without configuration: only pip itself knows it."""
    try:
        from pip._internal.models.index import PyPI
    except ImportError:
        why = "pip is neither configured nor installed here; set WHENCE_PYPI_INDEX to a simple index"
        raise NotConfigured(purl, why) from None
    return str(PyPI.simple_url)


def _page(downloader: Downloader, purl: str, index: str, name: str) -> ProjectPage:
    from pypi_simple import (
        ACCEPT_JSON_PREFERRED,
        ProjectPage,
        UnsupportedContentTypeError,
        UnsupportedRepoVersionError,
    )

    url = f"{index.rstrip('/')}/{name}/"
    body, content_type, final = downloader.read(url, _PAGE_LIMIT, ACCEPT_JSON_PREFERRED)
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind.endswith("+json"):
            import json

            return ProjectPage.from_json_data(json.loads(body), base_url=final)
        if kind in ("text/html", "application/vnd.pypi.simple.v1+html"):
            return ProjectPage.from_html(name, body.decode("utf-8", "replace"), base_url=final)
    except (
        ValueError,
        KeyError,
        TypeError,
        UnsupportedContentTypeError,
        UnsupportedRepoVersionError,
    ) as error:
        raise SourceError(purl, f"{shown(url)} is not a simple index page: {error}") from None
    raise SourceError(purl, f"{shown(url)} is not a simple index page but {kind or 'untyped'}")


def _is_version(file: DistributionPackage, version: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return file.version is not None and Version(file.version) == Version(version)
    except InvalidVersion:
        return file.version == version


def _best_sdist(files: list[DistributionPackage]) -> DistributionPackage | None:
    sdists = [f for f in files if f.package_type == "sdist" and f.filename.endswith(_SUFFIXES)]
    return min(sdists, default=None, key=_preference)


def _preference(file: DistributionPackage) -> int:
    return next(rank for rank, suffix in enumerate(_SUFFIXES) if file.filename.endswith(suffix))


def _fetch_sdist(downloader: Downloader, purl: str, page: str, sdist: DistributionPackage) -> Fetched:
    if sdist.url.startswith("file:") and not page.startswith("file:"):
        raise SourceError(purl, "an index on the network points to a file of this machine")
    digests = {name: value for name, value in sdist.digests.items() if name in ALGORITHMS}
    if not digests:
        raise SourceError(purl, f"the index announces no digest of {sdist.filename}")
    url = sdist.url.partition("#")[0]
    size = sdist.size if isinstance(sdist.size, int) else None
    stored = downloader.fetch(Wanted(url, sdist.filename, digests, size))
    where = shown(page) if page.startswith("http") else ""
    return Fetched(purl, (Artifact(sdist.filename, stored.path, stored.sha256),), url=where)
