"""The vocabulary of a segment: rows in order, each once, and tokens as numbers in it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.index import packed, vocabulary
from corpus.index.packed import unshuffle
from corpus.index.record import make_record
from corpus.index.vocabulary import byte_planes, differing, distinct, spans

few = st.integers(0, 3)
files = st.lists(st.tuples(few, st.lists(st.tuples(few, few, few, few), max_size=12)), max_size=6)


@pytest.fixture(params=["machine code", "arrays"], scope="module", autouse=True)
def _way(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vocabulary, "compile_pays", lambda size: request.param == "machine code")
        yield


@given(files)
def test_rows_are_distinct_and_in_order(files):
    """Also where rows differ in their later columns alone; the first is of the file of the lowest rank."""
    rows = [row for _, some in files for row in some]
    ranks = np.array([rank for rank, _ in files], np.int64)
    dtypes = np.uint64, np.uint64, np.uint8, np.uint16
    columns = [np.array([row[n] for row in rows], dtype) for n, dtype in enumerate(dtypes)]
    at, number = distinct(columns, np.array([len(some) for _, some in files], np.int64), ranks)
    assert [rows[i] for i in at.tolist()] == sorted(set(rows))
    assert [rows[at[i]] for i in number.tolist()] == rows
    rank_of = [rank for rank, some in files for _ in some]
    first = {
        row: min((rank_of[i], i) for i, other in enumerate(rows) if other == row)[1] for row in set(rows)
    }
    assert at.tolist() == [first[rows[i]] for i in at.tolist()]


def test_thousands_of_rows_with_equal_low_bits():
    raw = (np.arange(9000, dtype=np.uint64) << np.uint64(40))[::-1].copy()
    columns = [raw, raw, np.zeros(9000, np.uint8), np.zeros(9000, np.uint16)]
    at, number = distinct(columns, np.array([9000]), np.array([0]))
    assert at.tolist() == number.tolist() == [*range(8999, -1, -1)]


@pytest.mark.parametrize("compiled", [False, True])
def test_tokens_of_many_files(compiled):
    texts = [b"", b"int a = b;\n", b"\n\nint b = a + a;\nint c;\n", b"/* */", b"a"]
    records = [make_record(text, "c") for text in texts]
    number = np.arange(sum(len(r.vocab_raw) for r in records), dtype=np.uint32)[::-1].copy() << np.uint32(15)
    sizes = np.array([len(r.ids) for r in records])
    words = np.array([len(r.vocab_raw) for r in records])
    first = np.cumsum(words) - words
    ids, lines = (np.concatenate([getattr(r, name) for r in records]) for name in ("ids", "lines"))
    data = byte_planes(ids, lines, sizes, first, number, compiled=compiled)
    ends = 8 * np.cumsum(sizes)
    for record, word, size, end in zip(records, first, sizes, ends, strict=True):
        planes, steps = data[end - 8 * size : end].reshape(2, 4, -1)
        assert unshuffle(planes).tolist() == number[word:][record.ids].tolist()
        assert np.cumsum(unshuffle(steps)).tolist() == record.lines.tolist()


@given(st.binary(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=9))
def test_spans_of_a_text(text, pairs):
    pairs = [sorted(min(at, len(text)) for at in pair) for pair in pairs]
    begins = np.array([first for first, _ in pairs], np.int64)
    lengths = np.array([last - first for first, last in pairs], np.int64)
    expected = b"".join(text[first:last] for first, last in pairs)
    assert spans(np.frombuffer(bytearray(text), np.uint8), begins, lengths) == expected


@given(st.lists(st.tuples(st.text("abé", max_size=3), st.integers(0, 8)), min_size=1, max_size=9))
def test_parts_that_differ_from_another(pairs):
    parts = [part.encode() for part, _ in pairs]
    others = [other % len(parts) for _, other in pairs]
    lengths = np.array([*map(len, parts)], np.int64)
    text = np.frombuffer(bytearray(b"".join(parts)), np.uint8)
    found = differing(text, np.cumsum(lengths) - lengths, lengths, np.array(others, np.int64))
    assert found.tolist() == [i for i, other in enumerate(others) if parts[i] != parts[other]]


def test_machine_code_is_taken_where_it_pays(monkeypatch):
    assert packed.compile_pays(packed.LOADED_FROM)
    monkeypatch.setattr(packed, "find_spec", lambda name: None)
    monkeypatch.setattr(packed.sys, "modules", {})
    assert not packed.compile_pays(packed.LOADED_FROM)
