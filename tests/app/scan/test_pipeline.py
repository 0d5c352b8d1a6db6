"""The scan pipeline: a change and an index in, a report out that is valid, tight and the same each time."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

import app.report
from app.policy.parse import parse, with_outbound
from app.report import render
from app.scan.diff import Diff, read_diff, read_files
from app.scan.pipeline import Scanner, limits, scan
from corpus.index.catalog import Catalog
from corpus.model import ChangedFile, Region, Skip
from corpus.query import make_query
from tests.small_corpus import GPL, LATTICE, MIT, add_release, sample, sample_corpus, sample_tree

SCHEMA = json.loads((Path(app.report.__file__).parent / "schema.json").read_text())
BSD = with_outbound(parse("", "built-in"), "BSD-3-Clause")
SIMPLEX = sample("lattice/src/simplex.c")
HONEST = b"int twice(int n)\n{\n    return n + n;\n}\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return sample_corpus(tmp_path_factory.mktemp("data")).open()


@pytest.fixture(scope="module")
def scanner(index):
    return Scanner(index, BSD)


def valid(report):
    """The report's JSON form, once it fits the schema."""
    data = json.loads(render("json", report))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    return data


def test_a_copied_file_is_a_conflict_and_an_honest_one_is_nothing(scanner):
    report = valid(scan(read_files({"a/new.c": SIMPLEX, "b/own.c": HONEST}), scanner))
    assert (report["status"], report["worst"]) == ("complete", "conflict")
    finding = report["findings"][0]
    assert finding["verdict"]["status"] == "conflict"
    assert finding["region"]["path"] == "a/new.c"
    assert finding["origin"]["purl"] == LATTICE
    assert finding["origin"]["path"] == "src/simplex.c"
    assert finding["license"]["expression"] == "GPL-3.0-or-later"
    assert finding["evidence"]["kind"] == "literal"
    assert {f["region"]["path"] for f in report["findings"]} == {"a/new.c"}
    assert report["snapshot"]["releases"] == 2
    assert report["outbound"] == "BSD-3-Clause"


def test_permissive_code_asks_for_attribution(scanner):
    report = valid(scan(read_files({"r.c": sample("meadow/ringbuffer.c")}), scanner))
    assert [f["verdict"]["status"] for f in report["findings"]] == ["attribution"]


def test_a_permissive_twin_caps_at_review_and_is_named(tmp_path):
    catalog = Catalog(tmp_path)
    add_release(catalog, LATTICE, {"src/simplex.c": SIMPLEX}, GPL)
    add_release(catalog, "pkg:generic/free@1", {"lib/simplex.c": SIMPLEX}, MIT)
    add_release(catalog, "pkg:generic/rest@1", sample_tree("meadow"), MIT)
    catalog.build()
    report = valid(scan(read_files({"a.c": SIMPLEX}), Scanner(catalog.open(), BSD)))
    (finding,) = report["findings"]
    assert finding["origin"]["purl"] == LATTICE
    assert finding["verdict"]["status"] == "review"
    assert "pkg:generic/free@1" in json.dumps(finding["verdict"])
    assert "pkg:generic/free@1" in [o["purl"] for o in finding["origin"]["also"]]


def test_excluded_paths_are_named_and_complete(index):
    scanner = Scanner(index, BSD, excluded=lambda path: path.startswith("vendor/"))
    report = valid(scan(read_files({"vendor/s.c": SIMPLEX, "own.c": HONEST}), scanner))
    assert report["findings"] == []
    assert report["status"] == "complete"
    assert [(s["path"], s["partial"]) for s in report["skipped"]] == [("vendor/s.c", False)]
    assert "excluded" in report["skipped"][0]["reason"]


def test_what_is_no_source_code_is_named(scanner):
    report = valid(scan(read_files({"notes.unknown-kind": SIMPLEX, "logo.png": b"\x89PNG\0\0"}), scanner))
    assert {s["path"] for s in report["skipped"]} == {"notes.unknown-kind", "logo.png"}
    assert (report["status"], report["worst"]) == ("complete", None)


def test_a_file_that_cannot_be_read_is_partial_and_the_others_are_searched(index):
    def broken(changed, language):
        if changed.path == "bad.c":
            raise MemoryError("no room")
        return make_query(changed, language)

    files = {"bad.c": HONEST, "copy.c": SIMPLEX}
    report = valid(scan(read_files(files), Scanner(index, BSD, query=broken)))
    assert report["status"] == "partial"
    assert [(s["path"], s["partial"]) for s in report["skipped"]] == [("bad.c", True)]
    assert {f["region"]["path"] for f in report["findings"]} == {"copy.c"}


def test_skips_of_the_reader_are_kept(scanner):
    diff = Diff((), (Skip("x.c", "a lying hunk", partial=True),))
    report = valid(scan(diff, scanner))
    assert report["status"] == "partial"
    assert report["skipped"][0]["path"] == "x.c"


def test_an_empty_change_is_complete_and_has_no_worst(scanner):
    report = valid(scan(read_diff(b""), scanner))
    assert (report["status"], report["worst"], report["findings"]) == ("complete", None, [])


