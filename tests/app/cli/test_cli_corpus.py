"""`whence corpus` and `whence doctor` over small corpora: what they print, what is published afterwards."""

import json
import shutil

import pytest

from app.cli import change
from corpus.index.catalog import Catalog
from tests.small_corpus import LATTICE, MEADOW, SAMPLES, add_release, sample_corpus, sample_tree

COPY = SAMPLES / "lattice" / "src" / "simplex.c"


@pytest.fixture
def data(tmp_path):
    sample_corpus(tmp_path / "data")
    return tmp_path / "data"


def findings(whence, data):
    ran = whence("check", COPY, "-f", "json", "--exit-zero", "--outbound", "MIT", data=data)
    assert ran.code == 0, ran.err
    return [f["origin"]["purl"] for f in json.loads(ran.out)["findings"]]


def test_list_and_status_say_what_is_in(whence, data):
    ran = whence("corpus", "list", data=data)
    assert ran.code == 0
    assert LATTICE in ran.out
    assert "mostly GPL-3.0-or-later" in ran.out
    rows = json.loads(whence("corpus", "list", "-f", "json", data=data).out)
    assert {row["purl"]: row["files"] for row in rows} == {
        LATTICE: len(sample_tree("lattice")), MEADOW: len(sample_tree("meadow")),
    }  # fmt: skip
    status = json.loads(whence("corpus", "status", "--format", "json", data=data).out)
    assert status["snapshot"] == Catalog(data).current()
    assert status["releases"] == 2
    assert status["files"] == sum(row["files"] for row in rows)
    assert status["licenses"] == {"GPL-3.0-or-later": len(sample_tree("lattice")), "MIT": 2}
    assert status["languages"]["c"] >= 3
    text = whence("corpus", "status", data=data).out
    assert str(Catalog(data).current()) in text
    assert "GPL-3.0-or-later" in text


def test_an_empty_corpus_has_the_same_keys(whence, data, tmp_path):
    full = json.loads(whence("corpus", "status", "-f", "json", data=data).out)
    empty = json.loads(whence("corpus", "status", "-f", "json", data=tmp_path / "none").out)
    assert empty.keys() == full.keys()
    assert empty["files"] == 0
    assert empty["snapshot"] is None
    assert json.loads(whence("corpus", "list", "-f", "json", data=tmp_path / "none").out) == []
    assert "whence corpus add" in whence("corpus", "list", data=tmp_path / "none").out


def test_remove_takes_a_release_out_of_the_answers(whence, data):
    assert findings(whence, data) == [LATTICE]
    ran = whence("corpus", "remove", LATTICE, data=data)
    assert ran.code == 0
    assert "published" in ran.out
    assert LATTICE not in findings(whence, data)
    again = whence("corpus", "remove", LATTICE, data=data)
    assert again.code == 2
    assert "whence corpus list" in again.err
    assert whence("corpus", "remove", "lattice", data=data).code == 2


def test_without_a_build_the_published_snapshot_stays(whence, data):
    before = Catalog(data).current()
    assert whence("corpus", "remove", LATTICE, "--no-build", data=data).code == 0
    assert Catalog(data).current() == before
    assert findings(whence, data) == [LATTICE]
    assert "published" in whence("corpus", "build", data=data).out
    assert LATTICE not in findings(whence, data)


def test_removing_everything_leaves_nothing_published(whence, data):
    assert "nothing is published" in whence("corpus", "remove", LATTICE, MEADOW, data=data).out
    ran = whence("check", COPY, data=data)
    assert ran.code == 2
    assert "whence corpus add" in ran.err
    assert whence("corpus", "build", data=data).code == 2


def test_rollback_goes_back(whence, data):
    none = whence("corpus", "rollback", data=data)
    assert none.code == 2
    assert "no earlier snapshot" in none.err
    before = Catalog(data).current()
    add_release(Catalog(data), "pkg:generic/more@1", {"a.c": b"int a;\n"})
    whence("corpus", "build", data=data)
    assert before in whence("corpus", "rollback", data=data).out
    assert Catalog(data).current() == before


def test_doctor_says_that_all_is_well_and_notices_a_flipped_byte(whence, data, tmp_path):
    well = whence("doctor", data=data)
    assert well.code == 0
    assert "whole" in well.out
    catalog = Catalog(data)
    for path in (
        catalog.snapshots_root / str(catalog.current()) / "literal.rem",
        catalog.segment(catalog.entries()[MEADOW]).folder / "files.json.zst",
    ):
        good = path.read_bytes()
        path.write_bytes(good[:9] + bytes([good[9] ^ 4]) + good[10:])
        ill = whence("doctor", data=data)
        assert ill.code == 2
        assert path.name in ill.err
        path.write_bytes(good)
    assert whence("doctor", data=tmp_path / "none").code == 0


def test_a_corpus_of_other_parameters_is_refused_with_advice(whence, data):
    catalog = Catalog(data)
    folder = catalog.snapshots_root / str(catalog.current())
    path = folder / "MANIFEST.json"
    # What an older version left: well-formed, but of another generation.
    text = path.read_text().replace(catalog.params.digest, "0123456789abcdef")
    path.write_text(text)
    ran = whence("check", COPY, data=data)
    assert ran.code == 2
    assert ran.err.startswith("whence: ")
    assert "whence corpus" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("corpus", "add", "no/such/place"), "neither a package URL"),
        (("corpus", "add", "-m", "no-such.toml"), "no-such.toml"),
        (("corpus", "list", "-f", "yaml"), "json"),
        (("corpus", "status", "-f", "yaml"), "json"),
        (("corpus", "rename"), "rename"),
        (("compare", "no.c", "none.c"), "no.c"),
        (("compare", ".", "."), "directory"),
    ],
)
def test_mistakes_are_named(whence, data, arguments, said):
    ran = whence(*arguments, data=data)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_a_data_folder_that_is_a_file_is_named(whence, tmp_path):
    (tmp_path / "file").write_text("x")
    ran = whence("corpus", "build", data=tmp_path / "file")
    assert ran.code == 2
    assert str(tmp_path / "file") in ran.err


def test_a_missing_segment_is_named(whence, data):
    catalog = Catalog(data)
    shutil.rmtree(catalog.segment(catalog.entries()[LATTICE]).folder)
    for command in (("corpus", "list"), ("corpus", "build"), ("check", COPY), ("doctor",)):
        ran = whence(*command, data=data)
        assert ran.code == 2
        assert "damaged" in ran.err
        assert "whence corpus add --again" in ran.err


def test_a_diff_over_the_limit_is_refused_not_cut(whence, data, project, monkeypatch):
    import io

    monkeypatch.setattr(change, "MAX_INPUT", 1000)
    text = b"--- a/x.c\n+++ b/x.c\n@@ -0,0 +1,200 @@\n" + b"+int x;\n" * 200
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    ran = whence("check", "--diff", "-", data=data)
    assert ran.code == 2
    assert "larger than" in ran.err
