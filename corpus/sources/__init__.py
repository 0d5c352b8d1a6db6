"""Where releases come from: one line a purl type.

`fetch` brings the artifacts of one release into the cache, each checked against the digest that its registry
announces; a second fetch needs no network. Every failure is a SourceError or BadPurl, so that a caller
goes on with its other releases. Called by corpus.ingest. Signatures are not verified: the digest proves
that the bytes are those which the registry announces.
"""

from corpus.sources.release import fetch
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.table import SOURCES

__all__ = ["SOURCES", "Progress", "SourceSettings", "fetch"]
