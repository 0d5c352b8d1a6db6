"""Canonical JSON: one spelling for each value, as RFC 8785 gives it, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.receipt.canonical import LARGEST, canonical, read

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_reading_gives_the_value_and_writing_gives_the_bytes(value: Any) -> None:
    data = canonical(value)
    assert read(data) == value
    assert canonical(read(data)) == data
    assert json.loads(data) == value


@given(st.dictionaries(texts, st.integers(0, 9), min_size=2, max_size=6))
def test_the_order_in_which_keys_were_set_does_not_matter(value: dict[str, int]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_the_example_of_the_rfc_for_keys_and_escapes() -> None:
    # RFC 8785, 3.2.3: keys in the order of their UTF-16 code units; 3.2.2.2: escapes.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert ordered == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical('\u20ac$\u000f\nA\'B"\\\\"/') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()


@pytest.mark.parametrize(
    "value", [1.5, 2.0, float("nan"), LARGEST + 1, -LARGEST - 1, {1: 2}, "\ud800", {"a": [0.1]}]
)
def test_what_has_no_exact_spelling_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b" {}", b"{} ", b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"1.0", b"1e2", b"NaN",
        b"[1,]", b'"\\u0041"', b"\xff", b"-0", b"01", b'"\\/"', b"[" * 100_000,
    ],
)  # fmt: skip
def test_other_spellings_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read(data)
