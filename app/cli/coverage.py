"""How `whence corpus coverage` shows what is indexed: for people, and as a page of documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from corpus.coverage import Coverage, ReleaseRow
from corpus.covered import Tally

MOST = 25
"""Licences and languages that the Markdown page lists by name."""


def as_text(found: Coverage) -> str:
    """A summary of some thirty lines."""
    lines = [_summary(found)]
    for title, tallies in (("licence", found.licenses), ("language", found.languages)):
        lines.append(f"{title:<44}{'files':>9}{'lines':>12}{'units':>10}")
        lines += [
            f"  {name[:41]:<42}{t.files:>9,}{t.lines:>12,}{t.units:>10,}" for name, t in _named(tallies, 12)
        ]
    lines.append("left out, files")
    lines += [
        f"  {reason[:41]:<42}{left.files:>9,}" + (f"  ({left.partial:,} of them code)" * (left.partial > 0))
        for reason, left in found.skips.items()
    ]
    lines += [f"not indexed: {purl}: {why}" for purl, why in found.failed.items()]
    lines += [f"missing of {row.purl}: {part}" for row in found.releases for part in row.missing]
    return "\n".join(lines)


def _summary(found: Coverage) -> str:
    total, background = found.total, found.background
    common = sum(row.background for row in found.releases)
    return "\n".join(
        [
            f"snapshot  {found.snapshot or 'none published'}",
            f"date      {found.date or 'nothing is indexed'}",
            f"releases  {len(found.releases):,}, {common:,} of them background",
            f"indexed   {total.files:,} files, {total.lines:,} lines, {total.units:,} code units"
            f" ({background.units:,} of them background)",
            f"storage   {_storage(found)}",
        ]
    )


def _storage(found: Coverage) -> str:
    if not found.total.units or not found.index_bytes:
        return "nothing is published"
    texts, segments = found.storage.get("texts", 0), found.storage.get("segments", 0)
    return (
        f"lookup tables {found.index_bytes / found.total.units:,.0f} B a unit"
        f" ({found.index_bytes / found.total.lines:,.1f} B a line),"
        f" segments {segments / found.total.units:,.0f} B a unit,"
        f" compressed texts {texts / found.total.units:,.0f} B a unit"
    )


def _named(tallies: Mapping[str, Tally], most: int) -> Iterable[tuple[str, Tally]]:
    """The largest, and all others as one."""
    shown = list(tallies.items())
    rest = shown[most:]
    if rest:
        others = Tally(*(sum(getattr(t, name) for _, t in rest) for name in ("files", "lines", "units")))
        shown = [*shown[:most], (f"{len(rest)} others", others)]
    return shown


def as_markdown(found: Coverage) -> str:
    """A page of documentation: totals, licences, languages, what was left out, every release."""
    total = found.total
    parts = [
        "# Coverage\n",
        "Made by `whence corpus coverage --format markdown`; do not edit. A verdict is worth what was"
        " searched: this is what a corpus of shipped manifests held when it was last built here. Each report"
        " tells it in short, under its limits: the sizes of its snapshot, how much is indexed in the"
        " languages of the change, and how many releases failed or lack a part.\n",
        f"As of {found.date or 'never'}, snapshot `{found.snapshot or 'none'}`:"
        f" {len(found.releases):,} releases with {total.files:,} files, {total.lines:,} lines and"
        f" {total.units:,} code units; {sum(r.background for r in found.releases):,} of the releases and"
        f" {found.background.units:,} of the units are background, permissive code that says what is common."
        f" Storage: {_storage(found)}.\n",
        _tallies("Licences of files", "licence", found.licenses),
        _tallies("Languages", "language", found.languages),
        _storage_table(found),
        _skips(found),
        _failed(found),
        _releases("Compared with", [r for r in found.releases if not r.background]),
        _releases("Background", [r for r in found.releases if r.background]),
    ]
    return "\n".join(part for part in parts if part)


def _tallies(title: str, kind: str, tallies: Mapping[str, Tally]) -> str:
    rows = [(name, f"{t.files:,}", f"{t.lines:,}", f"{t.units:,}") for name, t in _named(tallies, MOST)]
    return _table(title, (kind, "files", "lines", "units"), rows)


def _storage_table(found: Coverage) -> str:
    units = max(found.total.units, 1)
    rows = [(name, f"{size:,}", f"{size / units:,.1f}") for name, size in found.storage.items()]
    return _table("Storage", ("part", "bytes", "bytes a unit"), rows)


def _skips(found: Coverage) -> str:
    rows = [(reason, f"{left.files:,}", f"{left.partial:,}") for reason, left in found.skips.items()]
    return _table("Files left out", ("reason", "files", "of them code that should be searched"), rows)


def _failed(found: Coverage) -> str:
    return _table("Releases that could not be indexed", ("release", "reason"), list(found.failed.items()))


def _releases(title: str, rows: list[ReleaseRow]) -> str:
    shown = [
        (f"`{r.purl}`", r.license, f"{r.files:,}", f"{r.lines:,}", f"{r.units:,}", "; ".join(r.missing))
        for r in rows
    ]
    return _table(title, ("release", "mostly", "files", "lines", "units", "missing"), shown)


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [f"## {title}\n", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
