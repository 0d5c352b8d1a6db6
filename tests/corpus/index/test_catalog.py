"""The catalogue: adding, publishing, removing and going back, and what is on the disk afterwards."""

import gc
import itertools
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from corpus.coverage import failures, remember
from corpus.errors import CorpusError, CorruptSnapshot, NoCorpus, UnknownRelease
from corpus.index.catalog import ABANDONED, Catalog
from corpus.ingest import Outcome
from corpus.match import is_alert, match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.small_corpus import LATTICE, MEADOW, add_release, sample, sample_corpus, sample_tree

pytestmark = pytest.mark.usefixtures("careless_disk")


def query(text, path="new.c"):
    lines = tuple(text.rstrip(b"\n").split(b"\n"))
    return make_query(ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)), "c")


SIMPLEX = query(sample("lattice/src/simplex.c"))


def origins(index):
    found = [m for m in match(SIMPLEX, index, DEFAULT) if is_alert(m)]
    return {m.origin.purl for m in found if m.evidence.kind in ("literal", "renamed")}


def stamps(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def everything(data):
    """All bytes and names below a folder, in one text."""
    return b"\n".join(
        str(path.relative_to(data)).encode() + (path.read_bytes() if path.is_file() else b"")
        for path in sorted(data.rglob("*"))
    )


def test_nothing_published_says_what_to_do(tmp_path):
    with pytest.raises(NoCorpus, match="whence corpus add"):
        Catalog(tmp_path / "none").open()
    with pytest.raises(CorpusError, match="whence corpus add"):
        Catalog(tmp_path / "none").build()


def test_a_second_build_gives_the_same_snapshot(tmp_path):
    catalog = sample_corpus(tmp_path)
    before = catalog.current()
    assert catalog.build() == before
    shutil.rmtree(catalog.snapshots_root)
    assert catalog.build() == before
    assert origins(catalog.open(verify=True)) == {LATTICE}


def test_adding_a_release_does_not_touch_the_other_segments(tmp_path):
    catalog = sample_corpus(tmp_path)
    before = stamps(catalog.segments_root)
    add_release(catalog, "pkg:generic/more@1", {"more.c": b"int more(int a) { return a + 1; }\n"})
    catalog.build()
    after = stamps(catalog.segments_root)
    assert before.items() <= after.items()
    assert len(catalog.entries()) == 3


def test_removal_removes_everything_derived(tmp_path):
    catalog = sample_corpus(tmp_path)
    marker = b"spline_moments"
    assert LATTICE.encode() in everything(tmp_path)
    catalog.remove([LATTICE])
    assert origins(catalog.open(verify=True)) == {LATTICE}  # the published snapshot still works
    catalog.build()
    assert origins(catalog.open(verify=True)) == set()
    left = everything(tmp_path)
    assert LATTICE.encode() not in left
    assert marker not in left
    assert len(list(catalog.segments_root.glob("*/*"))) == 1
    with pytest.raises(CorpusError, match="no earlier snapshot"):
        catalog.rollback()
    with pytest.raises(UnknownRelease, match="corpus list"):
        catalog.remove([LATTICE])


def test_a_release_that_was_never_published_is_removed_at_once(tmp_path):
    catalog = sample_corpus(tmp_path)
    add_release(catalog, "pkg:generic/more@1", {"more.c": b"int more;\n"})
    catalog.remove(["pkg:generic/more@1"])
    assert len(list(catalog.segments_root.glob("*/*"))) == 2


def test_a_segment_that_was_swept_meanwhile_is_not_catalogued(tmp_path):
    catalog = sample_corpus(tmp_path)
    entry = catalog.entries()[LATTICE]
    catalog.remove([LATTICE])
    catalog.build()
    with pytest.raises(CorpusError, match="add it again"):
        catalog.put(LATTICE, entry.segment, background=False)
    assert LATTICE not in catalog.entries()


def test_removing_the_last_release_publishes_nothing(tmp_path):
    catalog = sample_corpus(tmp_path)
    catalog.remove([LATTICE, MEADOW])
    catalog.withdraw()
    with pytest.raises(NoCorpus):
        catalog.open()
    assert not list(catalog.segments_root.glob("*/*"))
    assert not list(catalog.snapshots_root.glob("*"))


def test_a_replaced_segment_goes_when_the_last_snapshot_of_it_goes(tmp_path):
    catalog = Catalog(tmp_path)
    for number in range(4):
        add_release(catalog, LATTICE, {"a.c": b"int a = %d;\n" % number})
        catalog.build()
    assert len(list(catalog.snapshots_root.glob("*"))) == 2
    assert len(list(catalog.segments_root.glob("*/*"))) == 2


def test_rollback_publishes_the_snapshot_before(tmp_path):
    catalog = sample_corpus(tmp_path)
    first = catalog.current()
    with pytest.raises(CorpusError, match="no earlier snapshot"):
        catalog.rollback()
    tree = {k: v for k, v in sample_tree("lattice").items() if k != "src/simplex.c"}
    add_release(catalog, LATTICE, tree)
    second = catalog.build()
    assert origins(catalog.open()) == set()
    assert catalog.rollback() == first == catalog.current()
    assert origins(catalog.open(verify=True)) == {LATTICE}
    assert catalog.rollback() == second


def test_what_was_removed_does_not_come_back_by_rollback(tmp_path):
    catalog = Catalog(tmp_path)
    add_release(catalog, LATTICE, sample_tree("lattice"))
    catalog.build()
    add_release(catalog, MEADOW, sample_tree("meadow"))
    catalog.build()
    catalog.remove([LATTICE])
    with pytest.raises(CorpusError, match="removed"):
        catalog.rollback()


def test_a_reader_keeps_what_it_reads(tmp_path):
    catalog = sample_corpus(tmp_path)
    reader = catalog.open()  # nothing of it is mapped yet
    catalog.remove([LATTICE])
    catalog.build()
    add_release(catalog, "pkg:generic/more@1", {"more.c": b"int more;\n"})
    catalog.build()
    assert origins(reader) == {LATTICE}
    del reader
    gc.collect()
    catalog.build()
    assert LATTICE.encode() not in everything(tmp_path)


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    catalog = sample_corpus(tmp_path)
    parent = next(catalog.segments_root.iterdir())
    old, young, spool = parent / ".new-1-a", parent / ".new-2-b", tmp_path / ".spool-c"
    half_snapshot = catalog.snapshots_root / ".new-d"
    for folder in (old, young, spool, half_snapshot):
        folder.mkdir()
        (folder / "part").write_bytes(b"x")
    long_ago = time.time() - ABANDONED - 10
    for folder in (old, spool):
        os.utime(folder, (long_ago, long_ago))
    catalog.build()
    assert not old.exists()
    assert not spool.exists()
    assert not half_snapshot.exists()
    assert young.exists()  # its writer may be alive


def test_a_build_needs_twice_the_space(tmp_path, monkeypatch):
    catalog = sample_corpus(tmp_path)
    before = catalog.current()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(CorpusError, match="building needs"):
        catalog.build()
    assert catalog.current() == before


@pytest.mark.parametrize("damaged", ["a table", "the manifest", "the failures"])
def test_a_build_does_not_mind_what_was_damaged_before(tmp_path, damaged):
    catalog = sample_corpus(tmp_path)
    before = catalog.snapshots_root / str(catalog.current())
    if damaged == "a table":
        (before / "renamed.ref").write_bytes((before / "renamed.ref").read_bytes()[:-1])
    elif damaged == "the manifest":
        (before / "MANIFEST.json").unlink()
    else:
        (tmp_path / "failures.json").write_text("{")
    catalog.remove([MEADOW])
    built = catalog.build()
    assert built != before.name
    assert catalog.current() == built


def test_a_damaged_catalogue_is_named(tmp_path):
    catalog = sample_corpus(tmp_path)
    for text in ("", "[]", '{"releases": [{"purl": 1}]}', "{}"):
        (tmp_path / "catalog.json").write_text(text)
        with pytest.raises(CorruptSnapshot, match="catalog"):
            catalog.entries()


def test_problems_name_the_release_or_the_snapshot(tmp_path):
    catalog = sample_corpus(tmp_path)
    assert catalog.problems() == []
    segment = catalog.segment(catalog.entries()[MEADOW])
    for folder, name, said in (
        (segment.folder, "arrays", MEADOW),
        (catalog.snapshots_root / str(catalog.current()), "renamed.ref", "renamed.ref"),
    ):
        path = folder / name
        good = path.read_bytes()
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        (problem,) = catalog.problems()
        assert said in problem
        path.write_bytes(good)
    shutil.rmtree(segment.folder)
    (problem,) = catalog.problems()
    assert MEADOW in problem


QUERIES_OF_ONE_OPEN = 4
"""A snapshot that was opened goes on answering while the next ones are published."""

C38 = (pytest.mark.check("C38"), pytest.mark.long, pytest.mark.timeout(900))


@pytest.mark.parametrize(("swaps", "queries"), [(6, 0), pytest.param(20, 10_000, marks=C38)])
def test_answers_during_swaps_fit_one_generation(tmp_path, swaps, queries, figure):
    """Readers search all the time while generations with and without an origin follow each other."""
    catalog = sample_corpus(tmp_path)
    without = {k: v for k, v in sample_tree("lattice").items() if k != "src/simplex.c"}
    expected = {catalog.current(): {LATTICE}}
    add_release(catalog, LATTICE, without)
    expected[catalog.build()] = set()
    errors, answers, stop = [], [], threading.Event()

    def read():
        while not stop.is_set():
            try:
                index = catalog.open()
                for _ in range(QUERIES_OF_ONE_OPEN):
                    answers.append((index.identity, frozenset(origins(index))))
            except Exception as error:
                errors.append(error)

    with ThreadPoolExecutor(3) as readers:
        for _ in range(3):
            readers.submit(read)
        try:
            for number in itertools.count():
                if number >= swaps and len(answers) >= queries:
                    break
                add_release(catalog, LATTICE, without if number % 2 else sample_tree("lattice"))
                catalog.build()
        finally:
            stop.set()
    assert errors == []
    assert len({identity for identity, _ in answers}) == 2
    assert all(found == expected[identity] for identity, found in answers)
    if queries:
        figure("C38", "queries that fit exactly one generation", len(answers), at_least=queries,
               note=f"{number} swaps, 0 errors")  # fmt: skip


@pytest.mark.check("C38")
def test_one_publisher_at_a_time(tmp_path):
    catalog = sample_corpus(tmp_path / "data")
    log = tmp_path / "log"
    publish = Catalog._publish

    def logged(self, identity):
        with log.open("a") as out:
            out.write("in\n")
        publish(self, identity)
        with log.open("a") as out:
            out.write("out\n")

    def build_thrice():
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            Catalog._publish = logged
            for _ in range(3):
                Catalog(tmp_path / "data").build()
            code = 0
        finally:
            os._exit(code)

    builders = [build_thrice() for _ in range(4)]
    assert [os.waitpid(builder, 0)[1] for builder in builders] == [0] * 4
    assert log.read_text().split() == ["in", "out"] * 12
    assert catalog.problems() == []


def in_processes(number, work):
    """Run `work(k)` in `number` processes at the same time; none may fail."""
    children = []
    for k in range(number):
        child = os.fork()
        if not child:
            status = 1
            try:
                work(k)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * number


def test_many_processes_write_one_catalogue(tmp_path):
    data, rounds = tmp_path / "data", 12

    def write(k):
        catalog = Catalog(data)
        for number in range(rounds):
            text = b"int same%d(int a) { return a * %d + a / 3; }\n" % (number, number)
            add_release(catalog, f"pkg:generic/same@{number}", {"a.c": text})
            add_release(catalog, f"pkg:generic/own{k}@{number}", {"b.c": text + b"int own%d;\n" % k})
            failed = Outcome(f"pkg:generic/gone{k}@{number}", "failed", "it is gone")
            remember(catalog, [failed])
            if number == rounds // 2:
                catalog.build()

    in_processes(4, write)
    catalog = Catalog(data)
    names = ("same", "own0", "own1", "own2", "own3")
    wanted = {f"pkg:generic/{name}@{number}" for name in names for number in range(rounds)}
    assert catalog.entries().keys() == wanted
    assert len(failures(catalog)) == 4 * rounds
    assert not list(catalog.segments_root.glob("*/.new-*"))
    assert catalog.problems() == []
    catalog.build()
    assert all(catalog.is_published(purl) for purl in wanted)
    assert not catalog.is_published("pkg:generic/none@1")
