"""The examples of docs/policy.md are what the program says."""

from __future__ import annotations

import doctest
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs" / "policy.md"


def test_the_examples_are_true() -> None:
    result = doctest.testfile(str(DOCS), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0
