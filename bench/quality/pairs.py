"""`whence compare` on pairs of files: AUC and AUC within tasks, beside what other tools give the same pairs.

    python -m bench.quality.pairs --pairs FILE.tsv [--peers PYTHON] [--scores OUT.tsv]

FILE.tsv: label (1 derived, 0 not), task, left, right; paths are relative to the table; a header is skipped.
AUC is the probability that a derived pair scores above one that is not; within tasks only pairs of one task
are compared, so that nothing is gained by telling the tasks apart. PYTHON: an interpreter in which copydetect
and scanoss are installed; their dependencies stay out of this environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from bench.quality.tables import table
from corpus.compare import Comparison, compare
from corpus.languages import language_of, scan

PEERS = Path(__file__).with_name("peers.py")


@dataclass(frozen=True, slots=True)
class Pair:
    derived: bool
    task: str
    left: Path
    right: Path


def read_pairs(table_file: Path) -> list[Pair]:
    """Raises ValueError naming the line of a row that is none."""
    out = []
    for number, line in enumerate(table_file.read_text().splitlines(), 1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells[0] == "label"):
            continue
        if len(cells) != 4 or cells[0] not in ("0", "1"):
            raise ValueError(f"{table_file}:{number}: wanted label (0 or 1), task, left, right")
        base = table_file.parent
        out.append(Pair(cells[0] == "1", cells[1], base / cells[2], base / cells[3]))
    return out


@lru_cache(maxsize=4096)
def _text(path: Path) -> tuple[str, bytes, str]:
    text = path.read_bytes()
    return path.name, text, language_of(path.name, text[:4096]) or "text"


@lru_cache(maxsize=8192)
def _token_shingles(path: Path, size: int) -> frozenset[bytes]:
    """Runs of tokens in which all names are equal."""
    _, text, language = _text(path)
    scanned = scan(text, language)
    values = scanned.renamed[scanned.keep]
    return frozenset(values[i : i + size].tobytes() for i in range(len(values) - size + 1))


@lru_cache(maxsize=4096)
def _character_grams(path: Path) -> frozenset[bytes]:
    text = b"".join(_text(path)[1].split()).lower()
    return frozenset(text[i : i + 5] for i in range(len(text) - 4))


def _jaccard(a: frozenset[bytes], b: frozenset[bytes]) -> float:
    return len(a & b) / max(1, len(a | b))


def _containment(a: frozenset[bytes], b: frozenset[bytes]) -> float:
    return len(a & b) / max(1, min(len(a), len(b)))


@lru_cache(maxsize=65536)
def compared(left: Path, right: Path) -> Comparison:
    return compare(_text(left), _text(right))


Measure = Callable[[frozenset[bytes], frozenset[bytes]], float]


def _of_tokens(pair: Pair, size: int, measure: Measure) -> float:
    return measure(_token_shingles(pair.left, size), _token_shingles(pair.right, size))


def _of_characters(pair: Pair, measure: Measure) -> float:
    return measure(_character_grams(pair.left), _character_grams(pair.right))


Scorer = Callable[[Pair], float]
SCORERS: dict[str, Scorer] = {
    "whence compare": lambda p: compared(p.left, p.right).score,
    "token 5-shingles, Jaccard": partial(_of_tokens, size=5, measure=_jaccard),
    "token 5-shingles, containment": partial(_of_tokens, size=5, measure=_containment),
    "token 8-shingles, Jaccard": partial(_of_tokens, size=8, measure=_jaccard),
    "token 8-shingles, containment": partial(_of_tokens, size=8, measure=_containment),
    "character 5-grams, Jaccard": partial(_of_characters, measure=_jaccard),
    "character 5-grams, containment": partial(_of_characters, measure=_containment),
}


def peer_scores(pairs: Sequence[Pair], python: Path) -> dict[str, list[float]]:
    """What the tools of another interpreter say: name → a score a pair."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listing:
        json.dump([[str(p.left.resolve()), str(p.right.resolve())] for p in pairs], listing)
        listing.flush()
        done = subprocess.run(
            [str(python), str(PEERS), listing.name], capture_output=True, text=True, check=True
        )
    scores: dict[str, list[float]] = json.loads(done.stdout)
    return scores


def auc(scores: Sequence[float], derived: Sequence[bool]) -> tuple[float, int]:
    """(pairs of a derived and another in the right order, ties half; number of such pairs)."""
    values, truth = np.asarray(scores, float), np.asarray(derived, bool)
    good, bad = values[truth], np.sort(values[~truth])
    if not len(good) or not len(bad):
        return 0.0, 0
    below = np.searchsorted(bad, good, side="left")
    equal = np.searchsorted(bad, good, side="right") - below
    return float((below + 0.5 * equal).sum()), len(good) * len(bad)


def within_tasks(scores: Sequence[float], pairs: Sequence[Pair]) -> float:
    tasks: dict[str, list[int]] = {}
    for number, pair in enumerate(pairs):
        tasks.setdefault(pair.task, []).append(number)
    right = total = 0.0
    for numbers in tasks.values():
        won, of = auc([scores[i] for i in numbers], [pairs[i].derived for i in numbers])
        right, total = right + won, total + of
    return right / max(1.0, total)


def report(pairs: Sequence[Pair], scores: dict[str, list[float]]) -> str:
    derived = [p.derived for p in pairs]
    body = []
    for name, values in scores.items():
        won, of = auc(values, derived)
        body.append((name, f"{won / max(1, of):.3f}", f"{within_tasks(values, pairs):.3f}"))
    return table(("score", "AUC", "within tasks"), body)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.pairs")
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--peers", type=Path, help="a Python with copydetect and scanoss")
    parser.add_argument("--scores", type=Path, help="write every score there")
    options = parser.parse_args()
    try:
        pairs = read_pairs(options.pairs)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    scores = {name: [score(p) for p in pairs] for name, score in SCORERS.items()}
    if options.peers:
        scores |= peer_scores(pairs, options.peers)
    tasks = len({p.task for p in pairs})
    print(
        f"{options.pairs.name}: {len(pairs)} pairs, {sum(p.derived for p in pairs)} derived, {tasks} tasks\n"
    )
    print(report(pairs, scores))
    if options.scores:
        rows = ["\t".join(["label", "task", "left", "right", *scores])]
        rows += [
            "\t".join([str(int(p.derived)), p.task, p.left.name, p.right.name,
                       *(f"{scores[name][i]:.4f}" for name in scores)])
            for i, p in enumerate(pairs)
        ]  # fmt: skip
        options.scores.write_text("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
