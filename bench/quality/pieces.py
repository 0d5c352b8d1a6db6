"""Functions sampled from the releases of a corpus: what cases are made from, and what honest code is.

Texts come from the segments (as fetched) or, for a package that is not indexed, from its fetched archive. A
fixed seed gives the same sample of the same corpus.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.quality.edits import Code
from corpus.files import classify
from corpus.index.catalog import Catalog, Entry
from corpus.languages import scan
from corpus.model import TreeFile
from corpus.params import DEFAULT
from corpus.purl import package_name, same_package
from corpus.sources import fetch
from corpus.units import cut

LONGEST_FILE = 400_000
"""Bytes; longer files are no code that a person copies a function from."""

LEAST_CODE = 10
"""Lines with code that a function has from which cases are made; comments and documentation do not count."""

DRAW_FROM = 10
"""Functions read for each one sampled, so that one long file does not fill the sample."""

MOST_OF_RELEASE = 600
"""Files of one release that are looked at for functions, chosen by the seed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A function of a release. lines: its text; start_line: 1-based, in its file. before: the file's function
    that ends just above it, or None. own: see `is_own`.
    """

    purl: str
    path: str
    language: str
    license: str
    lines: tuple[bytes, ...]
    start_line: int
    own: bool
    before: tuple[bytes, ...] | None = None

    @property
    def end_line(self) -> int:
        return self.start_line + len(self.lines) - 1

    @property
    def code(self) -> Code:
        return Code(b"\n".join(self.lines), self.language)


BUNDLED = frozenset(
    (
        "superlu", "arpack", "qhull_src", "cephes", "boost_math", "highs", "lapack_lite", "pocketfft",
        "highway", "x86-simd-sort", "svml", "unuran", "libsvm", "liblinear", "_antlr", "fitpack", "odepack",
        "dependencies", "quadpack", "minpack", "lbfgsb", "odrpack", "propack", "array_api_compat", "tempita",
        "_fast_matrix_market",
    )
)  # fmt: skip
"""Folders of other people's code in packages measured as honest, which no general rule for names can tell."""

_BESIDE = frozenset({"benchmarks", "doc", "docs", "tools"})


def is_own(path: str, text: bytes) -> bool:
    """Whether a file is the package's own shipped code: no test, example, vendored or generated file."""
    kept = classify(path, text)
    labels = kept.labels if isinstance(kept, TreeFile) else ("generated",)
    if {"generated", "vendored", "test", "example"} & set(labels):
        return False
    folders = path.lower().split("/")[:-1]
    return not any("vendor" in name or name in BUNDLED or name in _BESIDE for name in folders)


def functions_of(
    file: TreeFile, purl: str, license: str, least: int, most: int, *, own: bool
) -> Iterator[Piece]:
    """The functions of a file with `least` to `most` lines; nested ones where the outer one is too long."""
    lines = file.text.split(b"\n")
    scanned = scan(file.text, file.language, compiled=True)
    units = cut(scanned, file.text, file.language, DEFAULT, compiled=True)
    until, before = 0, None
    for unit in units:
        size = unit.end_line - unit.start_line + 1
        if unit.kind != "function" or unit.start_line <= until:
            continue
        if size > most:
            before = None
            continue
        text = tuple(lines[unit.start_line - 1 : unit.end_line])
        if size >= least:
            yield Piece(purl, file.path, file.language, license, text, unit.start_line, own, before)
        until, before = unit.end_line, text


def files_of(catalog: Catalog, entry: Entry, wanted: Callable[[str], bool]) -> Iterator[tuple[TreeFile, str]]:
    """(file, licence) of an indexed release, in order of path; wanted: by language."""
    segment = catalog.segment(entry)
    for number, file in enumerate(segment.files):
        text = segment.text(number) if wanted(file.language) else None
        if text and len(text) <= LONGEST_FILE:
            yield (
                TreeFile(file.path, file.language, text, file.sha1, file.labels),
                file.license.expression if file.license.category.startswith("Copyleft") else "",
            )


def files_of_archive(purl: str, cache: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[TreeFile, str]]:
    """The same for a release that is not indexed: fetched, from its tar archive."""
    with tarfile.open(fetch(purl, cache).artifacts[0].path) as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.isfile() and member.size <= LONGEST_FILE else None
            if handle is not None:
                kept = classify(member.name.split("/", 1)[-1], handle.read())
                if isinstance(kept, TreeFile) and wanted(kept.language):
                    yield kept, ""


def sample_sources(
    catalog: Catalog,
    wanted: Callable[[str], bool],
    number: int,
    seed: int,
    *,
    least: int = 12,
    most: int = 90,
) -> list[Piece]:
    """Functions of the copyleft files of the corpus (no background), the releases taking turns.

    Only the releases' own code: tests, vendored and generated files are left out.
    """
    turns: list[list[Piece]] = []
    for entry in catalog.entries().values():
        if entry.background:
            continue
        rng = Random(f"{seed} {entry.purl}")
        segment = catalog.segment(entry)
        chosen = [
            i
            for i, f in enumerate(segment.files)
            if wanted(f.language) and f.license.category.startswith("Copyleft")
        ]
        rng.shuffle(chosen)
        found: list[Piece] = []
        for i in chosen[:MOST_OF_RELEASE]:
            file, text = segment.files[i], segment.text(i)
            if text is None or len(text) > LONGEST_FILE or not is_own(file.path, text):
                continue
            tree = TreeFile(file.path, file.language, text, file.sha1, file.labels)
            pieces = list(functions_of(tree, entry.purl, file.license.expression, least, most, own=True))
            pieces = [p for p in pieces if len(p.code.code_lines) >= LEAST_CODE]
            found += rng.sample(pieces, min(2, len(pieces)))
            if len(found) >= number:
                break
        rng.shuffle(found)
        turns.append(found)
    out: list[Piece] = []
    while any(turns) and len(out) < number:
        for one in turns:
            if one and len(out) < number:
                out.append(one.pop())
    return out


def sample_honest(
    catalog: Catalog, purl: str, number: int, seed: int, *, least: int = 8, most: int = 300
) -> list[Piece]:
    """Functions of one permissive package: `number` of its own code, a fifth as many of the rest."""
    entry = next((e for e in catalog.entries().values() if same_package(e.purl, purl)), None)

    def any_language(language: str) -> bool:
        return language != "text"

    files = (
        files_of(catalog, entry, any_language)
        if entry is not None
        else files_of_archive(purl, catalog.cache, any_language)
    )
    rng = Random(f"{seed} {package_name(purl)}")
    named = list(files)
    rng.shuffle(named)
    wanted = {True: number, False: number // 5}
    pools: dict[bool, list[Piece]] = {True: [], False: []}
    for file, _ in named:
        own = is_own(file.path, file.text)
        if len(pools[own]) < DRAW_FROM * wanted[own]:
            pools[own] += functions_of(file, purl, "", least, most, own=own)
    for pool in pools.values():
        rng.shuffle(pool)
    return [piece for own, pool in pools.items() for piece in pool[: wanted[own]]]
