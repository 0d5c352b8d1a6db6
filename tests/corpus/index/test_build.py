"""Snapshots: the same as a dict over all segments would give, however they are cut and ordered."""

import random
import tracemalloc
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorruptSnapshot, ParamsMismatch
from corpus.index import build, merge, origins, snapshot
from corpus.index.build import build_snapshot
from corpus.index.builder import SegmentBuilder
from corpus.index.origins import SAME_ORIGIN_BANDS
from corpus.index.segment import TABLES, ReleaseFacts, Segment
from corpus.index.snapshot import Snapshot
from corpus.index.table import COMMON
from corpus.model import TreeFile
from corpus.params import DEFAULT
from tests.small_corpus import GPL, random_record, random_segment, renamed, sample, sample_tree, write_release

pytestmark = pytest.mark.usefixtures("careless_disk")


def entries(segments, layer):
    """key → units of the snapshot, over segments in the snapshot's order."""
    found = defaultdict(set)
    base = 0
    for segment in sorted(segments, key=lambda s: s.facts.purl):
        keys, units = segment.table(layer).all()
        for key, unit in zip(keys.tolist(), units.tolist(), strict=True):
            found[key].add(base + unit)
        base += segment.counts["units"]
    return found


def answers(index, layer, keys):
    which, units = index.postings(layer, np.array(keys, np.uint64))
    found = defaultdict(set)
    for at, unit in zip(which.tolist(), units.tolist(), strict=True):
        found[keys[at]].add(unit)
    return found


def clusters_of(index):
    return index.clusters(np.arange(index.units, dtype=np.uint32)).tolist()


def capped(units, clusters, cap, copies):
    """What is stored of a fingerprint that stands in `units`."""
    by_cluster = defaultdict(list)
    for unit in sorted(units):
        by_cluster[clusters[unit]].append(unit)
    if len(by_cluster) > cap:
        return {COMMON + len(by_cluster)}
    return {u for group in by_cluster.values() for u in group[:copies]}


@given(
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    units=st.integers(1, 7),
    keys=st.integers(1, 50),
    part=st.sampled_from([1, 13, 4_000_000]),
    copies=st.sampled_from([1, 2, 16]),
)
@settings(max_examples=15, deadline=None)
def test_every_layer_is_that_of_a_dict(tmp_path_factory, seeds, units, keys, part, copies):
    root = tmp_path_factory.mktemp("build")
    segments = [random_segment(root, seed, units=units, keys=keys, files=2) for seed in seeds]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "PART_ENTRIES", part)
        patch.setattr(origins, "UNITS_PER_CLUSTER", copies)
        index = Snapshot(root / build_snapshot(root, segments, DEFAULT), root, DEFAULT, verify=True)
    clusters = clusters_of(index)
    assert answers(index, "lsh", list(entries(segments, "lsh"))) == entries(segments, "lsh")
    for layer in set(TABLES) - {"lsh"}:
        expected = {k: capped(v, clusters, 1000, copies) for k, v in entries(segments, layer).items()}
        assert answers(index, layer, list(expected)) == expected
        assert not answers(index, layer, [12345, 2**64 - 1])
    occurrences = defaultdict(int)
    for segment in segments:
        spelled = segment.array("vocab_raw.u8", "<u8").all().tolist()
        for key, files in zip(spelled, segment.array("vocab_files.u4", "<u4").all().tolist(), strict=True):
            occurrences[key] += files
    assert index.word_files(np.array([*occurrences, 77], np.uint64)).tolist() == [*occurrences.values(), 0]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 19)), unique=True),
    st.lists(st.integers(0, 7), min_size=20, max_size=20),
    st.integers(0, 5),
)
def test_what_too_many_origins_share_is_common(postings, clusters, cap):
    rows = sorted(postings)
    part = np.array([k for k, _ in rows], np.uint64), np.array([u for _, u in rows], np.uint32)
    stored = defaultdict(set)
    for keys, ids in origins.capped(iter([part]), np.array(clusters, np.uint32), cap):
        for key, unit in zip(keys.tolist(), ids.tolist(), strict=True):
            stored[key].add(unit)
    units_of = defaultdict(set)
    for key, unit in postings:
        units_of[key].add(unit)
    assert stored == {k: capped(u, clusters, cap, origins.UNITS_PER_CLUSTER) for k, u in units_of.items()}


