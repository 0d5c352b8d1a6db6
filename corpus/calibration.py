"""What unrelated code reaches in this index: functions of background releases, each scanned as a change.

Background releases are known by name and are not what projects copy without saying so, so that what they
resemble outside their own package is mostly chance. The best match of each function, of copies and of the
algorithm layer, is what the tails of a `Null` are fitted to (see `corpus.null`).

What shares its ancestry with its origin is not unrelated. Files that another release holds too, vendored,
generated and test ones are never drawn; a package that another one bundles is told by its literal copies and
left out of that pair (`unrelated`); what is left of it, a function here and there, the fit tells apart.
"""

from __future__ import annotations

import hashlib
import math
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from corpus.errors import CorpusError, WhenceError
from corpus.index.catalog import Catalog
from corpus.index.record import UNIT_KINDS
from corpus.index.segment import Segment
from corpus.index.snapshot import Snapshot
from corpus.match import match
from corpus.matches import Match, is_substantial
from corpus.model import ChangedFile, Region
from corpus.null import BUILT_IN, COPIES_TAIL, DERIVED_TAIL, Null, fit, origin_units
from corpus.params import Params
from corpus.purl import package_name
from corpus.query import make_query

LEAST_LINES, MOST_LINES = 8, 300
"""Shorter functions agree with nothing; longer ones are tables and generated code."""

LEAST_FUNCTIONS = 100
BUNDLED_TOKENS = 50
BUNDLED_COPIES = 3
BUNDLED_SHARE = 0.05
NOT_OWN = frozenset({"generated", "vendored", "test", "example"})
Progress = Callable[[int, int], None]
_FUNCTION = UNIT_KINDS.index("function")


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a background release; lines are 1-based and inclusive, in its file."""

    purl: str
    segment: int
    file: int
    path: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A function and its best matches, or None: by bits (copies) and by strength (algorithm layer)."""

    function: Function
    copy: Match | None
    derived: Match | None


def draw(index: Snapshot, number: int, seed: int) -> list[Function]:
    """`number` functions of the background releases' own code, the packages taking turns; fixed by seed."""
    segments = {n: index.segment(n) for n, row in enumerate(index.facts["segments"]) if row["background"]}
    if not segments:
        raise CorpusError(
            "no background release is indexed, so what unrelated code reaches cannot be measured: "
            "whence corpus add --background PURL…"
        )
    holders: Counter[str] = Counter()
    for row in range(len(index.facts["segments"])):
        segment = index.segment(row)
        holders.update({file.sha1 for file in segment.files})
    turns: list[list[Function]] = []
    for n, segment in sorted(segments.items(), key=lambda item: item[1].facts.purl):
        turns.append(sorted(_functions(segment, n, holders), key=partial(_lot, seed)))
    chosen: list[Function] = []
    while len(chosen) < number and any(turns):
        chosen += [turn.pop() for turn in turns if turn]
    if len(chosen) < LEAST_FUNCTIONS:
        raise CorpusError(
            f"the background releases have {len(chosen)} functions of {LEAST_LINES} lines and more; "
            f"measuring needs {LEAST_FUNCTIONS}: whence corpus add --background PURL…"
        )
    return chosen[:number]


def _lot(seed: int, function: Function) -> bytes:
    text = f"{seed} {function.purl} {function.path} {function.start_line}"
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _functions(segment: Segment, number: int, holders: Counter[str]) -> Iterator[Function]:
    """Outermost functions of the release's own code, by the units that the index keeps."""
    units = segment.units.all()
    for position, file in enumerate(segment.files):
        if file.language == "text" or NOT_OWN & set(file.labels) or holders[file.sha1] > 1:
            continue
        until = 0
        for unit in units[file.first_unit : file.last_unit]:
            first, last = int(unit["start_line"]), int(unit["end_line"])
            if unit["kind"] != _FUNCTION or first <= until or last - first >= MOST_LINES:
                continue
            until = last
            if last - first + 1 >= LEAST_LINES:
                yield Function(segment.facts.purl, number, position, file.path, first, last)


def added(index: Snapshot, function: Function) -> tuple[ChangedFile, str]:
    """The change that adds a function as a new file, and its language."""
    segment = index.segment(function.segment)
    text = segment.text(function.file)
    if text is None:
        raise CorpusError(
            f"the text of {function.purl} {function.path} is not kept: index background releases with texts "
            "(whence corpus add --background --again --texts PURL…)"
        )
    lines = tuple(text.split(b"\n")[function.start_line - 1 : function.end_line])
    region = Region(1, lines, (True,) * len(lines))
    return ChangedFile(function.path, (region,)), segment.files[function.file].language


