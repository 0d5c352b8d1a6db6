"""Faults: writers killed at any moment, and damaged files. A reader gets a whole snapshot or a refusal."""

import os
import random
import shutil
import signal
import time

import pytest

from corpus.errors import CorpusError, CorruptSnapshot
from corpus.index.blocks import MANIFEST
from corpus.index.catalog import Catalog
from corpus.match import match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.small_corpus import LATTICE, add_release, renamed, sample, sample_corpus, sample_tree

pytestmark = pytest.mark.usefixtures("careless_disk")


def change():
    lines = tuple(renamed(sample("lattice/src/simplex.c")).split(b"\n")[24:44])
    return make_query(ChangedFile("new.c", (Region(1, lines, (True,) * len(lines)),)), "c")


CHANGE = change()


def answer(index):
    return [
        (
            m.origin.purl,
            index.file(m.origin.ref).path,
            m.start_line,
            m.end_line,
            m.origin.start_line,
            m.evidence,
        )
        for m in match(CHANGE, index, DEFAULT)
    ]


# -- killed writers


def write_for_ever(data, first):
    """A child that indexes, publishes, removes and goes back until it is killed; returns its process id."""
    child = os.fork()
    if child:
        return child
    try:
        catalog = Catalog(data)
        tree = sample_tree("lattice")
        for number in range(first, 10_000):
            few = dict(list(tree.items())[number % 5 :])
            add_release(catalog, LATTICE, few)
            catalog.build()
            add_release(catalog, f"pkg:generic/other@{number}", {"a.c": b"int a%d;\n" % number})
            if number % 4 == 3:
                try:
                    catalog.rollback()
                except CorpusError as error:
                    if isinstance(error, CorruptSnapshot):
                        raise
            if (before := f"pkg:generic/other@{number - 1}") in catalog.entries():
                catalog.remove([before])
    finally:
        os._exit(1)


C36 = (pytest.mark.check("C36"), pytest.mark.long, pytest.mark.timeout(1200))


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=C36)])
def test_a_killed_writer_never_leaves_half_a_snapshot(tmp_path, kills, figure):
    catalog = sample_corpus(tmp_path)
    begin = time.monotonic()
    catalog.build()
    span = min(1.5, 6 * (time.monotonic() - begin))  # a few generations, however busy the machine is
    chance = random.Random(kills)
    seen, loads = set(), 0
    for _ in range(kills):
        child = write_for_ever(tmp_path, chance.randrange(60))
        end = time.monotonic() + chance.uniform(0.0, span)
        try:
            while time.monotonic() < end:
                seen.add(catalog.open(verify=True).identity)
                loads += 1
                assert os.waitpid(child, os.WNOHANG) == (0, 0), "the writer failed by itself"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        seen.add(catalog.open(verify=True).identity)
        assert catalog.problems() == []
    assert len(seen) > 2
    catalog.build()
    assert not list(catalog.snapshots_root.glob(".*"))
    assert len(list(catalog.snapshots_root.iterdir())) <= 2
    assert catalog.problems() == []
    if kills >= 200:
        figure("C36", "kill -9 while building and publishing", kills, at_least=200)
        figure("C36", "damaged or partial loads", 0, exactly=0, note=f"of {loads + kills:,}, all verified")


# -- damaged files


@pytest.fixture(scope="module")
def generations(tmp_path_factory):
    """A published corpus, and another generation of its files to swap with."""
    data, other = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("other")
    catalog = sample_corpus(data)
    strange = sample_corpus(other)
    add_release(strange, LATTICE, dict(list(sample_tree("lattice").items())[2:]))
    strange.build()
    return catalog, strange


def folders(catalog):
    """Folders that a search may read: the snapshot's, and those of its segments."""
    return [
        catalog.snapshots_root / str(catalog.current()),
        *(catalog.segments_root / e.segment for e in catalog.entries().values()),
    ]


def flip(path, chance, strange):
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def truncate(path, chance, strange):
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def lengthen(path, chance, strange):
    path.write_bytes(path.read_bytes() + b"\0" * chance.randint(1, 9))


def delete(path, chance, strange):
    path.unlink()


def swap(path, chance, strange):
    """The file of the same name of another generation, or another file of this one."""
    mine = path.read_bytes()
    places = [f / path.name for f in folders(strange)] + list(path.parent.iterdir())
    others = [p for p in places if p.is_file() and p.read_bytes() != mine]
    shutil.copyfile(chance.choice(others), path)


DAMAGES = (flip, flip, flip, truncate, lengthen, delete, swap, swap)


C37 = (pytest.mark.check("C37"), pytest.mark.long, pytest.mark.timeout(900))


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=C37)])
def test_damage_is_refused_and_never_gives_a_wrong_answer(generations, count, figure):
    catalog, strange = generations
    expected = answer(catalog.open(verify=True))
    assert expected[0][:2] == (LATTICE, "src/simplex.c")
    chance = random.Random(count)
    files = [p for folder in folders(catalog) for p in sorted(folder.iterdir()) if p.stat().st_size]
    refused = verified = 0
    for number in range(count):
        path = chance.choice(files)
        good = path.read_bytes()
        damage = DAMAGES[number % len(DAMAGES)]
        damage(path, chance, strange)
        try:
            with pytest.raises(CorruptSnapshot):
                catalog.open(verify=True)
            verified += 1
            try:
                found = answer(catalog.open())
            except CorruptSnapshot:
                refused += 1
            else:
                assert found == expected, (damage.__name__, path.name)
        finally:
            path.write_bytes(good)
    assert refused > count / 3
    assert answer(catalog.open(verify=True)) == expected
    if count >= 1000:
        note = f"{refused} also without verification; the others were never read"
        figure("C37", "damaged snapshots refused when verified", verified, exactly=count, note=note)
        figure("C37", "wrong answers", 0, exactly=0)


def test_a_whole_folder_of_another_generation_is_refused(generations, tmp_path):
    catalog, strange = generations
    for mine, theirs in zip(folders(catalog), folders(strange), strict=True):
        if (mine / MANIFEST).read_bytes() == (theirs / MANIFEST).read_bytes():
            continue
        aside = mine.with_name(".aside")
        mine.rename(aside)
        shutil.copytree(theirs, mine)
        try:
            with pytest.raises(CorruptSnapshot, match="holds another"):
                answer(catalog.open())
        finally:
            shutil.rmtree(mine)
            aside.rename(mine)
