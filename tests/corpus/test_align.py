"""Alignment: the longest common subsequence is one, runs are maximal, planted copies are found in place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.align import SEED, align, common_runs, lcs
from corpus.align_compiled import lcs as compiled_lcs
from corpus.fingerprint.hashing import mix

small = st.lists(st.integers(0, 5), max_size=24)


def stream(values):
    return mix(np.array(values, np.uint64) + np.uint64(1))


def length_by_table(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for x, left in enumerate(a):
        for y, right in enumerate(b):
            table[x + 1][y + 1] = table[x][y] + 1 if left == right else max(table[x][y + 1], table[x + 1][y])
    return table[-1][-1]


@given(small, small)
@settings(max_examples=300)
def test_lcs_is_a_longest_common_subsequence(a, b):
    pairs = lcs(stream(a), stream(b))
    assert len(pairs) == length_by_table(a, b)
    assert all(a[x] == b[y] for x, y in pairs.tolist())
    assert (np.diff(pairs, axis=0) > 0).all()


@given(small, small)
@settings(max_examples=300)
def test_machine_code_finds_the_same_subsequence(a, b):
    assert compiled_lcs(stream(a), stream(b)).tolist() == lcs(stream(a), stream(b)).tolist()


@given(
    st.lists(st.integers(0, 3), max_size=150), st.lists(st.integers(0, 3), max_size=150), st.integers(0, 9)
)
@settings(max_examples=150)
def test_machine_code_makes_the_same_alignments(a, b, seed):
    weight = np.random.default_rng(seed).random(len(a))
    plain, fast = (align(stream(a), stream(b), weight, 4.0, compiled=on) for on in (False, True))
    assert [(f.left.tolist(), f.right.tolist()) for f in fast] == [
        (p.left.tolist(), p.right.tolist()) for p in plain
    ]


@given(
    st.lists(st.integers(0, 2), max_size=120),
    st.lists(st.integers(0, 2), max_size=120),
    st.integers(1, SEED),
    st.integers(0, 60),
)
@settings(max_examples=300, deadline=None)
def test_machine_code_finds_the_same_runs(a, b, k, again):
    b = b + b[:9] * again  # what one side holds too often starts nothing
    plain, fast = (common_runs(stream(a), stream(b), k, compiled=on) for on in (False, True))
    assert [column.tolist() for column in fast] == [column.tolist() for column in plain]


@given(st.lists(st.integers(0, 2), max_size=60), st.lists(st.integers(0, 2), max_size=60))
def test_runs_are_equal_and_maximal(a, b):
    for i, j, n in zip(*(column.tolist() for column in common_runs(stream(a), stream(b))), strict=True):
        assert n >= SEED
        assert a[i : i + n] == b[j : j + n]


@pytest.mark.parametrize("seed", range(5))
def test_an_edited_copy_is_aligned_and_nothing_else(seed):
    rng = np.random.default_rng(seed)
    origin = mix(rng.integers(0, 2**63, 900).astype(np.uint64))
    copy = origin[300:420].copy()
    copy[40] = 1  # changed
    copy = np.concatenate([copy[:60], stream([7, 8, 9]), copy[60:90], copy[93:]])  # inserted, removed
    text = np.concatenate([mix(rng.integers(0, 2**63, 200).astype(np.uint64)), copy, stream(range(100, 180))])
    (found,) = align(text, origin, np.ones(len(text)), 20.0)
    assert found.extent == (200, 200 + len(copy) - 1, 300, 419)
    assert len(found.left) == 120 - 1 - 3
    assert (text[found.left] == origin[found.right]).all()
    assert (np.diff(found.left) > 0).all()
    assert (np.diff(found.right) > 0).all()
    assert found.longest_run() == 40


def test_two_copied_pieces_are_two_alignments():
    rng = np.random.default_rng(3)
    origin = mix(rng.integers(0, 2**63, 2000).astype(np.uint64))
    filler = mix(rng.integers(0, 2**63, 400).astype(np.uint64))
    text = np.concatenate([origin[1500:1560], filler, origin[100:180]])
    spans = sorted(a.extent[:2] for a in align(text, origin, np.ones(len(text)), 20.0))
    assert spans == [(0, 59), (460, 539)]


def test_unrelated_streams_have_no_alignment():
    rng = np.random.default_rng(4)
    a, b = (mix(rng.integers(0, 2**63, 3000).astype(np.uint64)) for _ in range(2))
    assert align(a, b, np.ones(len(a)), 20.0) == []


def test_repetition_stays_cheap():
    table = stream([1, 2] * 20000)
    assert isinstance(align(table, table, np.ones(len(table)), 20.0), list)
