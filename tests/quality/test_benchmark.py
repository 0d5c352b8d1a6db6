"""The benchmark itself: truth of cases, indexes without a package, rates, thresholds, pairs."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy.model import Policy
from app.scan.diff import read_diff
from app.scan.pipeline import Scanner
from bench.quality.case import cases, excerpt_case, hunks_case, new_file
from bench.quality.honest import measure, rate
from bench.quality.judge import judge, licences, overlap
from bench.quality.left_out import index_without
from bench.quality.pairs import auc, read_pairs, within_tasks
from bench.quality.pieces import is_own, sample_honest, sample_sources
from bench.quality.ported import FOLDER, case_of, tree
from bench.quality.tables import missed, recall_table, under
from corpus.archive.spool import blob_id
from corpus.index.builder import SegmentBuilder
from corpus.index.catalog import Catalog
from corpus.index.segment import ReleaseFacts
from corpus.languages import language_of
from corpus.match import match
from corpus.model import ChangedFile, Region, TreeFile
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.small_corpus import GPL, LATTICE, MEADOW, MIT, _record, sample, sample_tree

FORK = "pkg:generic/fork@1.0"


def put(catalog, purl, files, license):
    """A release whose files have the blob ids of their contents."""
    builder = SegmentBuilder(ReleaseFacts(purl), DEFAULT)
    for path, text in files.items():
        language = language_of(path, text[:400])
        builder.add(TreeFile(path, language, text, blob_id(text)), license, _record(text, language))
    catalog.put(purl, builder.write(catalog.segments_root, ()), background=False)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """Two releases, and a third that holds one file of the first as it is."""
    made = Catalog(tmp_path_factory.mktemp("data"))
    put(made, LATTICE, sample_tree("lattice"), GPL)
    put(made, MEADOW, sample_tree("meadow"), MIT)
    put(
        made,
        FORK,
        {"copied/simplex.c": sample("lattice/src/simplex.c"), "own.c": b"int own(void) { return 3; }\n"},
        GPL,
    )
    made.build()
    return made


@pytest.fixture(scope="module")
def pieces(catalog):
    return sample_sources(catalog, {"c", "python"}.__contains__, 12, 1)


def test_pieces_are_the_lines_of_their_file(catalog, pieces):
    index = catalog.open()
    assert len(pieces) > 4
    for piece in pieces:
        lines = index.text_of(piece.purl, piece.path).split(b"\n")
        assert tuple(lines[piece.start_line - 1 : piece.end_line]) == piece.lines


def test_the_truth_of_a_case_is_where_its_diff_puts_the_lines(pieces):
    for case in cases(pieces, 2, 1):
        changed = read_diff(case.diff).files[0]
        assert changed.path == case.target
        new = {r.first_line + i: line for r in changed.regions for i, line in enumerate(r.lines)}
        told = [new[n] for first, last in case.spans for n in range(first, last + 1)]
        assert b"\n".join(told).strip() == case.derived.strip() or case.kind == "hunks"
        if case.kind == "hunks":
            assert tuple(told) == case.piece.lines


def test_excerpts_have_the_size_that_they_say(pieces):
    for piece in pieces:
        case = excerpt_case(6, "verbatim", piece, Random(1))
        if case is not None:
            assert len(case.piece.code.code_lines) == 6
            assert case.kind == "verbatim, 6 lines"


def test_hunks_carry_context_inside(pieces):
    lines = tuple(sample("lattice/src/spline.c").split(b"\n")[:40])
    case = hunks_case(replace(pieces[0], lines=lines, language="c"), Random(1))
    first = case.spans[0][0]
    changed = read_diff(case.diff).files[0]
    flags = {r.first_line + i: a for r in changed.regions for i, a in enumerate(r.added)}
    assert [flags[first + i] for i in range(7)] == [True] * 5 + [False, True]


def test_a_copy_is_found_and_judged(catalog, pieces):
    index = catalog.open()
    piece = max((p for p in pieces if p.purl == LATTICE), key=lambda p: len(p.lines))
    row = judge(new_file("verbatim", piece, piece.code.text), Scanner(index, Policy(outbound="MIT")), index)
    assert (row.found, row.lead, row.license) == (True, True, True)
    assert row.overlap > 0.7
    assert "| verbatim" in recall_table([row])


def found_in(index, text):
    lines = tuple(text.split(b"\n"))
    query = make_query(ChangedFile("new.c", (Region(1, lines, (True,) * len(lines)),)), "c")
    return {m.origin.purl for m in match(query, index, DEFAULT)}


def test_an_index_without_a_package_lacks_its_copies_elsewhere(catalog, tmp_path):
    text = sample("lattice/src/simplex.c")
    assert found_in(catalog.open(), text) & {LATTICE, FORK}
    index, exclusion = index_without(catalog, [LATTICE], (), tmp_path)
    assert exclusion.releases == (LATTICE,)
    assert exclusion.copies == ((FORK, "copied/simplex.c"),)
    assert not found_in(index, text) & {LATTICE, FORK}
    raw = make_query(ChangedFile("new.c", (Region(1, (b"simplex_pivot",), (True,)),)), "c").raw
    whole = catalog.open().word_files(raw)
    assert (index.word_files(raw) <= whole).all()
    names = {w for w in (b"pivot", b"tableau", b"simplex") if w in text}
    spelled = make_query(ChangedFile("n.c", (Region(1, tuple(names), (True,) * len(names)),)), "c").raw
    assert index.word_files(spelled).sum() == 0


def test_contents_from_outside_the_catalogue_are_left_out_too(catalog, tmp_path):
    text = sample("lattice/src/simplex.c")
    _, exclusion = index_without(catalog, ["pkg:pypi/unknown@1"], {blob_id(text)}, tmp_path)
    assert exclusion.releases == ()
    assert {path for _, path in exclusion.copies} == {"src/simplex.c", "copied/simplex.c"}


def test_honest_functions_are_measured_without_their_package(catalog, tmp_path):
    measured = measure(catalog, LATTICE, 5, 1, tmp_path)
    assert measured.own + measured.others == len(sample_honest(catalog, LATTICE, 5, 1)) > 0
    assert measured.exclusion.releases == (LATTICE,)
    assert rate([measured], own=True)[0] == 0


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("scipy/optimize/_root.py", True),
        ("scipy/optimize/tests/test_root.py", False),
        ("numpy/vendored-meson/x.py", False),
        ("scipy/sparse/linalg/_dsolve/SuperLU/SRC/colamd.c", False),
        ("sklearn/externals/a.py", False),
        ("tools/refguide.py", False),
    ],
)
def test_what_is_a_packages_own_code(path, own):
    assert is_own(path, b"x = 1\n") is own


def test_overlap_takes_the_best_hunk():
    region = {"path": "a.c", "start_line": 10, "end_line": 19}
    assert overlap(region, "a.c", [(10, 19)]) == 1.0
    assert overlap(region, "a.c", [(100, 120), (10, 14)]) == 0.5
    assert overlap(region, "b.c", [(10, 19)]) == 0.0


def test_licences_are_compared_as_sets():
    assert licences("GPL-2.0-only AND MIT") == licences("(MIT AND GPL-2.0)")
    assert licences("GPL-2.0") != licences("GPL-3.0")


def test_a_threshold_fails_on_a_real_drop_only(catalog, pieces):
    index = catalog.open()
    piece = max((p for p in pieces if p.purl == LATTICE), key=lambda p: len(p.lines))
    good = judge(new_file("verbatim", piece, piece.code.text), Scanner(index, Policy(outbound="MIT")), index)
    bad = replace(good, found=False)
    limits = {"least_cases": 5, "standard_errors": 2.0, "recall": {"verbatim": 0.98}}
    assert missed(limits, [good] * 20, [], []) == []
    assert missed(limits, [good] * 19 + [bad], [], []) == []
    assert len(missed(limits, [good] * 10 + [bad] * 10, [], [])) == 1
    assert under(0.5, 0.7, 4, 2.0) is False


def test_every_port_has_an_origin_in_another_language():
    origins = {f.path.split(".")[0]: f for f in tree(FOLDER / "origin")}
    ports = tree(FOLDER / "port")
    assert len(ports) == len(origins) == 12
    for port in ports:
        case = case_of(port, origins[port.path.split(".")[0]])
        assert origins[port.path.split(".")[0]].language != port.language
        assert len(read_diff(case.diff).files) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_auc_is_the_share_of_rightly_ordered_pairs(rows):
    won, of = auc([s for s, _ in rows], [t for _, t in rows])
    good, bad = [s for s, t in rows if t], [s for s, t in rows if not t]
    assert of == len(good) * len(bad)
    assert won == sum((g > b) + 0.5 * (g == b) for g in good for b in bad)


def test_pairs_are_read_and_scored_by_the_command(tmp_path):
    text = sample("lattice/src/simplex.c")
    (tmp_path / "a.c").write_bytes(text)
    (tmp_path / "b.c").write_bytes(text.replace(b"    ", b"\t"))
    (tmp_path / "c.c").write_bytes(sample("lattice/src/spline.c"))
    listing = tmp_path / "pairs.tsv"
    listing.write_text("label\ttask\tleft\tright\n1\tt\ta.c\tb.c\n0\tt\ta.c\tc.c\n")
    pairs = read_pairs(listing)
    assert [p.derived for p in pairs] == [True, False]
    assert within_tasks([1.0, 0.0], pairs) == 1.0
    assert within_tasks([0.0, 1.0], pairs) == 0.0
    done = subprocess.run(
        [sys.executable, "-m", "bench.quality.pairs", "--pairs", str(listing)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "| whence compare" in done.stdout
    assert "1.000" in done.stdout


def test_a_row_that_is_none_is_named(tmp_path):
    listing = tmp_path / "pairs.tsv"
    listing.write_text("1\tt\ta.c\n")
    with pytest.raises(ValueError, match=r"pairs\.tsv:1"):
        read_pairs(listing)
