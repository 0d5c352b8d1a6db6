"""Ranking of postings: what sorts by digits or in part gives what sorting gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.disguise import distinct_counts, first_of, numbered
from corpus.index.packed import order_of, shuffle, unshuffle

numbers = st.lists(
    st.one_of(st.integers(0, 5), st.integers(65_530, 65_540), st.integers(0, 2**32 - 1)), max_size=80
).map(lambda values: np.array(values, np.uint32))


@given(numbers)
def test_the_order_is_the_stable_one(values):
    assert order_of(values).tolist() == np.argsort(values, kind="stable").tolist()


@given(numbers)
def test_byte_planes_come_back(values):
    planes = np.frombuffer(shuffle(values), np.uint8).reshape(4, -1)
    assert unshuffle(planes).tolist() == values.tolist()
    assert unshuffle(planes[:, 3:9]).tolist() == values[3:9].tolist()


@given(numbers)
def test_distinct_values_are_numbered(values):
    distinct, where = numbered(values)
    assert distinct.tolist() == sorted(set(values.tolist()))
    assert distinct[where].tolist() == values.tolist()


@given(st.lists(st.integers(-4, 4), max_size=60), st.integers(1, 70))
def test_the_first_are_those_of_the_whole_order(values, most):
    scores = np.array(values, float)
    assert first_of(scores, most).tolist() == np.argsort(scores, kind="stable")[:most].tolist()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=60), st.integers(1, 70_000))
def test_distinct_values_of_each_key_are_counted(pairs, factor):
    which = np.sort(np.array([key for key, _ in pairs], np.int64))
    of = np.array([value * factor for _, value in pairs], np.uint32)
    held = [
        len({v for k, v in zip(which.tolist(), of.tolist(), strict=True) if k == key}) for key in range(8)
    ]
    assert distinct_counts(which, of, 8).tolist() == held
