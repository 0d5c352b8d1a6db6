"""What the index covers, exactly: files, lines and units by licence and language, and what was left out.

An empty result is worth what was searched. `coverage` reads the segments of the catalogue; releases that
could not be indexed are remembered with their reason in DATA/failures.json until they are. Called by shells,
and by each build, which notes it in short for the reports of its snapshot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from corpus.covered import Covered, Tally
from corpus.errors import CorruptSnapshot
from corpus.index.blocks import read_manifest, replace_file

if TYPE_CHECKING:
    from corpus.index.catalog import Catalog
    from corpus.ingest import Outcome

FAILURES = "failures.json"


@dataclass(slots=True)
class Left:
    """Files that were left out for one reason; partial: those that should have been searched."""

    files: int = 0
    partial: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One indexed release. license: of most of its units. added: ISO date. missing: parts not to be had."""

    purl: str
    background: bool
    license: str
    added: str
    files: int
    lines: int
    units: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is indexed in all.

    date: of the newest release, ISO; "" without any. snapshot: the published one. licenses, languages: of
    all files, largest first. skips: by reason. failed: purl → why it is not indexed. storage: bytes by part
    of the published snapshot, and of the segments behind it, texts apart.
    """

    snapshot: str | None
    date: str
    releases: tuple[ReleaseRow, ...]
    total: Tally
    background: Tally
    licenses: dict[str, Tally]
    languages: dict[str, Tally]
    skips: dict[str, Left]
    failed: dict[str, str]
    storage: dict[str, int] = field(default_factory=dict)

    @property
    def index_bytes(self) -> int:
        """Bytes of the lookup tables of the snapshot."""
        return sum(size for name, size in self.storage.items() if name.startswith("table "))

    def short(self) -> Covered:
        """What a report tells of it."""
        lacking = sum(bool(row.missing) for row in self.releases)
        return Covered(self.date, len(self.releases), self.total, self.languages, len(self.failed), lacking)

    def plain(self) -> dict[str, Any]:
        """As values for JSON."""
        per = max(self.total.units, 1), max(self.total.lines, 1)
        return {
            **asdict(self),
            "index_bytes_per_unit": round(self.index_bytes / per[0], 1),
            "index_bytes_per_line": round(self.index_bytes / per[1], 2),
        }


def coverage(catalog: Catalog) -> Coverage:
    """Everything that is in the catalogue, whether published yet or not. Raises CorruptSnapshot."""
    total, background = Tally(), Tally()
    licenses: dict[str, Tally] = defaultdict(Tally)
    languages: dict[str, Tally] = defaultdict(Tally)
    skips: dict[str, Left] = defaultdict(Left)
    storage: dict[str, int] = defaultdict(int)
    rows = []
    entries = catalog.entries()
    for entry in entries.values():
        segment = catalog.segment(entry)
        own: dict[str, int] = defaultdict(int)
        release = Tally()
        for file in segment.files:
            stated, units = file.license.expression or "unknown", file.last_unit - file.first_unit
            own[stated] += units
            for tally in (release, total, licenses[stated], languages[file.language]):
                tally.add(file.lines, units)
            if entry.background:
                background.add(file.lines, units)
        for skip in segment.skips:
            left = skips[skip.reason]
            left.files, left.partial = left.files + 1, left.partial + skip.partial
        texts = segment.bytes_of("texts") + segment.bytes_of("text_offsets")
        storage["texts"] += texts
        storage["segments"] += sum(facts["bytes"] for facts in segment.manifest["sealed"].values()) - texts
        rows.append(
            ReleaseRow(
                entry.purl, entry.background, max(own, key=own.__getitem__, default="unknown"),
                _day(entry.added), release.files, release.lines, release.units, segment.facts.missing,
            )
        )  # fmt: skip
    return Coverage(
        catalog.current(), _day(max((e.added for e in entries.values()), default=0.0)) if entries else "",
        tuple(rows), total, background, _largest_first(licenses), _largest_first(languages),
        dict(sorted(skips.items(), key=lambda item: -item[1].files)), failures(catalog),
        {**_tables(catalog), **storage},
    )  # fmt: skip


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _largest_first(tallies: dict[str, Tally]) -> dict[str, Tally]:
    return dict(sorted(tallies.items(), key=lambda item: (-item[1].units, item[0])))


def _tables(catalog: Catalog) -> dict[str, int]:
    """Bytes of each lookup table of the published snapshot."""
    current = catalog.current()
    if current is None:
        return {}
    sizes: dict[str, int] = defaultdict(int)
    for name, facts in read_manifest(catalog.snapshots_root / current)["sealed"].items():
        sizes[f"table {name.partition('.')[0]}"] += facts["bytes"]
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def failures(catalog: Catalog) -> dict[str, str]:
    """Releases that could not be indexed when they were last tried: purl → why. Raises CorruptSnapshot."""
    path = catalog.data / FAILURES
    try:
        found = json.loads(path.read_text())
        return {str(purl): str(why) for purl, why in found.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise CorruptSnapshot(path, str(error)) from error


def remember(catalog: Catalog, outcomes: Iterable[Outcome]) -> None:
    """Note which releases failed; those that are indexed now are failures no more."""
    found = list(outcomes)
    _change_failures(
        catalog, {o.purl: o.message for o in found if o.status == "failed"}, {o.purl for o in found}
    )


def forget_failures(catalog: Catalog, purls: Iterable[str]) -> None:
    """Say no more that these releases could not be indexed."""
    _change_failures(catalog, {}, set(purls))


def _change_failures(catalog: Catalog, failed: dict[str, str], tried: set[str]) -> None:
    with catalog.lock():
        known = failures(catalog)
        changed = {purl: why for purl, why in known.items() if purl not in tried} | failed
        if changed != known:
            replace_file(catalog.data / FAILURES, json.dumps(dict(sorted(changed.items())), indent=1))
