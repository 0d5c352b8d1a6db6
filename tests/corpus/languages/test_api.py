"""Names of an API: of a language's library, of imports and their members, of included headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.languages import LANGUAGES, scan
from corpus.languages.api import api_names

CASES = [
    ("python", "import numpy as np\nx = np.linalg.svd(a)\n", {"np", "linalg", "svd"}),
    ("python", "from scipy.linalg import (svd as s,\n qr)\nqr(y)\n", {"qr"}),
    ("python", "lantern.qr.wick = len(lantern)\n", {"len"}),
    ("c", "#include <Python.h>\nint n = PyList_Size(o) + wick(h);\n", {"PyList_Size"}),
    ("c", "#include <fable/fable_math.h>\nint n = fable_pow(2) + fabled;\n", {"fable_pow"}),
    ("c", '#include "wick_math.h"\nint n = wick_pow(2);\n', set()),
    ("r", "library(Matrix)\nwick <- Matrix::rankMatrix(lantern)\n", {"Matrix", "rankMatrix"}),
    ("go", 'import (\n m "math/big"\n)\nvar wick = m.NewInt(2)\n', {"m", "NewInt"}),
    ("rust", "use std::fmt::Glow;\nlet wick = Glow::of(2);\n", {"Glow", "of"}),
    ("fortran", "subroutine wick\nuse lamps, only: glow\ncall glow(x)\nend subroutine wick\n", {"glow"}),
]


def found(language, text):
    raw = text.encode()
    scanned = scan(raw, language)
    marks = (api_names(scanned, raw, language) & scanned.keep).tolist()
    spans = zip(scanned.start.tolist(), scanned.end.tolist(), marks, strict=True)
    return {raw[a:b].decode() for a, b, marked in spans if marked}


@pytest.mark.parametrize(("language", "text", "names"), CASES)
def test_names_that_are_brought_in(language, text, names):
    assert found(language, text) == names


@given(st.sampled_from(sorted(LANGUAGES)), st.binary(max_size=300))
def test_any_bytes_have_an_answer_for_each_token(language, text):
    scanned = scan(text, language)
    marks = api_names(scanned, text, language)
    assert len(marks) == len(scanned)
