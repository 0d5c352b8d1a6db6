"""The submitted side of a match: one changed file, tokenised and sketched, each token with its line.

Made inside a sandbox child where text is foreign (service), in-process by the command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64
from corpus.fingerprint.sketch import sketch
from corpus.languages import scan, significant
from corpus.languages.api import api_names
from corpus.model import ChangedFile, Unit
from corpus.params import DEFAULT, Params
from corpus.units import cut


@dataclass(frozen=True, slots=True)
class Query:
    """n tokens of one changed file, regions one after the other.

    raw, renamed: uint64[n]; kind: uint8[n]; neutral: uint16[n]; line: int64[n], in the new file.
    added: bool[n], False for context. api: bool[n], names of an API (see `api_names`).
    spelling: n spellings. literal, renamed_prints: (keys, index of first token); bands: uint64[units, bands].
    units: half-open token ranges.
    """

    path: str
    language: str
    raw: U64
    renamed: U64
    kind: NDArray[np.uint8]
    neutral: NDArray[np.uint16]
    line: NDArray[np.int64]
    added: NDArray[np.bool_]
    api: NDArray[np.bool_]
    spelling: Sequence[bytes]
    literal: tuple[U64, NDArray[np.int64]]
    renamed_prints: tuple[U64, NDArray[np.int64]]
    bands: U64
    units: tuple[Unit, ...]

    def __len__(self) -> int:
        return len(self.raw)


_BREAK = re.compile(rb"\r\n?|\n")


def line_numbers(text: bytes, lines: int) -> NDArray[np.int64]:
    """For each line as tokenisers count them, which of the region's `lines` lines (from 0) it belongs to.

    To a tokeniser a carriage return alone ends a line too, to a diff it does not.
    """
    if b"\r" not in text:
        return np.minimum(np.arange(lines + 1), lines - 1)
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    return np.minimum(np.searchsorted(ends, starts), lines - 1)


def make_query(
    changed: ChangedFile, language: str, params: Params = DEFAULT, *, compiled: bool = False
) -> Query:
    """Tokenise and sketch the regions of one changed file."""
    columns: dict[str, list[NDArray[np.generic]]] = {}
    spelling: list[bytes] = []
    units: list[Unit] = []
    offset = 0

    def put(name: str, values: NDArray[np.generic]) -> None:
        columns.setdefault(name, []).append(values)

    for region in changed.regions:
        text = b"\n".join(region.lines) + b"\n"
        scanned = scan(text, language, compiled=compiled, fragment=region.first_line > 1)
        tokens, index = significant(scanned, compiled=compiled)
        own = cut(scanned, text, language, params, compiled=compiled)
        made = sketch(tokens, own, params, compiled=compiled)
        put("raw", tokens.raw)
        put("renamed", tokens.renamed)
        put("kind", tokens.kind)
        put("neutral", scanned.neutral[index])
        number = line_numbers(text, len(region.lines))
        put("line", number[tokens.line - 1] + region.first_line)
        put("added", np.array(region.added, bool)[number[tokens.line - 1]])
        put("api", api_names(scanned, text, language)[index])
        put("literal", made.literal)
        put("literal_at", made.literal_at.astype(np.int64) + offset)
        put("renamed_prints", made.renamed)
        put("renamed_at", made.renamed_at.astype(np.int64) + offset)
        put("bands", made.bands[made.has_bands])
        spelling += [text[a:b] for a, b in zip(tokens.start.tolist(), tokens.end.tolist(), strict=True)]
        units += [
            Unit(u.kind, u.name, u.first + offset, u.last + offset,
                 int(number[u.start_line - 1]) + region.first_line,
                 int(number[u.end_line - 1]) + region.first_line)
            for u in own
        ]  # fmt: skip
        offset += len(tokens)

    def joined(name: str, dtype: type, width: int | None = None) -> NDArray[np.generic]:
        empty: NDArray[np.generic] = np.empty(0 if width is None else (0, width), dtype)
        return np.concatenate(columns.get(name) or [empty])

    return Query(
        path=changed.path,
        language=language,
        raw=joined("raw", np.uint64),  # type: ignore[arg-type]
        renamed=joined("renamed", np.uint64),  # type: ignore[arg-type]
        kind=joined("kind", np.uint8),  # type: ignore[arg-type]
        neutral=joined("neutral", np.uint16),  # type: ignore[arg-type]
        line=joined("line", np.int64),  # type: ignore[arg-type]
        added=joined("added", bool),  # type: ignore[arg-type]
        api=joined("api", bool),  # type: ignore[arg-type]
        spelling=spelling,
        literal=(joined("literal", np.uint64), joined("literal_at", np.int64)),  # type: ignore[arg-type]
        renamed_prints=(joined("renamed_prints", np.uint64), joined("renamed_at", np.int64)),  # type: ignore[arg-type]
        bands=joined("bands", np.uint64, params.lsh_bands),  # type: ignore[arg-type]
        units=tuple(units),
    )
