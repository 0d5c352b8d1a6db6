"""Evidence of an alignment: its parts are their definitions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.evidence import Scales, counted, line_pairs, pair_weights, repeated


@given(st.lists(st.integers(-1, 4), max_size=30))
def test_what_stands_earlier_is_repeated(grams):
    held = [gram >= 0 and gram in grams[:at] for at, gram in enumerate(grams)]
    assert repeated(np.array(grams, np.int64)).tolist() == held


@given(st.lists(st.one_of(st.none(), st.integers(-1, 3)), max_size=30))
def test_whole_numbers_in_equal_steps_foretell_what_stands_there(tokens):
    """None: no number; -1: a number that is not whole."""
    at = [i for i, value in enumerate(tokens) if value is not None]
    held = [False] * len(tokens)
    for a, b, c in zip(at, at[1:], at[2:], strict=False):
        values = tokens[a], tokens[b], tokens[c]
        if min(values) >= 0 and values[2] - values[1] == values[1] - values[0]:
            held[b + 1 : c + 1] = [True] * (c - b)
    whole = np.array([-1 if value is None else value for value in tokens], np.int64)
    number = np.array([value is not None for value in tokens], bool)
    assert counted(whole, number).tolist() == held


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), max_size=40))
def test_each_line_stands_beside_that_with_which_it_shares_most(pairs):
    held = []
    for line in sorted({q for q, _ in pairs}):
        partners = [t for q, t in pairs if q == line]
        held.append((line, max(partners, key=partners.count)))
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    assert line_pairs(columns[:, 0], columns[:, 1]) == tuple(held)


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=60),
    st.integers(0, 2**32),
)
@settings(max_examples=200, deadline=None)
def test_machine_code_weighs_the_same(steps, seed):
    random = np.random.default_rng(seed)
    left, right = (
        np.cumsum(np.array([(1, 1), *steps]) // 2 + 1, axis=0).T.copy() if steps else np.empty((2, 0), int)
    )
    n = int(left.max(initial=0)) + 1
    scale = Scales(
        np.ones(n), random.random(n) < 0.3, random.random(n) < 0.2, random.integers(-1, 12, n),
        random.integers(-1, 4, n),
    )  # fmt: skip
    number = random.random(len(left)) < 0.5
    plain, fast = (pair_weights(left, right, scale, number, compiled=on) for on in (False, True))
    assert (fast[0].tobytes(), fast[1]) == (plain[0].tobytes(), plain[1])
