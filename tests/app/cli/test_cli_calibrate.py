"""`whence corpus calibrate`: measured, kept beside the snapshot, handed on; bad files are told."""

import gc
from collections import Counter
from random import Random

import pytest

from corpus.calibration import best, draw, unrelated
from corpus.index.catalog import Catalog
from corpus.index.snapshot import null_file
from corpus.null import BUILT_IN
from tests.small_corpus import GPL, MIT, SAMPLES, add_release, sample_corpus

COPY = SAMPLES / "lattice" / "src" / "simplex.c"
STATEMENTS = (
    "{a} = {b} + {n}", "{a} = {b} * {c} - {d}", "for {a} in range({n}):\n        {b} += {a} % {c}",
    "if {a} > {n}:\n        return {b}", "{a} = {f}({b}, {c})", "{a}.append(({b}, {c}, {n}))",
    "while {a} < {b}:\n        {a} = {a} + {n}", "{a} = [{b} for {b} in {c} if {b} != {n}]",
    "{a}, {b} = {b}, {a}", "{a}[{n}] = {f}({b}) / {c}",
)  # fmt: skip
NAMES = ("apple", "bear", "cloud", "drum", "ember", "flint", "grove", "heron", "iris", "jade", "kite", "lake")


def made(functions: int, seed: int) -> bytes:
    """Functions of random statements: what two such texts share, they share by chance."""
    rng = Random(seed)
    texts = []
    for number in range(functions):
        lines = [f"def made_{seed}_{number}(apple, bear, cloud):"]
        for _ in range(rng.randrange(9, 20)):
            names = {key: rng.choice(NAMES) for key in "abcdf"}
            lines.append("    " + rng.choice(STATEMENTS).format(**names, n=rng.randrange(40)))
        texts.append("\n".join([*lines, "    return apple", "", ""]))
    return "\n".join(texts).encode()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A corpus with 150 functions of background, and 200 that they are compared with."""
    data = tmp_path_factory.mktemp("calibrate") / "data"
    catalog = sample_corpus(data)
    files = {f"noise/part{n}.py": made(25, n) for n in range(6)}
    add_release(catalog, "pkg:generic/noise@1.0", files, MIT, background=True)
    add_release(catalog, "pkg:generic/other@1.0", {"other.py": made(200, 77)}, GPL)
    catalog.build()
    return data


def test_the_measured_null_is_kept_with_the_snapshot(whence, home):
    catalog = Catalog(home)
    before = catalog.open()
    assert before.null is BUILT_IN
    ran = whence("corpus", "calibrate", "-n", 120, "-j", 2, data=home)
    assert ran.code == 0, ran.err
    assert f"120 functions of background releases measured; kept for snapshot {before.identity}" in ran.out
    assert "copies: chance 0.1 from" in ran.out
    index = catalog.open(verify=True)
    assert index.identity == before.identity
    copies = index.null.copies
    assert (copies.functions, copies.units) == (120, index.units)
    assert 0 < copies.scale < 60
    assert 0 < copies.rate < 1
    file = null_file(index.folder)
    first = file.read_text()
    assert whence("corpus", "calibrate", "-n", 120, "-j", 1, data=home).code == 0
    assert file.read_text() == first
    assert whence("doctor", data=home).code == 0


def test_the_next_snapshot_goes_on_with_it_and_old_ones_take_theirs_along(whence, home):
    catalog = Catalog(home)
    catalog.calibrate(str(catalog.current()), BUILT_IN)
    known = null_file(catalog.open().folder)
    gc.collect()  # what a command opened is read no more
    for number in range(3):
        add_release(catalog, f"pkg:generic/more@{number}", {"more.py": made(3, 100 + number)})
        catalog.build()
    last = catalog.open()
    assert null_file(last.folder).read_text() == BUILT_IN.encode()
    assert not known.exists()
    assert len(list(catalog.snapshots_root.glob(".*.null.json"))) == 2  # the published one and the one before


def test_a_bad_file_is_told_and_measured_anew(whence, home):
    catalog = Catalog(home)
    file = null_file(catalog.open().folder)
    file.write_text('{"format": 1}')
    ran = whence("doctor", data=home)
    assert ran.code != 0
    assert f"{file} cannot be used" in ran.out + ran.err
    assert whence("corpus", "calibrate", "-n", 100, "-j", 1, data=home).code == 0
    assert whence("doctor", data=home).code == 0


def test_without_background_there_is_nothing_to_measure_on(whence, tmp_path):
    sample_corpus(tmp_path / "data")
    ran = whence("corpus", "calibrate", data=tmp_path / "data")
    assert ran.code == 2
    assert "no background release is indexed" in ran.err


def test_a_background_too_small_to_measure_on_is_refused(whence, tmp_path):
    catalog = sample_corpus(tmp_path / "data")
    add_release(catalog, "pkg:generic/little@1.0", {"little.py": made(30, 5)}, MIT, background=True)
    catalog.build()
    ran = whence("corpus", "calibrate", data=tmp_path / "data")
    assert ran.code == 2
    assert "30 functions" in ran.err


def test_functions_of_a_package_that_the_origin_bundles_are_left_out(tmp_path):
    catalog = sample_corpus(tmp_path / "data")
    bundled, own = made(40, 1), made(120, 2)
    add_release(catalog, "pkg:generic/part@1.0", {"part.py": bundled}, MIT, background=True)
    add_release(catalog, "pkg:generic/noise@1.0", {"noise.py": own}, MIT, background=True)
    add_release(catalog, "pkg:generic/whole@1.0", {"whole.py": made(30, 3) + bundled}, GPL)
    catalog.build()
    index = catalog.open()
    measured = [best(index, function, catalog.params) for function in draw(index, 160, 1)]
    kept = Counter(one.function.purl for one in unrelated(measured))
    assert kept["pkg:generic/part@1.0"] <= 2
    assert kept["pkg:generic/noise@1.0"] == 120
