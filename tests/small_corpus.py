"""Small corpora for tests: the trees of tests/samples, and random segments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np

from corpus.archive.spool import blob_id
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.record import UNIT_DTYPE, Record, make_record
from corpus.index.segment import ReleaseFacts, Segment
from corpus.languages import language_of
from corpus.model import LicenseConclusion, Skip, TreeFile
from corpus.params import DEFAULT

SAMPLES = Path(__file__).parent / "samples"
LATTICE = "pkg:generic/lattice@1.0"
MEADOW = "pkg:generic/meadow@2.0"
GPL = LicenseConclusion("GPL-3.0-or-later", "Copyleft", "spdx-tag", 1.0)
MIT = LicenseConclusion("MIT", "Permissive", "spdx-tag", 1.0)


@cache
def sample_tree(name: str) -> dict[str, bytes]:
    """Source files of tests/samples/<name> by path."""
    root = SAMPLES / name
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.*"))}
    return {path: text for path, text in found.items() if language_of(path, text[:400]) is not None}


def sample(path: str) -> bytes:
    """One sample, as `lattice/src/simplex.c`."""
    return (SAMPLES / path).read_bytes()


@cache
def _record(text: bytes, language: str) -> Record:
    return make_record(text, language)


def tree_file(path: str, text: bytes) -> TreeFile:
    language = language_of(path, text[:400])
    assert language is not None, path
    return TreeFile(path, language, text, blob_id(text))


def write_release(
    root: Path,
    purl: str,
    files: Mapping[str, bytes],
    license: LicenseConclusion = GPL,
    *,
    background: bool = False,
    skips: tuple[Skip, ...] = (),
    keep_text: bool = True,
) -> str:
    """A segment of the given texts; returns its name."""
    builder = SegmentBuilder(ReleaseFacts(purl, background), DEFAULT, keep_text=keep_text)
    for path, text in files.items():
        file = tree_file(path, text)
        builder.add(file, license, _record(text, file.language))
    return builder.write(root, skips)


def add_release(
    catalog: Catalog,
    purl: str,
    files: Mapping[str, bytes],
    license: LicenseConclusion = GPL,
    *,
    background: bool = False,
) -> None:
    name = write_release(catalog.segments_root, purl, files, license, background=background)
    catalog.put(purl, name, background=background)


def sample_corpus(data: Path) -> Catalog:
    """A published corpus of both sample trees."""
    catalog = Catalog(data)
    add_release(catalog, LATTICE, sample_tree("lattice"))
    add_release(catalog, MEADOW, sample_tree("meadow"), MIT)
    catalog.build()
    return catalog


def renamed(text: bytes, prefix: str = "q") -> bytes:
    """A C text with every identifier that is no keyword replaced consistently."""
    keywords = set(
        b"auto break case char const continue default do double else enum extern float for goto if inline "
        b"int long register return short signed sizeof static struct switch typedef union unsigned void "
        b"while include define".split()
    )
    names: dict[bytes, bytes] = {}

    def replace(found: re.Match[bytes]) -> bytes:
        word = found.group()
        if word in keywords:
            return word
        return names.setdefault(word, f"{prefix}{len(names)}_value".encode())

    return re.sub(rb"\b[A-Za-z_]\w*\b(?![^\n]*\*/)", replace, text)


def random_record(rng: np.random.Generator, units: int, keys: int) -> Record:
    """A record of random numbers; `keys`: size of the pool of keys, which all records share."""
    tokens = 4 * units
    pool = np.random.default_rng(0).integers(0, 2**64, keys, np.uint64)
    vocabulary = np.unique(rng.choice(pool, max(1, keys // 2)))
    table = np.zeros(units, UNIT_DTYPE)
    table["first"], table["last"] = np.arange(units) * 4, np.arange(units) * 4 + 4
    table["start_line"] = table["end_line"] = np.arange(units) + 1
    size = len(vocabulary)
    columns = {
        "vocab_raw": vocabulary,
        "vocab_renamed": rng.integers(0, 9, size).astype(np.uint64),
        "vocab_kind": rng.integers(0, 4, size).astype(np.uint8),
        "vocab_neutral": rng.integers(0, 90, size).astype(np.uint16),
        "vocab_ends": (np.arange(size) + 1).astype(np.uint32),
        "vocab_text": rng.integers(97, 122, size).astype(np.uint8),
        "ids": rng.integers(0, size, tokens).astype(np.uint32),
        "lines": np.repeat(np.arange(units) + 1, 4).astype(np.uint32),
        "units": table,
        "digest": rng.integers(0, 4 * units, units).astype(np.uint64),
    }
    for field in fields(Record):
        if field.name.endswith("_key"):
            columns[field.name] = rng.choice(pool, 5 * units)
            columns[field.name.replace("_key", "_unit")] = rng.integers(0, units, 5 * units).astype(np.uint32)
    return Record(**columns)


def random_segment(root: Path, seed: int, *, files: int = 3, units: int = 6, keys: int = 40) -> Segment:
    """A small segment of random numbers, another for each seed."""
    rng = np.random.default_rng(seed)
    builder = SegmentBuilder(ReleaseFacts(f"pkg:generic/random@{seed}"), DEFAULT)
    for number in range(files):
        file = TreeFile(f"f{number}.c", "c", b"x\n", "0" * 40)
        builder.add(file, GPL, random_record(rng, units, keys))
    return Segment(root, builder.write(root, ()), DEFAULT)
