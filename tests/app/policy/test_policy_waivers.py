"""Waivers: applied by fingerprint, stale and expired ones told, blocks that read back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.model import BadPolicy, Waiver
from app.policy.waivers import REASONS, apply, block, parse_waivers

TODAY = date(2026, 11, 25)


@dataclass
class Found:
    id: str


def waiver(id: str, expires: date | None = None, reason: str = "ours") -> Waiver:
    return Waiver(id, reason, "Ada", date(2026, 1, 2), expires, where="whence.toml:1")


def test_a_waived_finding_is_ok_and_says_who_decided() -> None:
    applied = apply([waiver("a")], [Found("a"), Found("b")], TODAY)
    assert list(applied.verdicts) == ["a"]
    verdict = applied.verdicts["a"]
    assert (verdict.status, verdict.rule, verdict.where) == ("ok", "waived:ours", "whence.toml:1")
    assert "Ada decided on 2026-01-02" in verdict.why


def test_stale_and_expired_ones_are_told_and_waive_nothing() -> None:
    gone, past, last_day = waiver("gone"), waiver("a", TODAY - timedelta(1)), waiver("b", TODAY)
    applied = apply([gone, past, last_day], [Found("a"), Found("b")], TODAY)
    assert (applied.stale, applied.expired) == ((gone,), (past,))
    assert list(applied.verdicts) == ["b"]


def test_an_expired_waiver_does_not_hide_a_later_one() -> None:
    applied = apply([waiver("a", date(2026, 1, 1)), waiver("a", reason="credited")], [Found("a")], TODAY)
    assert applied.verdicts["a"].rule == "waived:credited"


def test_the_reasons_are_the_fixed_list() -> None:
    assert list(REASONS) == [
        *("common-idiom", "same-author", "permission-granted", "credited", "public-domain", "not-similar"),
        *("rewritten", "ours"),
    ]


@pytest.mark.parametrize("table", ["accept", "tool.whence.accept"])
@pytest.mark.parametrize("reason", REASONS)
def test_a_block_reads_back(reason: str, table: str) -> None:
    text = block(Found("f1"), reason, "Ada", TODAY, link="https://example.org/1", table=table)
    (read,) = parse_waivers(text, "pyproject.toml" if "tool" in table else ".whence/waivers.toml")
    assert (read.id, read.reason, read.owner, read.date, read.link) == (
        *("f1", reason, "Ada", TODAY, "https://example.org/1"),
    )


PRINTABLE = st.text(min_size=1).filter(lambda text: bool(text.strip()))


@settings(deadline=None)
@given(PRINTABLE, PRINTABLE, st.dates(), st.none() | st.dates())
def test_no_text_breaks_out_of_a_block(owner: str, note: str, made: date, expires: date | None) -> None:
    text = block("f", "ours", owner, made, expires=expires, note=note)
    (read,) = parse_waivers(text, "whence.toml")
    assert (read.owner, read.note, read.date, read.expires) == (owner, note, made, expires)


@pytest.mark.parametrize(("reason", "link"), [("because", ""), ("permission-granted", "")])
def test_a_block_that_would_not_be_accepted_is_not_written(reason: str, link: str) -> None:
    with pytest.raises(BadPolicy):
        block("f", reason, "Ada", TODAY, link=link)
