"""Segments: what is written is read, names follow the content, other parameters are refused."""

import dataclasses
import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import CorruptSnapshot, ParamsMismatch
from corpus.index import segment as segments
from corpus.index.blocks import MANIFEST
from corpus.index.builder import SegmentBuilder
from corpus.index.packed import _by_arrays as arrays
from corpus.index.packed_compiled import postings as machine_code
from corpus.index.record import make_record
from corpus.index.segment import ReleaseFacts, Segment
from corpus.languages import scan, significant
from corpus.model import LicenseConclusion, Skip
from corpus.params import DEFAULT
from tests.small_corpus import (
    GPL,
    LATTICE,
    MIT,
    random_record,
    random_segment,
    sample_tree,
    tree_file,
    write_release,
)

pytestmark = pytest.mark.usefixtures("careless_disk")
SKIPS = (Skip("doc/manual.pdf", "binary"), Skip("big.c", "too large", partial=True))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("segments")


@pytest.fixture(scope="module")
def lattice(root):
    return Segment(root, write_release(root, LATTICE, sample_tree("lattice"), skips=SKIPS), DEFAULT)


def test_tokens_of_every_file_are_those_of_its_own_language(lattice):
    for number, (path, text) in enumerate(sample_tree("lattice").items()):
        file = lattice.files[number]
        assert file.path == path
        scanned = scan(text, file.language)
        tokens, index = significant(scanned)
        read = lattice.tokens(number)
        assert (read.raw == tokens.raw).all()
        assert (read.renamed == tokens.renamed).all(), path
        assert (read.kind == tokens.kind).all(), path
        assert (read.neutral == scanned.neutral[index]).all(), path
        assert (read.line == tokens.line).all()
        spelled = [lattice.spelling(v) for v in read.vocab.tolist()]
        texts = [text[a:b].decode() for a, b in zip(tokens.start, tokens.end, strict=True)]
        folds = file.language.startswith("fortran")
        assert [s.lower() for s in spelled] == [t.lower() for t in texts] if folds else spelled == texts


def test_a_keyword_of_one_language_stays_a_name_in_another(root):
    files = {
        "a.js": b"function begin(end) { return end; }\n",
        "b.c": b"int function(int begin) { return begin; }\n",
    }
    segment = Segment(root, write_release(root, "pkg:generic/words@1", files), DEFAULT)
    for number, (path, text) in enumerate(files.items()):
        tokens, _ = significant(scan(text, tree_file(path, text).language))
        assert (segment.tokens(number).renamed == tokens.renamed).all()
        assert (segment.tokens(number).kind == tokens.kind).all()


def test_files_units_texts_licences_and_skips_come_back(root, lattice):
    tree = sample_tree("lattice")
    assert [lattice.text(n) for n in range(len(tree))] == list(tree.values())
    assert {f.license for f in lattice.files} == {GPL}
    assert tuple(lattice.skips) == SKIPS
    assert lattice.counts["skips"] == {"binary": 1, "too large": 1}
    assert lattice.counts["lines"] == sum(text.count(b"\n") for text in tree.values())
    assert lattice.facts.purl == LATTICE
    units = lattice.units.all()
    assert len(units) == lattice.counts["units"]
    owner = lattice.file_of_unit(np.arange(len(units)))
    for number, (path, text) in enumerate(tree.items()):
        expected = make_record(text, tree_file(path, text).language).units
        assert (units[owner == number] == expected).all()


def test_licences_keep_their_conflicts_and_reasons(root):
    odd = LicenseConclusion(
        "", "Unknown", "unknown", 0.25, (("header", "MIT"), ("dep5", "GPL-2.0-only")), "timeout"
    )
    name = write_release(root, "pkg:generic/odd@1", {"a.c": b"int a;\n"}, odd)
    assert Segment(root, name, DEFAULT).files[0].license == odd


def test_the_name_follows_the_content(tmp_path, lattice):
    again = write_release(tmp_path, LATTICE, sample_tree("lattice"), skips=SKIPS)
    assert again == lattice.name
    assert write_release(tmp_path, LATTICE, sample_tree("lattice"), skips=SKIPS) == again  # beside itself
    others = {
        write_release(tmp_path, LATTICE, sample_tree("lattice"), MIT, skips=SKIPS),
        write_release(tmp_path, LATTICE, sample_tree("lattice")),
        write_release(tmp_path, "pkg:generic/lattice@1.1", sample_tree("lattice"), skips=SKIPS),
        write_release(tmp_path, LATTICE, {**sample_tree("lattice"), "x.c": b"int x;\n"}, skips=SKIPS),
    }
    assert len(others | {again}) == 5
    assert not list(tmp_path.glob("*/.new-*"))


def test_texts_can_be_left_out(root):
    name = write_release(root, "pkg:generic/bare@1", {"a.c": b"int a;\n"}, keep_text=False)
    segment = Segment(root, name, DEFAULT)
    assert segment.text(0) is None
    assert len(segment.tokens(0).raw) == 2


