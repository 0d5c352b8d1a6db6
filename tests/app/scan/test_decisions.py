"""Decisions on a stored report, as a service applies them when it renders."""

from __future__ import annotations

from datetime import date

from app.policy.model import Waiver
from app.report.model import Report, check
from app.scan.decisions import with_waivers
from tests.app.report import samples

REPORT = samples.CASES["findings"]
TODAY = date(2026, 11, 25)


def waiver(id: str, expires: date | None = None) -> Waiver:
    return Waiver(id, "ours", "Ada", date(2026, 1, 1), expires)


def test_the_worst_verdict_and_the_order_follow_the_decisions() -> None:
    assert REPORT.worst == "conflict"
    first = REPORT.findings[0]
    decided = with_waivers(REPORT, [waiver(first.id)], TODAY)
    check(decided)
    assert Report.from_dict(decided.to_dict()) == decided
    assert decided.worst == "review"
    assert {f.id for f in decided.findings} == {f.id for f in REPORT.findings}
    changed = [f for f in decided.findings if f.verdict not in {g.verdict for g in REPORT.findings}]
    assert [(f.id, f.verdict.status, f.verdict.rule) for f in changed] == [(first.id, "ok", "waived:ours")]
    every = with_waivers(REPORT, [waiver(f.id) for f in REPORT.findings], TODAY)
    assert every.worst == "ok"


def test_expired_and_stale_decisions_change_nothing_and_are_told() -> None:
    first = REPORT.findings[0]
    decided = with_waivers(REPORT, [waiver(first.id, TODAY.replace(day=24)), waiver("ab" * 16)], TODAY)
    assert decided.findings == REPORT.findings
    assert len(decided.limits) == len(REPORT.limits) + 2
    last_day = with_waivers(REPORT, [waiver(first.id, TODAY)], TODAY)
    assert last_day.worst == "review"
    many = with_waivers(REPORT, [waiver(f"{n:032x}") for n in range(12)], TODAY)
    assert many.limits[-1].startswith("12 recorded decisions match no finding of this change: 0000")
    assert many.limits[-1].endswith("and 7 more.")
    assert with_waivers(REPORT, [], TODAY) == REPORT
