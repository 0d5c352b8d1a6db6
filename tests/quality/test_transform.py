"""Transformations of code: each changes what it says and nothing else, in every language it claims."""

import re
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.quality.edits import Code, statement_starts
from bench.quality.structure import assignment, merge, split
from bench.quality.transform import TRANSFORMATIONS, respelled
from corpus.languages import scan, significant
from tests.small_corpus import sample

C = Code(
    b"""static double mean_gap(const double *x, int n, double floor)
{
    /* gaps below the floor are left out */
    double total = 0.0;
    double weight = 0.25;
    int count = 0;
    for (int i = 1; i < n; i++) {
        double gap = x[i] - x[i - 1];  // signed
        if (gap < floor)
            continue;
        total += gap * weight;
        count++;
    }
    weight = 1.5e-3;
    floor = 31;
    if (count == 0) {
        return 17.5;
    }
    total = total / count;
    total = total + weight;
    return total * 100;
}""",
    "c",
)
PYTHON = Code(
    b'''    def mean_gap(self, x, floor=0.5):
        """Mean of the gaps."""
        total = 0.0
        weight = 0.25
        count = 0
        for a, b in zip(x, x[1:]):
            # signed
            gap = b - a
            if gap < floor:
                continue
            total += gap * weight
            count += 1
        if count == 0:
            return 17.5
        self.seen = count
        total = total / count
        return round(total,
                     12)''',
    "python",
)
BOTH = pytest.mark.parametrize("code", [C, PYTHON], ids=["c", "python"])


def changed(name, code, seed=1):
    text = TRANSFORMATIONS[name](code, Random(seed))
    assert text is not None
    return Code(text, code.language)


def layer(code, name):
    tokens, _ = significant(code.scanned)
    return getattr(tokens, name).tolist()


@BOTH
@pytest.mark.parametrize("name", ["reformat", "comments"])
def test_layout_and_comments_change_no_token(code, name):
    other = changed(name, code)
    assert other.text != code.text
    assert layer(other, "raw") == layer(code, "raw")


@BOTH
def test_renaming_keeps_the_renamed_layer_and_no_name(code):
    other = changed("rename", code)
    assert layer(other, "renamed") == layer(code, "renamed")
    before, after = ({w.text for w in c.tokens if w.plain} for c in (code, other))
    assert len(before) == len(after)
    assert not before & after


def test_renaming_ignores_case_where_the_language_does():
    fortran = Code(b"subroutine f(Alpha, beta)\n  alpha = ALPHA + Beta\nend subroutine\n", "fortran")
    names = [w.text for w in changed("rename", fortran).tokens if w.plain]
    assert names[1] == names[3] == names[4]
    assert names[2] == names[5] != names[1]


@BOTH
def test_other_spellings_of_constants_are_equal_values(code):
    other = changed("constants", code)
    assert layer(other, "renamed") == layer(code, "renamed")
    assert layer(other, "raw") != layer(code, "raw")


@given(st.decimals(min_value=0, max_value=10**9, places=6), st.sampled_from(["{:f}", "{:e}"]))
def test_a_respelled_number_has_its_value(value, form):
    text = form.format(value).encode()
    new = respelled(text, hexadecimal=False)
    assert new is None or Decimal(new.decode()) == Decimal(text.decode())


@pytest.mark.parametrize(
    ("old", "new"), [(b"0.5", b"5e-1"), (b"1.0", b"1."), (b"31", b"0x1F"), (b"0x1f", b"31")]
)
def test_spellings_by_example(old, new):
    assert respelled(old, hexadecimal=True) == new


@BOTH
def test_reordering_moves_whole_independent_lines(code):
    other = changed("reorder", code)
    assert other.text != code.text
    assert sorted(other.lines) == sorted(code.lines)


def test_dependent_lines_keep_their_order():
    lines = changed("reorder", C).lines
    one, two = (next(i for i, t in enumerate(lines) if s in t) for s in (b"total / count", b"total + weight"))
    assert one < two


@pytest.mark.parametrize(
    "line", [b"x = f(y);", b"if (a) b = c;", b"*p = 3;", b"a = b, c = d;", b"return a = b;", b"x += 1;"]
)
def test_what_may_not_be_moved(line):
    assert assignment(Code(b"void g(void) {\n" + line + b"\n}\n", "c"), 2) is None


@BOTH
def test_dead_code_leaves_every_line_in_its_order(code):
    other = changed("dead code", code)
    rest = iter(other.lines)
    assert all(line in rest for line in code.lines)
    assert len(other.lines) > len(code.lines)


def test_dead_python_still_compiles():
    text = b"class A:\n" + changed("dead code", PYTHON).text + b"\n"
    compile(text, "dead.py", "exec")


@pytest.mark.parametrize(
    "name", ["rename", "reformat", "comments", "reorder", "constants", "split", "combined"]
)
def test_transformed_python_still_compiles(name):
    compile(b"class A:\n" + changed(name, PYTHON).text + b"\n", "changed.py", "exec")


def test_no_statement_is_inserted_before_what_continues_another():
    code = Code(
        b"void f(int a)\n{\n    if (a)\n        g();\n    else\n        h(a,\n          a);\n    k();\n}\n",
        "c",
    )
    assert statement_starts(code) == [3, 8]


@BOTH
def test_a_split_function_calls_its_tail(code):
    text = split(code, Random(1))
    assert text is not None
    assert len(re.findall(rb"finish_part", text)) == 2
    kept = [line for line in code.lines if line.strip()]
    assert [line for line in text.split(b"\n") if line in kept] >= kept[:5]
    assert set(kept) <= set(text.split(b"\n"))


@BOTH
def test_merged_functions_have_one_head(code):
    text = merge(code, code)
    assert text is not None
    assert text.count(b"mean_gap") == 1
    assert text.count(b"17.5") == 2


@pytest.mark.parametrize(
    "path", ["lattice/src/simplex.c", "lattice/src/spline.c", "lattice/python/anneal.py"]
)
@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_the_same_seed_gives_the_same_text_and_it_can_be_read(path, name):
    code = Code(sample(path), "c" if path.endswith(".c") else "python")
    one, two = (TRANSFORMATIONS[name](code, Random(3)) for _ in range(2))
    assert one == two
    assert one is None or len(scan(one, code.language)) > 0
