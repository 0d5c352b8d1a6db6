"""Languages: which one a path is written in, and its text as tokens.

One table-driven scanner: `table` holds a literal row a language, `kernel` is the loop that obeys it, `scan`
adds hashes and meaning, `names` knows file names. Called by the unit cutter and both pipelines.
"""

from corpus.languages.names import language_of
from corpus.languages.scan import Scan, scan, significant
from corpus.languages.table import LANGUAGES, Kind

__all__ = ["LANGUAGES", "Kind", "Scan", "language_of", "scan", "significant"]
