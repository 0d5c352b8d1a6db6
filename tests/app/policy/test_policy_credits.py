"""Accepts and credits that stand in the code round a region."""

from __future__ import annotations

import pytest

from app.policy.credits import accept_in, accepted, credit_in, with_credit
from app.policy.model import Verdict
from tests.pace import within

ATTRIBUTION = Verdict("attribution", "permissive", "why.", "do")
CONFLICT = Verdict("conflict", "copyleft-into-permissive", "why.", "do")


def lines(text: str) -> list[str]:
    return text.strip("\n").split("\n")


@pytest.mark.parametrize(
    "comment",
    [
        "# whence: accept ours",
        "// whence: accept OURS",
        " * whence:accept ours",
        "x = 1  # Whence: accept ours",
    ],
)
def test_an_accept_in_the_region(comment: str) -> None:
    found = accept_in(["a", comment, "b"], 1, 3)
    assert found is not None
    assert (found.reason, found.line, found.problem) == ("ours", 2, "")


def test_an_accept_in_the_comment_above_but_not_beyond_it() -> None:
    text = lines("# whence: accept common-idiom\n# more words\ndef f():\n    pass\n")
    assert accept_in(text, 3, 4) is not None
    assert accept_in(text, 4, 4) is None


def test_an_accept_that_the_change_adds_is_marked() -> None:
    text = lines("# whence: accept ours\ndef f(): ...")
    assert [accept_in(text, 2, 2, added).added for added in ((), (1,))] == [False, True]  # type: ignore[union-attr]


@pytest.mark.parametrize("words", ["because", "", "permission-granted", "permission-granted see-mail"])
def test_an_accept_that_does_not_hold_says_why(words: str) -> None:
    found = accept_in([f"# whence: accept {words}"], 1, 1)
    assert found is not None
    assert found.problem
    with pytest.raises(ValueError, match=r"reasons|link"):
        accepted(found, "a.py")


def test_permission_with_its_link() -> None:
    found = accept_in(["# whence: accept permission-granted https://example.org/1"], 1, 1)
    assert found is not None
    verdict = accepted(found, "src/a.py")
    assert (verdict.status, verdict.rule, verdict.where) == ("ok", "waived:permission-granted", "src/a.py:1")
    assert "https://example.org/1" in verdict.why


SNIPPET = lines("""
import math
# SPDX-SnippetBegin
# SPDX-License-Identifier: MIT
# SPDX-SnippetCopyrightText: 2001 Somebody
def f(x):
    return math.sqrt(x)
# SPDX-SnippetEnd
y = 1
""")


@pytest.mark.parametrize(
    ("start", "end", "inside"), [(5, 6, True), (2, 7, True), (4, 6, True), (8, 8, False), (1, 1, False)]
)
def test_a_snippet_credits_what_it_holds(start: int, end: int, inside: bool) -> None:
    found = credit_in(SNIPPET, start, end, [])
    assert (found is not None) is inside
    if found:
        assert (found.by, found.license, found.line) == ("snippet", "MIT", 2)


@pytest.mark.parametrize(
    "missing", ["License-Identifier", "SnippetCopyrightText", "SnippetEnd", "SnippetBegin"]
)
def test_a_snippet_without_its_parts_credits_nothing(missing: str) -> None:
    text = [line for line in SNIPPET if missing not in line]
    start = next(n for n, line in enumerate(text, 1) if line.startswith("def"))
    assert credit_in(text, start, start + 1, []) is None


def test_nested_snippets_and_other_comment_styles() -> None:
    text = lines("""
/* SPDX-SnippetBegin */
/* SPDX-SnippetLicenseConcluded: BSD-3-Clause */
/* SPDX-SnippetCopyrightText: A */
/* SPDX-SnippetBegin */
/* SPDX-SnippetLicenseConcluded: GPL-2.0-only */
/* SPDX-SnippetCopyrightText: B */
int f(void);
/* SPDX-SnippetEnd */
/* SPDX-SnippetEnd */
""")
    found = credit_in(text, 7, 7, [])
    assert found is not None
    assert found.license == "GPL-2.0-only"


@pytest.mark.parametrize(
    ("notice", "counts"),
    [
        ("# Adapted from potrace, Copyright 2001 Peter", True),
        ("// based on Potrace 1.16", True),
        ("   * ported from potrace", True),
        ("! Translated from POTRACE", True),
        ("# potrace is nice", False),
        ("# adapted from mypotracer", False),
        ("from potrace import trace", False),
    ],
)
def test_a_notice_has_to_name_the_origin_and_borrowing(notice: str, counts: bool) -> None:
    text = [notice, "def f():", "    pass"]
    assert (credit_in(text, 2, 3, ["potrace"]) is not None) is counts


def test_a_notice_in_the_header_counts_and_one_elsewhere_does_not() -> None:
    header = ["# Copyright potrace authors", *["x = 1"] * 100, "def f(): pass"]
    assert credit_in(header, 102, 102, ["potrace"]) is not None
    middle = [*["x = 1"] * 70, "# Copyright potrace authors", *["x = 1"] * 30, "def f(): pass"]
    assert credit_in(middle, 102, 102, ["potrace"]) is None


@pytest.mark.parametrize(
    ("body", "counts"),
    [
        ('def f():\n    """Trace.\n\n    Ported from potrace 1.16.\n    """\n', True),
        ("/* Trace.\n   Ported from potrace 1.16. */\nint f(void);\n", True),
        ('def f():\n    """Trace."""\n    x = "ported from potrace"\n', False),
    ],
)
def test_a_notice_in_a_docstring_or_block_comment_counts(body: str, counts: bool) -> None:
    text = body.rstrip("\n").split("\n")
    assert (credit_in(text, 1, len(text), ["potrace"]) is not None) is counts


def test_a_name_of_two_letters_is_no_evidence() -> None:
    assert credit_in(["# copied from r", "x"], 2, 2, ["r", ""]) is None


def test_credited_permissive_is_ok_and_credited_copyleft_stays() -> None:
    credit = credit_in(SNIPPET, 5, 6, [])
    mild = with_credit(ATTRIBUTION, credit, "MIT", "a.py")
    assert (mild.status, mild.rule, mild.where) == ("ok", "credited", "a.py:2")
    hard = with_credit(CONFLICT, credit_in(["# from gsl", "x"], 2, 2, ["gsl"]), "GPL-3.0-or-later", "a.py")
    assert (hard.status, hard.rule) == ("conflict", "copyleft-into-permissive")
    assert "credited at line 1" in hard.why
    assert with_credit(ATTRIBUTION, None, "MIT", "a.py") == ATTRIBUTION


def test_a_snippet_under_another_licence_settles_nothing() -> None:
    verdict = with_credit(ATTRIBUTION, credit_in(SNIPPET, 5, 6, []), "BSD-3-Clause", "a.py")
    assert verdict.status == "attribution"
    assert "credited under MIT" in verdict.why


def test_hostile_files_take_linear_time() -> None:
    text = ["# SPDX-SnippetBegin whence: accept " + "x" * 100_000] * 200 + [
        "# copied from gsl" * 20_000
    ] * 200
    assert within(lambda: accept_in(text, 1, 400), 2)
    assert within(lambda: credit_in(text, 350, 400, ["gsl"] * 50), 2)
    assert within(lambda: credit_in(["#" + " " * 200_000, "x"], 2, 2, ["gsl"]), 1)