def test_order_of_segments_and_size_of_parts_change_nothing(tmp_path, monkeypatch):
    segments = [random_segment(tmp_path, seed) for seed in range(7)]
    expected = build_snapshot(tmp_path, segments, DEFAULT)
    for seed, part in enumerate([1, 2, 10, 97, 10**9]):
        monkeypatch.setattr(merge, "PART_ENTRIES", part)
        shuffled = random.Random(seed).sample(segments, len(segments))
        assert build_snapshot(tmp_path / str(part), shuffled, DEFAULT) == expected


def test_units_lead_to_their_files(tmp_path):
    segments = [random_segment(tmp_path, seed, files=seed % 3, units=4) for seed in range(5)]
    index = Snapshot(tmp_path / build_snapshot(tmp_path, segments, DEFAULT), tmp_path, DEFAULT)
    files = index.files_of(np.arange(index.units, dtype=np.uint32)).tolist()
    expected = []
    for number, segment in enumerate(sorted(segments, key=lambda s: s.facts.purl)):
        for position, file in enumerate(segment.files):
            expected += [(number, position)] * (file.last_unit - file.first_unit)
    assert [tuple(index.ref(f)) for f in files] == expected


def banded(root, shared):
    """A snapshot of two units that agree in so many bands."""
    rng = np.random.default_rng(shared)
    bands = rng.integers(0, 2**64, (2, DEFAULT.lsh_bands), np.uint64)
    bands[1, :shared] = bands[0, :shared]
    record = random_record(rng, 2, 9)
    record = replace(
        record,
        digest=np.array([1, 2], np.uint64),
        lsh_key=bands.ravel(),
        lsh_unit=np.repeat(np.arange(2), DEFAULT.lsh_bands).astype(np.uint32),
    )
    builder = SegmentBuilder(ReleaseFacts("pkg:generic/two@1"), DEFAULT)
    builder.add(TreeFile("two.c", "c", b"x\n", "0" * 40), GPL, record)
    segments = [Segment(root, builder.write(root, ()), DEFAULT)]
    return Snapshot(root / build_snapshot(root, segments, DEFAULT), root, DEFAULT)


@pytest.mark.parametrize(("shared", "clusters"), [(SAME_ORIGIN_BANDS - 1, 2), (SAME_ORIGIN_BANDS, 1)])
def test_units_that_agree_in_enough_bands_are_one_origin(tmp_path, shared, clusters):
    assert banded(tmp_path, shared).facts["clusters"] == clusters


def test_near_copies_are_one_origin_and_others_are_not(tmp_path):
    simplex = sample("lattice/src/simplex.c")
    files = {
        "original.c": simplex,
        "edited.c": simplex.replace(b"quotient", b"share").replace(b"1.25e-9", b"2.5e-9"),
        "renamed.c": renamed(simplex),
        "other.c": sample("lattice/src/spline.c"),
    }
    names = [write_release(tmp_path, f"pkg:generic/{n}@1", {n: t}) for n, t in files.items()]
    segments = [Segment(tmp_path, name, DEFAULT) for name in names]
    index = Snapshot(tmp_path / build_snapshot(tmp_path, segments, DEFAULT), tmp_path, DEFAULT)
    clusters, files_of = clusters_of(index), index.files_of(np.arange(index.units, dtype=np.uint32)).tolist()
    of = defaultdict(set)
    for unit, number in enumerate(files_of):
        of[index.file(index.ref(number)).path].add(clusters[unit])
    assert of["original.c"] == of["renamed.c"]  # equal in the renamed layer
    assert of["original.c"] & of["edited.c"]
    assert not of["original.c"] & of["other.c"]


