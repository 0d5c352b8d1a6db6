"""The submitted side: every token knows its line in the change, and whether that line was added."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.languages import LANGUAGES
from corpus.model import ChangedFile, Region
from corpus.query import make_query
from tests.small_corpus import sample

WORDS = st.lists(st.sampled_from([b"alpha", b"beta", b"(", b"\r", b" ", b"\t", b"\x0c"]), max_size=6)


@given(st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=12), st.integers(1, 500))
def test_each_word_is_on_the_line_that_holds_it(rows, first):
    lines = tuple(b"".join(words) for words, _ in rows)
    added = tuple(new for _, new in rows)
    query = make_query(ChangedFile("x.c", (Region(first, lines, added),)), "c")
    expected = [
        (first + at, added[at]) for at, line in enumerate(lines) for _ in line.replace(b"(", b" ( ").split()
    ]
    assert list(zip(query.line.tolist(), query.added.tolist(), strict=True)) == expected


def test_returns_in_context_lines_hide_no_added_line():
    lines = (b"int a;" + b"\r" * 50, b"int copied;", b"int b;")
    query = make_query(ChangedFile("x.c", (Region(10, lines, (False, True, False)),)), "c")
    assert [query.spelling[i] for i in np.flatnonzero(query.added)] == [b"int", b"copied"]
    assert set(query.line[query.added].tolist()) == {11}


@pytest.mark.parametrize("path", ["lattice/src/simplex.c", "lattice/python/anneal.py"])
def test_a_cut_into_regions_changes_no_token_and_no_line(path):
    language = "c" if path.endswith("c") else "python"
    lines = tuple(sample(path).split(b"\n"))
    whole = make_query(ChangedFile("w", (Region(1, lines, (True,) * len(lines)),)), language)
    cut = next(n for n in range(30, 60) if not lines[n].strip())
    parts = Region(1, lines[:cut], (True,) * cut), Region(cut + 1, lines[cut:], (True,) * (len(lines) - cut))
    both = make_query(ChangedFile("w", parts), language)
    assert both.line.tolist() == whole.line.tolist()
    assert both.raw.tolist() == whole.raw.tolist()
    assert all(0 <= u.first < u.last <= len(both) for u in both.units)
    assert all(both.line[u.first] >= u.start_line and both.line[u.last - 1] <= u.end_line for u in both.units)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_region_and_empty_regions_are_fine_in_every_language(language):
    for regions in ((), (Region(1, (b"",), (True,)),), (Region(7, (b"", b""), (True, False)),)):
        assert len(make_query(ChangedFile("x", regions), language)) == 0
