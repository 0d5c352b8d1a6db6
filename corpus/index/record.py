"""What an index keeps of one source text, as flat arrays that can cross a process border.

Made by `make_record` inside a sandbox child (it tokenises foreign text); a segment is many of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.features import elements, text_features, unit_features
from corpus.fingerprint.hashing import U64
from corpus.fingerprint.sketch import sketch, sketch_ranges
from corpus.languages import scan, significant
from corpus.model import Tokens, Unit
from corpus.params import DEFAULT, Params
from corpus.units import cut, cut_rows

UNIT_KINDS = ("function", "class", "window", "rest")
UNIT_DTYPE = np.dtype(
    [("first", "<u4"), ("last", "<u4"), ("start_line", "<u4"), ("end_line", "<u4"), ("kind", "u1")]
)


@dataclass(frozen=True, slots=True)
class Record:
    """One text: v distinct tokens, n tokens, u units.

    vocab_raw, vocab_renamed: uint64[v]; vocab_kind: uint8[v]; vocab_neutral: uint16[v].
    vocab_ends: uint32[v], ends of the spellings in vocab_text.
    ids: uint32[n] into the vocabulary; lines: uint32[n], ascending.
    units: UNIT_DTYPE[u]; digest: uint64[u].
    *_key: uint64 hashes; *_unit: uint32 number of the unit that holds it.
    """

    vocab_raw: U64
    vocab_renamed: U64
    vocab_kind: NDArray[np.uint8]
    vocab_neutral: NDArray[np.uint16]
    vocab_ends: NDArray[np.uint32]
    vocab_text: NDArray[np.uint8]
    ids: NDArray[np.uint32]
    lines: NDArray[np.uint32]
    units: NDArray[Any]
    digest: U64
    literal_key: U64
    literal_unit: NDArray[np.uint32]
    renamed_key: U64
    renamed_unit: NDArray[np.uint32]
    lsh_key: U64
    lsh_unit: NDArray[np.uint32]
    algorithm_key: U64
    algorithm_unit: NDArray[np.uint32]

    def encode(self) -> dict[str, bytes]:
        return {f.name: np.ascontiguousarray(getattr(self, f.name)).tobytes() for f in fields(self)}

    @classmethod
    def decode(cls, data: dict[str, bytes]) -> Record:
        return cls(**{name: np.frombuffer(data[name], dtype) for name, dtype in _DTYPES.items()})


_DTYPES: dict[str, Any] = {
    "vocab_raw": "<u8", "vocab_renamed": "<u8", "vocab_kind": "u1", "vocab_neutral": "<u2",
    "vocab_ends": "<u4", "vocab_text": "u1", "ids": "<u4", "lines": "<u4", "units": UNIT_DTYPE,
    "digest": "<u8", "literal_key": "<u8", "literal_unit": "<u4", "renamed_key": "<u8",
    "renamed_unit": "<u4", "lsh_key": "<u8", "lsh_unit": "<u4", "algorithm_key": "<u8",
    "algorithm_unit": "<u4",
}  # fmt: skip


def owners(units: Sequence[Unit]) -> NDArray[np.uint32]:
    """For each token the innermost (shortest) unit that holds it; every token is in some unit."""
    size = [u.first - u.last for u in units]
    owner = np.zeros(max((u.last for u in units), default=0), np.uint32)
    for u in sorted(range(len(units)), key=size.__getitem__):  # longest first
        owner[units[u].first : units[u].last] = u
    return owner


def _distinct(values: U64) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """Where each distinct value first stands, in order of the values, and the rank of every value."""
    order = np.argsort(values)
    ranked = values[order]
    new = np.empty(len(values), bool)
    new[:1] = True
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    ranks = np.empty(len(values), np.uint32)
    ranks[order] = np.cumsum(new, dtype=np.uint32) - np.uint32(1)
    starts = np.flatnonzero(new)
    return np.minimum.reduceat(order, starts) if len(starts) else order, ranks


def make_record(text: bytes, language: str, params: Params = DEFAULT, *, compiled: bool = False) -> Record:
    """Tokenise, cut and sketch one text."""
    scanned = scan(text, language, compiled=compiled)
    tokens, index = significant(scanned, compiled=compiled)
    neutral = scanned.neutral[index]
    if compiled:
        from corpus.fingerprint import compiled as machine_code

        rows = cut_rows(scanned, text, language, params)[0]
        first, last = rows[:, 0].copy(), rows[:, 1].copy()
        table = np.empty(len(rows), UNIT_DTYPE)
        for number, name in enumerate(UNIT_DTYPE.names or ()):
            table[name] = rows[:, number]
        made = sketch_ranges(tokens, first, last, params)
        owner = machine_code.owners(first, last, len(tokens))
        lexicon = machine_code.lexicon(
            np.frombuffer(text, np.uint8), tokens.kind, neutral, tokens.raw, tokens.renamed, tokens.start,
            tokens.end,
        )  # fmt: skip
        spelled, ids = (lexicon[5], lexicon[4]), lexicon[6]
        features = text_features(tokens.kind, neutral, tokens.renamed, ids, spelled, first, last)
    else:
        units = cut(scanned, text, language, params)
        table = unit_table(units)
        first, last = table["first"].astype(np.int64), table["last"].astype(np.int64)
        made = sketch(tokens, units, params)
        owner = owners(units)
        lexicon, pieces = _lexicon(text, tokens, neutral)
        found = elements(tokens.kind, neutral, tokens.renamed, lexicon[6], pieces)
        features = unit_features(found, first, last)
    return Record(
        **dict(zip(_LEXICON, lexicon, strict=True)),
        lines=tokens.line.astype(np.uint32),
        units=table,
        digest=made.digest,
        literal_key=made.literal,
        literal_unit=owner[made.literal_at],
        renamed_key=made.renamed,
        renamed_unit=owner[made.renamed_at],
        lsh_key=made.bands[made.has_bands].ravel(),
        lsh_unit=np.repeat(np.flatnonzero(made.has_bands).astype(np.uint32), params.lsh_bands),
        algorithm_key=features[0],
        algorithm_unit=features[1],
    )


_LEXICON = [name for name in _DTYPES if name.startswith("vocab_")] + ["ids"]


def _lexicon(
    text: bytes, tokens: Tokens, neutral: NDArray[np.uint16]
) -> tuple[tuple[NDArray[Any], ...], list[bytes]]:
    """Columns of the vocabulary and the token's numbers in it, as in a record; the spellings."""
    at, ids = _distinct(tokens.raw)
    spans = zip(tokens.start[at].tolist(), tokens.end[at].tolist(), strict=True)
    spelled = [text[start:end] for start, end in spans]
    return (
        tokens.raw[at],
        tokens.renamed[at],
        tokens.kind[at],
        neutral[at],
        np.cumsum([*map(len, spelled)], dtype=np.uint32),
        np.frombuffer(b"".join(spelled), np.uint8),
        ids,
    ), spelled


def unit_table(units: tuple[Unit, ...]) -> NDArray[Any]:
    rows = [(u.first, u.last, u.start_line, u.end_line, UNIT_KINDS.index(u.kind)) for u in units]
    return np.array(rows, UNIT_DTYPE)


def record_batch(batch: list[list[Any]]) -> list[dict[str, bytes] | str]:
    """Sandbox entry: [[text, language], …] → an encoded record each, or the error's text."""
    out: list[dict[str, bytes] | str] = []
    for text, language in batch:
        try:
            out.append(make_record(text, language, compiled=True).encode())
        except Exception as error:
            out.append(f"{type(error).__name__}: {error}"[:300])
    return out
