"""`whence compare` in both forms."""

import json

from tests.small_corpus import SAMPLES, renamed

SIMPLEX, SPLINE = SAMPLES / "lattice/src/simplex.c", SAMPLES / "lattice/src/spline.c"


def score(whence, left, right):
    ran = whence("compare", left, right, "--format", "json")
    assert ran.code == 0
    return json.loads(ran.out)


def test_json_has_a_score_and_line_pairs(whence, project):
    same = score(whence, SIMPLEX, SIMPLEX)
    assert same["score"] == 1.0
    assert [a for a, _ in same["line_pairs"]] == [b for _, b in same["line_pairs"]]
    (project / "r.c").write_bytes(renamed(SIMPLEX.read_bytes()))
    alike = score(whence, SIMPLEX, "r.c")
    assert alike["score"] > 0.9
    assert alike["renames"]
    assert (alike["left"], alike["right"]) == (str(SIMPLEX), "r.c")
    assert 0.0 <= alike["containment_left"] <= 1.0
    assert score(whence, SIMPLEX, SPLINE)["score"] < 0.25


def test_text_shows_lines_side_by_side(whence):
    out = whence("compare", SIMPLEX, SIMPLEX, "--lines", "3").out
    assert out.startswith("score 1.00")
    assert "#define PIVOT_FLOOR" in out
    assert "more line pairs" in out
    assert "score 0.0" in whence("compare", SIMPLEX, SAMPLES / "README.md").out


def test_odd_files_are_compared_too(whence, project):
    (project / "empty").write_bytes(b"")
    (project / "bytes.bin").write_bytes(bytes(range(256)) * 9)
    assert score(whence, "empty", "empty")["score"] == 0.0
    assert score(whence, "bytes.bin", "bytes.bin")["score"] == 1.0
    assert score(whence, "bytes.bin", SIMPLEX)["score"] < 0.2
    assert whence("compare", "bytes.bin", "bytes.bin").code == 0


def test_a_wrong_format_is_named(whence):
    ran = whence("compare", SIMPLEX, SIMPLEX, "-f", "xml")
    assert ran.code == 2
    assert "json" in ran.err
