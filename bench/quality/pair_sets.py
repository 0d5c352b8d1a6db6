"""Make sets of file pairs from the releases of a corpus, for bench.quality.pairs.

    python -m bench.quality.pair_sets --data DIR --out DIR [--tasks 60]

A task is one function. Derived: transformed copies of it. Not derived: other functions of the same file, as
they stand and with the same transformations. `whole.tsv` pairs functions; in `inside.tsv` the right side
stands among code of ours and holds an excerpt or a heavily changed copy.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.quality.case import excerpt_case, surrounded
from bench.quality.filler import FILLERS, SUFFIX
from bench.quality.pieces import Piece, functions_of, sample_sources
from bench.quality.transform import TRANSFORMATIONS
from corpus.index.catalog import Catalog
from corpus.languages import language_of
from corpus.model import TreeFile

HEAVY = ("combined", "split, renamed", "dead code")
MOST_OTHERS = 6


def others(catalog: Catalog, piece: Piece) -> list[Piece]:
    """Other functions of the piece's file, of at least half and at most twice its length."""
    entry = catalog.entries()[piece.purl]
    segment = catalog.segment(entry)
    number = next(i for i, f in enumerate(segment.files) if f.path == piece.path)
    text = segment.text(number) or b""
    language = language_of(piece.path, text[:4096]) or piece.language
    file = TreeFile(piece.path, language, text, "")
    size = len(piece.lines)
    found = functions_of(file, piece.purl, "", max(6, size // 2), 2 * size, own=True)
    return [f for f in found if f.start_line != piece.start_line and f.lines != piece.lines]


def changed(piece: Piece, names: tuple[str, ...], seed: str) -> Iterator[tuple[str, bytes]]:
    for name in names:
        text = TRANSFORMATIONS[name](piece.code, Random(f"{seed} {name}"))
        if text is not None:
            yield name, text


class Writer:
    """Files and rows of one set."""

    def __init__(self, out: Path, name: str) -> None:
        self.folder, self.table = out / name, out / f"{name}.tsv"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rows = ["label\ttask\tleft\tright"]
        self._files = 0

    def put(self, text: bytes, language: str) -> str:
        self._files += 1
        path = self.folder / f"{self._files:05d}.{SUFFIX[language]}"
        path.write_bytes(text.rstrip(b"\n") + b"\n")
        return f"{self.folder.name}/{path.name}"

    def pair(self, derived: bool, task: str, left: str, right: str) -> None:
        self.rows.append(f"{int(derived)}\t{task}\t{left}\t{right}")

    def close(self) -> int:
        self.table.write_text("\n".join(self.rows) + "\n")
        return len(self.rows) - 1


def write_sets(catalog: Catalog, out: Path, tasks: int, seed: int) -> dict[str, int]:
    """Pairs written by set."""
    whole, inside = Writer(out, "whole"), Writer(out, "inside")
    every = tuple(name for name in TRANSFORMATIONS if name != "verbatim")
    done = 0
    for piece in sample_sources(catalog, FILLERS.__contains__, 3 * tasks, seed):
        rng = Random(f"{seed} {piece.purl} {piece.path} {piece.start_line}")
        strangers = others(catalog, piece)
        if len(strangers) < 2 or done == tasks:
            continue
        done += 1
        task, strangers = f"task{done}", rng.sample(strangers, min(MOST_OTHERS, len(strangers)))
        left = whole.put(piece.code.text, piece.language)
        alone = inside.put(piece.code.text, piece.language)
        for _, text in changed(piece, every, task):
            whole.pair(True, task, left, whole.put(text, piece.language))
        for _, text in changed(piece, HEAVY, task):
            inside.pair(True, task, alone, _inside(inside, text, piece))
        excerpt = excerpt_case(10, "renamed", piece, rng)
        if excerpt is not None:
            inside.pair(True, task, alone, _inside(inside, excerpt.derived, piece))
        for stranger in strangers:
            whole.pair(False, task, left, whole.put(stranger.code.text, piece.language))
            for _, text in changed(stranger, ("rename", "combined"), task):
                whole.pair(False, task, left, whole.put(text, piece.language))
            for _, text in changed(stranger, HEAVY, task):
                inside.pair(False, task, alone, _inside(inside, text, piece))
    return {"whole": whole.close(), "inside": inside.close()}


def _inside(writer: Writer, text: bytes, piece: Piece) -> str:
    return writer.put(b"\n".join(surrounded(piece.language, text)[0]), piece.language)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.pair_sets")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, pairs in write_sets(Catalog(options.data), options.out, options.tasks, options.seed).items():
        print(f"{options.out / name}.tsv: {pairs} pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
