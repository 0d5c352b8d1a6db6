"""Files that were indexed before are read back from their segments, which changes no segment."""

import shutil
from dataclasses import fields

import numpy as np
import pytest

from corpus.errors import ParamsMismatch
from corpus.index import builder as building
from corpus.index import segment as segments
from corpus.index.catalog import Catalog
from corpus.index.record import Record, make_record
from corpus.index.segment import Segment
from corpus.ingest import Ingester, is_indexed
from corpus.params import DEFAULT
from corpus.purl import local_purl
from corpus.retract import retract
from corpus.reuse import Seen
from corpus.sources import SourceSettings
from tests.small_corpus import LATTICE, add_release, sample_tree, tree_file


def module(seed):
    return "".join(
        f"def reef_{seed}_{n}(cells, radius):\n    for ring in range({n + 2}, radius):\n"
        f"        cells[ring % {seed + 5}] += ring * {seed}.{n}5 + {n + 12}\n    return cells[{seed}]\n\n"
        for n in range(6)
    )


@pytest.fixture
def trees(tmp_path):
    """Two folders that share files, one of them twice within a folder."""
    for name, seeds in (("one", (1, 2, 3)), ("two", (2, 3, 4))):
        folder = tmp_path / name / "deep"
        folder.mkdir(parents=True)
        for seed in seeds:
            (folder / f"part{seed}.py").write_text(module(seed))
        (folder / "again.py").write_text(module(3))
        (folder / "loop.f90").write_text("subroutine Loop(n)\n integer n\n n = n + 1\nend subroutine\n")
    return [local_purl(tmp_path / name) for name in ("one", "two")]


def ingest(data, purls):
    """Segments by purl, and how many texts were read by the children."""
    catalog, texts = Catalog(data), 0
    with Ingester(catalog, processes=1, settings=SourceSettings()) as ingester:
        run = ingester._pool.map_unordered

        def counted(function, jobs, **options):
            nonlocal texts
            jobs = list(jobs)
            texts += sum(len(batch) for (batch,) in jobs)
            return run(function, jobs, **options)

        ingester._pool.map_unordered = counted
        for purl in purls:
            assert ingester.ingest(purl).status == "indexed"
    return {purl: entry.segment for purl, entry in catalog.entries().items()}, texts


def test_equal_files_are_read_once_and_the_segments_are_the_same(trees, tmp_path):
    alone = {}
    for purl in trees:
        found, _ = ingest(tmp_path / "alone", [purl])
        alone |= found
        shutil.rmtree(tmp_path / "alone")
    together, texts = ingest(tmp_path / "data", trees)
    assert together == alone
    assert texts == 4 + 1  # of 1 2 3 3 and 2 3 3 4 four, and the Fortran file once


def postings(record, table):
    """The distinct (key, unit) pairs of one table."""
    columns = (getattr(record, f"{table}_{part}").astype(np.uint64) for part in ("key", "unit"))
    return np.unique(np.stack(list(columns)), axis=1)


def test_a_record_that_is_read_back_makes_the_same_postings(tmp_path):
    catalog = Catalog(tmp_path)
    # One vocabulary for spellings that are one to a language, or to two: the first is kept for all.
    words = {
        "a.f90": b"subroutine Scale(Voidp)\n Print *, 'far'\n print *, VOIDP\nend subroutine\n",
        "b.c": b"int voidp(int scale) { return scale; }\n",
        "c.py": b"far = \"far\"\nnear = 'far'\n",
        "d.py": b"far = 'far'\n",
        "e.f90": b"SUBROUTINE SCALE(VoidP)\nEND SUBROUTINE\n",
    }
    tree = dict(sorted({**sample_tree("lattice"), **words}.items()))
    add_release(catalog, LATTICE, tree)
    name = catalog.entries()[LATTICE].segment
    seen = Seen(catalog)
    assert len(tree) > 3
    for number, (path, text) in enumerate(tree.items()):
        file = tree_file(path, text)
        new, held = make_record(text, file.language), seen.records(name, {number: file})[number]
        for field in fields(Record):
            mine, theirs = getattr(new, field.name), getattr(held, field.name)
            if field.name.endswith(("_key", "_unit")):
                continue
            assert mine.dtype == theirs.dtype, field.name
            assert mine.tobytes() == theirs.tobytes(), field.name
        for table in ("literal", "renamed", "lsh", "algorithm"):
            assert np.array_equal(postings(new, table), postings(held, table)), table


def test_segments_of_another_format_are_read_anew_and_not_built_from(trees, tmp_path, monkeypatch):
    catalog = Catalog(tmp_path / "data")
    with monkeypatch.context() as patch:
        for module_of in (segments, building):
            patch.setattr(module_of, "FORMAT", 1)
        before, _ = ingest(catalog.data, trees)
        catalog.build()
    with pytest.raises(ParamsMismatch, match=r"format 1, this version uses format 2.*whence corpus add"):
        catalog.build()
    assert not is_indexed(catalog, trees[0], background=False)
    file = tree_file("deep/part1.py", module(1).encode())
    assert Seen(catalog).find([file]) == {}
    assert Seen(catalog).records(before[trees[0]], {0: file}) == {}
    after, texts = ingest(catalog.data, trees)
    assert texts == 4 + 1
    assert not set(before.values()) & set(after.values())
    assert is_indexed(catalog, trees[0], background=False)
    catalog.build()
    assert Seen(catalog).find([file])


def test_a_segment_that_is_gone_or_another_is_not_believed(trees, tmp_path):
    catalog = Catalog(tmp_path / "data")
    found, _ = ingest(catalog.data, trees)
    segment = Segment(catalog.segments_root, found[trees[0]], DEFAULT)
    path = segment.files[1].path
    file = tree_file(path, b"another text\n")
    assert Seen(catalog).records(found[trees[0]], {1: file, 99: file}) == {}
    shutil.rmtree(catalog.segments_root / found[trees[0]])
    again, texts = ingest(catalog.data, [trees[0]])
    assert again[trees[0]] == found[trees[0]]
    assert texts == 1  # part1; the others are in the second release


def test_a_retracted_release_is_no_source(trees, tmp_path):
    catalog = Catalog(tmp_path / "data")
    found, _ = ingest(catalog.data, trees)
    retract(catalog, [trees[0]])
    with Seen(catalog)._database() as database:
        names = {row[0] for row in database.execute("SELECT segment FROM files")}
    assert names == {found[trees[1]]}


def test_garbage_in_place_of_records_costs_the_file_that_is_to_blame(trees, tmp_path):
    catalog = Catalog(tmp_path / "data")
    with Ingester(catalog, processes=1, settings=SourceSettings()) as ingester:
        run = ingester._pool.run

        def answer(function, *args, **options):
            if function.endswith("record_batch") and b"reef_3" in args[0][0][0]:
                return [[[0], [b"", {}]]]
            return run(function, *args, **options)

        ingester._pool.run = answer
        ingester._pool.map_unordered = lambda function, jobs: (
            (n, {"no": "list"}) for n, _ in enumerate(jobs)
        )
        assert ingester.ingest(trees[0]).status == "indexed"
    segment = Segment(catalog.segments_root, catalog.entries()[trees[0]].segment, DEFAULT)
    assert {file.path for file in segment.files} == {"deep/loop.f90", "deep/part1.py", "deep/part2.py"}
    assert [(skip.path, skip.reason) for skip in segment.skips] == [
        ("deep/again.py", "could not be read: the child answered garbage"),
        ("deep/part3.py", "could not be read, as deep/again.py"),
    ]
