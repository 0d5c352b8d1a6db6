"""Whether stated chance holds: fitted on half of the background packages, counted on the other half.

    python -m bench.quality.reliability --data DIR [--functions 4000] [--jobs N] [--seed N]
                                        [--measured FILE] [--svg FILE]

Both halves take both parts, so that every function is counted once, by a null that never saw its package.
`--measured` keeps the best matches there, and reads them when the file exists: measuring takes most of the
time. Matches that are no chance but a common ancestor stand in `explained.toml`, each read by a person; the
strongest of the others are printed for the next one to read. Exit code 1: a count excludes that the rate is
within a factor of three of the stated one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.quality.honest import reason
from bench.quality.tables import table
from corpus.calibration import Reached, draw, measure, unrelated
from corpus.index.catalog import Catalog
from corpus.index.snapshot import Snapshot
from corpus.matches import Match
from corpus.null import COPIES_TAIL, DERIVED_TAIL, Tail, fit, origin_units
from corpus.purl import package_name

STATED = (0.1, 0.01, 0.001)
GRID = tuple(10 ** (-step / 8) for step in range(4, 33))
FACTOR = 3.0
SHOWN = 12
NONE = -1e9
FAMILIES = {"copies": "bits", "rewritten, translated": "strength"}
PARTS = {"copies": COPIES_TAIL, "rewritten, translated": DERIVED_TAIL}


@dataclass(frozen=True, slots=True)
class Row:
    """The best matches of one function: value (NONE: it has none) and what resembles what, by family."""

    package: str
    values: dict[str, float]
    told: dict[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """One function as the null of the other half sees it: chance, and why it is none ("" when it may be)."""

    chance: float
    told: str
    reason: str


def row_of(one: Reached, index: Snapshot) -> Row:
    def told(match: Match | None) -> str:
        if match is None:
            return ""
        f, o = one.function, match.origin
        first = f.start_line + match.start_line - 1
        last = f.start_line + match.end_line - 1
        where = f"{index.file(o.ref).path}:{o.start_line}-{o.end_line}"
        what = f"({match.evidence.kind}, {match.evidence.tokens} tokens)"
        return f"{f.path}:{first}-{last} ~ {o.purl} {where} {what}"

    copy, derived = one.copy, one.derived
    values = (copy.evidence.bits if copy else NONE, derived.strength if derived else NONE)
    return Row(
        package_name(one.function.purl),
        dict(zip(FAMILIES, values, strict=True)),
        dict(zip(FAMILIES, (told(copy), told(derived)), strict=True)),
    )


def rows_of(options: argparse.Namespace, index: Snapshot, catalog: Catalog) -> list[Row]:
    """The measured functions, from the file that keeps them or measured now."""
    if options.measured and options.measured.exists():
        return [Row(**row) for row in json.loads(options.measured.read_text())]
    drawn = draw(index, options.functions, options.seed)

    def progress(done: int, total: int) -> None:
        if done % 100 == 0:
            print(f"{done} of {total} functions", file=sys.stderr)

    measured = measure(catalog, index, drawn, options.jobs, progress)
    rows = [row_of(one, index) for one in unrelated(measured)]
    print(f"{len(measured) - len(rows)} functions left out: of packages that their origin bundles")
    if options.measured:
        options.measured.write_text(json.dumps([asdict(row) for row in rows]))
    return rows


def held_out(rows: Sequence[Row], family: str, units: int) -> Iterator[tuple[Tail, list[Held]]]:
    """For each half of the packages, every second by name: the tail of the other half, and what it says."""
    packages = sorted({row.package for row in rows})
    for side in (0, 1):
        mine = {p for number, p in enumerate(packages) if number % 2 == side}
        tail = fit([_value(row, family) for row in rows if row.package not in mine], units, PARTS[family])
        if tail is None:
            sys.exit(f"{family}: too few functions to fit a tail on half of the packages")
        yield (
            tail,
            [
                Held(tail.chance(_value(row, family), units), row.told[family], reason(row.told[family]))
                for row in rows
                if row.package in mine
            ],
        )


def _value(row: Row, family: str) -> float:
    value = row.values[family]
    return value if value > NONE else -math.inf


def counted(held: Sequence[Held], stated: float) -> tuple[int, int]:
    """(functions whose chance is at most the stated one, those of them whose match is explained)."""
    reach = [h for h in held if h.chance <= stated]
    return len(reach), sum(bool(h.reason) for h in reach)


def is_off(observed: int, expected: float) -> bool:
    """Whether a count excludes, at 97.5 %, that the rate is within FACTOR of the expected one (Poisson)."""

    def at_most(count: int, mean: float) -> float:
        return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))

    too_many = 1 - at_most(observed - 1, FACTOR * expected) if observed else 1.0
    return min(too_many, at_most(observed, expected / FACTOR)) < 0.025


def plot(curves: dict[str, list[tuple[float, float]]]) -> str:
    """Stated against observed chance on logarithmic axes, as SVG: the diagonal, and a band of FACTOR."""
    size, edge, low = 420, 56, -4.0

    def x(chance: float) -> float:
        return edge + (math.log10(chance) - low) / -low * (size - 2 * edge)

    def y(chance: float) -> float:
        return size - x(max(chance, 10**low))

    def line(points: Sequence[tuple[float, float]], style: str) -> str:
        return f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}" fill="none" {style}/>'

    least, shift = 10**low, math.log10(FACTOR)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" font-family="sans-serif" '
        'font-size="12"><title>Stated and observed chance</title>'
        '<rect width="100%" height="100%" fill="#fff"/>'
    ]
    for sign, style in ((0, 'stroke="#888"'), (1, 'stroke="#ccc"'), (-1, 'stroke="#ccc"')):
        factor = 10 ** (sign * shift)
        ends = [least * max(1.0, 1 / factor), min(1.0, 1 / factor)]
        out.append(line([(x(c), y(c * factor)) for c in ends], style))
    for power in range(int(low), 1):
        at = x(10.0**power)
        out.append(f'<text x="{at:.0f}" y="{size - edge + 18}" text-anchor="middle">{10.0**power:g}</text>')
        out.append(f'<text x="{edge - 6}" y="{size - at + 4:.0f}" text-anchor="end">{10.0**power:g}</text>')
    colours = ("#0b5fa5", "#b5460f")
    for number, ((name, points), colour) in enumerate(zip(curves.items(), colours, strict=True)):
        seen = [(x(a), y(b)) for a, b in points if b > 0]
        out.append(line(seen, f'stroke="{colour}" stroke-width="2"'))
        out.append(f'<text x="{edge + 12}" y="{edge + 16 * number}" fill="{colour}">{name}</text>')
    out.append(f'<text x="{size / 2}" y="{size - 12}" text-anchor="middle">stated chance</text>')
    turned = f'transform="translate(14 {size / 2}) rotate(-90)"'
    out.append(f'<text {turned} text-anchor="middle">observed, unexplained</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.reliability")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--functions", type=int, default=4000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--measured", type=Path, help="keep what was measured there, or read it")
    parser.add_argument("--svg", type=Path, help="draw stated against observed chance there")
    options = parser.parse_args()
    catalog = Catalog(options.data)
    index = catalog.open()
    rows = rows_of(options, index, catalog)
    body, curves, wide, whole = [], {}, False, []
    unread: list[str] = []
    for family, statistic in FAMILIES.items():
        units = index.units if family == "copies" else origin_units(index.facts)
        halves = list(held_out(rows, family, units))
        plain = [_value(row, family) for row in rows if not reason(row.told[family])]
        whole.append(fit(plain, units, PARTS[family]))
        held = [h for _, half in halves for h in half]
        for stated in STATED:
            reach, explained = counted(held, stated)
            expected = stated * len(held)
            ratio = (reach - explained) / expected
            wide |= is_off(reach - explained, expected)
            levels = " / ".join(f"{tail.reached(stated):.1f}" for tail, _ in halves)
            body.append(
                (family, f"{stated:g}", f"{levels} {statistic}", f"{expected:.1f}", str(reach),
                 str(explained), str(reach - explained), f"{ratio:.2f}")
            )  # fmt: skip
        curves[family] = [
            (stated, (reach - explained) / len(held))
            for stated in GRID
            for reach, explained in (counted(held, stated),)
        ]
        for h in sorted((h for h in held if not h.reason), key=lambda h: h.chance)[:SHOWN]:
            unread.append(f"- chance {h.chance:.1e}: {h.told}")
    print(f"{len(rows)} functions of {len({r.package for r in rows})} packages\n")
    head = ("layer", "stated", "level of each half", "expected", "reach it", "explained", "observed", "ratio")
    print(table(head, body))
    print("\nThe tails of all packages, without what is explained:\n")
    print("\n".join(f"- {family}: {tail}" for family, tail in zip(FAMILIES, whole, strict=True)))
    print("\nThe strongest that nobody explained:\n\n" + "\n".join(unread))
    if options.svg:
        options.svg.write_text(plot(curves))
    return int(wide)


if __name__ == "__main__":
    sys.exit(main())
