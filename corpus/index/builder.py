"""Writing a segment: the records of one release, put in order and into files.

Called by ingestion, with the records of many files at a time.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from corpus.index.blocks import ArraysWriter, Written, seal_as, write_bytes, write_manifest
from corpus.index.packed import compile_pays, gather, postings
from corpus.index.record import Record, Records
from corpus.index.segment import FORMAT, TABLES, VOCABULARY, ReleaseFacts, generation, unit_dtype
from corpus.index.vocabulary import byte_planes, differing, distinct, spans
from corpus.model import LicenseConclusion, Skip, TreeFile
from corpus.params import Params

TEXT_LEVEL, TOKENS_LEVEL, WHOLE_LEVEL = 1, -1, 2
"""Of zstd: for each file's text and tokens, of which there are gigabytes; for what a segment has once.

Level -1 packs tokens in three quarters of the time that 1 takes, into a tenth more; texts grow by a fifth.
"""

_NEWLINE = 10


class _Added(NamedTuple):
    """A file of a segment to be; `units`: how many it has."""

    path: str
    sha1: str
    language: str
    lines: int
    tokens: int
    units: int
    license: LicenseConclusion
    labels: tuple[str, ...]


class SegmentBuilder:
    """Collects the records of one release and writes the segment, its files in order of their paths."""

    def __init__(self, facts: ReleaseFacts, params: Params, *, keep_text: bool = True) -> None:
        self.facts, self.params, self.keep_text = facts, params, keep_text
        self._files: list[_Added] = []
        self._texts: list[bytes] = []
        self._parts: list[Records] = []
        self._compress = zstandard.ZstdCompressor(TEXT_LEVEL).compress

    def add(self, file: TreeFile, license: LicenseConclusion, record: Record) -> None:
        self.add_all([file], [license], Records.of([record]))

    def add_all(
        self, files: Sequence[TreeFile], licenses: Sequence[LicenseConclusion], records: Records
    ) -> None:
        """Files with the licence and the record of each."""
        sizes = zip(records.sizes("ids").tolist(), records.sizes("units").tolist(), strict=True)
        for file, license, (tokens, units) in zip(files, licenses, sizes, strict=True):
            # numpy compares many bytes at once; bytes.count does not.
            lines = int(np.count_nonzero(np.frombuffer(file.text, np.uint8) == _NEWLINE))
            lines += not file.text.endswith(b"\n")
            self._files.append(
                _Added(file.path, file.sha1, file.language, lines, tokens, units, license, file.labels)
            )
            self._texts.append(self._compress(file.text) if self.keep_text else b"")
        self._parts.append(records)

    def counts(self, skips: Sequence[Skip]) -> dict[str, Any]:
        return _counts(self._files, skips)

    def write(self, root: Path, skips: Sequence[Skip]) -> str:
        """Write the segment below `root` and return its name, `<generation>/<content digest>`."""
        parent = root / generation(self.params)
        parent.mkdir(parents=True, exist_ok=True)
        folder = parent / f".new-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            name = f"{parent.name}/{_Writing(self, folder).write(skips)[:32]}"
            seal_as(folder, root / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return name


class _Writing:
    """One segment that is written. Files have numbers in the order in which they were added, and places."""

    def __init__(self, builder: SegmentBuilder, folder: Path) -> None:
        self._folder, self._parts = folder, builder._parts
        self._facts, self._params = builder.facts, builder.params
        files = builder._files
        self._order = sorted(range(len(files)), key=lambda number: files[number].path)
        self._files = [files[number] for number in self._order]
        self._texts = [builder._texts[number] for number in self._order]
        self._arrays = ArraysWriter(folder)
        self._others: dict[str, Written] = {}
        self._respelled: list[tuple[int, int, str]] = []

    def write(self, skips: Sequence[Skip]) -> str:
        with self._arrays:
            self._write_vocabulary_and_tokens()
            self._write_units()
            self._blobs("texts", "text_offsets", self._texts)
            written = self._arrays.finish()
        facts = {**self._write_facts(skips), "arrays": self._arrays.places}
        return write_manifest(self._folder, facts, written | self._others)

    def _array(self, name: str, values: NDArray[Any]) -> None:
        self._arrays.append(name, values)

    def _bytes(self, name: str, data: bytes) -> None:
        self._others[name] = write_bytes(self._folder / name, data)

    def _blobs(self, name: str, offsets: str, blobs: Sequence[bytes]) -> None:
        self._array(name, np.frombuffer(b"".join(blobs), np.uint8))
        self._array(offsets, np.cumsum([0, *map(len, blobs)]).astype(np.uint64))

    def _column(self, name: str) -> NDArray[Any]:
        """All of a column, in order of the files' numbers."""
        return np.concatenate([part.columns[name] for part in self._parts or [Records.of([])]])

    def _sizes(self, name: str) -> NDArray[np.int64]:
        return np.concatenate([part.sizes(name) for part in self._parts or [Records.of([])]])

    def _write_vocabulary_and_tokens(self) -> None:
        columns = [self._column(f"vocab_{name}") for name in VOCABULARY]
        words = self._sizes("vocab_raw")
        places = np.empty(len(words), np.int64)
        places[self._order] = np.arange(len(words))
        at, number = distinct(columns, words, places)
        self._array("vocab_raw.u8", columns[0][at])
        self._array("vocab_files.u4", np.bincount(number, minlength=len(at)).astype(np.uint32))
        for name, column in zip(VOCABULARY[1:], columns[1:], strict=True):
            self._array(f"vocab_{name}", column[at])
        ends = self._column("vocab_ends").astype(np.int64)
        heads = (np.cumsum(words) - words)[words > 0]
        length = ends.copy()
        length[1:] -= ends[:-1]
        length[heads] = ends[heads]
        begin = np.cumsum(length) - length
        self._array("vocab_ends", np.cumsum(length[at]).astype(np.uint32))
        text = self._column("vocab_text")
        self._bytes("vocab_text.zst", zstandard.compress(spans(text, begin[at], length[at]), WHOLE_LEVEL))
        rows = differing(text, begin, length, at[number])
        owners = places[np.searchsorted(np.cumsum(words), rows, side="right")]
        spelled, ends = spans(text, begin[rows], length[rows]), np.cumsum(length[rows]).tolist()
        own = (bytes(spelled[a:b]).decode("latin-1") for a, b in pairwise([0, *ends]))
        self._respelled += zip(owners.tolist(), number[rows].tolist(), own, strict=True)
        self._write_tokens(words, number)

    def _write_tokens(self, words: NDArray[np.int64], number: NDArray[np.uint32]) -> None:
        sizes = self._sizes("ids")
        compiled = compile_pays(int(sizes.sum()))
        compress = zstandard.ZstdCompressor(TOKENS_LEVEL).compress
        blobs: list[bytes] = []
        for part in self._parts:
            first, last = len(blobs), len(blobs) + len(part)
            first_words = np.cumsum(words[first:last]) - words[first:last]
            own = number[int(words[:first].sum()) :]
            ids, lines = part.columns["ids"], part.columns["lines"]
            planes = byte_planes(ids, lines, sizes[first:last], first_words, own, compiled=compiled).data
            ends = (8 * part.ends_of("ids")).tolist()
            blobs += [compress(planes[a:b]) for a, b in pairwise([0, *ends])]
        self._blobs("tokens", "token_offsets", [blobs[file] for file in self._order])

    def _write_units(self) -> None:
        sizes = self._sizes("units")
        dtype = unit_dtype(int(sizes.sum()))
        first_unit = np.empty(len(sizes), dtype)
        first_unit[self._order] = np.cumsum(sizes[self._order]) - sizes[self._order]
        rows = gather((np.cumsum(sizes) - sizes)[self._order], sizes[self._order])
        self._array("units", self._column("units")[rows])
        self._array("digest", self._column("digest")[rows])
        ends = np.cumsum([len(part) for part in self._parts]).tolist()
        firsts = [first_unit[end - len(part) : end] for part, end in zip(self._parts, ends, strict=True)]
        for name in TABLES:
            keys = [part.columns[f"{name}_key"] for part in self._parts]
            units = [
                part.columns[f"{name}_unit"].astype(dtype) + np.repeat(first, part.sizes(f"{name}_unit"))
                for part, first in zip(self._parts, firsts, strict=True)
            ]
            key, begins, unit = postings(keys, units)
            self._array(f"{name}.key", key)
            self._array(f"{name}.begins", begins)
            self._array(f"{name}.unit", unit)

    def _write_facts(self, skips: Sequence[Skip]) -> dict[str, Any]:
        licenses: dict[LicenseConclusion, int] = {}
        numbers: dict[int, int] = {}  # by identity: most files share a conclusion, which takes long to hash
        rows = []
        unit = 0
        for f in self._files:
            number = numbers.get(id(f.license), -1)
            if number < 0:
                number = numbers[id(f.license)] = licenses.setdefault(f.license, len(licenses))
            rows.append(
                [f.path, f.sha1, f.language, f.lines, f.tokens, unit, unit + f.units, number, list(f.labels)]
            )
            unit += f.units
        details = {
            "files": rows,
            "licenses": [asdict(c) for c in licenses],
            "skips": [[s.path, s.reason, s.partial] for s in skips],
            "respelled": sorted(self._respelled),
        }
        self._bytes("files.json.zst", zstandard.compress(json.dumps(details).encode(), WHOLE_LEVEL))
        return {
            "format": FORMAT,
            "params": self._params.digest,
            "release": asdict(self._facts),
            "counts": _counts(self._files, skips),
        }


def _counts(files: Sequence[_Added], skips: Sequence[Skip]) -> dict[str, Any]:
    by_license: dict[str, int] = {}
    by_language: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    for f in files:
        by_license[f.license.expression or "unknown"] = (
            by_license.get(f.license.expression or "unknown", 0) + 1
        )
        by_language[f.language] = by_language.get(f.language, 0) + 1
    for s in skips:
        by_reason[s.reason] = by_reason.get(s.reason, 0) + 1
    return {
        "files": len(files),
        "units": sum(f.units for f in files),
        "lines": sum(f.lines for f in files),
        "tokens": sum(f.tokens for f in files),
        "licenses": by_license,
        "languages": by_language,
        "skips": by_reason,
    }
