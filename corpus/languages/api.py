"""Which names of a text belong to an API: of the language, its library, a module or header brought in.

They say what is used, not how an author writes: two texts that use one library have them in common. Read from
the text itself (import statements, which are in no layer) and from api.txt.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.languages.neutral import Symbol
from corpus.languages.scan import Scan
from corpus.languages.table import Kind

_PART = re.compile(rb"[A-Za-z_]\w*")
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*([<"])([^">\n]+)[">]', re.M)
_OWN_PREFIX = re.compile(rb"([A-Za-z]{3,})[_\d]")
_LEADS = (int(Symbol.MEMBER), int(Symbol.SCOPE))


@cache
def _table() -> tuple[dict[str, frozenset[bytes]], tuple[tuple[bytes, tuple[bytes, ...]], ...]]:
    """Names by language; (beginning of a header's path, beginnings of its names)."""
    names: dict[str, frozenset[bytes]] = {}
    headers: list[tuple[bytes, tuple[bytes, ...]]] = []
    text = (Path(__file__).parent / "api.txt").read_text(encoding="utf-8")
    lines = re.sub(r"\n[ \t]+", " ", text).splitlines()
    for line in lines:
        if not line or line.startswith("#"):
            continue
        left, _, right = line.partition(": ")
        words = tuple(word.encode() for word in right.split())
        for one in left.split():
            if one.startswith("<"):
                headers.append((one[1:].encode(), words))
            else:
                names[one] = names.get(one, frozenset()) | frozenset(words)
    return names, tuple(headers)


def api_names(scanned: Scan, text: bytes, language: str) -> NDArray[np.bool_]:
    """For each token of a text whether it is a name of an API.

    A name is one when the language's library has it, when an import brings it in, when it begins as those of
    an included header do, or when it is a member of one of these (`np.linalg.svd`).
    """
    at = np.flatnonzero(scanned.kind == Kind.NAME)
    spelled = [text[a:b] for a, b in zip(scanned.start[at].tolist(), scanned.end[at].tolist(), strict=True)]
    brought, library, beginnings = _brought(scanned, text), _table()[0].get(language, ()), _beginnings(text)
    member = np.zeros(len(scanned), bool)
    member[2:] = np.isin(scanned.neutral[1:-1], _LEADS)
    owned = np.zeros(len(scanned), bool)  # brought in, or a member of what was
    out = np.zeros(len(scanned), bool)
    for token, name, of in zip(at.tolist(), spelled, member[at].tolist(), strict=True):
        owned[token] = owned[token - 2] if of else name in brought
        out[token] = owned[token] or name in library or (bool(beginnings) and name.startswith(beginnings))
    return out


def _brought(scanned: Scan, text: bytes) -> set[bytes]:
    """The names in import statements: those of modules, of what is taken from them, and what they are called.

    Statements that close a block (`end subroutine area`) are dropped from the layers as imports are.
    """
    found = set()
    counts = False
    dropped = np.flatnonzero(~scanned.keep)
    begins = scanned.fresh[dropped] | np.concatenate(([True], np.diff(dropped) > 1))[: len(dropped)]
    names = scanned.kind[dropped] == Kind.NAME
    for token, first, named in zip(dropped.tolist(), begins.tolist(), names.tolist(), strict=True):
        spelled = text[scanned.start[token] : scanned.end[token]]
        if first:
            counts = not spelled.lower().startswith((b"end", b"#"))
        if counts and named:
            found.add(spelled)
    return found


def _beginnings(text: bytes) -> tuple[bytes, ...]:
    """How the names begin that included headers declare: as the table says, or as the header's own name."""
    found: set[bytes] = set()
    for bracket, header in _INCLUDE.findall(text):
        known = [words for begins, words in _table()[1] if header.startswith(begins)]
        for words in known:
            found.update(words)
        own = _OWN_PREFIX.match(header.rpartition(b"/")[2])
        if own and not known and bracket == b"<":  # in quotes stand the project's own
            found.add(own[1] + b"_")
    return tuple(sorted(found))