def best(index: Snapshot, function: Function, params: Params) -> Reached:
    """The best matches of a function where its own package is no origin."""
    own = package_name(function.purl)
    changed, language = added(index, function)
    found = match(make_query(changed, language), index, params, lambda purl: package_name(purl) != own)
    shown = [m for m in found if is_substantial(m)]  # what is less is never an alert
    copies = [m for m in shown if m.standing is None]
    return Reached(
        function,
        max(copies, key=lambda m: m.evidence.bits, default=None),
        max((m for m in shown if m.standing is not None), key=lambda m: m.strength, default=None),
    )


def measure(
    catalog: Catalog,
    index: Snapshot,
    functions: Sequence[Function],
    jobs: int,
    progress: Progress = lambda done, total: None,
) -> list[Reached]:
    """The best matches of each function, in order, by so many processes; they end when the caller does."""
    context = multiprocessing.get_context("spawn")
    numbered = list(enumerate(functions))
    found: dict[int, Reached] = {}
    crew: dict[Connection, BaseProcess] = {}
    try:
        for number in range(jobs):
            ours, theirs = context.Pipe(duplex=False)
            process: BaseProcess = context.Process(
                target=_work,
                args=(theirs, index.folder, catalog.segments_root, catalog.params, numbered[number::jobs]),
            )
            process.start()
            theirs.close()
            crew[ours] = process
        while len(found) < len(functions):
            if not crew:
                raise CorpusError("measuring was interrupted")
            for pipe in wait(list(crew)):
                assert isinstance(pipe, Connection)
                _receive(pipe, crew, found)
                progress(len(found), len(functions))
    finally:
        for pipe, process in crew.items():
            pipe.close()
            process.kill()
            process.join()
    return [found[number] for number in range(len(functions))]


def _receive(pipe: Connection, crew: dict[Connection, BaseProcess], found: dict[int, Reached]) -> None:
    try:
        message = pipe.recv()
    except EOFError:
        process = crew.pop(pipe)
        process.join()
        if process.exitcode:
            raise CorpusError(f"a process that measures ended with exit code {process.exitcode}") from None
        return
    if isinstance(message, Exception):
        raise message
    found[message[0]] = message[1]


def _work(
    pipe: Connection, folder: Path, segments_root: Path, params: Params, part: Sequence[tuple[int, Function]]
) -> None:
    """Main function of a process. What was measured before has no say in what is measured now."""
    with suppress(BrokenPipeError, KeyboardInterrupt):
        try:
            index = Snapshot(folder, segments_root, params)
            index.null = BUILT_IN
            for number, function in part:
                pipe.send((number, best(index, function, params)))
        except WhenceError as error:
            pipe.send(error)


def unrelated(measured: Sequence[Reached]) -> list[Reached]:
    """Those whose best matches are not between packages of which one holds the other, or a part of it.

    Such a pair has BUNDLED_COPIES literal copies, of BUNDLED_SHARE of the functions measured of the package.
    """
    functions = Counter(package_name(r.function.purl) for r in measured)
    copies = Counter(
        (package_name(r.function.purl), package_name(r.copy.origin.purl))
        for r in measured
        if r.copy and r.copy.evidence.kind == "literal" and r.copy.evidence.tokens >= BUNDLED_TOKENS
    )
    bundled = {
        pair for pair, n in copies.items() if n >= max(BUNDLED_COPIES, BUNDLED_SHARE * functions[pair[0]])
    }
    return [r for r in measured if bundled.isdisjoint(_pairs(r))]


def _pairs(one: Reached) -> set[tuple[str, str]]:
    """(package of the function, package of the origin) of its best matches."""
    origins = {package_name(m.origin.purl) for m in (one.copy, one.derived) if m is not None}
    return {(package_name(one.function.purl), origin) for origin in origins}


def null_of(index: Snapshot, measured: Sequence[Reached], otherwise: Null = BUILT_IN) -> Null:
    """The tails of what was measured; one that too few functions reach is taken from `otherwise`."""
    measured = unrelated(measured)
    bits = [r.copy.evidence.bits if r.copy else -math.inf for r in measured]
    strengths = [r.derived.strength if r.derived else -math.inf for r in measured]
    copies = fit(bits, index.units, COPIES_TAIL)
    derived = fit(strengths, origin_units(index.facts), DERIVED_TAIL)
    return Null(copies or otherwise.copies, derived or otherwise.derived)
