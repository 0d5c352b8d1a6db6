"""What an index keeps of one source text, as flat arrays that can cross a process border.

Made by `make_record` inside a sandbox child (it tokenises foreign text); a segment is many of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.features import elements, text_features, unit_features
from corpus.fingerprint.hashing import U64
from corpus.fingerprint.sketch import sketch, sketch_ranges
from corpus.languages.scan import scan, scan_each, significant, significant_columns
from corpus.model import Tokens, Unit
from corpus.params import DEFAULT, Params
from corpus.units import cut, cut_each

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


_DTYPES: dict[str, Any] = {
    "vocab_raw": "<u8", "vocab_renamed": "<u8", "vocab_kind": "u1", "vocab_neutral": "<u2",
    "vocab_ends": "<u4", "vocab_text": "u1", "ids": "<u4", "lines": "<u4", "units": UNIT_DTYPE,
    "digest": "<u8", "literal_key": "<u8", "literal_unit": "<u4", "renamed_key": "<u8",
    "renamed_unit": "<u4", "lsh_key": "<u8", "lsh_unit": "<u4", "algorithm_key": "<u8",
    "algorithm_unit": "<u4",
}  # fmt: skip
# The columns of each length: those of the vocabulary, of its spellings, of tokens, of units, of the tables.
_LENGTHS = (
    ("vocab_raw", "vocab_renamed", "vocab_kind", "vocab_neutral", "vocab_ends"), ("vocab_text",),
    ("ids", "lines"), ("units", "digest"), ("literal_key", "literal_unit"), ("renamed_key", "renamed_unit"),
    ("lsh_key", "lsh_unit"), ("algorithm_key", "algorithm_unit"),
)  # fmt: skip
_LENGTH = {name: number for number, names in enumerate(_LENGTHS) for name in names}
_POINTERS = {"ids": "vocab_raw"} | {name: "units" for name in _DTYPES if name.endswith("_unit")}
"""Columns of numbers in other columns of the same text."""
CHUNK_BYTES = 256 * 1024
"""So much text is read at a time: each array costs a call, and what it holds should stay in the caches."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of several texts, one behind the other.

    columns: those of a record. ends: int64[texts, len(_LENGTHS)], where each text's part of them ends.
    """

    columns: dict[str, NDArray[Any]]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[Record]:
        begins = [0] * len(_LENGTHS)
        for ends in self.ends.tolist():
            yield Record(**{name: self.columns[name][begins[n] : ends[n]] for name, n in _LENGTH.items()})
            begins = ends

    @classmethod
    def of(cls, records: Sequence[Record]) -> Records:
        columns = {
            name: np.concatenate([np.empty(0, dtype), *(getattr(r, name) for r in records)], dtype=dtype)
            for name, dtype in _DTYPES.items()
        }
        sizes = [[len(getattr(r, names[0])) for names in _LENGTHS] for r in records]
        return cls(columns, np.cumsum(np.array(sizes, np.int64).reshape(-1, len(_LENGTHS)), axis=0))

    def ends_of(self, name: str) -> NDArray[np.int64]:
        """Where each text's part of a column ends."""
        return self.ends[:, _LENGTH[name]]

    def sizes(self, name: str) -> NDArray[np.int64]:
        """How much each text has of a column."""
        return _steps(self.ends_of(name))

    def part(self, first: int, last: int) -> Records:
        """The texts first..last (half-open)."""
        begins = self.ends[first - 1] if first else np.zeros(len(_LENGTHS), np.int64)
        ends = self.ends[first:last]
        stop = ends[-1] if len(ends) else begins
        columns = {name: self.columns[name][begins[n] : stop[n]] for name, n in _LENGTH.items()}
        return Records(columns, ends - begins)

    def encode(self) -> list[Any]:
        """As plain values; the columns as arrays of bytes."""
        columns = {name: column.view(np.uint8) for name, column in self.columns.items()}
        return [self.ends.tobytes(), columns]

    @classmethod
    def decode(cls, data: list[Any]) -> Records:
        """Raises ValueError where the columns and their parts do not fit together."""
        try:
            ends, columns = data
            found = {name: np.frombuffer(columns[name], dtype) for name, dtype in _DTYPES.items()}
            made = cls(found, np.frombuffer(ends, np.int64).reshape(-1, len(_LENGTHS)))
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from error
        made._check()
        return made

    def _check(self) -> None:
        """A child may have made them of anything: no number may lead out of its text's part of a column."""
        if (self.ends[:1] < 0).any() or (self.ends[1:] < self.ends[:-1]).any():
            raise ValueError("texts end before they begin")
        whole = self.ends[-1].tolist() if len(self) else [0] * len(_LENGTHS)
        if any(len(column) != whole[_LENGTH[name]] for name, column in self.columns.items()):
            raise ValueError("columns do not have their lengths")
        sizes = np.diff(self.ends, axis=0, prepend=np.int64(0))
        begins = self.ends - sizes
        words, spelled = _LENGTH["vocab_ends"], self.columns["vocab_ends"]
        some = np.flatnonzero(sizes[:, words])
        last = np.zeros(len(self), np.int64)
        last[some] = spelled[self.ends[some, words] - 1]
        rising = np.ones(len(spelled), bool)
        np.less_equal(spelled[:-1], spelled[1:], out=rising[1:])
        rising[begins[some, words]] = True
        if not rising.all() or (last != sizes[:, _LENGTH["vocab_text"]]).any():
            raise ValueError("spellings do not have their lengths")
        for name, into in _POINTERS.items():
            own = _LENGTH[name]
            some = np.flatnonzero(sizes[:, own])
            if len(some):
                most = np.maximum.reduceat(self.columns[name], begins[some, own])
                if (most >= sizes[some, _LENGTH[into]]).any():
                    raise ValueError(f"{name} lead out of their text")


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
    if compiled:
        return next(iter(make_records([text], language, params)))
    scanned = scan(text, language)
    tokens, index = significant(scanned)
    neutral = scanned.neutral[index]
    units = cut(scanned, text, language, params)
    table = unit_table(units)
    made = sketch(tokens, units, params)
    owner = owners(units)
    lexicon, pieces = _lexicon(text, tokens, neutral)
    found = elements(tokens.kind, neutral, tokens.renamed, lexicon[6], pieces)
    features = unit_features(found, table["first"].astype(np.int64), table["last"].astype(np.int64))
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


