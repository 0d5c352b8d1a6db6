"""Local alignment: the table is Smith and Waterman's, machine code and array code agree, traces add up."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from corpus.local_alignment import best_local, fill
from corpus.local_alignment_compiled import fill as compiled_fill

matrices = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays(np.int32, shape, elements=st.integers(-90, 300))
)


def by_definition(scores, gap):
    n, m = scores.shape
    table = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            table[i][j] = max(
                0,
                table[i - 1][j - 1] + int(scores[i - 1, j - 1]),
                table[i - 1][j] - gap,
                table[i][j - 1] - gap,
            )
    return table


@given(matrices, st.integers(1, 80))
@settings(max_examples=200, deadline=None)
def test_both_fills_are_the_definition(scores, gap):
    want = by_definition(scores, gap)
    assert fill(scores, gap).tolist() == want
    assert compiled_fill(scores, gap).tolist() == want


@given(matrices, st.integers(1, 80))
@settings(max_examples=200, deadline=None)
def test_the_traced_pairs_are_worth_the_score(scores, gap):
    best, pairs = best_local(scores, gap)
    fast = best_local(scores, gap, compiled=True)
    assert (fast[0], fast[1].tolist()) == (best, pairs.tolist())
    assert best == max(0, *(max(row) for row in by_definition(scores, gap)))
    if not len(pairs):
        assert best == 0
        return
    assert (np.diff(pairs, axis=0) >= 1).all()
    skipped = (np.diff(pairs, axis=0) - 1).sum()
    assert best == sum(int(scores[i, j]) for i, j in pairs.tolist()) - gap * skipped


def test_nothing_aligns_with_nothing():
    best, pairs = best_local(np.empty((0, 5), np.int32), 45)
    assert best == 0
    assert pairs.shape == (0, 2)
