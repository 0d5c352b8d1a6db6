"""Machine code that reads spellings gives what the definitions give: words of names, values of numbers."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fingerprint.features import (
    _IS_DRESS,
    _memory,
    elements,
    text_features,
    unit_features,
    vocabulary_elements,
    word_keys,
)
from corpus.fingerprint.words import MOST_PARTS, aliased, aliases
from corpus.fingerprint.words_compiled import word_rows
from corpus.index.record import make_record
from corpus.languages import Kind, scan
from corpus.languages.neutral import Symbol
from corpus.languages.numbers_compiled import value_text
from corpus.languages.spelling import VALUE_SEED, hash_spelling, number_value

letters = st.text("abcdefgiesxyzABCDSE_019é", min_size=1, max_size=40)
known = st.sampled_from(sorted(aliases())).flatmap(
    lambda w: st.sampled_from([w, w.upper(), f"my_{w}s", w + "9"])
)
names = st.one_of(
    letters, known, st.sampled_from(["a" * 27, "a" * 28, "bodies", "ties", "glass", "XMLReader"])
)
strings = st.lists(names, max_size=60).map(lambda words: f'"{" ".join(words)}"')


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(names.map(lambda w: (1, w)), strings.map(lambda w: (3, w))), min_size=1, max_size=8)
)
def test_the_words_of_names_and_strings(pairs):
    spellings = [spelling.encode() for _, spelling in pairs]
    kind = np.array([kind for kind, _ in pairs], np.uint8)
    neutral = np.where(kind == 1, int(Symbol.NAME), int(Symbol.STRING)).astype(np.uint16)
    ends = np.cumsum([*map(len, spellings)], dtype=np.uint32)
    text = np.frombuffer(b"".join(spellings), np.uint8)
    table = np.zeros((len(pairs), MOST_PARTS), np.uint64)
    ids, raw = np.arange(len(pairs), dtype=np.uint32), np.arange(len(pairs), dtype=np.uint64)
    kinds = (int(Kind.NAME), int(Kind.STRING))
    ends_of_texts = (np.array([len(pairs)]), np.array([len(pairs)]), np.array([len(text)]))
    for _ in range(2):  # from memory the second time
        table = np.zeros((len(pairs), MOST_PARTS), np.uint64)
        found = word_rows(
            (kind, neutral, ids), (raw, text, ends), ends_of_texts, _IS_DRESS, kinds, (5, 4, 200), *aliased(),
            _memory(), table,
        )  # fmt: skip
        hard = {row: (worded, spelling) for row, worded, *spelling in found.tolist()}
        for i, spelling in enumerate(spellings):
            if i not in hard:
                assert table[i].tobytes() == word_keys(int(kind[i]), spelling), spelling
                continue
            worded, (begin, end) = hard[i]
            assert (worded, text[begin:end].tobytes()) == (kind[i], spelling)
            assert not spelling.isascii() or any(len(part) > 27 for part in spelling.decode().split()), (
                spelling
            )


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            names.map(lambda w: (1, int(Symbol.NAME), w)),
            st.tuples(st.just(1), st.sampled_from([int(Symbol.TYPE), int(Symbol.CALL)]), names),
            strings.map(lambda w: (3, int(Symbol.STRING), w)),
            st.sampled_from([(2, int(Symbol.NUMBER), "1.5"), (4, int(Symbol.COMMA), ","),
                             (4, int(Symbol.GREATER), ">"), (3, int(Symbol.OTHER), "'no element'")]),
        ),
        min_size=1, max_size=8,
    ),
    st.lists(st.integers(0, 7), max_size=40),
)  # fmt: skip
def test_the_elements_of_a_vocabulary(vocabulary, tokens):
    ids = np.array([t % len(vocabulary) for t in tokens], np.uint32)
    kind = np.array([kind for kind, _, _ in vocabulary], np.uint8)[ids]
    neutral = np.array([symbol for _, symbol, _ in vocabulary], np.uint16)[ids]
    renamed = ids.astype(np.uint64) + np.uint64(7)
    spelled = [text.encode() for _, _, text in vocabulary]
    ends = np.cumsum([0, *map(len, spelled)], dtype=np.uint32)
    text = np.frombuffer(b"".join(spelled), np.uint8)
    plain = elements(kind, neutral, renamed, ids, spelled)
    fast = vocabulary_elements(kind, neutral, renamed, ids, (text, ends))
    for name in plain.__slots__:
        one, other = getattr(plain, name), getattr(fast, name)
        assert (one.tolist(), one.dtype) == (other.tolist(), other.dtype), name


digits = st.text("0123456789", max_size=40)
doubles = st.one_of(
    st.floats(1e-250, 1e250),
    st.tuples(st.integers(1, 2**53), st.integers(-100, 60)).map(lambda pair: math.ldexp(*pair)),
    st.tuples(st.integers(-800, 800), st.sampled_from([0, math.inf])).map(
        lambda pair: math.nextafter(2.0 ** pair[0], pair[1])
    ),
)


def half_way(one: float, more: str) -> str:
    """What lies half way between a double and the next, or so much above it, in at most 50 digits."""
    lower, upper = Decimal(one), Decimal(math.nextafter(one, math.inf))
    with localcontext(prec=50):
        return f"{(lower + upper) / 2:e}".replace("e", f"{more}e", 1)


numbers = st.one_of(
    st.tuples(digits, st.sampled_from([".", ""]), digits,
              st.sampled_from(["", "e5", "E-3", "d+00", "e0", "e", "e-300", "f2"]),
              st.sampled_from(["", "f", "UL", "i", "im", "j", "_dp", "_8", "'", ".5"])).map("".join),
    st.tuples(st.sampled_from(["0x", "0X", "0b", "0o"]), st.text("0123456789abcdefABCDEF", max_size=17),
              st.sampled_from(["", "u", "UL", "p3", "i"])).map("".join),
    st.floats(0, allow_infinity=False).map(repr),
    st.tuples(doubles, st.sampled_from([".16e", ".17e", ".18e", ".19e", ".30e", ".17g", ".25g"]))
    .map(lambda pair: format(*pair)),
    st.tuples(doubles, st.sampled_from(["", "1", "0", "0001"])).map(lambda pair: half_way(*pair)),
    st.integers(0, 10**20).map(str),
    st.tuples(st.integers(0, 999), st.integers(-30, 30)).map(lambda pair: f"{pair[0]}e{pair[1]}"),
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(numbers, st.sampled_from(["c", "fortran", "python"]))
def test_the_values_of_numbers(number, language):
    text = b"x = " + number.encode()
    made = scan(text, language, compiled=True)
    for i in np.flatnonzero(made.kind == Kind.NUMBER).tolist():
        spelling = text[made.start[i] : made.end[i]].decode()
        value = number_value(spelling, language == "fortran")
        assert int(made.renamed[i]) == hash_spelling(value.encode(), VALUE_SEED), spelling


@pytest.mark.parametrize(
    "number",
    ["0.24178072517745061177", "1.05075007164441684324e-9", "1.91752691752691753D-03", "2039157646249538914u",
     "1595141599685509UL", "0.9510571360588074j", "0.31830988618379067153776752674502872406891929148"],
)  # fmt: skip
def test_numbers_of_many_digits_are_read_by_machine_code(number):
    spelled = np.frombuffer(number.encode(), np.uint8)
    out = np.empty(96, np.uint8)
    size = value_text(spelled, 0, len(spelled), False, np.empty(64, np.uint8), out)
    assert out[:size].tobytes().decode() == number_value(number)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 900), min_size=1, max_size=3), st.integers(2, 400))
def test_the_features_of_texts(seed, lengths, distinct):
    """Texts that lie one behind the other, with many distinct values and few."""
    random = np.random.default_rng(seed)
    kinds = random.choice([1, 2, 3, 4], distinct).astype(np.uint8)
    symbols = random.choice([int(Symbol.ADD), int(Symbol.COMMA), int(Symbol.GREATER)], distinct)
    neutrals = np.where(kinds == 4, symbols, kinds).astype(np.uint16)
    values = random.integers(1, 2**64, distinct, np.uint64)
    spellings = [b"word%d" % i if k != 3 else b'"text%d long"' % i for i, k in enumerate(kinds)]
    ends = np.cumsum([*map(len, spellings)], dtype=np.uint32)
    many = len(lengths)
    ids = random.integers(0, distinct, sum(lengths)).astype(np.uint32)
    token_ends = np.cumsum(lengths)
    ranges = [(0, n, 3, n, n // 2, n, 7, n // 2, 5, 5) for n in lengths]
    units = np.array(ranges, np.int64).reshape(many, -1, 2) + (token_ends - lengths)[:, None, None]
    first, last = (units[:, :, side].ravel().copy() for side in range(2))
    last = np.maximum(last, first)
    number = np.tile(np.arange(5, dtype=np.uint32), many)
    vocabulary = (
        np.tile(values, many),
        np.frombuffer(b"".join(spellings) * many, np.uint8),
        np.tile(ends, many),
    )
    each = np.arange(1, many + 1)
    keys, owners, key_ends = text_features(
        (kinds[ids], neutrals[ids], values[ids], ids), vocabulary, (first, last, number),
        (token_ends, each * distinct, each * int(ends[-1]), each * 5),
    )  # fmt: skip
    made = elements(kinds[ids], neutrals[ids], values[ids], ids, spellings)
    plain_keys, plain_units = unit_features(made, first, last)
    assert keys.tolist() == plain_keys.tolist()
    assert owners.tolist() == (plain_units % 5).tolist()
    assert key_ends.tolist() == np.searchsorted(plain_units, each * 5).tolist()


pieces = ["'''a'''", "x", "=", "\n", "(", ")", "return", "def f():", "# c\n", "'s'", "import q", ";"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(pieces), max_size=40).map(lambda pieces: " ".join(pieces).encode()))
def test_documentation_and_comments_of_python(text):
    one, other = scan(text, "python"), scan(text, "python", compiled=True)
    for name in one.__slots__:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    one, other = make_record(text, "python"), make_record(text, "python", compiled=True)
    for name in one.__slots__:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
