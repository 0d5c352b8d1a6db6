"""Units: the functions of every language, windows, the remainder; nothing significant is left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.functions import brackets
from corpus.functions.source import Source
from corpus.languages import LANGUAGES, scan, significant
from corpus.model import Unit
from corpus.params import DEFAULT
from corpus.units import WHOLE_WINDOWS, cut
from tests.corpus.unit_samples import FUNCTIONS
from tests.pace import within


def units_of(text: str | bytes, language: str) -> tuple[Unit, ...]:
    data = text.encode() if isinstance(text, str) else text
    return cut(scan(data, language), data, language, DEFAULT)


def functions_of(text: str, language: str) -> list[tuple[str, int, int]]:
    named = [unit for unit in units_of(text, language) if unit.kind in ("function", "class")]
    return [(unit.name, unit.start_line, unit.end_line) for unit in named]


@pytest.mark.parametrize("language", FUNCTIONS)
def test_finds_the_functions_of_each_language(language: str) -> None:
    text, expected = FUNCTIONS[language]
    assert functions_of(text, language) == expected


@pytest.mark.parametrize("language", FUNCTIONS)
def test_carriage_returns_change_nothing(language: str) -> None:
    text, expected = FUNCTIONS[language]
    assert functions_of(text.replace("\n", "\r\n"), language) == expected


def assert_complete(data: bytes, language: str) -> None:
    """Each significant token is in a unit; units are in order, in range and of the promised size."""
    scanned = scan(data, language)
    tokens, index = significant(scanned)
    units = cut(scanned, data, language, DEFAULT)
    covered = np.zeros(len(tokens), bool)
    for unit in units:
        assert 0 <= unit.first < unit.last <= len(tokens)
        covered[unit.first : unit.last] = True
        limit = DEFAULT.window_tokens * (WHOLE_WINDOWS if unit.kind in ("function", "class") else 1)
        assert unit.last - unit.first <= limit
        assert 1 <= unit.start_line <= tokens.line[unit.first]
        assert tokens.line[unit.last - 1] <= unit.end_line
    assert covered.all()
    assert len(index) == len(tokens)


@pytest.mark.parametrize("language", LANGUAGES)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_every_significant_token_is_in_a_unit(language: str, data: st.DataObject) -> None:
    text = FUNCTIONS.get(language, FUNCTIONS["c"])[0].encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    pieces = data.draw(
        st.lists(
            st.sampled_from([b"{", b"}", b")", b"(", b"\n", b"end\n", b"#else\n", b"\xff", b'"', b"def "])
        )
    )
    middle = data.draw(st.integers(start, stop))
    assert_complete(text[start:middle] + b"".join(pieces) + text[middle:stop], language)


@given(st.binary(max_size=60))
@settings(max_examples=30, deadline=None)
def test_any_bytes_are_cut(data: bytes) -> None:
    for language in LANGUAGES:
        assert_complete(data, language)


def test_an_empty_text_has_no_units() -> None:
    for language in LANGUAGES:
        assert units_of(b"", language) == ()
        assert units_of(b"\n\n", language) == ()


# Windows.


@pytest.mark.parametrize(
    ("statements", "whole", "windows"),
    [(100, 1, 0), (198, 1, 0), (199, 1, 2), (250, 1, 2), (700, 1, 7), (1000, 0, 10)],
)
def test_long_functions_are_cut_into_windows(statements: int, whole: int, windows: int) -> None:
    units = units_of("int f(void) {\n" + "a = 1;\n" * statements + "}\n", "c")
    assert [unit.kind for unit in units] == ["function"] * whole + ["window"] * windows
    assert {unit.name for unit in units} == {"f"}
    cuts = [unit for unit in units if unit.kind == "window"]
    for before, after in pairwise(cuts):
        assert after.first - before.first == DEFAULT.window_stride
        assert before.last - before.first == DEFAULT.window_tokens


def test_a_long_text_without_functions_is_windows_only() -> None:
    units = units_of("a = 1\n" * 500, "python")
    assert {unit.kind for unit in units} == {"window"}
    assert units[-1].last == 1500


def test_other_parameters_cut_other_windows() -> None:
    text = b"a = 1\n" * 40
    small = replace(DEFAULT, window_tokens=60, window_stride=30)
    units = cut(scan(text, "python"), text, "python", small)
    assert [(unit.first, unit.last) for unit in units] == [(0, 60), (30, 90), (60, 120)]


def test_long_scripts_give_their_nested_functions_too() -> None:
    inner = "".join(f"  function f{i}(x) {{ return x + {i}; }}\n" for i in range(100))
    names = [name for name, _, _ in functions_of(f"(function () {{\n{inner}}})();\n", "javascript")]
    assert names == ["", *(f"f{i}" for i in range(100))]


# Broken code.


def test_a_lost_brace_does_not_lose_the_rest_of_the_file() -> None:
    for lost in ("if (a) {\n    b();\n", "b();\n  }\n  }\n"):
        text = (
            "int f(int a)\n{\n  "
            + lost
            + "}\n\nint g(int a)\n{\n  return a;\n}\n\nint h(void) {\n  return 1;\n}\n"
        )
        assert [name for name, _, _ in functions_of(text, "c")] == ["f", "g", "h"]


def test_a_function_without_its_end_stops_at_the_next() -> None:
    text = "int f(int a)\n{\n  if (a) {\n    b();\n\nint g(int a)\n{\n  return a;\n}\n"
    assert [name for name, _, _ in functions_of(text, "c")] == ["f", "g"]


def test_alternative_branches_open_one_block() -> None:
    branch = "#ifdef A\n  if (a) {\n#elif B\n  if (b) {\n#else\n  while (c) {\n#endif\n    d();\n  }\n"
    text = f"namespace n {{\nint f() {{\n{branch}}}\nint g() {{ return 1; }}\n}}\nint h() {{ }}\n"
    assert [name for name, _, _ in functions_of(text, "cpp")] == ["f", "g", "h"]


def test_the_lines_of_a_diff_are_cut() -> None:
    text = (
        "    x = 1;\n  }\n  return x;\n}\n\nint g(int a)\n{\n  return a;\n}\n\nint h(void)\n{\n  if (1) {\n"
    )
    assert [name for name, _, _ in functions_of(text, "c")] == ["g", "h"]
    text = "        return x\n\n    def g(self):\n        return (1,\n\ndef h():\n    pass\n"
    assert [name for name, _, _ in functions_of(text, "python")] == ["g", "h"]


def test_functions_of_matlab_without_end_words() -> None:
    text = "function a = f(x)\n  if x\n    a = 1;\n  end\n\nfunction g\n  y = x(end);\n"
    assert [name for name, _, _ in functions_of(text, "matlab")] == ["f", "g"]


def test_functions_in_one_line_are_apart() -> None:
    units = units_of("f = function() a() end, g = function() b() end\n" * 2, "lua")
    assert all(one.last <= other.first for one, other in pairwise(units))


# Brackets.


def wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(st.sampled_from(["()", "[]", "{}"]), inner)
    return st.lists(pairs.map(lambda pair: f" {pair[0][0]}a{pair[1]} {pair[0][1]}"), max_size=4).map("".join)


@given(st.recursive(st.just(""), wrapped, max_leaves=20))
@settings(max_examples=200, deadline=None)
def test_careful_pairing_is_plain_nesting_where_that_exists(text: str) -> None:
    data = ("x" + text).encode()
    source = Source(scan(data, "c"), data)
    pairs = brackets.Brackets(source, preprocessor=False)
    stack, expected = [], {}
    for token, code in enumerate(source.code):
        if code in b"([{":
            stack.append(token)
        elif code in b")]}":
            expected[stack.pop()] = token
    assert pairs.close == expected
    careful = brackets._CarefulPairing(source)
    careful.run(sorted([*expected, *expected.values()]))
    assert careful.close == expected
    assert not careful.lost


# Linear time.

HOSTILE = [
    b"{", b"}", b"{}", b"(", b"f(", b"f(){", b"){", b"(f(){}){", b"f(a) int a;{", b"#if\n{\n",
    b"#if\n{\n#else\n{\n", b"#else\n{\n", b"f<<<<", b">>>>(a){", b"f=", b"f():", b"a{1},",
    b"function ", b"a=>{", b"f(a)\n{\n", b" f(a) {\n  }\n }\n", b"def f\n", b" def f(:\n", b"@a\n",
    b"end\n", b"if do function\n", b"subroutine f\n", b"cdef f\n", b"f(a),", b"a\n", b"#if \\\n",
    b"operator", b"- (", b"class {", b"function(", b"sub a,",
]  # fmt: skip


@pytest.mark.parametrize(
    "language", ["c", "cpp", "javascript", "go", "python", "cython", "fortran", "matlab", "ruby", "objc"]
)
def test_hostile_texts_take_linear_time(language: str) -> None:
    for piece in HOSTILE:
        data = piece * (20_000 // len(piece))
        scanned = scan(data, language)
        assert within(lambda: cut(scanned, data, language, DEFAULT), 0.5), piece  # noqa: B023 - run at once


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_megabytes_take_linear_time(language: str) -> None:
    for piece in HOSTILE:
        data = piece * (1_000_000 // len(piece))
        scanned = scan(data, language, compiled=True)
        assert within(lambda: cut(scanned, data, language, DEFAULT), 10, readings=3), piece  # noqa: B023


@pytest.mark.parametrize("language", FUNCTIONS)
def test_machine_code_finds_the_same_functions(language: str) -> None:
    text = (FUNCTIONS[language][0] + "#ifdef A\n}\n#elif \\\n B\nint x = {f(1)};\n#endif\n").encode()
    for first in range(0, len(text), 7):
        for data in (text[first:], text[: len(text) - first], text[first:] + text):
            scanned = scan(data, language, compiled=True)
            plain = cut(scanned, data, language, DEFAULT)
            assert cut(scanned, data, language, DEFAULT, compiled=True) == plain


@pytest.mark.parametrize("cut_short", [1.0, 0.7, 0.3])
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_machine_code_cuts_alike(language, cut_short):
    text = (
        b"#include <a>\nnamespace n { int f(int a[2]) { if (a) { return g(a[0]); } }\n"
        b"#if X\n}\n#else\n}\n#endif\n"
        b"function h(x) { y => { z(x); } }\nfn k<T>(a: T) -> u8 { [1, 2] }\ndef m(a):\n    return (a[1])\n"
        b"r <- function(a) { a::b(1) }\nsub p { my ($q) = @_; }\n"
    ) * 6
    text = text[: int(len(text) * cut_short)]
    scanned = scan(text, language, compiled=True)
    assert cut(scanned, text, language, DEFAULT, compiled=True) == cut(scanned, text, language, DEFAULT)
