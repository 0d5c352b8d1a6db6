"""Machine code finds the functions, and the names of them, that the plain finders find, on every text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.index.record import UNIT_KINDS
from corpus.languages.scan import scan, scan_each
from corpus.params import DEFAULT, Params
from corpus.units import cut, cut_each
from tests.corpus.unit_samples import FUNCTIONS

# Words and signs between which the finders of a family tell functions, and what disturbs them.
COMMON = [
    "a", "f", "g2", "1", "'s'", ",", ";", "=", "(", ")", "()", "(a)", "[", "]", "{", "}", "\n", "\n",
    "\n  ",
]  # fmt: skip
BRACES = [
    *COMMON, "{\n", "\n}", "\n}\n", "f(a) {", "=>", "<-", "::", ":", "<", ">", "<T>(a)", "*", "+", "-",
    "- (", "if", "new", "class", "struct", "interface", "namespace", "template", "operator", "==", "async",
    "record", "function", "func", "fn", "fun", "def", "sub", "method", "public:", "default:", "noexcept",
    "throw", "return", "\n#if A\n", "\n#else\n", "\n#elif \\\n B\n", "\n#endif\n", "\n#define x {\\\n",
    "\n# include <a>\n", "a{1},", "\nint f(a)\nint a;\n{", "\nf()\n{", ") {", "= {", "struct {",
    "interface {", "func (a) f(b) {", "function*",
]  # fmt: skip
INDENTS = [
    *COMMON, ":", ":\n", ":\n  ", ":\n    ", "\n    ", "\n\t", "@a", "\n@a(\n", "def", "def f(a):", "class",
    "class C:", "\nclass C:\n  ", "async", "async def", "cdef", "cpdef", "cdef int f(a):", "cdef class",
    "\\\n", "return", "'''a'''", "\ndef f(", "\n  def g():\n    ",
]  # fmt: skip
ENDS = [
    *COMMON, ".", ":", ":=", ":f", "function", "function f(a)", "macro", "\nfunction [a, b] = f(x)", "end",
    "\nend", "\n  end\n", "if", "for", "while", "do", "\ndo", "begin", "let", "try", "quote", "struct",
    "type", "primitive", "abstract type", "repeat", "until", "switch", "\nclassdef", "methods", "\nmethods",
    "endfunction", "x.end", "end = 1", "function a.b:c(", "f = function(", "f := function(", "@", "def",
    "def f", "\n  def self.f", "private", "private def", "\nrescue", "\nelse", "\nensure", "\n)",
]  # fmt: skip
FORTRAN = [
    *COMMON, "::", ":", "END", "end", "\nend\n", "\n      end\n", "\n 10   end\n", "\nEnd Subroutine f\n",
    "program p", "\n      PROGRAM P\n", "\nsubroutine f(a)\n", "      SUBROUTINE", "function",
    "\n  pure function f(x) result(y)", "procedure", "\n module procedure f\n", "module", "\nmodule m\n",
    "endfunction", "\n10 endprogram\n", "real(8)", "end function", "integer, pointer ::", "real function",
    "ending", "&\n", "\n     &",
]  # fmt: skip
PIECES = {
    **dict.fromkeys(("python", "cython"), INDENTS),
    **dict.fromkeys(("julia", "lua", "gap", "matlab", "ruby"), ENDS),
    **dict.fromkeys(("fortran", "fortran-fixed"), FORTRAN),
}


def assert_twins(texts: list[bytes], language: str, params: Params) -> None:
    """Each text by itself, names included, and all of them one behind the other."""
    data, ends = b"".join(texts), np.cumsum([*map(len, texts)], dtype=np.int64)
    scanned, token_ends = scan_each(data, ends, language)
    rows, unit_ends, _ = cut_each(scanned, data, ends, token_ends, language, params)
    for text, begin, end in zip(texts, [0, *unit_ends.tolist()], unit_ends.tolist(), strict=False):
        one = scan(text, language, compiled=True)
        plain = cut(one, text, language, params)
        assert cut(one, text, language, params, compiled=True) == plain, text
        expected = [(u.first, u.last, u.start_line, u.end_line, UNIT_KINDS.index(u.kind)) for u in plain]
        assert [tuple(row) for row in rows[begin:end, :5].tolist()] == expected, text


# Short windows make short functions long: nested ones count on their own then.
PARAMS = st.sampled_from([DEFAULT, replace(DEFAULT, window_tokens=6, window_stride=3)])


def soups(language: str) -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from(PIECES.get(language, BRACES))
    return st.lists(pieces, max_size=40).map(lambda pieces: " ".join(pieces).encode())


@pytest.mark.parametrize("language", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_soups_of_tokens(language: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(soups(language), min_size=1, max_size=3))
    assert_twins(texts, language, data.draw(PARAMS))


@pytest.mark.parametrize("language", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_texts_with_parts_lost_and_added(language: str, data: st.DataObject) -> None:
    text = FUNCTIONS[language][0].encode()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(soups(language)) + text[stop:]
    assert_twins([text, text[: len(text) // 2], text[len(text) // 3 :]], language, data.draw(PARAMS))
