"""The exam of every implementation of `Index`: what matching asks of it is answered as the segments say.

An implementation joins by one line in IMPLEMENTATIONS: a function that makes it of a catalogue's releases,
with the real servers that it needs.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack as Servers
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from app.lookup.postgres import PostgresLookup, load_snapshot
from corpus.index.build import FORMAT
from corpus.index.catalog import Catalog
from corpus.index.origins import UNITS_PER_CLUSTER
from corpus.index.segment import TABLES
from corpus.index.shards import Readers, write_shards
from corpus.index.snapshot import TABLE_FILES, Index, Snapshot
from corpus.index.table import COMMON
from corpus.match import match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from tests.corpus.index.readers import reader_processes
from tests.service.servers import Postgres
from tests.small_corpus import LATTICE, MEADOW, MIT, add_release, sample, sample_tree

SHARDS = 4


def sharded(catalog: Catalog, servers: Servers) -> Index:
    """Four shards of mapped tables, each on two reader processes."""
    folder = catalog.snapshots_root / str(catalog.current())
    write_shards(folder, catalog.data / "shards", SHARDS)
    first, second = servers.enter_context(reader_processes(catalog.data / "shards", 2))
    holders = [[first.address, second.address]] * SHARDS
    return elsewhere(catalog, servers, lambda manifest: Readers(manifest["content"][:16], holders))


def on_postgresql(catalog: Catalog, servers: Servers) -> Index:
    """Two PostgreSQL servers, each with half of the hashes."""
    urls = []
    for _ in range(2):
        server = Postgres()
        servers.callback(server.destroy)
        server.create()
        urls.append(server.database())
    load_snapshot(catalog.snapshots_root / str(catalog.current()), urls)
    return elsewhere(catalog, servers, lambda manifest: PostgresLookup(manifest, urls))


def elsewhere(catalog: Catalog, servers: Servers, connect: Callable[[dict[str, Any]], Any]) -> Index:
    """The published snapshot from a folder without its tables."""
    whole = catalog.snapshots_root / str(catalog.current())
    root = Path(servers.enter_context(TemporaryDirectory()))
    shutil.copytree(whole, root / whole.name, ignore=lambda _, names: TABLE_FILES.intersection(names))
    lookups = []

    def connected(manifest: dict[str, Any]) -> Any:
        lookups.append(connect(manifest))
        servers.callback(lookups[-1].close)
        return lookups[-1]

    return Snapshot(root / whole.name, catalog.segments_root, DEFAULT, verify=True, connect=connected)


IMPLEMENTATIONS: dict[str, Callable[[Catalog, Servers], Index]] = {
    "snapshot": lambda catalog, servers: catalog.open(),
    "snapshot, verified": lambda catalog, servers: catalog.open(verify=True),
    "sharded readers": sharded,
    "PostgreSQL nodes": on_postgresql,
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    catalog = Catalog(tmp_path_factory.mktemp("data"))
    add_release(catalog, LATTICE, sample_tree("lattice"))
    add_release(catalog, "pkg:generic/empty@1", {})
    add_release(catalog, MEADOW, sample_tree("meadow"), MIT, background=True)
    catalog.build()
    return catalog


@pytest.fixture(scope="module")
def segments(catalog):
    return [catalog.segment(entry) for _, entry in sorted(catalog.entries().items())]


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def index(request, catalog):
    with Servers() as servers:
        yield IMPLEMENTATIONS[request.param](catalog, servers)


def query(path, language):
    lines = tuple(sample(path).split(b"\n"))
    return make_query(ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)), language)


def test_it_says_what_it_holds(index, catalog, segments):
    facts = index.facts
    assert index.identity == catalog.current()
    assert index.units == facts["units"] == sum(s.counts["units"] for s in segments)
    assert facts["releases"] == 3
    assert facts["files"] == sum(s.counts["files"] for s in segments)
    assert facts["licenses"] == {"GPL-3.0-or-later": len(sample_tree("lattice")), "MIT": 2}
    assert (facts["params"], facts["format"]) == (DEFAULT.digest, FORMAT)
    assert [row["purl"] for row in facts["segments"]] == [s.facts.purl for s in segments]


def test_a_view_is_the_same_index_and_lacks_nothing(index, segments):
    keys = segments[0].array("literal.key", "<u8").all()
    view = index.view()
    assert [a.tolist() for a in view.postings("literal", keys)] == [
        a.tolist() for a in index.postings("literal", keys)
    ]
    assert (view.identity, view.units, view.facts) == (index.identity, index.units, index.facts)
    assert list(view.gaps) == []


@pytest.mark.parametrize("layer", TABLES)
def test_postings_hold_every_unit_of_a_rare_key(index, segments, layer):
    base = 0
    for segment in segments:
        keys, units = segment.table(layer).all()
        units = units.astype(np.int64) + base
        which, found = index.postings(layer, keys)
        answers = set(zip(keys[which].tolist(), found.tolist(), strict=True))
        common = {key for key, unit in answers if unit >= COMMON}
        number = Counter(key for key, _ in answers)
        for key, unit in zip(keys.tolist(), units.tolist(), strict=True):
            assert (key, unit) in answers or key in common or number[key] >= UNITS_PER_CLUSTER
        base += segment.counts["units"]


@pytest.mark.parametrize("layer", TABLES)
def test_unknown_keys_and_no_keys_have_no_postings(index, layer):
    unknown = np.array([1, 2**63, 2**64 - 1], np.uint64)
    for keys in (unknown, unknown[:0]):
        which, units = index.postings(layer, keys)
        assert len(which) == len(units) == 0


def test_keys_may_repeat_and_come_in_any_order(index, segments):
    keys = segments[1].array("renamed.key", "<u8").all()[:7]
    asked = np.concatenate([keys[::-1], keys, np.array([5], np.uint64)])
    which, units = index.postings("renamed", asked)
    assert (np.diff(which) >= 0).all()
    rows = [sorted(units[which == n].tolist()) for n in range(len(asked))]
    assert rows[:7] == rows[7:14][::-1]
    assert rows[14] == []


def test_units_lead_to_their_files_and_files_to_their_texts(index, segments):
    every = np.arange(index.units, dtype=np.uint32)
    expected = [
        (number, position)
        for number, segment in enumerate(segments)
        for position, file in enumerate(segment.files)
        for _ in range(file.last_unit - file.first_unit)
    ]
    refs = [index.ref(number) for number in index.files_of(every).tolist()]
    assert [tuple(ref) for ref in refs] == expected
    for ref in set(refs):
        segment = segments[ref.segment]
        assert index.file(ref) == segment.files[ref.file]
        assert (index.tokens(ref).raw == segment.tokens(ref.file).raw).all()
        assert index.segment(ref.segment).facts == segment.facts


def test_clusters_are_numbered_from_nought(index):
    clusters = index.clusters(np.arange(index.units, dtype=np.uint32))
    assert clusters.min() == 0
    assert len(np.unique(clusters)) == clusters.max() + 1 == index.facts["clusters"]


def test_words_are_counted_by_file(index, segments):
    tokens = [segment.tokens(n).raw for segment in segments for n in range(len(segment.files))]
    words = np.unique(np.concatenate(tokens))
    expected = sum(np.isin(words, own).astype(int) for own in tokens)
    assert (index.word_files(words) == expected).all()
    assert index.word_files(np.array([3, 4], np.uint64)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("path", "language", "purl"),
    [
        ("lattice/src/spline.c", "c", LATTICE),
        ("lattice/python/anneal.py", "python", LATTICE),
        ("meadow/tides.py", "python", MEADOW),
    ],
)
def test_matching_finds_the_origin(index, path, language, purl):
    best = match(query(path, language), index, DEFAULT)[0]
    assert best.origin.purl == purl
    assert index.file(best.origin.ref).path == path.split("/", 1)[1]


def test_many_threads_may_ask_at_once(index):
    asked = query("lattice/src/spline.c", "c")
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: match(asked, index, DEFAULT), range(8)))
    assert all(answer == answers[0] for answer in answers)
