"""Queries and diffs survive the way through a child; what is damaged is refused, never computed with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.scan.diff import read_diff
from app.scan.wire import BadWire, decode_diff, decode_query, encode_diff, encode_query
from corpus.model import ChangedFile, Region
from corpus.query import Query, make_query
from tests.service.stacks import SOURCE, copied

LINES = tuple(SOURCE.encode().splitlines())
QUERY = make_query(ChangedFile("m.py", (Region(1, LINES[:20], (True,) * 20),)), "python")


def packed(value: Any) -> Any:
    return msgpack.unpackb(msgpack.packb(value, use_bin_type=True), raw=False)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(LINES), max_size=12), max_size=3),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_a_query_comes_back(parts: list[list[bytes]], flags: list[bool]) -> None:
    regions, at = [], 1
    for lines in parts:
        regions.append(Region(at, tuple(lines), tuple(flags[: len(lines)])))
        at += len(lines) + 5
    query = make_query(ChangedFile("m.py", tuple(regions)), "python")
    back = decode_query(packed(encode_query(query)))
    for field in fields(Query):
        ours, theirs = getattr(query, field.name), getattr(back, field.name)
        assert same(ours, theirs), field.name
        if isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype


def test_sketches_hold_no_word() -> None:
    raw = msgpack.packb(encode_query(QUERY, spelling=False))
    for word in {bytes(word) for word in QUERY.spelling if len(word) > 3} | {b"solve_kernel"}:
        assert word not in raw


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    """Any field replaced by anything: BadWire, or a query whose parts fit each other."""
    value = packed(encode_query(QUERY))
    name = data.draw(st.sampled_from(sorted(value)))
    scalars = (
        st.none() | st.booleans() | st.integers(-5, 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=5)
    )
    value[name] = data.draw(
        st.recursive(scalars, lambda inner: st.lists(inner, max_size=6), max_leaves=12)
        | st.tuples(st.lists(st.integers(0, 500), max_size=2), st.binary(max_size=4000)).map(list)
    )
    try:
        query = decode_query(value)
    except BadWire:
        return
    n = len(query)
    assert len(query.line) == len(query.added) == len(query.spelling) == n
    for keys, at in (query.literal, query.renamed_prints):
        assert len(keys) == len(at)
        assert len(at) == 0 or (at.min() >= 0 and at.max() < n)
    assert all(0 <= unit.first <= unit.last <= n for unit in query.units)


@pytest.mark.parametrize("value", [None, [], {}, {"raw": 1}, "x", 7])
def test_what_is_no_query(value: Any) -> None:
    with pytest.raises(BadWire):
        decode_query(value)


def test_a_diff_comes_back() -> None:
    diff = read_diff(copied("x") + b"Binary files a/x and b/y differ\n" + copied("y", "z.py"))
    assert decode_diff(packed(encode_diff(diff))) == diff
    with pytest.raises(BadWire):
        decode_diff({"files": 3})
