"""The vocabulary of a segment: rows in order, each once, and tokens as numbers in it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.index import vocabulary
from corpus.index.packed import unshuffle
from corpus.index.record import make_record
from corpus.index.vocabulary import distinct, shuffled_tokens

few = st.integers(0, 3)


@given(st.lists(st.tuples(few, few, few), max_size=30))
def test_rows_are_distinct_and_in_order(rows):
    """Also where rows differ in their later columns alone."""
    columns = [np.array([row[column] for row in rows], np.uint64) for column in range(3)]
    at, inverse = distinct(columns)
    assert [rows[i] for i in at.tolist()] == sorted(set(rows))
    assert at.tolist() == [rows.index(rows[i]) for i in at.tolist()]
    assert [rows[at[i]] for i in inverse.tolist()] == rows


def test_tokens_of_many_files(monkeypatch):
    texts = [b"", b"int a = b;\n", b"\n\nint b = a + a;\nint c;\n", b"/* */", b"a"]
    records = [make_record(text, "c") for text in texts]
    number = np.arange(sum(len(r.vocab_raw) for r in records), dtype=np.uint32)[::-1].copy()
    for at_once in (1, 6, 1000):
        monkeypatch.setattr(vocabulary, "_TOKENS_AT_ONCE", at_once)
        word = 0
        for record, data in zip(records, shuffled_tokens(records, number), strict=True):
            ids, lines = np.frombuffer(data, np.uint8).reshape(2, 4, -1)
            assert unshuffle(ids).tolist() == number[word:][record.ids].tolist()
            assert np.cumsum(unshuffle(lines)).tolist() == record.lines.tolist()
            word += len(record.vocab_raw)
