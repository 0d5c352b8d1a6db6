"""From rows to the printed tables, and which thresholds they miss. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bench.quality.honest import KINDS as EVIDENCE_KINDS
from bench.quality.honest import Measured, rate
from bench.quality.judge import Row
from bench.quality.shared import KINDS, Variant

RETRIEVED = 150


def share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return sum(values) / len(values) if values else 0.0


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Text columns, the first to the left, as Markdown."""
    body = [list(row) for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *body]) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "| " + " | ".join(cells) + " |"

    rule = (
        "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    )
    return "\n".join([line(list(head)), rule, *map(line, body)])


def by_kind(rows: Sequence[Row]) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(row.kind, []).append(row)
    return out


def recall_table(rows: Sequence[Row]) -> str:
    head = ("transformation", "cases", "alert", "first five leads", "lines IoU", "licence", "by a twin")
    body = []
    for kind, of in by_kind(rows).items():
        hits = [r for r in of if r.found]
        body.append(
            (
                kind, str(len(of)), f"{share(r.found for r in of):.2f}", f"{share(r.lead for r in of):.2f}",
                f"{statistics.median(r.overlap for r in hits):.2f}" if hits else "–",
                f"{share(bool(r.license) for r in hits):.2f}" if hits else "–",
                str(sum(r.twin for r in of)),
            )
        )  # fmt: skip
    return table(head, body)


def honest_table(measured: Sequence[Measured]) -> str:
    """Own code first; `false` are the functions with a finding that nobody has explained."""
    head = ("package left out", "own functions", "flagged", "false", "others", "flagged ", "copies left out")
    body = [
        (
            m.purl, str(m.own), str(m.flagged[True]), str(m.flagged[True] - m.explained[True]), str(m.others),
            str(m.flagged[False]), str(len(m.exclusion.copies)),
        )
        for m in measured
    ]  # fmt: skip
    own = rate(measured, own=True)
    flagged = [sum(m.flagged[side] for m in measured) for side in (True, False)]
    others = sum(m.others for m in measured)
    body.append(("all", str(own[1]), str(flagged[0]), str(own[0]), str(others), str(flagged[1]), ""))
    body.append(("per 1,000", "", f"{1000 * flagged[0] / max(1, own[1]):.2f}", f"{own[2]:.2f}", "", "", ""))
    owned = [f for m in measured for f in m.findings if f.own and not f.explained]
    kinds = ", ".join(f"{kind} {sum(f.kind == kind for f in owned)}" for kind in EVIDENCE_KINDS)
    note = "others: tests, examples, vendored and generated files, tools and documentation."
    return f"{table(head, body)}\n\n{note} False findings on the packages' own functions by kind: {kinds}."


def cases_table(found: Sequence[Variant]) -> str:
    head = ("kind", "cases", "alert", "first five leads", "lines IoU", "licence", f"retrieved ≤ {RETRIEVED}")
    body = []
    for kind in KINDS:
        of = [v for v in found if v.kind == kind]
        hits = [v for v in of if v.found]
        if of:
            ranked = share(v.rank is not None and v.rank <= RETRIEVED for v in of)
            body.append(
                (
                    kind, str(len(of)), f"{share(v.found for v in of):.2f}",
                    f"{share(v.lead for v in of):.2f}",
                    f"{statistics.median(v.overlap for v in hits):.2f}" if hits else "–",
                    f"{share(bool(v.license) for v in hits):.2f}" if hits else "–", f"{ranked:.2f}",
                )
            )  # fmt: skip
    independent = [v for v in found if v.kind == "independent"]
    wrong = [v for v in independent if v.wrong]
    return table(head, body) + f"\n\nindependent: {len(wrong)} of {len(independent)} with a finding"


def latency(milliseconds: Sequence[float]) -> str:
    if not milliseconds:
        return "no scans"
    ranked = sorted(milliseconds)
    return f"p50 {ranked[len(ranked) // 2]:.0f} ms, p95 {ranked[int(0.95 * (len(ranked) - 1))]:.0f} ms"


def under(observed: float, wanted: float, number: int, errors: float) -> bool:
    """Whether a rate over `number` cases lies so far below `wanted` that chance does not explain it."""
    return observed + errors * math.sqrt(wanted * (1 - wanted) / max(1, number)) < wanted - 1e-9


def missed(
    limits: Mapping[str, Any], rows: Sequence[Row], measured: Sequence[Measured], found: Sequence[Variant]
) -> list[str]:
    """Sentences on the thresholds that are not reached."""
    out: list[str] = []
    least, errors = int(limits.get("least_cases", 1)), float(limits.get("standard_errors", 0.0))

    def judge(name: str, flags: Iterable[bool], wanted: float) -> None:
        values = list(flags)
        if len(values) >= least and under(share(values), wanted, len(values), errors):
            out.append(f"{name}: {share(values):.3f} of {len(values)}, wanted {wanted:g}")

    kinds = by_kind(rows)
    for kind, wanted in limits.get("recall", {}).items():
        judge(f"recall of {kind!r}", (r.found for r in kinds.get(kind, [])), wanted)
    hits = [r for r in rows if r.found]
    judge("licence", (bool(r.license) for r in hits), limits.get("licence", {}).get("all", 0.0))
    wanted = limits.get("lines", {}).get("all", 0.0)
    if hits and statistics.median(r.overlap for r in hits) < wanted:
        out.append(f"lines: median IoU {statistics.median(r.overlap for r in hits):.2f}, wanted {wanted:g}")
    flagged, total, per = rate(measured, own=True)
    allowed = limits.get("honest", {}).get("per_thousand", math.inf)
    if total and flagged > allowed * total / 1000 + errors * math.sqrt(allowed * total / 1000) + 1e-9:
        out.append(f"honest code: {per:.2f} per 1,000 ({flagged} of {total}), wanted {allowed:g}")
    for column in ("found", "lead"):
        for kind, wanted in limits.get("cases", {}).get(column, {}).items():
            judge(f"cases, {kind} ({column})", (getattr(v, column) for v in found if v.kind == kind), wanted)
    wrong = [v.case for v in found if v.wrong]
    most = limits.get("cases", {}).get("independent", {}).get("most", math.inf)
    if len(wrong) > most:
        out.append(f"cases: findings on the independent diffs of {', '.join(wrong)}, wanted at most {most}")
    return out
