"""What each term of the algorithm layer's strength is worth: recall without it, at the same false findings.

    python -m bench.quality.ablation --data DIR --cases DIR [--honest 150] [--allowed 1]

Functions of the honest packages (their own releases not accepted as origins) and the rewritten and translated
variants of given cases are matched once. Then the strength is computed without one term after the other, each
time with the threshold at which `allowed` honest functions, the explained ones apart, would be findings.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from app.scan.diff import read_diff
from bench.quality.honest import PACKAGES, added, reason
from bench.quality.judge import package_of, same_file
from bench.quality.pieces import Piece, sample_honest
from bench.quality.tables import table
from corpus.derived import derived
from corpus.index.catalog import Catalog
from corpus.index.snapshot import Snapshot
from corpus.languages import language_of
from corpus.matches import Match, contributions, is_substantial
from corpus.model import ChangedFile
from corpus.purl import same_package
from corpus.query import make_query


def strength(match: Match, without: str = "") -> float:
    """The strength of a match, one of its terms left out."""
    parts = {"standing": match.evidence.terms["standing"], **contributions(match.evidence)}
    return sum(value for name, value in parts.items() if name != without)


@dataclass(frozen=True, slots=True)
class Tried:
    """One function or variant. matches: of the algorithm layer, each with whether it names the source."""

    kind: str
    matches: tuple[tuple[Match, bool], ...]

    def best(self, score: Callable[[Match], float]) -> tuple[float, bool]:
        """(score of the strongest match that could be a finding, whether it names the source)."""
        shown = [(score(m), right) for m, right in self.matches if is_substantial(m)]
        return max(shown, default=(-99.0, False))


def matches_of(
    files: Sequence[ChangedFile], index: Snapshot, accept: Callable[[str], bool] = lambda purl: True
) -> Iterator[Match]:
    for changed in files:
        language = language_of(changed.path, b"")
        if language is not None:
            yield from derived(make_query(changed, language), index, accept)


def honest(catalog: Catalog, index: Snapshot, number: int, seed: int) -> Iterator[Tried]:
    """Functions of the honest packages; matches that are explained as shared ancestry are left out."""
    for purl in PACKAGES:
        for piece in sample_honest(catalog, purl, number, seed):
            if piece.own:
                found = matches_of(
                    added(piece).files, index, partial(lambda own, other: not same_package(own, other), purl)
                )
                unexplained = [m for m in found if not reason(_told(piece, m, index))]
                yield Tried("honest", tuple((m, False) for m in unexplained))


def _told(piece: Piece, match: Match, index: Snapshot) -> str:
    """Both sides with their lines, as explanations name them."""
    origin, shift = match.origin, piece.start_line - 1
    return (
        f"{piece.path}:{shift + match.start_line}-{shift + match.end_line} ~ {origin.purl} "
        f"{index.file(origin.ref).path}:{origin.start_line}-{origin.end_line}"
    )


def variants(folder: Path, index: Snapshot) -> Iterator[Tried]:
    """The rewritten and translated variants of given cases."""
    for meta in sorted(folder.glob("*/meta.json")):
        case = json.loads(meta.read_text())
        for variant in case["variants"]:
            if variant["kind"] in ("rewritten", "translated"):
                diff = read_diff((meta.parent / variant["file"]).read_bytes())
                found = matches_of(diff.files, index)
                yield Tried(variant["kind"], tuple((m, _names(m, case["source"], index)) for m in found))


def _names(match: Match, source: dict[str, Any], index: Snapshot) -> bool:
    return package_of(match.origin.purl) == source["package"].lower() and same_file(
        index.file(match.origin.ref).path, source["path"]
    )


def rows(innocent: Sequence[Tried], derived_code: Sequence[Tried], allowed: int) -> Iterator[tuple[str, ...]]:
    """A row for the whole strength and for each term left out."""
    for without in ("", "standing", "renaming", "apart", "numbers", "resemblance", "containment", "spread"):
        score = partial(strength, without=without)
        level = sorted((t.best(score)[0] for t in innocent), reverse=True)[allowed]
        cells = []
        for kind in ("rewritten", "translated"):
            found = [t.best(score) for t in derived_code if t.kind == kind]
            right = sum(value > level and named for value, named in found)
            cells.append(f"{right / max(1, len(found)):.2f}")
        yield (f"without {without}" if without else "all terms", f"{level:.2f}", *cells)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.ablation")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--honest", type=int, default=150, help="functions of each honest package (150)")
    parser.add_argument("--allowed", type=int, default=1, help="honest functions above the threshold (1)")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    catalog = Catalog(options.data)
    index = catalog.open()
    derived_code = list(variants(options.cases, index))
    innocent = list(honest(catalog, index, options.honest, options.seed))
    print(f"{len(innocent)} honest functions, {options.allowed} above the threshold.\n")
    head = ("strength", "threshold", "rewritten", "translated")
    print(table(head, rows(innocent, derived_code, options.allowed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
