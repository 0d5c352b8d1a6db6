"""Every number that changes a sketch, in one frozen object; its digest names the generation.

An index built with one digest is never read with another (`ParamsMismatch`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

# Raised by hand whenever the scanner, the unit cutter or a hash changes its output.
FORMAT = 2


@dataclass(frozen=True)
class Params:
    """Parameters of sketches.

    literal_k, literal_window: raw token k-grams and winnowing window: every run of
        `literal_k + literal_window - 1` equal tokens shares a fingerprint (Schleimer et al. 2003).
    renamed_k, renamed_window: the same over the renamed layer.
    num_perm, seed, scheme: MinHash as datasketch defines it.
    shingle_k: length of the renamed-layer shingles under MinHash.
    lsh_threshold, lsh_bands, lsh_rows: bands × rows as datasketch's optimiser chooses them for
        `lsh_threshold`; kept here so that opening an index needs no optimiser (a test compares).
    min_unit_tokens: shorter units have no MinHash.
    window_tokens, window_stride: units longer than that are cut into windows.
    """

    format: int = FORMAT
    literal_k: int = 10
    literal_window: int = 6
    renamed_k: int = 16
    renamed_window: int = 8
    num_perm: int = 128
    seed: int = 1
    scheme: str = "affine32"
    shingle_k: int = 8
    lsh_threshold: float = 0.5
    lsh_bands: int = 25
    lsh_rows: int = 5
    min_unit_tokens: int = 24
    window_tokens: int = 600
    window_stride: int = 300

    @cached_property
    def digest(self) -> str:
        """16 hex digits that name this generation of sketches."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


DEFAULT = Params()
