"""Take releases out of a corpus with all that was made of them, what was downloaded included.

Called by the command line and the service. What is left of a release afterwards: nothing in the catalogue,
the segments and the snapshots once the next build has been published; nothing in the download cache at once,
except artifacts that another release shares. Licence detections stay: they are kept by the digest of a notice
and tell neither text nor release.
"""

from __future__ import annotations

from collections.abc import Sequence

from corpus.coverage import forget_failures
from corpus.index.catalog import Catalog, Entry
from corpus.index.segment import ReleaseFacts, release_facts
from corpus.reuse import Seen
from corpus.sources.store import Store


def retract(catalog: Catalog, purls: Sequence[str]) -> None:
    """Take releases out, by canonical purl. Raises UnknownRelease before anything is changed."""
    entries = catalog.entries()
    facts = {purl: _facts(catalog, entries[purl]) for purl in purls if purl in entries}
    catalog.remove(purls)
    Seen(catalog).forget(entries[purl].segment for purl in purls)
    gone = {digest for found in facts.values() for _, digest in found.artifacts}
    for entry in catalog.entries().values():
        gone -= {digest for _, digest in _facts(catalog, entry).artifacts}
    if catalog.cache.is_dir():
        Store(catalog.cache).forget(purls, gone)
    forget_failures(catalog, purls)


def _facts(catalog: Catalog, entry: Entry) -> ReleaseFacts:
    return release_facts(catalog.segments_root / entry.segment)
