"""THE PACKAGE PIPELINE: a purl becomes an immutable segment.

    fetch (digest checked) → unpack (limits, in a child) → keep or skip each file → conclude licences
    → tokenise, cut, sketch (in children) → segment → catalogue

Each step raises a WhenceError for the release or names a skip for the file; nothing else stops a release.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Self

from corpus.collector import held_back
from corpus.errors import ArchiveError, NotInRegistry, WhenceError
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.record import Records, received
from corpus.index.segment import ReleaseFacts, generation
from corpus.licenses import Detector, TextDetector, conclude
from corpus.machine_code import warm_writing
from corpus.model import UNKNOWN_LICENSE, Fetched, Skip, TreeFile
from corpus.purl import canonical
from corpus.reuse import Seen
from corpus.sandbox import Limits, Pool
from corpus.sources import SourceSettings, fetch
from corpus.sources.newest import newest
from corpus.tree import Tree, read_tree

BATCH_BYTES = 2 * 1024 * 1024
BATCH_FILES = 256
JOBS_OF_CHILD = 2_000
"""Up to a gigabyte of source text. A fresh child takes 0.7 s of processor time before it does anything."""
PATIENCE = 10.0
"""How many times its processor time a child may take by the clock: the load must not decide what is kept."""

Progress = Callable[[str, str, int, int | None], None]
"""Told (purl, step, done, total)."""
_Made = tuple[list[TreeFile], Records | str]
"""Files with their records, or with the reason that there are none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one release.

    status: `indexed`, `incomplete` (a part is missing), `unchanged` or `failed`.
    """

    purl: str
    status: str
    message: str = ""
    counts: dict[str, Any] = field(default_factory=dict)


def is_indexed(catalog: Catalog, purl: str, *, background: bool) -> bool:
    """Whether a release, by its canonical purl, is in the catalogue as wanted and of this generation."""
    known = catalog.entries().get(purl)
    return (
        known is not None
        and known.background == background
        and known.segment.startswith(f"{generation(catalog.params)}/")
        and (catalog.segments_root / known.segment).is_dir()
    )


def obtain(
    catalog: Catalog, purl: str, settings: SourceSettings | None, progress: Progress | None = None
) -> tuple[Fetched, str]:
    """Fetch a release; where its registry no longer has it, the newest of the package, and a note on that.

    Raises NotInRegistry when there is no other release either, and what a fetch raises.
    """

    def tell(name: str, done: int, total: int | None) -> None:
        if progress is not None:
            progress(purl, f"fetch {name}", done, total)

    try:
        return fetch(purl, catalog.cache, settings, tell), ""
    except NotInRegistry as error:
        found = newest(purl, catalog.cache, settings)
        if found == purl:
            raise
        note = f"in place of {purl}, which is gone: {error.message}"
        return fetch(found, catalog.cache, settings, tell), note


class Ingester:
    """The resources of many ingestions: children that parse, the licence detector, the catalogue."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        processes: int = 2,
        settings: SourceSettings | None = None,
        keep_text: bool = True,
        progress: Progress | None = None,
        detector: TextDetector | None = None,
    ) -> None:
        """detector: reads licences for several ingesters; by default each has one of its own."""
        self.catalog, self.settings, self.keep_text = catalog, settings, keep_text
        self._processes, self._progress = processes, progress
        self._detector = detector
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        preload = ("corpus.machine_code:warm", "corpus.tree")
        self._pool = self._stack.enter_context(
            Pool(self._processes, Limits(recycle_after=JOBS_OF_CHILD), preload, PATIENCE)
        )
        self._seen = Seen(self.catalog)
        if self._detector is None:
            self._detector = self._stack.enter_context(Detector(self.catalog.licenses, self._processes))
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def warm(self) -> None:
        """Start a child that parses and load what writes segments, before time counts."""
        self._pool.run("corpus.machine_code:warm")
        warm_writing()

    def _tell(self, purl: str, step: str, done: int = 0, total: int | None = None) -> None:
        if self._progress is not None:
            self._progress(purl, step, done, total)

    def ingest(self, purl: str, *, background: bool = False, again: bool = False) -> Outcome:
        """Index one release. Raises nothing but interrupts: a failure is an outcome."""
        try:
            purl = canonical(purl)
            if not again and is_indexed(self.catalog, purl, background=background):
                return Outcome(purl, "unchanged", "already indexed")
            fetched, note = obtain(self.catalog, purl, self.settings, self._progress)
            if note and not again and is_indexed(self.catalog, fetched.purl, background=background):
                return Outcome(fetched.purl, "unchanged", f"already indexed, {note}")
            self.catalog.data.mkdir(parents=True, exist_ok=True)
            with held_back(), tempfile.TemporaryDirectory(dir=self.catalog.data, prefix=".spool-") as spool:
                outcome = self._index(fetched, Path(spool), background)
            return replace(outcome, message="; ".join(part for part in (outcome.message, note) if part))
        except WhenceError as error:
            return Outcome(purl, "failed", error.message)
        except OSError as error:
            return Outcome(purl, "failed", f"{error.strerror}: {error.filename}")

    def _index(self, fetched: Fetched, spool: Path, background: bool) -> Outcome:
        purl = fetched.purl
        self._tell(purl, "unpack")
        tree = read_tree(self._pool, fetched, spool)
        missing = (*fetched.missing, *tree.cut)
        if tree.cut and not tree.files:
            raise ArchiveError(f"nothing could be read of {', '.join(tree.cut)}")
        self._tell(purl, "licences")
        assert self._detector is not None
        licenses = conclude(
            {f.path: f.text for f in tree.files}, tree.evidence, fetched.declared, tree.debian_copyright,
            self._detector, lambda done, total: self._tell(purl, "licences", done, total),
        )  # fmt: skip
        facts = ReleaseFacts(
            purl, background, fetched.url, fetched.declared, missing,
            tuple((a.name, a.sha256) for a in fetched.artifacts),
        )  # fmt: skip
        builder = SegmentBuilder(facts, self.catalog.params, keep_text=self.keep_text)
        kept = []
        for files, records in self._sketch(purl, tree):
            builder.add_all(files, [licenses.get(file.path, UNKNOWN_LICENSE) for file in files], records)
            kept += files
        self._tell(purl, "write")
        name = builder.write(self.catalog.segments_root, tree.skips)
        self.catalog.put(purl, name, background=background)
        self._seen.add(name, sorted(kept, key=lambda file: file.path))
        status = "incomplete" if missing else "indexed"
        return Outcome(purl, status, "; ".join(missing), builder.counts(tree.skips))

    def _sketch(self, purl: str, tree: Tree) -> Iterator[tuple[list[TreeFile], Records]]:
        """Records of all files, in no order; what a child cannot read becomes a skip.

        Of equal files one is read, here or in the release that had it before.
        """
        equal: dict[tuple[str, str], list[TreeFile]] = {}
        for file in tree.files:
            equal.setdefault((file.sha1, file.language), []).append(file)
        first = [files[0] for files in equal.values()]
        held = self._seen.find(first)
        left = [file for number, file in enumerate(first) if number not in held]
        skips: list[Skip] = []
        for files, made in chain(
            self._made(purl, left),
            self._held(purl, [(first[number], place) for number, place in held.items()]),
        ):
            if not isinstance(made, str):
                yield files, made
            for number, file in enumerate(files):
                others = equal[file.sha1, file.language][1:]
                if isinstance(made, str):
                    skips.append(Skip(file.path, f"could not be read: {made}", partial=True))
                    skips += [
                        Skip(o.path, f"could not be read, as {file.path}", partial=True) for o in others
                    ]
                else:
                    yield from (([other], made.part(number, number + 1)) for other in others)
        tree.skips.extend(sorted(skips, key=lambda skip: skip.path))

    def _held(self, purl: str, held: Iterable[tuple[TreeFile, tuple[str, int]]]) -> Iterator[_Made]:
        """Records from the segments that have them; made anew where a segment went meanwhile."""
        wanted: dict[str, dict[int, TreeFile]] = {}
        for file, (segment, number) in held:
            wanted.setdefault(segment, {})[number] = file
        lost = []
        for segment, files in wanted.items():
            found = self._seen.records(segment, files)
            lost += [file for number, file in files.items() if number not in found]
            if found:
                yield [files[number] for number in found], Records.of([*found.values()])
        yield from self._made(purl, lost)

    def _made(self, purl: str, files: Sequence[TreeFile]) -> Iterator[_Made]:
        """Files and their records, or files and why they cannot be read."""
        batches = list(_batches(files))
        jobs = [([[f.text, f.language] for f in batch],) for batch in batches]
        results = self._pool.map_unordered("corpus.index.record:record_batch", jobs)
        for done, (number, result) in enumerate(results, 1):
            self._tell(purl, "sketch", done, len(batches))
            yield from self._results(batches[number], result)

    def _results(self, batch: Sequence[TreeFile], result: Any) -> Iterator[_Made]:
        try:
            if isinstance(result, WhenceError):
                raise result
            parts = received(result, len(batch))
        except (WhenceError, ValueError) as error:
            if len(batch) == 1:
                message = error.message if isinstance(error, WhenceError) else "the child answered garbage"
                yield list(batch), message
                return
            for file in batch:  # find the file that is to blame
                single: Any
                try:
                    single = self._pool.run("corpus.index.record:record_batch", [[file.text, file.language]])
                except WhenceError as failed:
                    single = failed
                yield from self._results([file], single)
            return
        for numbers, made in parts:
            yield [batch[number] for number in numbers], made


def _batches(files: Sequence[TreeFile]) -> Iterator[list[TreeFile]]:
    """By language, so that children read many texts of one together."""
    batch: list[TreeFile] = []
    size = 0
    for file in sorted(files, key=lambda file: file.language):
        batch.append(file)
        size += len(file.text)
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
