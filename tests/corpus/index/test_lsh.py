"""The mapped MinHashLSH is datasketch's: it returns what the one in memory returns, and so does the batch."""

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fingerprint.minhash import bands, signatures
from corpus.index.blocks import read_manifest, write_manifest
from corpus.index.lsh import minhash_lsh
from corpus.index.table import Layout, Table, write_table
from corpus.params import DEFAULT

SHINGLES = 40


def random_signatures(count, seed=5):
    """Signatures of random sets; two thirds are near duplicates of another one, at all distances."""
    rng = np.random.default_rng(seed)
    fresh = count // 3
    sets = rng.integers(0, 1 << 32, (count, SHINGLES), dtype=np.uint32)
    parents = rng.integers(0, fresh, count - fresh)
    kept = rng.random((count - fresh, SHINGLES)) < rng.random((count - fresh, 1))
    sets[fresh:] = np.where(kept, sets[parents], sets[fresh:])
    return signatures(
        sets.ravel(), np.arange(count) * SHINGLES, DEFAULT.num_perm, DEFAULT.seed, DEFAULT.num_perm
    )


def minhash(row):
    return MinHash(num_perm=DEFAULT.num_perm, seed=DEFAULT.seed, scheme=DEFAULT.scheme, hashvalues=row)


def in_memory(rows):
    lsh = MinHashLSH(threshold=DEFAULT.lsh_threshold, num_perm=DEFAULT.num_perm)
    for unit, row in enumerate(rows):
        lsh.insert(unit, minhash(row))
    return lsh


def mapped(folder, rows):
    keys = bands(rows, DEFAULT).ravel()
    units = np.repeat(np.arange(len(rows), dtype=np.uint32), DEFAULT.lsh_bands)
    order = np.lexsort((units, keys))
    facts = write_table(folder, "lsh", Layout.of(len(keys), len(keys)), [(keys[order], units[order])])
    write_manifest(folder, {"tables": {"lsh": facts}})
    return Table(folder, "lsh", read_manifest(folder))


def batch(table, rows):
    """All bands of all rows in one lookup, as matching asks."""
    which, units = table.lookup(bands(rows, DEFAULT).ravel())
    found = [set() for _ in rows]
    for row, unit in zip((which // DEFAULT.lsh_bands).tolist(), units.tolist(), strict=True):
        found[row].add(unit)
    return found


def compare(folder, rows, asked):
    memory, table = in_memory(rows), mapped(folder, rows)
    served = minhash_lsh(table, DEFAULT)
    assert (served.b, served.r) == (memory.b, memory.r)
    want = [set(memory.query(minhash(row))) for row in asked]
    assert [set(served.query(minhash(row))) for row in asked] == want
    assert batch(table, asked) == want
    return want


def test_a_thousand_queries_return_the_same(tmp_path):
    rows = random_signatures(2400)
    strangers = random_signatures(200, seed=6)
    want = compare(tmp_path, rows, np.concatenate((rows[::3][:800], strangers)))
    sizes = [len(found) for found in want]
    assert len(sizes) == 1000
    assert min(sizes[:800]) >= 1  # each finds at least itself
    assert sum(size > 1 for size in sizes) > 200  # and many find near duplicates
    assert not any(sizes[800:])


@pytest.mark.slow
def test_a_hundred_thousand_keys_return_the_same(tmp_path):
    rows = random_signatures(100_000)
    want = compare(tmp_path, rows, rows[::100])
    assert sum(len(found) > 1 for found in want) > 200


@given(st.integers(3, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_any_few_return_the_same(tmp_path_factory, count, seed):
    rows = random_signatures(count, seed)
    compare(tmp_path_factory.mktemp("lsh"), rows, rows)


def test_the_mapped_one_is_read_only(tmp_path):
    served = minhash_lsh(mapped(tmp_path, random_signatures(9)), DEFAULT)
    with pytest.raises((AttributeError, TypeError, ValueError)):
        served.insert("new", minhash(random_signatures(3)[0]))
    with pytest.raises(ValueError, match="length"):
        served.query(MinHash(num_perm=64, seed=1, scheme="affine32"))