def test_only_added_lines_are_in_a_region(scanner):
    old, new = SIMPLEX.split(b"\n")[:43], SIMPLEX.split(b"\n")[43:69]
    body = b"".join(b" " + line + b"\n" for line in old[-3:]) + b"".join(b"+" + line + b"\n" for line in new)
    head = b"--- a/s.c\n+++ b/s.c\n@@ -41,3 +41,%d @@\n" % (3 + len(new))
    report = valid(scan(read_diff(head + body), scanner))
    assert report["findings"]
    for finding in report["findings"]:
        assert finding["region"]["start_line"] >= 44
        assert finding["region"]["end_line"] <= 43 + len(new)
        assert all(a >= 44 for a, _ in finding["evidence"]["line_pairs"])


@pytest.mark.parametrize("purl", ["pkg:generic/lattice", "pkg:generic/lattice@9", LATTICE])
def test_the_projects_own_packages_are_left_out(index, purl):
    policy = replace(BSD, self_purls=(purl,))
    report = valid(scan(read_files({"a.c": SIMPLEX}), Scanner(index, policy)))
    assert all(f["origin"]["purl"] != LATTICE for f in report["findings"])


def test_the_same_input_gives_the_same_report(scanner, index):
    names = ("src/simplex.c", "src/spline.c", "python/anneal.py", "go/backoff.go")
    files = {name: sample_tree("lattice")[name] for name in names}
    one, two = (render("json", scan(read_files(files), scanner, leads=True)) for _ in range(2))
    assert one == two
    turned = dict(reversed(files.items()))
    assert valid(scan(read_files(turned), Scanner(index, BSD)))["findings"] == json.loads(one)["findings"]


def test_ids_survive_a_move_and_tell_packages_apart(scanner):
    def ids(path, before):
        return {f.id for f in scan(read_files({path: before + SIMPLEX}), scanner).findings}

    assert ids("a.c", b"") == ids("deep/b.c", b"/* moved */\n\n\n")
    assert not ids("a.c", b"") & {
        f.id for f in scan(read_files({"r.c": sample("meadow/tides.py")}), scanner).findings
    }


def test_leads_are_there_when_asked_and_never_findings(scanner):
    files = {"a.c": SIMPLEX, "b.c": HONEST}
    assert "leads" not in valid(scan(read_files(files), scanner))
    report = valid(scan(read_files(files), scanner, leads=True))
    found = {
        (f["region"]["path"], f["region"]["start_line"], f["origin"]["purl"]) for f in report["findings"]
    }
    leads = {(f["region"]["path"], f["region"]["start_line"], f["origin"]["purl"]) for f in report["leads"]}
    assert not found & leads


def test_limits_say_what_was_not_compared(index, scanner):
    report = valid(scan(read_files({"b.c": HONEST}), scanner))
    assert any("2 indexed releases" in said for said in report["limits"])
    assert any("added lines" in said for said in report["limits"])


def test_limits_say_how_much_is_indexed_in_the_languages_of_the_change(index, scanner):
    c = index.covered.languages["c"]
    change = read_files({"b.c": HONEST, "x.hs": b"main = print 1\n", "y.c": HONEST})
    said = valid(scan(change, scanner))["limits"]
    held = f"no haskell and {c.files} c files ({c.lines} lines)"
    assert f"Of the languages of this change the index has {held}." in said
    assert f"{index.units} code units; the newest of {index.covered.date}) could be compared" in said[0]
    assert len(said) == 3


def test_limits_name_few_gaps_and_count_many(index):
    def said(missing, failed):
        covered = replace(index.covered, failed=failed, lacking=len(missing))
        facts = {"not_covered": [f"{purl}: its debian part" for purl in missing]}
        return limits(SimpleNamespace(covered=covered, facts=facts), ["c"])[3:]

    assert said([], 0) == []
    assert said(["pkg:a/a@1"], 0) == ["Not in the index: pkg:a/a@1: its debian part."]
    named = "`whence corpus coverage` names them."
    assert said(["pkg:a/a@1"], 1) == [
        f"Not in the index: 1 release that could not be indexed; {named}",
        "Not in the index: pkg:a/a@1: its debian part.",
    ]
    assert said([f"pkg:a/{n}@1" for n in range(30)], 2) == [
        "Not in the index: parts of 30 indexed releases and 2 releases that could not be indexed; " + named
    ]


def test_limits_tell_of_the_rarest_of_many_languages(index):
    said = limits(index, ["sql", "php", "python", "lua", "ada", "c"])[1]
    assert said == "Of the languages of this change the index has no ada, no lua, no php and no sql."


def test_strange_bytes_in_a_change_are_searched_or_named(scanner):
    lines = (b"\xff\xfe int \xc3\x28 x;", b"\0", b"/* \xe2\x80\xae", b'"unterminated')
    diff = Diff((ChangedFile("odd.c", (Region(1, lines, (True,) * 4),)),), added=4)
    report = valid(scan(diff, scanner))
    assert report["findings"] == []
