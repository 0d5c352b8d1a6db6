"""Fetching one release, whatever its ecosystem: see the table in corpus.sources."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.table import SOURCES

if TYPE_CHECKING:
    from corpus.model import Fetched


def fetch(
    purl: str, cache: Path, settings: SourceSettings | None = None, progress: Progress | None = None
) -> Fetched:
    """Fetch one release into the cache folder.

    purl: raw or canonical. settings: by default those of the environment. progress: told about each block.
    Raises BadPurl, NotInRegistry, NoSource, NotConfigured, DigestMismatch or another SourceError.
    """
    from corpus.errors import BadPurl, SourceError
    from corpus.purl import parse
    from corpus.sources.store import Store, key_of

    parsed = parse(purl)
    name = str(parsed.to_string())
    if parsed.type not in SOURCES:
        raise BadPurl(purl, f"releases of type {parsed.type!r} cannot be fetched, only {', '.join(SOURCES)}")
    settings = settings or SourceSettings.from_environment()
    lasting = "download_url" not in parsed.qualifiers  # a file of this machine may have changed
    try:
        store = Store(cache)
        with store.lock(key_of("release", name)):
            if lasting and (known := store.recall(name)):
                return known
            fetched: Fetched = import_module(SOURCES[parsed.type]).fetch(parsed, store, settings, progress)
            if lasting:
                store.remember(fetched)
            return fetched
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SourceError(name, f"{error.strerror or error}{where}") from error
