"""Arrays that share a file: each comes back, and no flipped bit does."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorruptSnapshot
from corpus.index.blocks import (
    ARRAYS,
    BLOCK,
    ArraysWriter,
    MappedArray,
    read_manifest,
    verify_folder,
    write_manifest,
)

pytestmark = pytest.mark.usefixtures("careless_disk")

SIZES = st.one_of(
    st.integers(0, 40), st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])
)


def written(folder, arrays):
    """A sealed folder of arrays; its manifest."""
    with ArraysWriter(folder) as writer:
        for name, values in arrays.items():
            writer.append(name, values)
        files = writer.finish()
    write_manifest(folder, {"arrays": writer.places}, files)
    return read_manifest(folder)


@given(st.lists(st.tuples(SIZES, st.sampled_from(["u1", "<u2", "<u4", "<u8"])), max_size=6), st.randoms())
@settings(max_examples=60, deadline=None)
def test_arrays_of_one_file_come_back_and_no_flipped_bit_does(tmp_path_factory, shapes, chance):
    folder = tmp_path_factory.mktemp("arrays")
    numbers = np.random.default_rng(len(shapes))
    arrays = {
        str(at): numbers.integers(0, 250, size).astype(dtype) for at, (size, dtype) in enumerate(shapes)
    }
    manifest = written(folder, arrays)
    verify_folder(folder)
    for name, values in arrays.items():
        mapped = MappedArray(folder, name, values.dtype, manifest)
        assert len(mapped) == len(values)
        assert (mapped.all() == values).all()
        some = np.arange(len(values))[:: -max(1, len(values) // 5)]
        assert (MappedArray(folder, name, values.dtype, manifest).take(some) == values[some]).all()
    path = folder / ARRAYS
    data = bytearray(path.read_bytes())
    if data:
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        with pytest.raises(CorruptSnapshot):
            verify_folder(folder)
        for name, values in arrays.items():
            first, size, _ = manifest["arrays"][name]
            mapped = MappedArray(folder, name, values.dtype, manifest)
            if first <= at < first + size:
                with pytest.raises(CorruptSnapshot):
                    mapped.all()
            else:
                assert (mapped.all() == values).all()
    shutil.rmtree(folder)


def test_an_array_that_the_manifest_lacks_is_named(tmp_path):
    manifest = written(tmp_path, {"a": np.arange(3)})
    with pytest.raises(CorruptSnapshot, match=r"/b is damaged \(it is not in the manifest"):
        MappedArray(tmp_path, "b", "<u8", manifest)