@pytest.mark.parametrize("files", [{}, {"a.c": b"/* only a remark */\n"}, {"a.c": b"\n", "b.c": b"int b;\n"}])
def test_releases_with_little_or_nothing_in_them(root, files):
    segment = Segment(root, write_release(root, "pkg:generic/little@1", files), DEFAULT)
    assert [f.path for f in segment.files] == list(files)
    assert [segment.text(n) for n in range(len(files))] == list(files.values())
    assert [len(segment.tokens(n).raw) for n in range(len(files))] == [f.tokens for f in segment.files]


def test_other_parameters_and_formats_are_refused(tmp_path, lattice, root, monkeypatch):
    other = dataclasses.replace(DEFAULT, renamed_k=17)
    with pytest.raises(ParamsMismatch) as caught:
        Segment(root, lattice.name, other)
    for part in (DEFAULT.digest, other.digest, "whence corpus add"):
        assert part in caught.value.message
    monkeypatch.setattr(segments, "FORMAT", 99)
    with pytest.raises(ParamsMismatch, match="format 2, this version uses format 99"):
        Segment(root, lattice.name, DEFAULT)


def test_every_parameter_is_in_the_digest():
    for field in dataclasses.fields(DEFAULT):
        value = getattr(DEFAULT, field.name)
        changed = value + "x" if isinstance(value, str) else value + 1
        assert dataclasses.replace(DEFAULT, **{field.name: changed}).digest != DEFAULT.digest


def test_a_segment_under_another_ones_name_is_refused(tmp_path):
    a, b = random_segment(tmp_path, 1), random_segment(tmp_path, 2)
    aside = a.folder.with_name("aside")
    a.folder.rename(aside)
    b.folder.rename(a.folder)
    with pytest.raises(CorruptSnapshot, match="another segment"):
        Segment(tmp_path, a.name, DEFAULT)


def test_a_damaged_segment_is_replaced_when_it_is_written_again(tmp_path):
    segment = random_segment(tmp_path, 3)
    path = segment.folder / "arrays"
    path.write_bytes(bytes(len(path.read_bytes())))
    assert random_segment(tmp_path, 3).tokens(0).raw.size


def test_a_manifest_that_is_written_otherwise_is_refused(tmp_path):
    segment = random_segment(tmp_path, 4)
    path = segment.folder / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text())))
    with pytest.raises(CorruptSnapshot):
        Segment(tmp_path, segment.name, DEFAULT)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 60), st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_random_records_come_back(tmp_path_factory, seed, units, keys, files):
    root = tmp_path_factory.mktemp("random")
    rng = np.random.default_rng(seed)
    records = [random_record(rng, units, keys) for _ in range(files)]
    builder = SegmentBuilder(ReleaseFacts("pkg:generic/r@1"), DEFAULT)
    for number, record in enumerate(records):
        builder.add(tree_file(f"f{number}.c", b"x\n"), GPL, record)
    segment = Segment(root, builder.write(root, ()), DEFAULT)
    for number, record in enumerate(records):
        read = segment.tokens(number)
        for name in ("raw", "renamed", "kind", "neutral"):
            assert (getattr(read, name) == getattr(record, f"vocab_{name}")[record.ids]).all()
        assert (read.line == record.lines).all()
    for layer in segments.TABLES:
        pairs = zip(*(column.tolist() for column in segment.table(layer).all()), strict=True)
        expected = set()
        for number, record in enumerate(records):
            keys_of, units_of = getattr(record, f"{layer}_key"), getattr(record, f"{layer}_unit")
            expected |= set(zip(keys_of.tolist(), (units_of + number * units).tolist(), strict=True))
        assert list(pairs) == sorted(expected)


def in_parts(key, unit):
    """By machine code, in parts of like size, some of them empty."""
    cuts = [0, 0, len(key) // 3, len(key) // 2]
    return machine_code(np.split(key, cuts), np.split(unit, cuts))


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
@pytest.mark.parametrize("low", [0, 4, 10, 62, 64], ids=lambda low: f"{low} low bits alike")
@pytest.mark.parametrize("size", [0, 1, 2, 7, 100, 3000, 70_000])
def test_postings_are_distinct_pairs_in_order(size, low, dtype):
    """Also where keys agree in their high bits, and where units come in no order."""
    random = np.random.default_rng(size)
    high = random.integers(0, 2**64, size, np.uint64)
    key = (
        high
        if low == 64
        else high >> np.uint64(62) << np.uint64(low) | random.integers(0, 3, size, np.uint64)
    )
    unit = random.integers(0, 50, size).astype(dtype)
    for made, units in product((arrays, in_parts), (unit, np.sort(unit), np.sort(unit)[::-1].copy())):
        hashes, begins, numbers = made(key.copy(), units.copy())
        assert [one.dtype for one in (hashes, begins, numbers)] == [np.uint64, np.uint8, dtype]
        expected = sorted(set(zip(key.tolist(), units.tolist(), strict=True)))
        assert hashes.tolist() == sorted({one for one, _ in expected})
        assert numbers.tolist() == [other for _, other in expected]
        first = [at == 0 or expected[at - 1][0] != one for at, (one, _) in enumerate(expected)]
        assert begins.tolist() == np.packbits(np.array(first, bool), bitorder="little").tolist()
