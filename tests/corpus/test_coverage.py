"""Coverage: the sums of what is in the segments; failures are told until they are mended."""

import json

import pytest

from app.cli.coverage import as_markdown, as_text
from corpus.coverage import coverage, failures, remember
from corpus.errors import CorruptSnapshot
from corpus.index.catalog import Catalog
from corpus.ingest import Outcome
from corpus.model import Skip
from tests.small_corpus import LATTICE, MEADOW, MIT, add_release, sample_corpus, sample_tree, write_release


def test_the_tallies_are_those_of_the_files(tmp_path):
    catalog = sample_corpus(tmp_path)
    found = coverage(catalog)
    trees = [sample_tree("lattice"), sample_tree("meadow")]
    assert found.total.files == sum(map(len, trees))
    assert found.total.lines == sum(t.count(b"\n") for tree in trees for t in tree.values())
    assert found.total.units == catalog.open().units
    assert found.licenses["MIT"].files == len(trees[1])
    for tallies in (found.licenses, found.languages):
        for part in ("files", "lines", "units"):
            assert sum(getattr(t, part) for t in tallies.values()) == getattr(found.total, part)
    assert {row.purl: row.license for row in found.releases} == {LATTICE: "GPL-3.0-or-later", MEADOW: "MIT"}
    tables = sum(p.stat().st_size for p in catalog.open().folder.iterdir() if p.name != "MANIFEST.json")
    assert found.index_bytes == tables
    assert found.plain()["index_bytes_per_unit"] == round(tables / found.total.units, 1)
    json.dumps(found.plain())


def test_background_and_what_was_left_out(tmp_path):
    catalog = Catalog(tmp_path)
    skips = (Skip("a.bin", "binary"), Skip("b.c", "too large", partial=True), Skip("c.c", "too large"))
    tree = sample_tree("meadow")
    name = write_release(catalog.segments_root, MEADOW, tree, MIT, background=True, skips=skips)
    catalog.put(MEADOW, name, background=True)
    add_release(catalog, LATTICE, sample_tree("lattice"))
    found = coverage(catalog)
    assert found.background.files == len(tree)
    assert (found.skips["too large"].files, found.skips["too large"].partial) == (2, 1)
    assert found.snapshot is None
    assert "nothing is published" in as_text(found)


def test_a_failure_is_told_until_the_release_is_in(tmp_path):
    catalog = sample_corpus(tmp_path)
    remember(
        catalog, [Outcome("pkg:pypi/gone@1", "failed", "no | such release"), Outcome(LATTICE, "indexed")]
    )
    assert failures(catalog) == {"pkg:pypi/gone@1": "no | such release"}
    page = as_markdown(coverage(catalog))
    assert "| pkg:pypi/gone@1 | no &#124; such release |" in page
    assert f"`{MEADOW}`" in page
    assert "not indexed: pkg:pypi/gone@1" in as_text(coverage(catalog))
    remember(catalog, [Outcome("pkg:pypi/gone@1", "incomplete")])
    assert coverage(catalog).failed == {}
    (tmp_path / "failures.json").write_text("[]")
    with pytest.raises(CorruptSnapshot, match="failures"):
        coverage(catalog)


def test_an_empty_corpus_is_told(tmp_path):
    found = coverage(Catalog(tmp_path / "none"))
    assert found.total.files == 0
    assert "nothing is indexed" in as_text(found)
    assert "0 releases" in as_markdown(found)


def test_a_snapshot_says_what_it_covers(tmp_path):
    catalog = sample_corpus(tmp_path)
    remember(catalog, [Outcome("pkg:pypi/gone@1", "failed", "no such release")])
    first = catalog.build()
    covered = catalog.open().covered
    assert covered == coverage(catalog).short()
    assert (covered.releases, covered.failed, covered.lacking) == (2, 1, 0)
    assert covered.date
    for _ in range(3):
        add_release(catalog, LATTICE, dict(list(sample_tree("lattice").items())[_ + 1 :]))
        catalog.build()
    assert catalog.open().covered != covered
    assert first not in [file.stem for file in (tmp_path / "covered").iterdir()]
    assert len(list((tmp_path / "covered").iterdir())) <= 3


@pytest.mark.parametrize("note", [None, "", "[]", '{"date": "2026-11-26"}', '{"languages": {"c": 1}}'])
def test_a_snapshot_without_a_note_tells_its_manifest(tmp_path, note):
    catalog = sample_corpus(tmp_path)
    before = catalog.open().covered
    (file,) = (tmp_path / "covered").iterdir()
    file.unlink() if note is None else file.write_text(note)
    covered = catalog.open(verify=True).covered
    assert (covered.releases, covered.total, covered.date) == (before.releases, before.total, "")
    assert {name: tally.files for name, tally in covered.languages.items()} == {
        name: tally.files for name, tally in before.languages.items()
    }
