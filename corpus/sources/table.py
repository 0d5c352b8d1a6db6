"""The sources: one line a purl type."""

# purl type → module with `fetch(purl, store, settings, progress) -> Fetched`, imported when it is needed.
SOURCES = {
    "deb": "corpus.sources.debian",
    "pypi": "corpus.sources.pypi",
    "npm": "corpus.sources.npm",
    "github": "corpus.sources.git",
    "generic": "corpus.sources.generic",  # git or local, by its qualifiers
}
