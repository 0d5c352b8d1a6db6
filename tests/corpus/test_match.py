"""Matching: planted pieces are found where they stand, context is never blamed, idioms say nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest

from corpus.evidence import declaring
from corpus.index.catalog import Catalog
from corpus.match import is_alert, match
from corpus.matches import merge_neighbours
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.small_corpus import (
    GPL,
    LATTICE,
    MEADOW,
    MIT,
    add_release,
    renamed,
    sample,
    sample_corpus,
    sample_tree,
)

SIMPLEX = sample("lattice/src/simplex.c").decode().splitlines()
LEAVING = range(25, 44)  # lines of leaving_row, 1-based
OWN = """\
enum colour { RED = 3, GREEN = 5, NONE };
static const char *const colour_names[] = { "red", "green", "none", NULL };

void log_colour(enum colour colour)
{
    switch (colour) {
    case RED: puts(colour_names[0]); break;
    case GREEN: puts(colour_names[1]); break;
    default: abort();
    }
}
""".splitlines()


def lines_of(number):
    return [SIMPLEX[n - 1] for n in number]


def changed(*regions, path="src/new.c"):
    """A changed file; each region is (first line, [(added, text), …])."""
    return ChangedFile(
        path,
        tuple(
            Region(first, tuple(text.encode() for _, text in rows), tuple(new for new, _ in rows))
            for first, rows in regions
        ),
    )


def added(*texts, first=1, path="src/new.c"):
    return changed((first, [(True, text) for text in texts]), path=path)


def alerts(change, index, accept=lambda purl: True, language="c"):
    found = match(make_query(change, language), index, DEFAULT, accept)
    return [m for m in found if is_alert(m) and m.evidence.kind in ("literal", "renamed")]


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return sample_corpus(tmp_path_factory.mktemp("data")).open()


def path_of(index, found):
    return index.file(found.origin.ref).path


def test_a_verbatim_piece_is_found_with_tight_lines_on_both_sides(index):
    (found,) = alerts(added(*OWN, *lines_of(LEAVING), *OWN), index)
    start = len(OWN) + 1
    assert (found.origin.purl, path_of(index, found)) == (LATTICE, "src/simplex.c")
    assert abs(found.start_line - start) <= 1
    assert abs(found.end_line - (start + len(LEAVING) - 1)) <= 1
    assert abs(found.origin.start_line - LEAVING[0]) <= 1
    assert abs(found.origin.end_line - LEAVING[-1]) <= 1
    assert found.evidence.kind == "literal"
    assert found.evidence.renames == {}
    assert found.evidence.similarity > 0.95
    assert found.evidence.containment_region > 0.95
    inside = [(a, b) for a, b in found.evidence.line_pairs if a >= start]
    assert len(inside) >= len(LEAVING) - 4  # lines with nothing but a brace have no token
    assert all(a - start == b - LEAVING[0] for a, b in inside)


def test_a_renamed_piece_is_found_with_the_map_of_its_names(index):
    text = "\n".join(lines_of(LEAVING))
    names = {"chosen": "pick", "smallest": "tightest", "pivot": "lead", "bound": "edge", "quotient": "share"}
    for old, new in names.items():
        text = re.sub(rf"\b{old}\b", new, text)
    (found,) = alerts(added(*OWN, *text.split("\n")), index)
    assert path_of(index, found) == "src/simplex.c"
    assert abs(found.start_line - len(OWN) - 1) <= 1
    assert abs(found.end_line - len(OWN) - len(LEAVING)) <= 1
    assert {new: old for old, new in names.items()}.items() <= found.evidence.renames.items()


def test_a_piece_with_every_name_replaced_is_called_renamed(index):
    text = renamed("\n".join(lines_of(range(15, 70))).encode()).decode()
    (found,) = alerts(added(*text.split("\n")), index)
    assert path_of(index, found) == "src/simplex.c"
    assert found.evidence.kind == "renamed"
    assert found.evidence.tokens > 200
    assert len(found.evidence.renames) > 10
    assert all(abs(b - a - 14) <= 1 for a, b in found.evidence.line_pairs)


def test_small_edits_do_not_hide_a_piece(index):
    lines = lines_of(range(45, 70))
    lines[3] = "    for (; limit > 0; limit--) {"
    lines[7:7] = ["        if (t->rows > 100000)", "            return 3;"]
    lines[-6] = (
        "                t->cell[i * t->columns + j] = t->cell[i * t->columns + j] - factor * pivot_row[j];"
    )
    (found,) = alerts(added(*OWN, *lines), index)
    assert path_of(index, found) == "src/simplex.c"
    assert abs(found.start_line - len(OWN) - 1) <= 1
    assert abs(found.end_line - len(OWN) - len(lines)) <= 1


def test_a_piece_over_two_hunks_is_found(index):
    first, second = lines_of(range(45, 57)), lines_of(range(57, 70))
    change = changed((10, [(True, t) for t in first]), (40, [(True, t) for t in second]))
    found = alerts(change, index)
    assert {path_of(index, m) for m in found} == {"src/simplex.c"}
    blamed = {line for m in found for line, _ in m.evidence.line_pairs}
    assert len(blamed & set(range(10, 22))) > 8
    assert len(blamed & set(range(40, 53))) > 8


def test_context_is_never_blamed(index):
    before, after = lines_of(range(45, 57)), lines_of(range(57, 70))
    rows = [(False, t) for t in before] + [(True, t) for t in OWN] + [(False, t) for t in after]
    assert alerts(changed((100, rows)), index) == []


def test_context_extends_a_match_but_stays_outside_its_lines(index):
    rows = [(False, t) for t in lines_of(range(25, 30))]
    rows += [(True, t) for t in lines_of(range(30, 40))]
    rows += [(False, t) for t in lines_of(range(40, 44))]
    (found,) = alerts(changed((7, rows)), index)
    assert found.start_line == 12
    assert 20 <= found.end_line <= 21  # the last one holds nothing but a brace
    assert all(12 <= a <= 21 for a, _ in found.evidence.line_pairs)
    assert found.evidence.similarity > 0.95
    assert found.evidence.longest_run <= found.evidence.tokens


def test_two_pieces_of_two_releases_are_two_findings(index):
    ring = sample("meadow/ringbuffer.c").decode().splitlines()[4:24]
    change = added(*lines_of(LEAVING), *OWN, *ring)
    found = {m.origin.purl: m for m in alerts(change, index)}
    assert set(found) == {LATTICE, MEADOW}
    assert found[LATTICE].end_line < found[MEADOW].start_line


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("fortran/quad.f90", "fortran"),
        ("web/pitch.js", "javascript"),
        ("rust/treap.rs", "rust"),
        ("go/backoff.go", "go"),
        ("java/BandMatrix.java", "java"),
        ("python/anneal.py", "python"),
        ("julia/kalman.jl", "julia"),
        ("R/jackknife.R", "r"),
    ],
)
def test_a_copied_file_is_found_in_every_language(index, path, language):
    text = sample(f"lattice/{path}").decode().rstrip("\n").split("\n")
    change = added(*text, path="copy." + path.rpartition(".")[2])
    found = alerts(change, index, language=language)
    assert {(m.origin.purl, path_of(index, m)) for m in found} == {(LATTICE, path)}
    assert all(m.evidence.kind == "literal" for m in found)
    blamed = {line for m in found for line, _ in m.evidence.line_pairs}
    assert len(blamed) > 0.7 * len(set(make_query(change, language).line.tolist()))


# -- several origins


def corpus_of(data, releases):
    catalog = Catalog(data)
    for purl, (files, license) in releases.items():
        add_release(catalog, purl, files, license)
    catalog.build()
    return catalog


def test_the_same_text_in_two_releases_is_one_finding_that_names_both(tmp_path):
    tree = {"src/simplex.c": sample("lattice/src/simplex.c")}
    index = corpus_of(tmp_path, {
        LATTICE: (tree, GPL), "pkg:generic/fork@3": ({"lib/s.c": tree["src/simplex.c"]}, MIT),
        MEADOW: (sample_tree("meadow"), MIT),
    }).open()  # fmt: skip
    (found,) = alerts(added(*lines_of(LEAVING)), index)
    named = {found.origin.purl, *(origin.purl for origin, _ in found.also)}
    assert named == {LATTICE, "pkg:generic/fork@3"}


def test_releases_that_are_the_project_itself_are_left_out(index):
    change = added(*lines_of(LEAVING))
    assert alerts(change, index, accept=lambda purl: purl != LATTICE) == []


def test_the_projects_own_releases_crowd_nobody_out(tmp_path):
    text = sample("lattice/src/simplex.c")
    own = {f"pkg:generic/aself@{n}": ({"s.c": text + b"int v%d;\n" % n}, MIT) for n in range(12)}
    index = corpus_of(tmp_path, {**own, LATTICE: (sample_tree("lattice"), GPL)}).open()
    found = alerts(added(*lines_of(LEAVING)), index, accept=lambda purl: "self" not in purl)
    assert [m.origin.purl for m in found] == [LATTICE]


def test_what_many_origins_share_is_no_finding(tmp_path):
    idiom = [
        "static PyObject *NAME(PyObject *self, PyObject *args)",
        "{",
        "    PyObject *first, *second;",
        "    long flags = 0;",
        '    if (!PyArg_ParseTuple(args, "OO|l", &first, &second, &flags))',
        "        return NULL;",
        "    if (!PyList_Check(first) || !PyList_Check(second)) {",
        '        PyErr_SetString(PyExc_TypeError, "two lists are expected");',
        "        return NULL;",
        "    }",
        "    Py_RETURN_NONE;",
        "}",
    ]
    rng = np.random.default_rng(5)
    releases = {}
    for number in range(10):
        own = [
            f"static const long table_{number}[] = {{{', '.join(map(str, rng.integers(99, 10**6, 60)))}}};"
        ]
        for k in range(6):  # something of its own, so that the releases are no copies of each other
            a, b, c = rng.integers(100, 10**6, 3)
            own += [f"int f{number}_{k}(int x) {{ return (x * {a} + {b}) % {c} ? x << {k} : ~x; }}"]
        text = "\n".join([*own, *idiom]).replace("NAME", f"work_{number}")
        releases[f"pkg:generic/glue{number}@1"] = ({"glue.c": text.encode() + b"\n"}, GPL)
    index = corpus_of(tmp_path, releases).open()
    assert alerts(added(*idiom), index) == []
    # Where one release alone has it, it is one.
    few = {k: v for k, v in releases.items() if "glue7@" in k} | {LATTICE: (sample_tree("lattice"), GPL)}
    alone = corpus_of(tmp_path / "few", few).open()
    (found,) = alerts(added(*idiom), alone)
    assert found.origin.purl == "pkg:generic/glue7@1"


def test_removing_the_release_removes_the_finding(tmp_path):
    catalog = sample_corpus(tmp_path)
    change = added(*lines_of(LEAVING))
    assert len(alerts(change, catalog.open())) == 1
    catalog.remove([LATTICE])
    catalog.build()
    found = match(make_query(change, "c"), catalog.open(), DEFAULT)
    assert all(m.origin.purl != LATTICE and not is_alert(m) for m in found)


def test_nothing_added_and_nothing_like_it_give_nothing(index):
    assert match(make_query(changed((1, [(False, t) for t in SIMPLEX])), "c"), index, DEFAULT) == []
    assert match(make_query(changed(), "c"), index, DEFAULT) == []
    assert alerts(added(*OWN), index) == []
    assert alerts(added(""), index) == []


def test_matching_is_deterministic(index):
    change = added(*SIMPLEX)
    query = make_query(change, "c")
    assert match(query, index, DEFAULT) == match(make_query(change, "c"), index, DEFAULT)


def test_preprocessor_lines_and_stubs_are_declarations():
    def told(path, text, language):
        query = make_query(ChangedFile(path, (Region(1, tuple(text), (True,) * len(text)),)), language)
        marked = declaring(query)
        return [query.spelling[at] for at in range(len(query)) if marked[at]]

    guard = [b"#if defined(A)", b"int f(void);", b"#  define B 1", b"#endif"]
    assert told("a.h", guard, "c") == b"# if defined ( A ) # define B 1 # endif".split()
    assert told("a.py", [b"def f(x: int) -> int: ...", b"# a comment"], "python") == []
    assert len(told("a.pyi", [b"def f(x: int) -> int: ..."], "python")) > 10
    assert told("a.h", [], "c") == []


def test_parts_that_say_the_same_lines_again_are_not_added_up(index):
    (copy,) = alerts(added(*OWN, *lines_of(LEAVING)), index)
    again = replace(copy, start_line=copy.end_line + 2, end_line=2 * copy.end_line + 2 - copy.start_line)
    following = replace(
        again,
        origin=replace(copy.origin, start_line=copy.origin.end_line + 1, end_line=copy.origin.end_line + 20),
    )
    assert len(merge_neighbours([copy, again])) == 2
    (joined,) = merge_neighbours([copy, following])
    assert joined.evidence.bits == 2 * copy.evidence.bits


def test_a_rival_takes_bits_off_and_never_adds_any(index):
    (found,) = alerts(added(*OWN, *lines_of(LEAVING), *OWN), index)
    alone = found.evidence.beside(0.0)
    assert alone.bits == pytest.approx(sum(alone.terms.values()) - found.evidence.terms["rival"])
    beside = alone.beside(40.0)
    assert beside.bits == pytest.approx(alone.bits - 20.0)
    assert beside.terms["rival"] == -20.0
    assert alone.beside(-40.0).bits == alone.bits


def test_what_a_rival_takes_off_is_taken_off_all_that_explain_the_region(tmp_path):
    tree = {"src/simplex.c": sample("lattice/src/simplex.c")}
    part = "\n".join([*OWN, *lines_of(LEAVING)[: len(LEAVING) * 2 // 3], *OWN]).encode()
    index = corpus_of(tmp_path, {
        LATTICE: (tree, GPL), "pkg:generic/fork@3": ({"lib/s.c": tree["src/simplex.c"]}, MIT),
        "pkg:generic/part@1": ({"lib/part.c": part}, MIT), MEADOW: (sample_tree("meadow"), MIT),
    }).open()  # fmt: skip
    found = match(make_query(added(*lines_of(LEAVING)), "c"), index, DEFAULT)[0]
    assert found.evidence.terms["rival"] < -10
    ((origin, other),) = [pair for pair in found.also if pair[0].purl in (LATTICE, "pkg:generic/fork@3")]
    assert origin.purl != found.origin.purl
    assert other.terms["rival"] == found.evidence.terms["rival"]
    assert other.bits == pytest.approx(found.evidence.bits)
