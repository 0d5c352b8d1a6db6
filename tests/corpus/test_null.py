"""Tails of what unrelated code reaches: the fit recovers what was drawn, chance falls, bad files are told."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import BadCalibration
from corpus.null import (
    BUILT_IN,
    COPIES_TAIL,
    FORMAT,
    LEAST_EXCEEDANCES,
    LEAST_UNITS,
    Null,
    Tail,
    decode,
    fit,
    read,
)

tails = st.builds(
    Tail,
    level=st.floats(-50, 200),
    scale=st.floats(0.01, 100),
    rate=st.floats(1e-4, 1),
    functions=st.integers(100, 10**6),
    shared=st.floats(0, 0.9),
    units=st.integers(1, 10**9),
)


@given(tails, st.floats(-1e3, 1e4), st.floats(0, 1e3), st.integers(1, 10**9))
def test_chance_falls_with_the_value_and_grows_with_the_index(tail, value, more, units):
    assert tail.chance(value + more, units) <= tail.chance(value, units)
    larger = max(units, LEAST_UNITS)
    assert tail.chance(value, 2 * larger) == pytest.approx(2 * tail.chance(value, larger))
    assert 0 <= tail.chance(value, tail.units) <= 1


@given(tails, st.floats(1e-9, 1))
def test_a_chance_is_reached_where_it_says(tail, share):
    wanted = share * tail.rate
    assert tail.chance(tail.reached(wanted), tail.units) == pytest.approx(wanted, rel=1e-6)


def test_a_small_index_is_taken_for_a_larger_one_unless_it_was_measured():
    tail = Tail(30, 7, 0.05, 1000, 0, 500_000)
    assert tail.chance(60, 400) == tail.chance(60, LEAST_UNITS)
    own = Tail(30, 7, 0.05, 1000, 0, 400)
    assert own.chance(60, 400) == tail.chance(60, 500_000)
    assert own.chance(60, 4000) == pytest.approx(10 * own.chance(60, 400))


@given(tails, tails)
def test_what_is_encoded_is_decoded(copies, derived):
    null = Null(copies, derived)
    assert decode(null.encode(), "here") == null


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("scale", "body"), [(0.4, -3.0), (7.0, 20.0)])
def test_the_scale_of_exponential_data_is_recovered(seed, scale, body):
    drawn = body + np.random.default_rng(seed).exponential(scale, 8000)
    tail = fit(list(drawn), 1000, COPIES_TAIL)
    assert tail.scale == pytest.approx(scale, rel=0.15)
    for share in (0.01, 0.001):
        exact = body - scale * math.log(share)
        assert share / 1.6 < tail.chance(exact, 1000) < share * 1.6


@pytest.mark.parametrize("seed", range(5))
def test_what_shares_its_ancestry_stays_out_of_the_null(seed):
    rng = np.random.default_rng(seed)
    chance = 20 + rng.exponential(7.0, 7900)
    ancestry = 20 + rng.exponential(100.0, 100)
    tail = fit([*chance, *ancestry], 1000, COPIES_TAIL)
    assert tail.scale == pytest.approx(7.0, rel=0.25)
    assert 0.03 < tail.shared < 0.25  # an eighth of the exceedances
    exact = 20 - 7.0 * math.log(0.001)
    assert 0.001 / 2 < tail.chance(exact, 1000) < 0.001 * 2


def test_functions_without_any_match_count():
    drawn = list(20 + np.random.default_rng(3).exponential(7.0, 2000))
    alone, among = fit(drawn, 1000, COPIES_TAIL), fit([*drawn, *[-math.inf] * 2000], 1000, COPIES_TAIL)
    assert among.functions == 4000
    assert among.chance(60, 1000) == pytest.approx(alone.chance(60, 1000) / 2, rel=0.5)


def test_too_few_matches_make_no_tail():
    few = [-math.inf] * 300 + [float(n) for n in range(LEAST_EXCEEDANCES)]
    assert fit(few, 1000, COPIES_TAIL) is None
    assert fit([*few, 99.0], 1000, COPIES_TAIL) is not None
    assert fit([], 1000, COPIES_TAIL) is None
    assert fit([5.0] * 1000, 1000, COPIES_TAIL) is None  # all alike: no tail


def altered(key, value):
    """A null's file with another value in one of its tails."""
    document = json.loads(BUILT_IN.encode())
    document["derived"][key] = value
    return json.dumps(document)


BAD = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "no object": "[1]",
    "a missing part": json.dumps({"format": FORMAT, "copies": {}}),
    "another format": BUILT_IN.encode().replace(f'"format": {FORMAT}', '"format": 99'),
    "a tail that is none": json.dumps({"format": FORMAT, "copies": 3, "derived": 4}),
    "a key too many": altered("more", 1),
    "a text for a number": altered("scale", "0.4"),
    "a truth value": altered("functions", True),
    "not a number": altered("level", math.nan),
    "a huge number": altered("units", 10**400),
    "no width": altered("scale", 0),
    "a rate above 1": altered("rate", 1.5),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_file_is_named_with_what_to_do(tmp_path, text):
    path = tmp_path / "null.json"
    path.write_text(text)
    with pytest.raises(BadCalibration, match=r"null\.json cannot be used .*whence corpus calibrate"):
        read(path)


def test_without_a_file_there_is_none(tmp_path):
    assert read(tmp_path / "none") is None
