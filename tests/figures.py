"""The figures of the reliability checks: what was measured, what is required, and one table of them.

A test takes the fixture `figure` and says `figure("C4", "scans made", made, exactly=1)`. A figure that misses
fails its test, but only at the end of it, so that the others are seen too. A test that is marked
`check("C4")` or `deep("C4")` and fails without a figure stands in the table as well.
`pytest --figures FILE` writes the table as JSON or, to a file `*.md`, as Markdown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

Number = int | float


@dataclass(frozen=True, slots=True)
class Measured:
    """One row. check: `C4`; value and required as they are shown; note: under what conditions."""

    check: str
    what: str
    value: str
    required: str
    passed: bool
    test: str
    note: str = ""


ROWS = pytest.StashKey[list[Measured]]()
MINE = pytest.StashKey[list[Measured]]()
BEGUN = pytest.StashKey[float]()


class Figure:
    """Notes figures of one test."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item
        self._rows = item.config.stash.setdefault(ROWS, [])
        self._mine = item.stash.setdefault(MINE, [])

    def __call__(
        self,
        check: str,
        what: str,
        value: Number,
        *,
        exactly: Number | None = None,
        at_most: Number | None = None,
        at_least: Number | None = None,
        unit: str = "",
        note: str = "",
    ) -> None:
        """Note one. Without a bound it is told and cannot miss."""
        bounds = [("=", exactly), ("≤", at_most), ("≥", at_least)]
        required = " and ".join(f"{sign} {shown(bound, unit)}" for sign, bound in bounds if bound is not None)
        passed = (
            (exactly is None or value == exactly)
            and (at_most is None or value <= at_most)
            and (at_least is None or value >= at_least)
        )
        under = getattr(getattr(self._item, "callspec", None), "id", "")
        what = f"{what} ({under})" if under else what
        row = Measured(check, what, shown(value, unit), required, passed, _place(self._item), note)
        self._rows.append(row)
        self._mine.append(row)
        print(f"{check}: {what}: {row.value}{f' (required {required})' if required else ''} {note}".rstrip())


def shown(value: Number, unit: str = "") -> str:
    """`1,234`, `0.25 s`."""
    if isinstance(value, float):
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
        text = f"{value:,.{digits}f}"
    else:
        text = f"{value:,}"
    return f"{text} {unit}".strip()


def _place(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Notes a figure of a reliability check."""
    return Figure(request.node)


def checks_of(item: pytest.Item) -> list[str]:
    """The numbers that a test's marks name: `C4`, …"""
    return [name for mark in ("check", "deep") for each in item.iter_markers(mark) for name in each.args]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    result = yield
    missed = [row for row in item.stash.get(MINE, []) if not row.passed]
    if missed:
        raise AssertionError(
            "\n".join(f"{r.check}: {r.what}: {r.value}, required {r.required}" for r in missed)
        )
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    report: Any = yield
    if report.failed and all(row.passed for row in item.stash.get(MINE, [])):
        rows = item.config.stash.setdefault(ROWS, [])
        what = f"{item.name} failed ({report.when})"
        rows += [Measured(check, what, "none", "", False, _place(item)) for check in checks_of(item)]
    return report


def pytest_configure(config: pytest.Config) -> None:
    config.stash[BEGUN] = time.monotonic()


def _number(row: Measured) -> tuple[int, str]:
    return int(row.check[1:]) if row.check[1:].isdigit() else 99, row.check


def markdown(rows: list[Measured]) -> str:
    """The table, for a document."""
    lines = ["| check | what | measured | required | |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=_number):
        what = f"{row.what}; {row.note}" if row.note else row.what
        outcome = "" if not row.required and row.passed else "pass" if row.passed else "**missed**"
        lines.append(f"| {row.check} | {what} | {row.value} | {row.required} | {outcome} |")
    return "\n".join(lines) + "\n"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    rows = sorted(config.stash.get(ROWS, []), key=_number)
    if not rows:
        return
    terminalreporter.section("figures of the reliability checks")
    for row in rows:
        outcome = "FAIL" if not row.passed else "pass" if row.required else "-"
        required = f"  required {row.required}" if row.required else ""
        note = f"  [{row.note}]" if row.note else ""
        terminalreporter.write_line(f"{row.check:4} {outcome:4}  {row.what}: {row.value}{required}{note}")
    failed = sum(not row.passed for row in rows)
    seconds = time.monotonic() - config.stash[BEGUN]
    numbers = len({row.check for row in rows})
    terminalreporter.write_line(
        f"{len(rows)} figures of {numbers} checks, {failed} missed, {seconds:,.0f} s", bold=True
    )
    if target := config.getoption("--figures"):
        path = Path(target)
        table = (
            markdown(rows) if path.suffix == ".md" else json.dumps([asdict(row) for row in rows], indent=1)
        )
        path.write_text(table, encoding="utf-8")
        terminalreporter.write_line(f"written to {path}")
