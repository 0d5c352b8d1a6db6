"""Cases: a diff that brings a transformed function or excerpt among code of ours, and the truth about it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.quality.edits import Code, indent_of
from bench.quality.filler import FILLERS, SUFFIX, around
from bench.quality.pieces import Piece
from bench.quality.structure import merge
from bench.quality.transform import EXCERPT_LINES, EXCERPTS, TRANSFORMATIONS, Transformation, rename

LEAST_HUNK_LINES = 14


@dataclass(frozen=True, slots=True)
class Case:
    """kind: name of the transformation. spans: derived lines (first, last) of the new file, one a hunk."""

    kind: str
    piece: Piece
    diff: bytes
    target: str
    spans: tuple[tuple[int, int], ...]
    derived: bytes


def unified(old: Sequence[bytes] | None, new: Sequence[bytes], path: str) -> bytes:
    """A unified diff; old None: the file is new."""
    name = path.encode()
    rows = difflib.diff_bytes(
        difflib.unified_diff, [] if old is None else list(old), list(new),
        b"/dev/null" if old is None else b"a/" + name, b"b/" + name, lineterm=b"",
    )  # fmt: skip
    head = (
        b"diff --git a/" + name + b" b/" + name + b"\n" + (b"new file mode 100644\n" if old is None else b"")
    )
    return head + b"\n".join(rows) + b"\n"


def surrounded(language: str, derived: bytes) -> tuple[list[bytes], int, int]:
    """(lines of a new file, first and last line of the derived code in it)."""
    opening, one, two = (part.encode().rstrip(b"\n").split(b"\n") for part in FILLERS[language])
    body = derived.rstrip(b"\n").split(b"\n")
    before = [*opening, b"", *one, b""]
    return [*before, *body, b"", *two], len(before) + 1, len(before) + len(body)


def new_file(kind: str, piece: Piece, derived: bytes) -> Case:
    lines, first, last = surrounded(piece.language, derived)
    target = f"library/shelves.{SUFFIX[piece.language]}"
    return Case(kind, piece, unified(None, lines, target), target, ((first, last),), derived)


def excerpt(piece: Piece, size: int, rng: Random) -> tuple[int, int] | None:
    """A run of lines inside the function with `size` lines of code, brackets balanced where there is one.

    Returns (first, last), 1-based lines of the piece; the head of the function is left out while it can be.
    """
    code = piece.code
    numbers = [n for n in code.code_lines if n > 1] if len(code.code_lines) > size else code.code_lines
    if len(numbers) < size:
        return None
    runs = [(numbers[i], numbers[i + size - 1]) for i in range(len(numbers) - size + 1)]
    balanced = [run for run in runs if _balanced(code, run)]
    return rng.choice(balanced or runs)


def _balanced(code: Code, run: tuple[int, int]) -> bool:
    depth = 0
    for number in range(run[0], run[1] + 1):
        for word in code.by_line.get(number, ()):
            depth += (word.text in (b"(", b"[", b"{")) - (word.text in (b")", b"]", b"}"))
            if depth < 0:
                return False
    return depth == 0


def excerpt_case(size: int, how: str, piece: Piece, rng: Random) -> Case | None:
    """Lines of a function inside a function of ours."""
    run = excerpt(piece, size, rng)
    if run is None:
        return None
    lines = list(piece.lines[run[0] - 1 : run[1]])
    text = EXCERPTS[how](Code(b"\n".join(lines), piece.language), rng)
    if text is None:
        return None
    indent = min((indent_of(line) for line in lines if line.strip()), key=len)
    head, tail = (part.encode() for part in around(piece.language, indent.decode()))
    opened = head + b"\n" + text + b"\n" + tail if head else text
    whole, first, last = surrounded(piece.language, opened)
    if head:
        first, last = first + head.count(b"\n") + 1, last - 1
    target = f"library/shelves.{SUFFIX[piece.language]}"
    source = Piece(piece.purl, piece.path, piece.language, piece.license, tuple(lines),
                   piece.start_line + run[0] - 1, piece.own)  # fmt: skip
    return Case(f"{how}, {size} lines", source, unified(None, whole, target), target, ((first, last),), text)


def hunks_case(piece: Piece, rng: Random) -> Case | None:
    """A file of ours is changed: the function comes in two hunks, a few of its lines stand there already."""
    size = len(piece.lines)
    if size < 2 * LEAST_HUNK_LINES:
        return None
    middle = size // 2
    opening, one, two = (part.encode().rstrip(b"\n").split(b"\n") for part in FILLERS[piece.language])
    parts = (list(piece.lines[:middle]), list(piece.lines[middle:]))
    old: list[bytes] = [*opening, b"", *one, b""]
    new = list(old)
    spans = []
    for part in parts:
        first = len(new) + 1
        for number, line in enumerate(part):
            if number % 7 == 5:
                old.append(line)  # context
            new.append(line)
        spans.append((first, len(new)))
        for lines in (old, new):
            lines += [b"", *two, b"", *one, b""]
    target = f"library/shelves.{SUFFIX[piece.language]}"
    return Case("hunks", piece, unified(old, new, target), target, tuple(spans), b"\n".join(piece.lines))


def merged_case(piece: Piece, rng: Random) -> Case | None:
    """Two functions that follow each other in the source become one, renamed."""
    if piece.before is None or len(piece.before) < 8:
        return None
    text = merge(Code(b"\n".join(piece.before), piece.language), piece.code)
    text = rename(Code(text, piece.language), rng) if text else None
    return new_file("merged, renamed", piece, text) if text else None


def cases(pieces: Iterable[Piece], each: int, seed: int) -> Iterator[Case]:
    """Up to `each` cases of every kind, from functions that the kind can be made of."""
    pool = [p for p in pieces if p.language in FILLERS]
    for kind, change in TRANSFORMATIONS.items():
        yield from take(kind, pool, each, seed, partial(_whole, kind, change))
    yield from take("merged", pool, each, seed, merged_case)
    yield from take("hunks", pool, each, seed, hunks_case)
    for how in EXCERPTS:
        for size in EXCERPT_LINES:
            yield from take(f"{how} {size}", pool, each, seed, partial(excerpt_case, size, how))


def _whole(kind: str, change: Transformation, piece: Piece, rng: Random) -> Case | None:
    derived = change(piece.code, rng)
    return new_file(kind, piece, derived) if derived is not None else None


def take(
    kind: str, pool: Sequence[Piece], each: int, seed: int, make: Callable[[Piece, Random], Case | None]
) -> Iterator[Case]:
    """Up to `each` cases made of the pieces in an order that seed and kind decide."""
    rng = Random(f"{seed} {kind}")
    order = list(pool)
    rng.shuffle(order)
    taken = 0
    for piece in order:
        if taken == each:
            return
        case = make(piece, rng)
        if case is not None:
            taken += 1
            yield case
