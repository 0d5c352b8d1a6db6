"""Sharded readers: a lost one is survived by its twin, a lost shard is named, no answer is ever silent."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from corpus.errors import BadInput
from corpus.index import shards
from corpus.index.lookup import NAMES, by_shard
from corpus.index.reader import _Server
from corpus.index.shards import Address, Readers, write_shards
from corpus.index.snapshot import Snapshot
from corpus.index.table import COMMON
from corpus.match import match
from corpus.model import ChangedFile, Region
from corpus.params import DEFAULT
from corpus.query import make_query
from corpus.sandboxed import decode, encode, receive, send
from tests.corpus.index.readers import reader_processes
from tests.small_corpus import LATTICE, sample, sample_corpus

OF = 4
COPIED = tuple(sample("lattice/src/simplex.c").split(b"\n"))
QUERY = make_query(ChangedFile("new.c", (Region(1, COPIED, (True,) * len(COPIED)),)), "c")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    return sample_corpus(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def local(catalog):
    return catalog.open()


@pytest.fixture(scope="module")
def folder(catalog, local):
    write_shards(local.folder, catalog.data / "shards", OF)
    return catalog.data / "shards"


@pytest.fixture(scope="module")
def keys(catalog):
    """All hashes of the literal layer of one release."""
    return catalog.segment(catalog.entries()[LATTICE]).array("literal.key", "<u8").all()


def rows(found):
    which, values = found[:2]
    return sorted(zip(which.tolist(), values.tolist(), strict=True))


def index_over(catalog, local, holders):
    """The local snapshot's folder, its tables asked for at readers."""
    return Snapshot(
        local.folder, catalog.segments_root, DEFAULT, connect=lambda _: Readers(local.identity, holders)
    )


def test_a_lost_reader_is_survived_by_its_twin(catalog, local, folder, keys):
    with reader_processes(folder, 2) as (one, other):
        index = index_over(catalog, local, [[one.address, other.address]] * OF)
        expected = rows(local.postings("literal", keys))
        assert rows(index.postings("literal", keys)) == expected
        one.end()
        for _ in range(4):  # whoever's turn it is
            assert rows(index.postings("literal", keys)) == expected
        assert match(QUERY, index, DEFAULT) == match(QUERY, local, DEFAULT)
        assert list(index.gaps) == []


def test_a_lost_shard_is_named_and_its_hashes_count_as_common(catalog, local, folder, keys):
    with reader_processes(folder, 2) as (one, other):
        holders = [[one.address], [other.address], [one.address], [one.address]]
        index = index_over(catalog, local, holders)
        other.end()
        view = index.view()
        which, units = view.postings("literal", keys)
        lost = {shard.number: own for shard, own in by_shard(keys, OF)}[1]
        assert len(lost)
        assert set(which[units == COMMON + local.facts["clusters"]].tolist()) == set(lost.tolist())
        there = ~np.isin(which, lost)
        assert rows((which[there], units[there])) == [
            row for row in rows(local.postings("literal", keys)) if row[0] not in set(lost.tolist())
        ]
        assert view.gaps == (
            "Shard 2 of 4 of the index could not be searched: none of its 1 readers answered.",
        )
        assert list(index.view().gaps) == []
        words = view.word_files(QUERY.raw)
        known = local.word_files(QUERY.raw)
        away = (QUERY.raw >> np.uint64(62)) == 1
        assert (words[away] == local.facts["files"]).all()
        assert (words[~away] == known[~away]).all()
        assert not (view.postings("lsh", keys).unit >= COMMON).any()


def test_a_scan_without_a_shard_still_finds_a_copy_and_weighs_nothing_higher(catalog, local, folder):
    whole = match(QUERY, local, DEFAULT)[0]
    with reader_processes(folder, 2) as (one, other):
        index = index_over(catalog, local, [[one.address]] * 3 + [[other.address]])
        other.end()
        view = index.view()
        found = match(QUERY, view, DEFAULT)[0]
    assert found.origin.purl == LATTICE
    assert 0 < found.evidence.bits <= whole.evidence.bits
    assert len(view.gaps) == 1


def test_a_reader_that_comes_back_is_asked_again(catalog, local, folder, keys, monkeypatch):
    monkeypatch.setattr(shards, "REST_SECONDS", 0.0)
    with reader_processes(folder, 1) as (one,):
        index = index_over(catalog, local, [[one.address]] * OF)
        expected = rows(index.postings("literal", keys))
        one.end()
        assert len(index.view().postings("literal", keys).which) == len(keys)
        back = one.again()
        try:
            view = index.view()
            assert rows(view.postings("literal", keys)) == expected
            assert list(view.gaps) == []
        finally:
            back.end()


