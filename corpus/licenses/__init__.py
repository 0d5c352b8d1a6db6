"""Licences: one conclusion for each file.

expression  SPDX expressions and their categories        (license-expression's index; no scancode)
families    GNU versions as sets: merging and agreement
names       free-text names ("GPLv3+", "BSD") -> SPDX
declared    debian/copyright and package metadata
header      the licence notice at the top of a file, and its cache key
shortlist   rules that can be the best for a text, for ranking
ranking     the rules to compare a text with, the best first, for detect
detect      text -> licence; the only module that imports scancode, in sandboxed children
detector    detect once for each distinct notice: cache, then children
conclude    which of the statements about a file decides
"""

from corpus.licenses.conclude import conclude, is_license_file, is_metadata_file
from corpus.licenses.detector import Detection, Detector, TextDetector, affordable

__all__ = [
    "Detection",
    "Detector",
    "TextDetector",
    "affordable",
    "conclude",
    "is_license_file",
    "is_metadata_file",
]
