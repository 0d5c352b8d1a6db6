"""Releases that no registry holds: a git commit (`vcs_url=`), a local folder or archive (`download_url=`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus.errors import BadPurl
from corpus.model import Fetched
from corpus.sources import git, local
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store

if TYPE_CHECKING:
    from packageurl import PackageURL


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Fetch what the qualifiers name. Raises BadPurl when they name nothing, SourceError, NotInRegistry."""
    if "vcs_url" in parsed.qualifiers:
        return git.fetch(parsed, store, settings, progress)
    if "download_url" in parsed.qualifiers:
        return local.fetch(parsed, store, settings, progress)
    why = "a pkg:generic needs vcs_url=git+https://…@commit, or download_url=file:///… of a folder or archive"
    raise BadPurl(str(parsed.to_string()), why)
