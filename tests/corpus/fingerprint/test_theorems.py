"""What winnowing, run hashes and MinHash promise, as properties."""

from itertools import chain, pairwise

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fingerprint.hashing import mix, range_hashes, run_hashes
from corpus.fingerprint.minhash import signatures
from corpus.fingerprint.sketch import sketch, unit_shingles
from corpus.fingerprint.winnow import winnow
from corpus.model import Tokens, Unit
from corpus.params import DEFAULT

streams = st.lists(st.integers(0, 12), max_size=120).map(lambda v: mix(np.array(v, np.uint64) + np.uint64(1)))


@given(streams, st.integers(1, 9))
def test_run_hash_depends_on_the_run_alone(tokens, k):
    values = run_hashes(tokens, k)
    assert len(values) == max(0, len(tokens) - k + 1)
    seen = {}
    for i, value in enumerate(values.tolist()):
        run = tuple(tokens[i : i + k].tolist())
        assert seen.setdefault(run, value) == value
    assert len(set(seen.values())) == len(seen)


@given(streams, st.integers(1, 9), st.integers(1, 9))
def test_no_window_is_without_a_fingerprint(tokens, k, window):
    grams = run_hashes(tokens, k)
    kept, at = winnow(tokens, k, window)
    assert kept.tolist() == grams[at].tolist()
    assert at.tolist() == sorted(set(at.tolist()))
    edges = [-1, *at.tolist(), len(grams)]
    if len(grams) >= 1:
        assert len(at) >= 1
    if len(grams) >= window:
        assert all(b - a - 1 < window for a, b in pairwise(edges))


@given(st.data(), streams, streams)
@settings(max_examples=60)
def test_a_shared_run_shares_a_fingerprint(data, left, right):
    k, window = DEFAULT.literal_k, DEFAULT.literal_window
    size = k + window - 1
    run = mix(np.array(data.draw(st.lists(st.integers(20, 99), min_size=size, max_size=size)), np.uint64))
    one, _ = winnow(np.concatenate([left, run, right]), k, window)
    two, _ = winnow(np.concatenate([right, run, left]), k, window)
    assert set(one.tolist()) & set(two.tolist())


@given(streams, st.data())
def test_range_hashes_are_equal_exactly_for_equal_ranges(tokens, data):
    n = len(tokens)
    pairs = [sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))) for _ in range(6)]
    first, last = np.array(pairs, np.int64).T
    values = range_hashes(tokens, first, last).tolist()
    for (a, b), x in zip(pairs, values, strict=True):
        for (c, d), y in zip(pairs, values, strict=True):
            assert (tokens[a:b].tolist() == tokens[c:d].tolist()) == (x == y)


@given(st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_signatures_are_datasketch_to_the_bit(sets):
    first = np.cumsum([0, *map(len, sets[:-1])])
    ours = signatures(np.array([*chain(*sets)], np.uint32), first, 128, 1, 128)
    for row, values in zip(ours, sets, strict=True):
        theirs = MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=int)
        theirs.update_batch(values)
        assert row.tolist() == theirs.hashvalues.tolist()


def test_lsh_parameters_are_those_of_datasketchs_optimiser():
    lsh = MinHashLSH(threshold=DEFAULT.lsh_threshold, num_perm=DEFAULT.num_perm)
    assert (lsh.b, lsh.r) == (DEFAULT.lsh_bands, DEFAULT.lsh_rows)


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.7, 0.9])
def test_band_collisions_follow_the_s_curve(similarity):
    """P(candidate) = 1 − (1 − J^r)^b; 400 pairs, five standard deviations."""
    rng = np.random.default_rng(7)
    hits, pairs, size = 0, 400, 200
    shared = round(2 * size * similarity / (1 + similarity))
    for _ in range(pairs):
        values = rng.integers(0, 2**32, 2 * size - shared, dtype=np.uint32)
        both = np.concatenate([values[:size], values[size - shared :]])
        sig = signatures(both, np.array([0, size]), DEFAULT.num_perm, DEFAULT.seed, 125)
        a, b = sig.reshape(2, DEFAULT.lsh_bands, DEFAULT.lsh_rows)
        hits += bool((a == b).all(axis=1).any())
    jaccard = shared / (2 * size - shared)
    p = 1 - (1 - jaccard**DEFAULT.lsh_rows) ** DEFAULT.lsh_bands
    assert abs(hits / pairs - p) <= 5 * np.sqrt(p * (1 - p) / pairs) + 0.02


def _tokens(values):
    n = len(values)
    zero = np.zeros(n, np.int32)
    return Tokens(np.ones(n, np.uint8), zero, zero, zero, values, values)


def test_sketch_of_units():
    values = mix(np.arange(300, dtype=np.uint64))
    values[200:260] = values[20:80]
    units = [
        Unit("function", "f", 20, 80, 1, 2),
        Unit("function", "g", 200, 260, 3, 4),
        Unit("rest", "", 0, 5, 1, 1),
    ]
    made = sketch(_tokens(values), units, DEFAULT)
    assert made.digest[0] == made.digest[1] != made.digest[2]
    assert made.has_bands.tolist() == [True, True, False]
    assert (made.bands[0] == made.bands[1]).all()
    assert not made.bands[2].any()
    shingles, starts = unit_shingles(values, np.array([20, 200]), np.array([80, 260]), DEFAULT)
    assert starts.tolist() == [0, 53]
    assert shingles[:53].tolist() == shingles[53:].tolist()


@given(st.data(), st.lists(st.integers(0, 5), max_size=400))
@settings(max_examples=60, deadline=None)
def test_machine_code_and_arrays_give_the_same_sketch(data, values):
    raw = mix(np.array(values, np.uint64))
    renamed = mix(np.array(values, np.uint64) // np.uint64(2))
    n = len(values)
    bounds = st.tuples(st.integers(0, n), st.integers(0, n)).filter(lambda pair: pair[0] < pair[1])
    pairs = data.draw(st.lists(bounds, max_size=6)) if n else []
    units = [Unit("function", "", first, last, 1, 1) for first, last in pairs]
    zero = np.zeros(n, np.int32)
    tokens = Tokens(np.ones(n, np.uint8), zero, zero, zero, raw, renamed)
    assert_same_sketch(tokens, units)


@given(st.integers(0, 2**32), st.integers(900, 3500), st.integers(2, 400))
@settings(max_examples=20, deadline=None)
def test_machine_code_and_arrays_give_the_same_sketch_of_long_texts(seed, n, distinct):
    """Longer than what is hashed at a time."""
    values = np.random.default_rng(seed).integers(0, distinct, n).astype(np.uint64)
    spans = [(0, n), (n // 3, n), (5, n // 2), (n // 2, n // 2 + 30), (n - 24, n)]
    units = [Unit("function", "", first, last, 1, 1) for first, last in spans]
    zero = np.zeros(n, np.int32)
    tokens = Tokens(np.ones(n, np.uint8), zero, zero, zero, mix(values), mix(values // np.uint64(2)))
    assert_same_sketch(tokens, units)


def assert_same_sketch(tokens, units):
    plain, fast = (sketch(tokens, units, DEFAULT, compiled=compiled) for compiled in (False, True))
    for name in plain.__slots__:
        one, other = getattr(plain, name), getattr(fast, name)
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tolist() == other.tolist()
