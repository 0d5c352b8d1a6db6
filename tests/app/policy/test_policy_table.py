"""The table of expected verdicts, written by hand from published rulings, against the program."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.policy import compat, families, rules
from app.policy.licenses import Leaf
from app.policy.model import STATUSES, Entry, ListName, Policy
from app.policy.rules import RULES, Case, Rule

HERE = Path(__file__).parent
with (HERE / "table.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(line for line in file if not line.startswith("#")))
SOURCES = tomllib.loads((HERE / "sources.toml").read_text("utf-8"))

# list, entry, inbound, category that came with it → status, rule; outbound BSD-3-Clause, preset scipy
LISTED: list[tuple[ListName, str, str, str, str, str]] = [
    ("deny", "MIT", "MIT", "", "conflict", "denied-by-project"),
    ("deny", "mit", "MIT", "", "conflict", "denied-by-project"),
    ("deny", "category:Permissive", "ISC", "", "conflict", "denied-by-project"),
    ("deny", "category:permissive", "ISC", "", "conflict", "denied-by-project"),
    ("deny", "category:Unknown", "LicenseRef-x", "", "conflict", "denied-by-project"),
    ("deny", "category:Copyleft", "LicenseRef-x", "Copyleft", "conflict", "denied-by-project"),
    ("deny", "no-license", "", "", "conflict", "denied-by-project"),
    (
        "deny",
        "GPL-2.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "",
        "conflict",
        "denied-by-project",
    ),
    ("deny", "MIT OR ISC", "ISC OR MIT", "", "conflict", "denied-by-project"),
    ("deny", "MIT OR ISC", "MIT", "", "attribution", "accepted-by-preset"),
    ("review", "MIT", "MIT", "", "review", "review-by-project"),
    ("attribution", "Apache-2.0", "Apache-2.0", "", "attribution", "attribution-by-project"),
    ("attribution", "category:Permissive", "ISC", "", "attribution", "attribution-by-project"),
    ("allow", "GPL-3.0-or-later", "GPL-3.0-or-later", "", "ok", "allowed-by-project"),
    ("allow", "GPL-2.0-only", "GPL-3.0-only", "", "conflict", "denied-by-preset"),
    ("allow", "LicenseRef-x", "LicenseRef-x", "", "ok", "allowed-by-project"),
    ("allow", "no-license", "NONE", "", "ok", "allowed-by-project"),
    # A category that was only concluded makes nothing milder.
    ("allow", "category:Permissive", "LicenseRef-x", "Permissive", "review", "review-by-preset"),
    ("allow", "Zlib", "LicenseRef-x", "Commercial", "conflict", "unknown-restrictive"),
    ("allow", "Zlib", "LicenseRef-x", "Public Domain", "review", "unknown-license"),
]


def found(row: dict[str, str]) -> tuple[str, str]:
    policy = Policy(preset=row["preset"], outbound=row["outbound"])
    verdict = compat.of_expression(policy, row["inbound"])
    return verdict.status, verdict.rule


def listed(name: ListName, entry: str, inbound: str, concluded: str) -> tuple[str, str]:
    lists = {name: (Entry(entry, "here"),)}
    policy = Policy(preset="scipy", outbound="BSD-3-Clause", **lists)
    verdict = compat.of_expression(policy, inbound, concluded)
    return verdict.status, verdict.rule


@pytest.mark.parametrize(
    "row",
    ROWS,
    ids=[f"{r['preset']}:{r['inbound'] or 'nothing'} into {r['outbound'] or 'default'}" for r in ROWS],
)
def test_row(row: dict[str, str]) -> None:
    assert found(row) == (row["status"], row["rule"])


@pytest.mark.parametrize(("name", "entry", "inbound", "concluded", "status", "rule"), LISTED)
def test_listed(name: ListName, entry: str, inbound: str, concluded: str, status: str, rule: str) -> None:
    assert listed(name, entry, inbound, concluded) == (status, rule)


def test_a_kind_of_licence_that_no_rule_knows_is_looked_at() -> None:
    case = Case(Leaf("New-1.0", "New-1.0", category="Quite New"), Leaf("MIT", "MIT", category="Permissive"))
    assert (compat.judge(case).status, compat.judge(case).rule) == ("review", "unclassified")


def test_the_table_is_as_large_and_as_sourced_as_promised() -> None:
    cited = [row["source"] for row in ROWS if row["source"]]
    assert len(ROWS) >= 200
    assert len(cited) >= 80
    assert set(cited) == set(SOURCES)
    keys = [(row["outbound"], row["inbound"], row["preset"]) for row in ROWS]
    assert len(set(keys)) == len(keys)


@pytest.fixture
def fresh() -> Iterator[None]:
    """No verdict is remembered from before the test, or by what comes after it."""
    forget()
    yield
    forget()


def forget() -> None:
    for remembered in (compat._of_expression, families.reaches, families.offers):
        remembered.cache_clear()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_each_rule_is_needed(rule: Rule, monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    """With any one rule taken out, some expected verdict is missed."""
    monkeypatch.setattr(compat, "RULES", tuple(other for other in RULES if other is not rule))
    assert not all_as_expected()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_each_status_is_needed(rule: Rule, monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    """With any other status for any one rule, some expected verdict is missed."""
    for status in {*STATUSES} - {rule.status}:
        changed = tuple(replace(other, status=status) if other is rule else other for other in RULES)
        monkeypatch.setattr(compat, "RULES", changed)
        forget()
        assert not all_as_expected(), status


@pytest.mark.parametrize("name", sorted(families.UNCLEAR))
def test_each_unclear_name_is_needed(name: str, monkeypatch: pytest.MonkeyPatch, fresh: None) -> None:
    monkeypatch.setattr(rules, "UNCLEAR", families.UNCLEAR - {name})
    assert not all_as_expected()


@pytest.mark.parametrize(
    ("table", "key"),
    [(table, key) for table in ("PASSES_ON", "EXCLUDED", "LIFTED") for key in getattr(families, table)],
)
def test_each_entry_of_the_families_is_needed(
    table: str, key: str, monkeypatch: pytest.MonkeyPatch, fresh: None
) -> None:
    """With any one licence taken out of a table, some expected verdict is missed."""
    entries = getattr(families, table)
    monkeypatch.setattr(families, table, {name: entry for name, entry in entries.items() if name != key})
    assert not all_as_expected()


def all_as_expected() -> bool:
    try:
        test_a_kind_of_licence_that_no_rule_knows_is_looked_at()
        return all(found(row) == (row["status"], row["rule"]) for row in ROWS) and all(
            listed(*row[:4]) == row[4:] for row in LISTED
        )
    except (AssertionError, StopIteration):
        return False
