"""The setting WHENCE_LOOKUP: what it names, and the service's snapshots over it."""

import pytest

from app.context import Snapshots
from app.lookup.connect import connector
from corpus.errors import BadInput
from corpus.index.shards import Readers, write_shards
from tests.corpus.index.readers import reader_processes
from tests.small_corpus import sample_corpus


def test_nothing_set_is_the_data_folder():
    assert connector("") is None


@pytest.mark.parametrize(
    "setting",
    [
        "redis://h",
        "readers",
        "readers:",
        "readers:h:1;h:2;h:3",
        "readers:h",
        "postgresql://a;;postgresql://b",
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting):
    with pytest.raises(BadInput):
        (connector(setting) or Readers)({"content": "0" * 64})


def test_readers_are_named_by_shard_and_twin():
    made = connector("readers:a:1,b:2;a:1,b:2")
    assert made is not None
    assert isinstance(made({"content": "0" * 64}), Readers)


def test_the_service_opens_snapshots_whose_tables_are_elsewhere(tmp_path):
    catalog = sample_corpus(tmp_path)
    local = catalog.open()
    write_shards(local.folder, tmp_path / "shards", 2)
    for path in local.folder.glob("*.ref*"):
        path.unlink()
    keys = catalog.segment(next(iter(catalog.entries().values()))).array("renamed.key", "<u8").all()
    with reader_processes(tmp_path / "shards", 1) as (one,):
        opened = Snapshots(catalog, connector(f"readers:{one.address};{one.address}")).get(verify=True)
        assert len(opened.postings("renamed", keys).unit) >= len(keys)
        assert not opened.gaps
