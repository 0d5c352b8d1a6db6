"""The newest release of a package that its registry has: for lists without versions, and for versions gone.

Called by ingestion when a release is no longer in its registry, and by corpus.propose.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import NotInRegistry
from corpus.sources.settings import SourceSettings
from corpus.sources.store import Store

if TYPE_CHECKING:
    from packageurl import PackageURL


def newest(purl: str, cache: Path, settings: SourceSettings | None = None) -> str:
    """Return the canonical purl of the newest release of the package that `purl` names.

    purl: with or without a version, which does not count. Raises NotInRegistry where the package is not
    there or its kind of registry keeps no list of versions; BadPurl and SourceError as a fetch does.
    """
    from packageurl import PackageURL

    from corpus.purl import canonical, parse

    parsed = parse(purl, release=False)
    settings = settings or SourceSettings.from_environment()
    store = Store(cache)
    finders = {"deb": _debian, "pypi": _pypi, "npm": _npm}
    if parsed.type not in finders:
        raise NotInRegistry(purl, f"releases of type {parsed.type!r} have no list of versions")
    version = finders[parsed.type](parsed, store, settings)
    qualifiers = parsed.qualifiers or ({"arch": "source"} if parsed.type == "deb" else None)
    found = PackageURL(parsed.type, parsed.namespace, parsed.name, version, qualifiers)
    return canonical(str(found.to_string()))


def _debian(parsed: PackageURL, store: Store, settings: SourceSettings) -> str:
    from debian_inspector.version import Version

    from corpus.sources.debian import open_mirrors
    from corpus.sources.debian_index import read_sources

    purl = str(parsed.to_string())
    with open_mirrors(purl, parsed.namespace or "debian", store, settings) as (downloader, mirrors):
        versions = [s.version for s in read_sources(downloader, mirrors, parsed.name) if s.version]
    if not versions:
        raise NotInRegistry(purl, f"no version of {parsed.name} is on {len(mirrors)} mirrors")
    return str(max(versions, key=Version.from_string))


def _pypi(parsed: PackageURL, store: Store, settings: SourceSettings) -> str:
    from corpus.sources.pypi import versions

    found = versions(str(parsed.to_string()), parsed.name, store, settings)
    if not found:
        raise NotInRegistry(str(parsed.to_string()), "no release of it has a source distribution")
    return found[-1]


def _npm(parsed: PackageURL, store: Store, settings: SourceSettings) -> str:
    from corpus.sources.npm import latest

    return latest(parsed, store, settings)
