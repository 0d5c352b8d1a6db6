"""Reading credits and accepts out of hostile lines takes time in proportion to them: no pattern backtracks.

They are read in the process that matches, not in a child, so nothing in a submission may make them slow.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.policy.credits import MAX_LINE, accept_in, credit_in
from tests.pace import seconds, within

# What the patterns begin with, end with and repeat.
PIECES = (
    "whence:", "accept", " ", "\t", "\x0b", "-", "a", "#", "/*", "*/", '"""', "'''", "<!--", "-->", "c ", "r",
    "SPDX-SnippetBegin", "SPDX-SnippetEnd", "SPDX-License-Identifier:", "SPDX-SnippetCopyrightText:",
    "(", "+", "translat", "copyright", "©", "kernels", "_", "é", "\u2028", "x" * 50,
)  # fmt: skip
NAMES = ("kernels", "solve kernels (x)+", "a" * 200)


def reading(lines: list[str]) -> Callable[[], None]:
    """Both readers over all lines."""

    def read() -> None:
        accept_in(lines, 1, len(lines), range(1, len(lines) + 1))
        credit_in(lines, len(lines) // 2 + 1, len(lines), NAMES)

    return read


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.booleans())
@settings(max_examples=25, deadline=None)
def test_eight_times_the_lines_take_about_eight_times_as_long(pieces: list[str], whole_lines: bool) -> None:
    line = ("".join(pieces) * MAX_LINE)[:MAX_LINE] if whole_lines else "".join(pieces)
    few = seconds(reading([line] * 50), at_most=0, readings=3)
    assert within(reading([line] * 400), 8 * 3 * few + 0.1)


@pytest.mark.parametrize("piece", PIECES)
def test_a_longer_line_takes_no_longer(piece: str) -> None:
    """Lines are cut: a line of a megabyte costs what one of 2,000 characters does, and finding its end."""
    usual = seconds(reading([(piece * MAX_LINE)[:MAX_LINE]] * 10), at_most=0, readings=3)
    assert within(reading([piece * (1_000_000 // len(piece))] * 10), 5 * usual + 0.5)