def make_records(texts: Sequence[bytes], language: str, params: Params = DEFAULT) -> Records:
    """The same of several texts, by machine code."""
    from corpus.fingerprint.compiled import owners as machine_owners
    from corpus.fingerprint.features_compiled import lexicon as machine_lexicon

    data = b"".join(texts)
    ends = np.fromiter(map(len, texts), np.int64, len(texts)).cumsum()
    scanned, token_ends = scan_each(data, ends, language)
    kind, start, end, line, raw, renamed, neutral, _ = significant_columns(scanned)
    rows, unit_ends, kept_ends = cut_each(scanned, data, ends, token_ends, language, params)
    *lexicon, word_ends, spelling_ends = machine_lexicon(
        np.frombuffer(data, np.uint8), ends, kept_ends, kind, neutral, raw, renamed, start, end
    )
    # From here on units, tokens and words count from the first of all texts.
    units, tokens = _steps(unit_ends), _steps(kept_ends)
    before = np.repeat(kept_ends - tokens, units)
    first, last = rows[:, 0] + before, rows[:, 1] + before
    made = sketch_ranges(raw, renamed, kept_ends, first, last, params)
    own = np.arange(len(rows), dtype=np.uint32) - np.repeat((unit_ends - units).astype(np.uint32), units)
    fingers = made.literal_at, made.renamed_at
    literal_unit, renamed_unit = machine_owners(first, last, own, len(raw), *fingers)
    vocab_raw, _, _, _, vocab_ends, vocab_text, ids = lexicon
    key, unit, feature_ends = text_features(
        (kind, neutral, renamed, ids), (vocab_raw, vocab_text, vocab_ends), (first, last, own),
        (kept_ends, word_ends, spelling_ends, unit_ends),
    )  # fmt: skip
    table = np.empty(len(rows), UNIT_DTYPE)
    for number, name in enumerate(UNIT_DTYPE.names or ()):
        table[name] = rows[:, number]
    with_bands = np.flatnonzero(made.has_bands)
    columns = {
        **dict(zip(_LEXICON, lexicon, strict=True)),
        "lines": line.astype(np.uint32), "units": table, "digest": made.digest,
        "literal_key": made.literal, "literal_unit": literal_unit,
        "renamed_key": made.renamed, "renamed_unit": renamed_unit,
        "lsh_key": made.bands[with_bands].ravel(),
        "lsh_unit": np.repeat(own[with_bands], params.lsh_bands),
        "algorithm_key": key, "algorithm_unit": unit,
    }  # fmt: skip
    finger_ends = (np.searchsorted(at, kept_ends) for at in fingers)
    banded = np.searchsorted(with_bands, unit_ends) * params.lsh_bands
    every = (word_ends, spelling_ends, kept_ends, unit_ends, *finger_ends, banded, feature_ends)
    return Records(columns, np.array(every).T)


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


def _steps(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """How much ends at each place, from where it ends."""
    steps = ends.copy()
    steps[1:] -= ends[:-1]
    return steps


def record_batch(batch: list[list[Any]]) -> list[Any]:
    """Sandbox entry: [[text, language], …] → what `received` takes."""
    return [[numbers, made if isinstance(made, str) else made.encode()] for numbers, made in _made(batch)]


def received(result: list[Any], size: int) -> list[tuple[list[int], Records | str]]:
    """What `record_batch` made of `size` texts: the numbers of some and their records, or an error's text.

    Raises ValueError where it is nothing that `record_batch` makes of so many.
    """
    try:
        out = [
            ([*map(int, numbers)], made if isinstance(made, str) else Records.decode(made))
            for numbers, made in result
        ]
        every = sorted(number for numbers, _ in out for number in numbers)
    except TypeError as error:
        raise ValueError(str(error)) from error
    if every != list(range(size)) or any(
        isinstance(made, Records) and len(made) != len(numbers) for numbers, made in out
    ):
        raise ValueError("not a record for each text")
    return out


def _made(batch: list[list[Any]]) -> Iterator[tuple[list[int], Records | str]]:
    """Records of texts of a language, up to CHUNK_BYTES together, and their numbers; or an error and its."""
    waiting: dict[str, list[int]] = {}
    for number, (_, language) in enumerate(batch):
        waiting.setdefault(language, []).append(number)
    for language, numbers in waiting.items():
        chunk: list[int] = []
        size = 0
        for number in numbers:
            chunk.append(number)
            size += len(batch[number][0])
            if size >= CHUNK_BYTES or number == numbers[-1]:
                yield from _attempted(batch, chunk, language)
                chunk, size = [], 0


def _attempted(
    batch: list[list[Any]], numbers: list[int], language: str
) -> Iterator[tuple[list[int], Records | str]]:
    try:
        yield numbers, make_records([batch[number][0] for number in numbers], language)
    except Exception as error:
        if len(numbers) == 1:
            yield numbers, f"{type(error).__name__}: {error}"[:300]
        else:  # find the text that is to blame
            for number in numbers:
                yield from _attempted(batch, [number], language)
