"""The mapped table: it returns what a dict would, and notices every changed byte before it answers."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorruptSnapshot
from corpus.fingerprint.hashing import mix
from corpus.index.blocks import BLOCK, MappedArray, read_manifest, verify_folder, write_array, write_manifest
from corpus.index.packed import pack, unpack
from corpus.index.table import COMMON, MAX_UNITS, Layout, Shard, Table, write_table

pytestmark = pytest.mark.usefixtures("careless_disk")


def make(folder, pairs, parts=1):
    rows = sorted(pairs)
    keys = np.array([k for k, _ in rows], np.uint64)
    ids = np.array([v for _, v in rows], np.uint32)
    cuts = np.linspace(0, len(rows), parts + 1).astype(int)
    layout = Layout.of(len(np.unique(keys)), len(rows))
    facts = write_table(folder, "t", layout, ((keys[a:b], ids[a:b]) for a, b in pairwise(cuts)))
    write_manifest(folder, {"tables": {"t": facts}})
    return Table(folder, "t", read_manifest(folder))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, MAX_UNITS - 1)), max_size=200, unique=True),
    st.lists(st.integers(0, 60), max_size=30),
    st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_lookup_is_that_of_a_dict(tmp_path_factory, pairs, asked, parts):
    spread = mix(np.arange(61, dtype=np.uint64)).tolist()
    rows = [(spread[k], v) for k, v in pairs]
    table = make(tmp_path_factory.mktemp("table"), rows, parts)
    which, ids = table.lookup(np.array([spread[a] for a in asked], np.uint64))
    got = sorted(zip(which.tolist(), ids.tolist(), strict=True))
    want = sorted((i, v) for i, a in enumerate(asked) for k, v in pairs if k == a)
    assert got == want


def test_a_table_opens_without_reading_it(tmp_path):
    rng = np.random.default_rng(1)
    table = make(tmp_path, zip(mix(np.arange(50_000, dtype=np.uint64)).tolist(), range(50_000), strict=True))
    assert len(table) == 50_000
    which, ids = table.lookup(mix(rng.integers(0, 50_000, 1000).astype(np.uint64)))
    assert len(which) == 1000
    assert ids.max() < 50_000


@pytest.mark.parametrize("name", ["t.dir", "t.rem", "t.ref", "t.list", "t.rem.sum"])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.999])
def test_one_flipped_byte_is_refused(tmp_path, name, where):
    keys = mix(np.arange(60_000, dtype=np.uint64))
    make(tmp_path, ((key, value) for key in keys.tolist() for value in (key % 99, 100)))
    path = tmp_path / name
    data = bytearray(path.read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptSnapshot):
        verify_folder(tmp_path)
    with pytest.raises(CorruptSnapshot):
        Table(tmp_path, "t", read_manifest(tmp_path)).lookup(keys)


def test_a_truncated_file_and_a_changed_manifest_are_refused_when_opened(tmp_path):
    make(tmp_path, [(5, 1)])
    manifest = tmp_path / "MANIFEST.json"
    good = manifest.read_text()
    manifest.write_text(good.replace('"bytes": 4', '"bytes": 5', 1))
    with pytest.raises(CorruptSnapshot):
        read_manifest(tmp_path)
    manifest.write_text(good)
    (tmp_path / "t.ref").write_bytes(b"")
    with pytest.raises(CorruptSnapshot):
        read_manifest(tmp_path)


@given(st.integers(0, 3 * BLOCK), st.data())
@settings(max_examples=20, deadline=None)
def test_slices_and_takes_are_those_of_the_array(tmp_path_factory, n, data):
    folder = tmp_path_factory.mktemp("array")
    values = mix(np.arange(n, dtype=np.uint64))
    write_array(folder, "a", values)
    write_manifest(folder, {})
    mapped = MappedArray(folder, "a", "<u8", read_manifest(folder))
    first = data.draw(st.integers(0, n))
    last = data.draw(st.integers(first, n))
    assert (mapped.slice(first, last) == values[first:last]).all()
    index = np.array(data.draw(st.lists(st.integers(0, max(0, n - 1)), max_size=20 if n else 0)), np.int64)
    assert (mapped.take(index) == values[index]).all()


lists = st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=300, unique=True), max_size=9)


@given(lists)
def test_packed_lists_come_back(rows):
    values = np.array([v for row in rows for v in sorted(row)], np.uint32)
    counts = np.array([len(row) for row in rows], np.int64)
    data, lengths = pack(values, np.cumsum(counts) - counts)
    back, sizes = unpack(data, lengths)
    assert back.tolist() == values.tolist()
    assert sizes.tolist() == counts.tolist()


def test_units_of_one_file_take_a_byte_each():
    data, _ = pack(np.arange(1_000_000, 1_000_100, dtype=np.uint32), np.array([0]))
    assert len(data) == 3 + 99


pairs = st.lists(
    st.tuples(st.sampled_from(mix(np.arange(99, dtype=np.uint64)).tolist()), st.integers(0, 500)),
    max_size=120,
    unique=True,
)


@given(pairs, st.sampled_from([1, 2, 8, 256]), st.sampled_from([1, 3]))
@settings(max_examples=40, deadline=None)
def test_shards_hold_what_the_whole_table_holds(tmp_path_factory, rows, of, step):
    """Also lists of hundreds of values, places of lists in steps, and values that stand for common hashes."""
    rows = [*rows, *((7 << 60, v) for v in range(0, 90_000, 300)), (9 << 60, COMMON + 1234)]
    folder = tmp_path_factory.mktemp("whole")
    keys, values = np.array(sorted(set(rows)), np.uint64).T
    layout = Layout.of(len(keys), len(keys))._replace(step=step)
    facts = write_table(folder, "t", layout, [(keys, values.astype(np.uint32))])
    write_manifest(folder, {"tables": {"t": facts}})
    whole = Table(folder, "t", read_manifest(folder))
    entries = Counter(zip(keys.tolist(), values.tolist(), strict=True))
    found = Counter()
    for number in range(of):
        shard, part = Shard(number, of), tmp_path_factory.mktemp("shard")
        inside = keys[(keys >= np.uint64(shard.low)) & (keys <= np.uint64(shard.high - 1))]
        facts = write_table(part, "t", layout, whole.entries_of(shard), shard)
        write_manifest(part, {"tables": {"t": facts}})
        table = Table(part, "t", read_manifest(part))
        which, got = table.lookup(np.unique(inside))
        found += Counter(zip(np.unique(inside)[which].tolist(), got.tolist(), strict=True))
        assert sum(len(part) for _, part in table.entries_of()) == len(table) == len(inside)
    assert found == entries
    which, got = whole.lookup(np.unique(keys))
    assert Counter(zip(np.unique(keys)[which].tolist(), got.tolist(), strict=True)) == entries


def test_a_directory_of_eight_bytes_is_read_as_it_was_written(tmp_path):
    keys = mix(np.arange(999, dtype=np.uint64))
    keys.sort()
    layout = Layout.of(999, 1 << 33)
    assert layout.wide
    assert layout.step > 1
    facts = write_table(tmp_path, "t", layout, [(keys, np.arange(999, dtype=np.uint32))])
    write_manifest(tmp_path, {"tables": {"t": facts}})
    assert Table(tmp_path, "t", read_manifest(tmp_path)).lookup(keys)[1].tolist() == list(range(999))
