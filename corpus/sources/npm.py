"""npm packages from the registry that npm, or WHENCE_NPM_REGISTRY, names.

A tarball is what the publisher uploaded; nothing of it is installed or run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from corpus.errors import NotConfigured, NotInRegistry, SourceError
from corpus.model import Artifact, Fetched
from corpus.sources.download import Downloader, Wanted, integrity_digests, page_url, shown
from corpus.sources.npm_config import NpmConfig, npm_config
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store

if TYPE_CHECKING:
    from packageurl import PackageURL

_PACKUMENT_LIMIT = 256 << 20


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Fetch the tarball of one release. Raises NotInRegistry, NotConfigured, DigestMismatch, SourceError."""
    purl = str(parsed.to_string())
    with _open_registry(parsed, store, settings, progress) as (downloader, url):
        body, _, _ = downloader.read(url, _PACKUMENT_LIMIT, "application/json")
        release = _release(purl, url, body, parsed.version or "")
        return _fetch_tarball(downloader, purl, release)


def latest(parsed: PackageURL, store: Store, settings: SourceSettings) -> str:
    """Return the version that the registry calls latest. Raises NotInRegistry, SourceError."""
    purl = str(parsed.to_string())
    with _open_registry(parsed, store, settings) as (downloader, url):
        body, _, _ = downloader.read(url, _PACKUMENT_LIMIT, "application/json")
    try:
        version = json.loads(body)["dist-tags"]["latest"]
    except (ValueError, KeyError, TypeError, RecursionError):
        version = None
    if not isinstance(version, str) or not version:
        raise NotInRegistry(purl, f"{shown(url)} names no latest version")
    return version


@contextmanager
def _open_registry(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Iterator[tuple[Downloader, str]]:
    """Give a downloader and the address of the package's document. Raises NotConfigured."""
    purl = str(parsed.to_string())
    scope = parsed.namespace or ""
    config = NpmConfig(settings.npm_registry) if settings.npm_registry else npm_config(scope)
    if not config.registry:
        why = "npm is neither configured nor installed here; set WHENCE_NPM_REGISTRY to the URL of a registry"
        raise NotConfigured(purl, why)
    registry = config.registry.rstrip("/")
    full_name = f"{scope}/{parsed.name}" if scope else parsed.name
    trusted = (urlsplit(registry).hostname or "",)
    with Downloader(
        purl, store, settings, progress, cafile=config.cafile, proxy=config.proxy, trusted=trusted
    ) as downloader:
        # A scope's slash is escaped; a registry takes @scope%2fname for one name.
        yield downloader, f"{registry}/{quote(full_name, safe='@')}"


def _release(purl: str, url: str, body: bytes, version: str) -> dict[str, Any]:
    try:
        versions = json.loads(body)["versions"]
        release = versions.get(version)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(purl, f"{shown(url)} is not a package document of npm") from None
    if release is None:
        raise NotInRegistry(purl, f"{shown(url)} has no version {version}")
    if not isinstance(release, dict) or not isinstance(release.get("dist"), dict):
        raise SourceError(purl, f"{shown(url)} does not say where version {version} lies")
    return release


def _fetch_tarball(downloader: Downloader, purl: str, release: dict[str, Any]) -> Fetched:
    dist = release["dist"]
    tarball = str(dist.get("tarball", ""))
    if not tarball.startswith(("https://", "http://")):
        raise SourceError(purl, "the registry gives no address of a tarball")
    digests = integrity_digests(str(dist.get("integrity", "")))
    shasum = dist.get("shasum")
    if not digests and isinstance(shasum, str) and len(shasum) == 40:
        digests = {"sha1": shasum.lower()}
    name = urlsplit(tarball).path.rpartition("/")[2]
    if not digests:
        raise SourceError(purl, f"the registry announces no digest of {name}")
    stored = downloader.fetch(Wanted(tarball, name, digests))
    artifact = Artifact(name, stored.path, stored.sha256)
    return Fetched(
        purl, (artifact,), declared=declared_license(release), url=page_url(release.get("homepage"))
    )


def declared_license(release: dict[str, Any]) -> str:
    """Return the licence that a package.json states: SPDX or free text, the old object forms included."""
    stated = release.get("license") or release.get("licenses") or ""
    entries = stated if isinstance(stated, list) else [stated]
    names = [_text(entry.get("type")) if isinstance(entry, dict) else _text(entry) for entry in entries]
    return " OR ".join(name for name in names if name)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
