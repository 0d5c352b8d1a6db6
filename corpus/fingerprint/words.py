"""What a name, a string or a number says whatever the language: sub-words with aliases, values.

Read by the algorithm layer on both sides. Aliases (fabs → abs) come from aliases.txt: a line a group, the
first word is what the others become.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
LEAST_LETTERS = 2
MOST_PARTS = 4


@cache
def aliases() -> dict[str, str]:
    text = (Path(__file__).parent / "aliases.txt").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {word: row[0] for row in rows for word in row}


@cache
def aliased() -> tuple[NDArray[np.uint64], int]:
    """The aliases for compiled code, and the length of the longest.

    A hash table, uint64[2^b, 3]: key of the word, key and length of what it becomes; rows of 0 are free.
    """
    table = np.zeros((1 << (4 * len(aliases())).bit_length(), 3), np.uint64)
    for word, stands in aliases().items():
        key = word_key("word", word)
        at = key % len(table)
        while table[at, 0]:
            at = (at + 1) % len(table)
        table[at] = key, word_key("word", stands), len(stands)
    return table, max(map(len, aliases()))


def _stem(word: str) -> str:
    """Plural and singular are one; nothing cleverer, since identifiers are abbreviations."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@lru_cache(maxsize=1 << 16)
def parts(name: str) -> tuple[str, ...]:
    """Sub-words of a name, in order, aliased; numbers and single letters are left out.

    >>> parts("gsl_sf_hzeta_e")
    ('gsl', 'sf', 'hzeta')
    """
    table = aliases()
    whole = name.lower()
    if whole in table:
        return (table[whole],)
    found = []
    for part in _PARTS.findall(name):
        word = part.lower()
        if len(word) >= LEAST_LETTERS and not word.isdigit():
            word = _stem(word)
            found.append(table.get(word, word))
    return tuple(dict.fromkeys(found))[:MOST_PARTS]


def word_key(kind: str, text: str) -> int:
    """64-bit key of a feature; kinds (`word`, `call`, `text`) are apart."""
    return xxhash.xxh3_64_intdigest(f"{kind}:{text}".encode())
