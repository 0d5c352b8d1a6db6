"""The mapped table: it returns what a dict would, and notices every changed byte before it answers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorruptSnapshot
from corpus.fingerprint.hashing import mix
from corpus.index.blocks import BLOCK, MappedArray, read_manifest, verify_folder, write_array, write_manifest
from corpus.index.table import Table, write_table

pytestmark = pytest.mark.usefixtures("careless_disk")


def make(folder, pairs, parts=1):
    rows = sorted(pairs)
    keys = np.array([k for k, _ in rows], np.uint64)
    ids = np.array([v for _, v in rows], np.uint32)
    cuts = np.linspace(0, len(rows), parts + 1).astype(int)
    write_table(folder, "t", len(rows), ((keys[a:b], ids[a:b]) for a, b in pairwise(cuts)))
    write_manifest(folder, {})
    return Table(folder, "t", read_manifest(folder))


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2**32 - 2)), max_size=200, unique=True),
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


@pytest.mark.parametrize("name", ["t.dir", "t.rem", "t.ids", "t.rem.sum"])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.999])
def test_one_flipped_byte_is_refused(tmp_path, name, where):
    keys = mix(np.arange(60_000, dtype=np.uint64))
    make(tmp_path, zip(keys.tolist(), range(60_000), strict=True))
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
    (tmp_path / "t.ids").write_bytes(b"")
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
