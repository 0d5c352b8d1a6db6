"""Built by many workers, a snapshot's shards are byte for byte those of one that was built here."""

from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace

import pytest

from corpus.errors import BadInput
from corpus.index import batch, merge
from corpus.index.batch import build, plan_of
from corpus.index.catalog import Catalog
from corpus.index.lookup import NAMES
from corpus.index.shards import Readers, write_shards
from corpus.index.snapshot import Snapshot
from corpus.params import DEFAULT
from tests.corpus.index.readers import reader_processes
from tests.small_corpus import LATTICE, add_release, random_segment, sample_corpus, sample_tree

pytestmark = pytest.mark.usefixtures("careless_disk")


class Here(Executor):
    """Runs each job at once, in this process."""

    def submit(self, fn, /, *args, **kwargs):
        done = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """Real units with near copies, and random numbers."""
    catalog = sample_corpus(tmp_path_factory.mktemp("data"))
    add_release(catalog, "pkg:generic/copy@1", sample_tree("lattice"))
    add_release(catalog, "pkg:generic/empty@1", {})
    for seed in range(3):
        segment = random_segment(catalog.segments_root, seed)
        catalog.put(segment.facts.purl, segment.name, background=False)
    catalog.build()
    return catalog


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def tables_of(root):
    """Bytes of all tables below a folder of shards, by shard."""
    return {
        (path.parent.name, path.name): path.read_bytes()
        for path in root.rglob("*.*") if path.name.partition(".")[0] in NAMES
    }  # fmt: skip


@pytest.mark.parametrize(("shards", "groups", "part"), [(1, 1, 4_000_000), (4, 3, 4_000_000), (8, 99, 50)])
def test_shards_are_those_of_a_local_build(catalog, tmp_path, monkeypatch, shards, groups, part):
    monkeypatch.setattr(merge, "PART_ENTRIES", part)
    local = catalog.open()
    write_shards(local.folder, tmp_path / "local", shards)
    identity = build(plan_of(catalog, tmp_path / "work", tmp_path / "out", shards, groups), Here())
    expected = tables_of(tmp_path / "local")
    assert len(expected) == shards * len(NAMES) * 8
    assert tables_of(tmp_path / "out" / "shards" / identity) == expected
    head = tmp_path / "out" / "snapshots" / identity
    for name in ("clusters", "weights"):
        assert (head / name).read_bytes() == (local.folder / name).read_bytes()


def test_processes_build_what_readers_serve(catalog, tmp_path):
    with ProcessPoolExecutor(2) as processes:
        identity = build(plan_of(catalog, tmp_path / "work", tmp_path, 2, 2), processes)
    keys = catalog.segment(catalog.entries()[LATTICE]).array("algorithm.key", "<u8").all()
    with reader_processes(tmp_path / "shards", 1) as (one,):
        index = Snapshot(
            tmp_path / "snapshots" / identity, catalog.segments_root, DEFAULT, verify=True,
            connect=lambda _: Readers(identity, [[one.address]] * 2),
        )  # fmt: skip
        assert (
            index.postings("algorithm", keys).unit == catalog.open().postings("algorithm", keys).unit
        ).all()
        assert not index.gaps
        assert {**index.facts, "tables": 0, "content": 0, "sealed": 0} == {
            **catalog.open().facts, "tables": 0, "content": 0, "sealed": 0
        }  # fmt: skip


def test_jobs_that_run_twice_or_again_after_a_failure_change_nothing(catalog, tmp_path, monkeypatch):
    plan = plan_of(catalog, tmp_path / "work", tmp_path / "out", 2, 2)
    with monkeypatch.context() as patch:
        patch.setattr(batch, "seal_shard", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space left"):
            build(plan, Here())
    batch.partition(plan, 0)
    batch.compile_bands(plan, 1)
    once = build(plan, Here())
    before = contents(tmp_path / "out" / "shards")
    assert build(plan, Here()) == once
    assert contents(tmp_path / "out" / "shards") == before
    other = replace(plan, work=str(tmp_path / "w2"), out=str(tmp_path / "o2"))
    assert build(other, Here()) == once


@pytest.mark.parametrize("shards", [0, 3, 128])
def test_a_number_of_shards_that_cannot_be_is_refused(catalog, tmp_path, shards):
    with pytest.raises(BadInput, match="power of two"):
        plan_of(catalog, tmp_path, tmp_path, shards, 1)


def test_an_empty_catalogue_has_nothing_to_plan(tmp_path):
    assert plan_of(Catalog(tmp_path), tmp_path, tmp_path, 2, 4).segments == []


@pytest.mark.slow
def test_a_dask_cluster_builds_the_same(catalog, tmp_path):
    from distributed import Client, LocalCluster

    here = build(plan_of(catalog, tmp_path / "w1", tmp_path / "o1", 4, 3), Here())
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        there = build(plan_of(catalog, tmp_path / "w2", tmp_path / "o2", 4, 3), executor)
    assert there == here
    assert contents(tmp_path / "o2" / "shards") == contents(tmp_path / "o1" / "shards")
