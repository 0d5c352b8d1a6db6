"""Consistent names: the measure is blind to what they are, and chance does not reach it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import renaming

NAMES = st.lists(st.integers(0, 9), max_size=120)


def sides(pairs):
    columns = np.array([*pairs], np.uint64).reshape(-1, 2)
    return columns[:, 0].copy(), columns[:, 1].copy()


def surprises(pairs):
    return renaming.surprises(*sides(pairs))


def renaming_bits(pairs):
    return renaming.renaming_bits(*sides(pairs))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(2**64 - 9, 2**64 - 1)), max_size=300))
@settings(max_examples=200, deadline=None)
def test_machine_code_gives_the_same_bits(pairs):
    plain, fast = (renaming.surprises(*sides(pairs), compiled=on) for on in (False, True))
    assert fast.tobytes() == plain.tobytes()


@given(NAMES, st.permutations(range(10)), st.permutations(range(10)))
def test_only_which_names_meet_counts(names, ours, theirs):
    same = [(n, n) for n in names]
    renamed = [(ours[n], theirs[n]) for n in names]
    assert renaming_bits(renamed) == pytest.approx(renaming_bits(same))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=120))
def test_bits_are_those_of_the_best_stretch(pairs):
    bits = list(surprises(pairs))
    sums = np.concatenate(([0.0], np.cumsum(bits)))
    best = max((sums[j] - sums[i] for i in range(len(sums)) for j in range(i, len(sums))), default=0.0)
    assert renaming_bits(pairs) == pytest.approx(best, abs=1e-9)


def test_names_that_meet_at_random_reach_b_bits_less_often_than_two_to_the_minus_b():
    rng = np.random.default_rng(7)
    reached = []
    for _ in range(3000):
        weights = rng.dirichlet(np.ones(8))
        pairs = zip(rng.integers(0, 8, 60).tolist(), rng.choice(8, 60, p=weights).tolist(), strict=True)
        reached.append(np.cumsum(list(surprises(pairs))).max())
    for bits in (1, 2, 4, 6):
        assert np.mean(np.array(reached) >= bits) <= 2.0**-bits


def test_a_copy_under_other_names_is_far_from_chance():
    rng = np.random.default_rng(3)
    names = rng.integers(0, 8, 60)
    other = rng.permutation(8)
    assert renaming_bits(zip(names.tolist(), other[names].tolist(), strict=True)) > 60
    swapped = rng.permutation(names)
    assert renaming_bits(zip(names.tolist(), swapped.tolist(), strict=True)) < 12
