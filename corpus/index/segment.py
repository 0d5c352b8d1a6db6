"""A segment: the immutable folder that holds one release's code units, sketches and texts.

Named by its content, its format and the digest of the parameters. Written by `corpus.index.builder`, read by
`Segment`; snapshots are merged from segments and can always be made anew from them.

Its arrays are in the file `arrays`. A layer has three of them:
NAME.key     the hashes, ascending, each once
NAME.unit    the units that have the first hash, then those that have the next one; two bytes each where
             these can tell the units of the segment apart, else four
NAME.begins  a bit for each of these, whether a hash begins with it; eight in a byte, the lowest first
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
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
)
from corpus.index.entries import Repeated
from corpus.index.record import UNIT_DTYPE
from corpus.index.tokens import FileTokens
from corpus.model import LicenseConclusion, Skip
from corpus.params import Params

TABLES = ("literal", "renamed", "lsh", "algorithm")
VOCABULARY = ("raw", "renamed", "kind", "neutral")
FORMAT = 2


def generation(params: Params) -> str:
    """The folder of all segments that this version reads; the name of a segment begins with it."""
    return f"{params.digest}-{FORMAT}"


def unit_dtype(units: int) -> str:
    """How tables name the units of a segment that has so many."""
    return "<u2" if units <= 1 << 16 else "<u4"


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


_local = threading.local()


def _unpacker() -> zstandard.ZstdDecompressor:
    """This thread's own: to make one takes longer than to unpack most files."""
    try:
        return _local.unpacker  # type: ignore[no-any-return]
    except AttributeError:
        _local.unpacker = made = zstandard.ZstdDecompressor()
        return made


def _facts(manifest: dict[str, Any]) -> ReleaseFacts:
    release = dict(manifest["release"])
    missing, artifacts = release.pop("missing"), release.pop("artifacts")
    return ReleaseFacts(
        **release, missing=tuple(missing), artifacts=tuple((name, digest) for name, digest in artifacts)
    )


def release_facts(folder: Path) -> ReleaseFacts:
    """Those of a segment of whatever format and parameters. Raises CorruptSnapshot."""
    return _facts(read_manifest(folder))


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
        self.facts = _facts(self.manifest)
        self.counts: dict[str, Any] = self.manifest["counts"]

    def array(self, name: str, dtype: DTypeLike) -> MappedArray:
        return MappedArray(self.folder, name, dtype, self.manifest)

    def bytes_of(self, name: str) -> int:
        """How many an array takes."""
        return int(self.manifest["arrays"][name][1])

    def table(self, name: str) -> Repeated:
        """The hashes of a layer, with the units that have each."""
        return Repeated(
            self.array(f"{name}.key", "<u8"), self.array(f"{name}.begins", "u1"),
            self.array(f"{name}.unit", unit_dtype(self.counts["units"])),
        )  # fmt: skip

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

    @cached_property
    def respelled(self) -> dict[int, dict[int, bytes]]:
        """Words that a file spells otherwise than the vocabulary (capitals, quotes), by both numbers."""
        found: dict[int, dict[int, bytes]] = {}
        for file, word, spelling in self._details["respelled"]:
            found.setdefault(file, {})[word] = spelling.encode("latin-1")
        return found

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
        return FileTokens(self._vocabulary, self.token_bytes(file))

    def token_bytes(self, file: int) -> bytes:
        """The tokens of a file as they are stored, unpacked."""
        blob, offsets, _, _ = self._blobs
        first, last = offsets.slice(file, file + 2).tolist()
        return _unpacker().decompress(blob.slice(first, last).data)

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
