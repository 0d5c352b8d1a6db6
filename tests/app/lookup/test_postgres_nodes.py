"""Lookups on PostgreSQL nodes, real ones: what is lost with a node is named, and the scan says partial."""

import asyncio
import json

import numpy as np
import pytest

from app.lookup import nodes
from app.lookup.nodes import schema_of, unload
from app.lookup.postgres import PostgresLookup, load_snapshot
from app.policy.parse import parse, with_outbound
from app.report import render
from app.scan.diff import read_files
from app.scan.pipeline import Scanner, scan
from corpus.errors import BadInput
from corpus.index.lookup import NAMES, by_shard
from corpus.index.snapshot import Snapshot
from corpus.params import DEFAULT
from tests.service.servers import Postgres
from tests.small_corpus import LATTICE, sample, sample_corpus

BSD = with_outbound(parse("", "built-in"), "BSD-3-Clause")


@pytest.fixture(scope="module")
def servers():
    started = [Postgres(), Postgres()]
    try:
        for server in started:
            server.create()
        yield started
    finally:
        for server in started:
            server.destroy()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return sample_corpus(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def urls(servers, catalog):
    made = [server.database() for server in servers]
    load_snapshot(catalog.open().folder, made)
    return made


@pytest.fixture
def index(catalog, urls):
    lookups = []

    def connect(manifest):
        lookups.append(PostgresLookup(manifest, urls))
        return lookups[-1]

    local = catalog.open()
    yield Snapshot(local.folder, catalog.segments_root, DEFAULT, connect=connect)
    lookups[0].close()


def keys_of(catalog, layer):
    return catalog.segment(catalog.entries()[LATTICE]).array(f"{layer}.key", "<u8").all()


def rows(found):
    return sorted(zip(found[0].tolist(), found[1].tolist(), strict=True))


def test_each_table_is_partitioned_by_hash_and_the_nodes_share_its_rows(catalog, servers, urls):
    local = catalog.open()
    schema = schema_of(local.identity)
    for name in NAMES:
        counts = [
            int(server.sql(f"SELECT count(*) FROM {schema}.{name}", url.rpartition("/")[2]))
            for server, url in zip(servers, urls, strict=True)
        ]
        assert sum(counts) == local.facts["tables"][name]["hashes"]
        assert min(counts) > 0.3 * sum(counts)
        strategy = f"SELECT partstrat FROM pg_partitioned_table WHERE partrelid = '{schema}.{name}'::regclass"
        assert servers[0].sql(strategy, urls[0].rpartition("/")[2]) == "h"


def test_a_lost_node_makes_the_scan_partial_and_is_named(catalog, servers, index, monkeypatch):
    monkeypatch.setattr(nodes, "REST_SECONDS", 0.0)
    files = read_files({"new.c": sample("lattice/src/simplex.c")})
    complete = json.loads(render("json", scan(files, Scanner(index, BSD))))
    assert complete["status"] == "complete"
    servers[1].stop()
    try:
        report = json.loads(render("json", scan(files, Scanner(index, BSD))))
    finally:
        servers[1].start()
    gap = "Part 2 of 2 of the index could not be searched: its PostgreSQL node did not answer."
    assert report["status"] == "partial"
    assert gap in report["limits"]
    assert report["skipped"] == [{"path": "new.c", "reason": gap, "partial": True}]
    assert {f["origin"]["purl"] for f in report["findings"]} == {LATTICE}
    again = json.loads(render("json", scan(files, Scanner(index, BSD))))
    assert again == complete


def test_only_the_hashes_of_the_lost_node_are_lost(catalog, servers, index, monkeypatch):
    monkeypatch.setattr(nodes, "REST_SECONDS", 0.0)
    keys, local = keys_of(catalog, "renamed"), catalog.open()
    servers[0].stop()
    try:
        found = index._lookup.find("renamed", keys)
    finally:
        servers[0].start()
    away = {shard.number: own for shard, own in by_shard(keys, 2)}[0]
    assert found.lost.tolist() == sorted(away.tolist())
    expected = [row for row in rows(local.postings("renamed", keys)) if row[0] not in set(away.tolist())]
    assert rows(found) == expected
    assert len(found.gaps) == 1


def test_nodes_in_another_order_or_without_the_snapshot_are_gaps_not_empty_answers(catalog, servers, urls):
    keys, manifest = keys_of(catalog, "literal"), catalog.open().facts
    empty = servers[0].database()
    for wrong in ([urls[1], urls[0]], [urls[0]], [empty, urls[1]]):
        lookup = PostgresLookup(manifest, wrong)
        try:
            found = lookup.find("literal", keys)
        finally:
            lookup.close()
        assert found.gaps
        assert len(found.lost) == (len(keys) if wrong[0] is not empty else np.sum(keys < np.uint64(1 << 63)))


def test_a_snapshot_is_unloaded(catalog, servers):
    url = servers[0].database()
    snapshot = catalog.open()
    load_snapshot(snapshot.folder, [url])
    asyncio.run(unload(url, snapshot.identity))
    assert servers[0].sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'snapshot%'",
                          url.rpartition("/")[2]) == "0"  # fmt: skip


def test_a_load_that_breaks_off_leaves_nothing(catalog, servers, monkeypatch):
    url = servers[0].database()
    monkeypatch.setattr(nodes, "NAMES", (*NAMES, "nothing"))
    with pytest.raises(KeyError):
        load_snapshot(catalog.open().folder, [url])
    assert servers[0].sql("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'snapshot%'",
                          url.rpartition("/")[2]) == "0"  # fmt: skip


def test_a_number_of_nodes_that_cannot_be_is_refused(catalog):
    with pytest.raises(BadInput, match="power of two"):
        PostgresLookup(catalog.open().facts, ["postgresql://a", "postgresql://b", "postgresql://c"])
    with pytest.raises(BadInput, match="id of a snapshot"):
        schema_of("x; DROP TABLE scans")