def test_an_empty_release_and_one_without_units_are_no_obstacle(tmp_path):
    names = [
        write_release(tmp_path, "pkg:generic/empty@1", {}),
        write_release(tmp_path, "pkg:generic/remark@1", {"a.c": b"/* nothing else */\n"}),
    ]
    segments = [Segment(tmp_path, name, DEFAULT) for name in names]
    index = Snapshot(tmp_path / build_snapshot(tmp_path, segments, DEFAULT), tmp_path, DEFAULT, verify=True)
    assert index.units == 0
    assert not answers(index, "literal", [1, 2])
    assert index.word_files(np.array([3], np.uint64)).tolist() == [0]


def test_the_facts_count_what_is_in(tmp_path):
    segments = [
        Segment(tmp_path, write_release(tmp_path, f"pkg:generic/{n}@1", sample_tree(n)), DEFAULT)
        for n in ("lattice", "meadow")
    ]
    facts = Snapshot(tmp_path / build_snapshot(tmp_path, segments, DEFAULT), tmp_path, DEFAULT).facts
    assert facts["releases"] == 2
    assert facts["files"] == len(sample_tree("lattice")) + len(sample_tree("meadow"))
    assert facts["units"] == sum(s.counts["units"] for s in segments)
    assert facts["licenses"] == {"GPL-3.0-or-later": facts["files"]}


def test_other_parameters_and_formats_are_refused(tmp_path, monkeypatch):
    segments = [random_segment(tmp_path, 1)]
    folder = tmp_path / build_snapshot(tmp_path, segments, DEFAULT)
    other = replace(DEFAULT, seed=2)
    with pytest.raises(ParamsMismatch, match=f"{DEFAULT.digest}.*{other.digest}"):
        Snapshot(folder, tmp_path, other)
    monkeypatch.setattr(snapshot, "FORMAT", 99)
    with pytest.raises(ParamsMismatch, match="format 99"):
        Snapshot(folder, tmp_path, DEFAULT)


def test_a_damaged_snapshot_is_replaced_by_the_next_build(tmp_path):
    segments = [random_segment(tmp_path, 1)]
    name = build_snapshot(tmp_path, segments, DEFAULT)
    path = tmp_path / name / "clusters"
    path.write_bytes(bytes(b ^ 1 for b in path.read_bytes()))
    with pytest.raises(CorruptSnapshot):
        Snapshot(tmp_path / name, tmp_path, DEFAULT, verify=True)
    assert build_snapshot(tmp_path, segments, DEFAULT) == name
    Snapshot(tmp_path / name, tmp_path, DEFAULT, verify=True)


def test_a_build_that_fails_leaves_nothing(tmp_path, monkeypatch):
    segments = [random_segment(tmp_path, 1)]
    monkeypatch.setattr(build, "write_array", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        build_snapshot(tmp_path / "snapshots", segments, DEFAULT)
    assert not list((tmp_path / "snapshots").iterdir())


def most_memory(root, segments):
    """Bytes that a build holds at most, beyond what it began with (mapped files are not counted)."""
    tracemalloc.start()
    try:
        build_snapshot(root, segments, DEFAULT)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_build_holds_one_part_and_a_few_numbers_a_unit(tmp_path, monkeypatch):
    monkeypatch.setattr(merge, "PART_ENTRIES", 10_000)
    monkeypatch.setattr(origins, "SPAN", 4000)
    segments = [random_segment(tmp_path, n, files=1, units=4000, keys=60_000) for n in range(16)]
    build_snapshot(tmp_path / "warm", segments[:1], DEFAULT)
    few, many = (most_memory(tmp_path / str(n), segments[:n]) for n in (4, 16))
    units = 12 * 4000
    entries = sum(len(s.table("algorithm")) for s in segments[4:])
    assert entries > 4 * units
    # 58 bytes a unit; the entries of one layer in memory would be 180 more.
    assert many - few < 100 * units
