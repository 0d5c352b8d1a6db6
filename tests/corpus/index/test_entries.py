"""Entries of a table that names each hash once are those of one that repeats it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.index import builder as building
from corpus.index import segment as segments
from corpus.index.entries import Plain, Repeated
from corpus.index.packed import postings
from corpus.params import DEFAULT
from tests.small_corpus import random_segment

pytestmark = pytest.mark.usefixtures("careless_disk")


class Held:
    """An array in memory."""

    def __init__(self, values):
        self._values = values

    def __len__(self):
        return len(self._values)

    def all(self):
        return self._values

    def slice(self, first, last):
        return self._values[first:last]

    def release(self):
        pass


HASHES = st.one_of(st.integers(0, 40), st.sampled_from([2**63, 2**64 - 1]))


@given(st.lists(st.tuples(HASHES, st.integers(0, 300)), max_size=300), st.lists(HASHES, max_size=8))
@settings(max_examples=200, deadline=None)
def test_both_layouts_hold_the_same_entries(pairs, asked):
    pairs = sorted(set(pairs))
    hashes = np.array([one for one, _ in pairs], np.uint64)
    values = np.array([other for _, other in pairs], np.uint16)
    plain = Plain(Held(hashes), Held(values))
    repeated = Repeated(*(Held(column) for column in postings([hashes], [values])))
    assert len(plain) == len(repeated) == len(pairs)
    edges = np.array(sorted(asked), np.uint64)
    mine, theirs = ([(0, 0), *one.cuts(edges), one.end] for one in (plain, repeated))
    assert [entry for _, entry in mine] == [entry for _, entry in theirs]
    for own, other in zip(pairwise(mine), pairwise(theirs), strict=True):
        for column, same in zip(plain.between(*own), repeated.between(*other), strict=True):
            assert column.dtype == same.dtype
            assert column.tolist() == same.tolist()
    assert [column.tolist() for column in repeated.all()] == [hashes.tolist(), values.tolist()]
    some = np.arange(len(pairs))[::-3]
    assert repeated.hashes_of(some).tolist() == hashes[some].tolist()


def test_units_beyond_two_bytes_come_back(tmp_path):
    units = 40_000
    segment = random_segment(tmp_path, 1, files=2, units=units, keys=900)
    assert segment.counts["units"] == 2 * units
    for layer in segments.TABLES:
        _, found = segment.table(layer).all()
        assert found.dtype == np.uint32
        assert units * 2 - 9 < found.max() < units * 2
    assert random_segment(tmp_path, 2).table("lsh").values().dtype == np.uint16


def test_the_widths_of_units_change_nothing_else(tmp_path, monkeypatch):
    narrow = random_segment(tmp_path / "narrow", 3)
    tables = [narrow.table(layer).all() for layer in segments.TABLES]
    for module in (segments, building):
        monkeypatch.setattr(module, "unit_dtype", lambda units: "<u4")
    wide = random_segment(tmp_path / "wide", 3)
    assert wide.name.startswith(segments.generation(DEFAULT))
    assert wide.name != narrow.name
    for layer, narrow_columns in zip(segments.TABLES, tables, strict=True):
        for one, other in zip(wide.table(layer).all(), narrow_columns, strict=True):
            assert (one == other).all()
