"""THE PACKAGE PIPELINE: a purl becomes an immutable segment.

    fetch (digest checked) → unpack (limits, in a child) → keep or skip each file → conclude licences
    → tokenise, cut, sketch (in children) → segment → catalogue

Each step raises a WhenceError for the release or names a skip for the file; nothing else stops a release.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from corpus.errors import ArchiveError, NotInRegistry, WhenceError
from corpus.index.catalog import Catalog
from corpus.index.record import Record, received
from corpus.index.segment import ReleaseFacts, SegmentBuilder
from corpus.licenses import Detector, TextDetector, conclude
from corpus.machine_code import warm_writing
from corpus.model import UNKNOWN_LICENSE, Fetched, Skip, TreeFile
from corpus.purl import canonical
from corpus.reuse import Seen
from corpus.sandbox import Limits, Pool
from corpus.sources import SourceSettings, fetch
from corpus.sources.newest import newest
from corpus.tree import Tree, read_tree

BATCH_BYTES = 512 * 1024
BATCH_FILES = 64
JOBS_OF_CHILD = 2_000
"""Up to a gigabyte of source text. A fresh child takes 0.7 s of processor time before it does anything."""
PATIENCE = 10.0
"""How many times its processor time a child may take by the clock: the load must not decide what is kept."""

Progress = Callable[[str, str, int, int | None], None]
"""Told (purl, step, done, total)."""


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
        and known.segment.startswith(f"{catalog.params.digest}/")
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
            with tempfile.TemporaryDirectory(dir=self.catalog.data, prefix=".spool-") as spool:
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
        for file, record in self._sketch(purl, tree):
            builder.add(file, licenses.get(file.path, UNKNOWN_LICENSE), record)
            kept.append(file)
        self._tell(purl, "write")
        name = builder.write(self.catalog.segments_root, tree.skips)
        self.catalog.put(purl, name, background=background)
        self._seen.add(name, kept)
        status = "incomplete" if missing else "indexed"
        return Outcome(purl, status, "; ".join(missing), builder.counts(tree.skips))

    def _sketch(self, purl: str, tree: Tree) -> Iterator[tuple[TreeFile, Record]]:
        """Records of all files, in order of path; what a child cannot read becomes a skip.

        Of equal files one is read, here or in the release that had it before.
        """
        files, skips = tree.files, tree.skips
        first: dict[tuple[str, str], int] = {}
        same = [first.setdefault((file.sha1, file.language), i) for i, file in enumerate(files)]
        left = Counter(same)
        held = self._seen.find(files)
        made = self._made(purl, [files[i] for i in left if i not in held], skips)
        known: dict[int, Record | None] = {}
        for file, source in zip(files, same, strict=True):
            if source not in known:
                known[source] = self._held(file, held[source], skips) if source in held else next(made)
            elif known[source] is None:
                skips.append(Skip(file.path, f"could not be read, as {files[source].path}", partial=True))
            left[source] -= 1
            record = known[source] if left[source] else known.pop(source)
            if record is not None:
                yield file, record
        next(made, None)  # lets the pool's threads end

    def _held(self, file: TreeFile, place: tuple[str, int], skips: list[Skip]) -> Record | None:
        """A record from the segment that has it; read anew where that segment went meanwhile."""
        return self._seen.record(*place, file) or next(self._results([file], None, skips))

    def _made(self, purl: str, files: Sequence[TreeFile], skips: list[Skip]) -> Iterator[Record | None]:
        """A record, or None and a skip, for each file in order."""
        batches = list(_batches(files))
        jobs = [([[f.text, f.language] for f in batch],) for batch in batches]
        done: dict[int, Any] = {}
        following = 0
        for number, result in self._pool.map_unordered("corpus.index.record:record_batch", jobs):
            done[number] = result
            while following in done:
                self._tell(purl, "sketch", following + 1, len(batches))
                yield from self._results(batches[following], done.pop(following), skips)
                following += 1

    def _results(self, batch: Sequence[TreeFile], result: Any, skips: list[Skip]) -> Iterator[Record | None]:
        if result is None or (isinstance(result, WhenceError) and len(batch) > 1):
            for file in batch:  # find the file that is to blame
                try:
                    single = self._pool.run("corpus.index.record:record_batch", [[file.text, file.language]])
                except WhenceError as error:
                    single = error
                yield from self._results([file], single, skips)
            return
        if isinstance(result, WhenceError):
            skips.append(Skip(batch[0].path, f"could not be read: {result.message}", partial=True))
            yield None
            return
        for file, record in zip(batch, received(result, len(batch)), strict=True):
            if isinstance(record, str):
                skips.append(Skip(file.path, f"could not be read: {record}", partial=True))
                yield None
            else:
                yield record


def _batches(files: Sequence[TreeFile]) -> Iterator[list[TreeFile]]:
    batch: list[TreeFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file.text)
        if size >= BATCH_BYTES or len(batch) >= BATCH_FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
