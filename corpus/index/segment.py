"""A segment: the immutable folder that holds one release's code units, sketches and texts.

Named by its content and the digest of the parameters. Written by `SegmentBuilder`, read by `Segment`;
snapshots are merged from segments and can always be made anew from them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import DTypeLike, NDArray

from corpus.errors import CorruptSnapshot, ParamsMismatch
from corpus.index.blocks import (
    MappedArray,
    read_manifest,
    read_sealed,
    seal_as,
    write_array,
    write_manifest,
)
from corpus.index.packed import postings
from corpus.index.record import UNIT_DTYPE, Record
from corpus.index.tokens import FileTokens
from corpus.index.vocabulary import distinct, shuffled_tokens
from corpus.model import LicenseConclusion, Skip, TreeFile
from corpus.params import Params

TABLES = ("literal", "renamed", "lsh", "algorithm")
FORMAT = 1


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What a segment knows of its release beside the code."""

    purl: str
    background: bool = False
    url: str = ""
    declared: str = ""
    missing: tuple[str, ...] = ()
    artifacts: tuple[tuple[str, str], ...] = ()  # (name, sha256)


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One file of a segment; units first_unit..last_unit (half-open) are its."""

    path: str
    sha1: str
    language: str
    lines: int
    tokens: int
    first_unit: int
    last_unit: int
    license: LicenseConclusion
    labels: tuple[str, ...] = ()


_VOCABULARY = {"raw": np.uint64, "renamed": np.uint64, "kind": np.uint8, "neutral": np.uint16}


class SegmentBuilder:
    """Collects the records of one release and writes the segment."""

    def __init__(self, facts: ReleaseFacts, params: Params, *, keep_text: bool = True) -> None:
        self.facts, self.params, self.keep_text = facts, params, keep_text
        self._files: list[SegmentFile] = []
        self._texts: list[bytes] = []
        self._records: list[Record] = []
        self._units = 0
        self._compress = zstandard.ZstdCompressor(3).compress

    def add(self, file: TreeFile, license: LicenseConclusion, record: Record) -> None:
        first = self._units
        self._units += len(record.units)
        lines = file.text.count(b"\n") + (not file.text.endswith(b"\n"))
        self._files.append(
            SegmentFile(
                file.path, file.sha1, file.language, lines, len(record.ids), first, self._units,
                license, file.labels,
            )
        )  # fmt: skip
        self._texts.append(self._compress(file.text) if self.keep_text else b"")
        self._records.append(record)

    def counts(self, skips: Sequence[Skip]) -> dict[str, Any]:
        return _counts(self._files, skips, self._units)

    def write(self, root: Path, skips: Sequence[Skip]) -> str:
        """Write the segment below `root` and return its name, `<params digest>/<content digest>`."""
        parent = root / self.params.digest
        parent.mkdir(parents=True, exist_ok=True)
        folder = parent / f".new-{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir()
        try:
            self._write_vocabulary_and_tokens(folder)
            self._write_units(folder)
            self._write_texts(folder)
            facts = self._write_facts(folder, skips)
            name = f"{self.params.digest}/{write_manifest(folder, facts)[:32]}"
            seal_as(folder, root / name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return name

    def _write_vocabulary_and_tokens(self, folder: Path) -> None:
        records = self._records
        columns = [
            np.concatenate([getattr(r, f"vocab_{name}") for r in records] or [np.empty(0, dtype)])
            for name, dtype in _VOCABULARY.items()
        ]
        at, inverse = distinct(columns)
        write_array(folder, "vocab_raw.u8", columns[0][at])
        write_array(folder, "vocab_files.u4", np.bincount(inverse, minlength=len(at)).astype(np.uint32))
        for name, column in zip(list(_VOCABULARY)[1:], columns[1:], strict=True):
            write_array(folder, f"vocab_{name}", column[at])
        text = np.concatenate([r.vocab_text for r in records] or [np.empty(0, np.uint8)])
        ends = np.concatenate([r.vocab_ends for r in records] or [np.empty(0, np.uint32)]).astype(np.int64)
        heads = np.cumsum([0, *(len(r.vocab_ends) for r in records if len(r.vocab_ends))])[:-1]
        length = ends.copy()
        length[1:] -= ends[:-1]
        length[heads] = ends[heads]
        begin = np.cumsum(length) - length
        write_array(folder, "vocab_ends", np.cumsum(length[at]).astype(np.uint32))
        spelled, spans = text.tobytes(), zip(begin[at].tolist(), (begin + length)[at].tolist(), strict=True)
        chosen = b"".join([spelled[first:last] for first, last in spans])
        (folder / "vocab_text.zst").write_bytes(zstandard.compress(chosen, 6))
        blobs = [self._compress(data) for data in shuffled_tokens(records, inverse.astype(np.uint32))]
        write_array(folder, "tokens", np.frombuffer(b"".join(blobs), np.uint8))
        write_array(folder, "token_offsets", np.cumsum([0, *map(len, blobs)]).astype(np.uint64))

    def _write_units(self, folder: Path) -> None:
        units = b"".join([r.units.tobytes() for r in self._records])
        write_array(folder, "units", np.frombuffer(units, UNIT_DTYPE))
        digests = [r.digest for r in self._records] or [np.empty(0, np.uint64)]
        write_array(folder, "digest", np.concatenate(digests))
        for name in TABLES:
            keys = [getattr(r, f"{name}_key") for r in self._records]
            key = np.concatenate(keys or [np.empty(0, np.uint64)])
            unit, end = np.empty(len(key), np.uint32), 0
            for file, record in zip(self._files, self._records, strict=True):
                own = getattr(record, f"{name}_unit")
                begin, end = end, end + len(own)
                np.add(own, np.uint32(file.first_unit), out=unit[begin:end])
            key, unit = postings(key, unit)
            write_array(folder, f"{name}.key", key)
            write_array(folder, f"{name}.unit", unit)

    def _write_texts(self, folder: Path) -> None:
        write_array(folder, "texts", np.frombuffer(b"".join(self._texts), np.uint8))
        write_array(folder, "text_offsets", np.cumsum([0, *map(len, self._texts)]).astype(np.uint64))

    def _write_facts(self, folder: Path, skips: Sequence[Skip]) -> dict[str, Any]:
        licenses: dict[LicenseConclusion, int] = {}
        numbers: dict[int, int] = {}  # by identity: most files share a conclusion, which takes long to hash
        rows = []
        for f in self._files:
            number = numbers.get(id(f.license), -1)
            if number < 0:
                number = numbers[id(f.license)] = licenses.setdefault(f.license, len(licenses))
            rows.append(
                [f.path, f.sha1, f.language, f.lines, f.tokens, f.first_unit, f.last_unit, number,
                 list(f.labels)]
            )  # fmt: skip
        details = {
            "files": rows,
            "licenses": [asdict(c) for c in licenses],
            "skips": [[s.path, s.reason, s.partial] for s in skips],
        }
        (folder / "files.json.zst").write_bytes(zstandard.compress(json.dumps(details).encode(), 9))
        return {
            "format": FORMAT,
            "params": self.params.digest,
            "release": asdict(self.facts),
            "counts": _counts(self._files, skips, self._units),
        }


def _counts(files: Sequence[SegmentFile], skips: Sequence[Skip], units: int) -> dict[str, Any]:
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
        "units": units,
        "lines": sum(f.lines for f in files),
        "tokens": sum(f.tokens for f in files),
        "licenses": by_license,
        "languages": by_language,
        "skips": by_reason,
    }


_local = threading.local()


def _unpacker() -> zstandard.ZstdDecompressor:
    """This thread's own: to make one takes longer than to unpack most files."""
    try:
        return _local.unpacker  # type: ignore[no-any-return]
    except AttributeError:
        _local.unpacker = made = zstandard.ZstdDecompressor()
        return made