def serve(answer):
    """A listener that calls `answer(connection)` for each connection; returns its address and itself."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return Address("127.0.0.1", listener.getsockname()[1]), listener


def silent(connection):
    receive(connection, 1 << 30)
    threading.Event().wait(20)


def garbage(connection):
    receive(connection, 1 << 30)
    send(connection, b"\xc1 not a frame")


def short(connection):
    receive(connection, 1 << 30)
    connection.sendall(b"\0\0")
    connection.close()


def beyond(connection):
    """An index that no key has."""
    keys = len(decode(receive(connection, 1 << 30))[4]) // 8
    send(connection, encode(["ok", np.array([keys], "<u4").tobytes(), np.array([1], "<u4").tobytes()]))


@pytest.mark.parametrize("answer", [silent, garbage, short, beyond])
def test_a_reader_that_answers_badly_is_replaced_by_its_twin(local, folder, keys, answer):
    address, listener = serve(answer)
    with listener, reader_processes(folder, 1) as (good,):
        expected = rows(local.postings("literal", keys))
        twins = Readers(local.identity, [[address, good.address]] * OF, seconds=0.5)
        for _ in range(3):
            found = twins.find("literal", keys)
            assert rows(found) == expected
            assert not found.gaps
        alone = Readers(local.identity, [[address]] * OF, seconds=0.5).find("literal", keys)
        assert len(alone.which) == 0
        assert alone.lost.tolist() == list(range(len(keys)))
        assert len(alone.gaps) == OF


def test_a_reader_of_another_snapshot_is_a_gap(folder, keys):
    with reader_processes(folder, 1) as (one,):
        found = Readers("0" * 16, [[one.address]] * OF).find("literal", keys)
        assert len(found.gaps) == OF
        assert len(found.lost) == len(keys)


@pytest.mark.parametrize(
    "request_",
    [
        [],
        "no list",
        ["../../etc", 0, 4, "literal", b""],
        ["0" * 16, 0, 3, "literal", bytes(8)],
        ["0" * 16, -1, 0, "literal", bytes(8)],
        ["0" * 16, 0, 4, "../secret", bytes(8)],
        ["0" * 16, 0, 4, "literal", b"odd"],
        ["0" * 16, 0, 4, "literal", b"\xff" * 8],
    ],
)
def test_a_request_that_makes_no_sense_is_answered_with_an_error(folder, request_):
    with reader_processes(folder, 1) as (one,), socket.create_connection(one.address, 5) as connection:
        for _ in range(2):  # the connection goes on
            send(connection, encode(request_))
            assert decode(receive(connection, 1 << 20))[0] == "error"


def test_a_damaged_shard_is_a_gap_not_an_answer(catalog, local, keys, tmp_path):
    first = write_shards(local.folder, tmp_path, OF)[0]
    path = first / "literal.ref"
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    with reader_processes(tmp_path, 1) as (one,):
        found = Readers(local.identity, [[one.address]] * OF).find("literal", keys)
    assert [gap[:12] for gap in found.gaps] == ["Shard 1 of 4"]


def test_all_tables_answer_as_the_local_ones_from_many_threads(catalog, local, folder):
    segment = catalog.segment(catalog.entries()[LATTICE])
    asked = {name: segment.array(f"{name}.key", "<u8").all() for name in NAMES if name != "words"}
    asked["words"] = segment.array("vocab_raw.u8", "<u8").all()
    with reader_processes(folder, 2) as (one, other), ThreadPoolExecutor(8) as threads:
        readers = Readers(local.identity, [[one.address, other.address]] * OF)
        jobs = [name for name in NAMES for _ in range(6)]
        answers = threads.map(lambda name: rows(readers.find(name, asked[name])), jobs)
        for name, answer in zip(jobs, answers, strict=True):
            assert answer == rows(local._lookup.find(name, asked[name]))
        readers.close()


@pytest.mark.parametrize("holders", [[], [[]], [[Address("h", 1)]] * 3])
def test_holders_that_cannot_be_are_refused(holders):
    with pytest.raises(BadInput, match="power of two"):
        Readers("0" * 16, holders)


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:x"])
def test_an_address_names_host_and_port(text):
    with pytest.raises(BadInput, match="host:port"):
        Address.parse(text)
    assert Address.parse("[::1]:80") == Address("[::1]", 80)


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head(tmp_path):
    with _Server(("127.0.0.1", 0), tmp_path) as server, socket.create_connection(server.server_address):
        accepted, _ = server.get_request()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
