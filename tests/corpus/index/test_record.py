"""Records: what the index keeps of a text, by machine code or by arrays, and back from bytes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.index.record import Record, make_record, owners, record_batch
from corpus.model import Unit

C = b"""#include <math.h>
/* The sum of squares that stays finite. */
static double norm(const double *x, int n)
{
    double scale = 0.0, sum = 1.0;
    for (int i = 0; i < n; i++) {
        if (x[i] != 0.0) {
            double a = fabs(x[i]);
            if (scale < a) { sum = 1.0 + sum * (scale / a) * (scale / a); scale = a; }
            else sum += (a / scale) * (a / scale);
        }
    }
    return scale * sqrt(sum);
}
""" + b"".join(b"int table_%d[] = { %d, %d, %d };\n" % (i, i, i * i, 7) for i in range(120))
PYTHON = b"import math\n\ndef area(r):\n    '''Of a circle.'''\n    return math.pi * r ** 2\n" * 20


@pytest.mark.parametrize(
    ("text", "language"),
    [(C, "c"), (C[:400], "c"), (PYTHON, "python"), (b"", "c"), (b"/* */", "c"), (b"x", "c")],
)
def test_machine_code_and_arrays_give_the_same_record(text, language):
    assert make_record(text, language).encode() == make_record(text, language, compiled=True).encode()


def test_the_vocabulary_spells_every_token():
    record = make_record(C, "c", compiled=True)
    assert (np.diff(record.vocab_raw) > 0).all()
    ends = [0, *record.vocab_ends.tolist()]
    text = record.vocab_text.tobytes()
    spelled = [text[a:b] for a, b in pairwise(ends)]
    assert len(spelled) == len(record.vocab_raw) == len(set(spelled))
    tokens = [spelled[i] for i in record.ids.tolist()]
    assert tokens.count(b"scale") == C.count(b"scale")
    assert tokens[-5:] == [b"119", b",", b"14161", b",", b"7"]


def test_a_record_crosses_a_process_border_unchanged():
    record = make_record(C, "c", compiled=True)
    there = Record.decode(record.encode())
    for name in Record.__slots__:
        one, other = getattr(record, name), getattr(there, name)
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def test_a_text_that_cannot_be_read_is_named_and_the_others_go_on():
    made = record_batch([[C, "c"], [C, "no such language"], [PYTHON, "python"]])
    assert isinstance(made[1], str)
    assert "KeyError" in made[1]
    assert Record.decode(made[0]).encode() == make_record(C, "c").encode()
    assert not isinstance(made[2], str)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=8))
def test_the_owner_of_a_token_is_the_shortest_unit_around_it(pairs):
    units = [Unit("function", "", first, first + size, 1, 1) for first, size in pairs]
    whole = max((u.last for u in units), default=0)
    units.append(Unit("rest", "", 0, max(whole, 1), 1, 1))
    owner = owners(units)
    assert len(owner) == max(whole, 1)
    for token, mine in enumerate(owner.tolist()):
        around = [u.last - u.first for u in units if u.first <= token < u.last]
        assert units[mine].first <= token < units[mine].last
        assert units[mine].last - units[mine].first == min(around)
