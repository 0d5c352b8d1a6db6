"""Records: what the index keeps of a text, by machine code or by arrays, and back from bytes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.index.record import Record, Records, make_record, make_records, owners, received, record_batch
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
    assert_equal(make_record(text, language), make_record(text, language, compiled=True))


def assert_equal(one: Record, other: Record) -> None:
    for name in Record.__slots__:
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype, name
        assert left.tolist() == right.tolist(), name


# Balanced and not, empty, documented, with numbers, words and signs that only arrays read.
PIECES = [
    b"", b"\n", b"/* */", b"'", b"}", C[:300], C[200:], PYTHON[:90], b"x = 0b101 + 1e400L;\n",
    b"#if A\n}\n#else\n}\n#endif\n", b"import a\n", b'def f():\n    """doc"""\n    return 0x1p3\n',
    b"f <- function(a) { g(a) }\n", b"function y = f(x)\n y = x';\nend\n", b"caf\xc3\xa9(1)\n",
    b"class A { int f(int a) { return 1; } }",
    b"      SUBROUTINE S(X)\n      X = 1.D0\n      END\n", b"a" * 40 + b" = \"" + b"words " * 50 + b"\"\n",
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["c", "cpp", "java", "objc", "python", "cython", "r", "matlab", "fortran-fixed", "javascript"]
    ),
    st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join), min_size=1, max_size=6),
)
def test_texts_together_give_the_records_of_each(language, texts):
    together = list(make_records(texts, language))
    for text, record in zip(texts, together, strict=True):
        assert_equal(make_record(text, language), record)


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


def test_records_cross_a_process_border_unchanged():
    made = make_records([C, b"", C[:400]], "c")
    for one, other in zip(made, Records.decode(made.encode()), strict=True):
        assert_equal(one, other)


def each(result, size):
    """A record of each text, or the error's text."""
    out = {}
    for numbers, made in received(result, size):
        out |= dict(zip(numbers, [made] * len(numbers) if isinstance(made, str) else made, strict=True))
    return out


def test_records_come_together_and_apart():
    made = make_records([C, b"", C[:400], b"int a;\n"], "c")
    records = list(made)
    for one, other in zip(records, Records.of(records), strict=True):
        assert_equal(one, other)
    for one, other in zip(records[1:3], made.part(1, 3), strict=True):
        assert_equal(one, other)
    assert len(Records.of([])) == len(list(made.part(2, 2))) == 0


def damaged(part, name, at, value):
    """A batch of two texts, one number of it changed."""
    result = record_batch([[C, "c"], [C[:400], "c"]])
    ends, columns = result[0][1]
    ends = np.frombuffer(ends, np.int64).reshape(2, -1).copy()
    columns = {name: column.copy() for name, column in columns.items()}
    if part == "ends":
        ends[at] = value
    else:
        columns[name].view("<u4")[at] = value
    result[0][1] = [ends.tobytes(), columns]
    return result


@pytest.mark.parametrize(
    ("part", "name", "at", "value"),
    [
        ("ends", "", (0, 2), -1), ("ends", "", (0, 2), 2**62), ("ends", "", (1, 0), 2**62),
        ("ends", "", (0, 0), 0), ("ends", "", (1, 3), 1), ("columns", "ids", 5, 2**31),
        ("columns", "ids", -1, 4000),
        ("columns", "vocab_ends", 3, 0), ("columns", "vocab_ends", -1, 2**32 - 1),
        ("columns", "literal_unit", 0, 999), ("columns", "lsh_unit", -1, 2**32 - 1),
        ("columns", "algorithm_unit", 3, 77),
    ],
)  # fmt: skip
def test_numbers_that_lead_astray_are_not_believed(part, name, at, value):
    with pytest.raises(ValueError, match=r"their|begin"):
        received(damaged(part, name, at, value), 2)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda result: None, lambda result: [], lambda result: [[[0, 1]]], lambda result: result * 2,
        lambda result: [[[0, 2], result[0][1]]], lambda result: [[[0], result[0][1]], [[1], "no"]],
        lambda result: [[["a", 1], result[0][1]]], lambda result: [[[0, 1], [b"", {}]]],
        lambda result: [[[0, 1], [result[0][1][0][:-1], result[0][1][1]]]],
        lambda result: [[[0, 1], [result[0][1][0], {**result[0][1][1], "ids": b"abc"}]]],
        lambda result: [[[0, 1], [result[0][1][0], {**result[0][1][1], "lines": b""}]]],
        lambda result: [[[0, 1], 7]], lambda result: {"a": 1},
    ],
)  # fmt: skip
def test_what_is_no_batch_of_records_is_refused(spoil):
    with pytest.raises(ValueError, match=r"."):
        received(spoil(record_batch([[C, "c"], [C[:400], "c"]])), 2)


def test_a_text_that_cannot_be_read_is_named_and_the_others_go_on():
    batch = [[C, "c"], [C, "no such language"], [PYTHON, "python"], [C[:300], "c"]]
    made = each(record_batch(batch), len(batch))
    assert isinstance(made[1], str)
    assert "KeyError" in made[1]
    for number in (0, 2, 3):
        assert not isinstance(made[number], str)
        assert_equal(made[number], make_record(*batch[number]))


def test_of_texts_read_together_the_one_to_blame_is_found(monkeypatch):
    def refuse(texts, language):
        if b"refused" in b"".join(texts):
            raise ValueError("refused")
        return make_records(texts, language)

    monkeypatch.setattr("corpus.index.record.make_records", refuse)
    made = each(record_batch([[C, "c"], [b"refused", "c"], [PYTHON, "python"]]), 3)
    assert made[1] == "ValueError: refused"
    assert_equal(made[0], make_record(C, "c"))


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