class Segment:
    """Reader of a segment; everything is mapped or loaded when first asked for."""

    def __init__(self, root: Path, name: str, params: Params) -> None:
        self.folder, self.name = root / name, name
        self.manifest = read_manifest(self.folder)
        if self.folder.name != self.manifest["content"][:32]:
            raise CorruptSnapshot(self.folder, "it holds another segment")
        if self.manifest.get("params") != params.digest:
            raise ParamsMismatch(self.folder, str(self.manifest.get("params")), params.digest)
        if self.manifest.get("format") != FORMAT:
            raise ParamsMismatch(self.folder, f"format {self.manifest.get('format')}", f"format {FORMAT}")
        release = self.manifest["release"]
        self.facts = ReleaseFacts(
            **{
                **release,
                "missing": tuple(release["missing"]),
                "artifacts": tuple((n, d) for n, d in release["artifacts"]),
            }
        )
        self.counts: dict[str, Any] = self.manifest["counts"]

    def array(self, name: str, dtype: DTypeLike) -> MappedArray:
        return MappedArray(self.folder, name, dtype, self.manifest)

    @cached_property
    def _details(self) -> dict[str, Any]:
        data = read_sealed(self.folder, "files.json.zst", self.manifest)
        details: dict[str, Any] = json.loads(zstandard.decompress(data))
        return details

    @cached_property
    def files(self) -> list[SegmentFile]:
        licenses = [
            LicenseConclusion(**{**c, "conflicts": tuple((k, v) for k, v in c["conflicts"])})
            for c in self._details["licenses"]
        ]
        rows: list[list[Any]] = self._details["files"]
        return [SegmentFile(*(*row[:7], licenses[row[7]], tuple(row[8]))) for row in rows]

    @property
    def skips(self) -> list[Skip]:
        return [Skip(*row) for row in self._details["skips"]]

    @cached_property
    def _first_units(self) -> NDArray[np.int64]:
        return np.array([f.first_unit for f in self.files], np.int64)

    def file_of_unit(self, units: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._first_units.searchsorted(units, side="right") - 1

    @cached_property
    def units(self) -> MappedArray:
        return self.array("units", UNIT_DTYPE)

    @cached_property
    def _vocabulary(self) -> tuple[MappedArray, MappedArray, MappedArray, MappedArray]:
        return (
            self.array("vocab_raw.u8", "<u8"), self.array("vocab_renamed", "<u8"),
            self.array("vocab_kind", "u1"), self.array("vocab_neutral", "<u2"),
        )  # fmt: skip

    @cached_property
    def _blobs(self) -> tuple[MappedArray, MappedArray, MappedArray, MappedArray]:
        return (
            self.array("tokens", "u1"), self.array("token_offsets", "<u8"),
            self.array("texts", "u1"), self.array("text_offsets", "<u8"),
        )  # fmt: skip

    def tokens(self, file: int) -> FileTokens:
        blob, offsets, _, _ = self._blobs
        first, last = offsets.slice(file, file + 2).tolist()
        return FileTokens(self._vocabulary, _unpacker().decompress(blob.slice(first, last).data))

    @cached_property
    def _spelling(self) -> tuple[bytes, NDArray[np.uint32]]:
        return (
            zstandard.decompress(read_sealed(self.folder, "vocab_text.zst", self.manifest)),
            np.concatenate(([np.uint32(0)], self.array("vocab_ends", "<u4").all())),
        )

    @property
    def spellings(self) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
        """Those of the vocabulary, one after the other, and the ends of each, from a 0 on."""
        text, ends = self._spelling
        return np.frombuffer(text, np.uint8), ends

    def spelled(self, vocab: int) -> bytes:
        text, ends = self._spelling
        return text[ends[vocab] : ends[vocab + 1]]

    def spelling(self, vocab: int) -> str:
        return self.spelled(vocab).decode("utf-8", "replace")

    def text(self, file: int) -> bytes | None:
        """The source text of a file, or None where texts are not kept."""
        _, _, blob, offsets = self._blobs
        first, last = offsets.slice(file, file + 2).tolist()
        return zstandard.decompress(blob.slice(first, last).tobytes()) if last > first else None
