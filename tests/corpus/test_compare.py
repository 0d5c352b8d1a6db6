"""Comparing two texts: 1 for the same, high for renamed, low for unrelated, the same both ways."""

import pytest

from corpus.compare import compare
from tests.small_corpus import renamed, sample

SIMPLEX = ("simplex.c", sample("lattice/src/simplex.c"), "c")
SPLINE = ("spline.c", sample("lattice/src/spline.c"), "c")
ANNEAL = ("anneal.py", sample("lattice/python/anneal.py"), "python")


def c(text):
    return ("x.c", text, "c")


@pytest.mark.parametrize(
    "side",
    [
        SIMPLEX,
        SPLINE,
        ANNEAL,
        c(b"int a;\n"),
        c(b"x\n"),
        c(b"int t[] = { " + b"1, 0, " * 3000 + b"};\n"),
        c(b"f(a); " * 200),
    ],
)
def test_the_same_text_scores_one(side):
    result = compare(side, side)
    assert (result.score, result.left, result.right, result.literal) == (1.0, 1.0, 1.0, 1.0)
    assert result.renames == {}
    assert result.longest_run == result.tokens
    assert all(a == b for a, b in result.line_pairs)


def test_comments_and_layout_count_for_nothing():
    text = SIMPLEX[1].replace(b"    ", b"\t").replace(b"{\n", b"{ /* go */\n\n")
    assert compare(SIMPLEX, c(text)).score == 1.0


def test_a_renamed_text_scores_high_and_names_the_renames():
    result = compare(SIMPLEX, c(renamed(SIMPLEX[1])))
    assert result.score > 0.95
    assert result.literal < 0.8
    assert len(result.renames) > 15
    assert len(set(result.renames.values())) == len(result.renames)
    assert all(a == b for a, b in result.line_pairs)


def test_an_excerpt_is_contained_in_its_whole():
    part = b"\n".join(SIMPLEX[1].split(b"\n")[24:43]) + b"\n"
    result = compare(c(part), SIMPLEX)
    assert result.left > 0.95
    assert result.right < 0.5
    assert {b - a for a, b in result.line_pairs} == {24}


def test_what_is_contained_scores_above_what_agrees_in_single_tokens():
    lines = SIMPLEX[1].split(b"\n")
    part = b"\n".join(lines[24:43]) + b"\n"
    shuffled = b"\n".join(lines[::-1]) + b"\n"
    assert compare(c(part), SIMPLEX).score > 0.6
    assert compare(c(part), SIMPLEX).score > compare(c(part), c(shuffled)).score + 0.3


@pytest.mark.parametrize("other", [SPLINE, ANNEAL, c(b"int a;\n"), c(b""), c(b"/* nothing */\n")])
def test_unrelated_texts_score_low(other):
    assert compare(SIMPLEX, other).score < 0.25


@pytest.mark.parametrize(
    "other",
    [
        SPLINE,
        ANNEAL,
        c(renamed(SIMPLEX[1])),
        c(SIMPLEX[1][300:1200]),
        c(SIMPLEX[1][900:] + SIMPLEX[1][:900]),
        c(b"int a;\n"),
    ],
)
def test_both_ways_give_about_the_same(other):
    there, back = compare(SIMPLEX, other), compare(other, SIMPLEX)
    assert there.score == pytest.approx(back.score, abs=0.05)
    assert there.left == pytest.approx(back.right, abs=0.06)
    assert 0.0 <= there.score <= 1.0


def test_nothing_is_like_nothing():
    assert compare(c(b""), c(b"/* */")).score == 0.0
