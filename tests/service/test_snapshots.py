"""A damaged snapshot is not searched: the one before answers, and the report says which it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.context import Snapshots
from corpus.errors import CorruptSnapshot, NoCorpus
from corpus.index.catalog import Catalog
from corpus.ingest import Ingester
from corpus.purl import local_purl
from tests.service.stacks import copied, embedded, write_release

pytestmark = pytest.mark.anyio


@pytest.fixture
def two(corpus: Path, tmp_path: Path) -> tuple[Catalog, str, str]:
    """A catalogue of its own with two snapshots: (catalogue, before, current)."""
    shutil.copytree(corpus, tmp_path / "data")
    catalog = Catalog(tmp_path / "data")
    before = catalog.current()
    with Ingester(catalog, processes=1) as ingester:
        assert ingester.ingest(local_purl(write_release(tmp_path, "more"))).status == "indexed"
    current = catalog.build()
    assert before is not None
    assert before != current
    return catalog, before, current


def damage(catalog: Catalog, identity: str) -> None:
    """Flip a byte in the middle of the longest array."""
    folder = catalog.snapshots_root / identity
    victim = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    raw = bytearray(victim.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    victim.chmod(0o644)
    victim.write_bytes(raw)


def test_the_one_before_answers(two: tuple[Catalog, str, str]) -> None:
    catalog, before, current = two
    snapshots = Snapshots(catalog)
    assert snapshots.get(verify=True).identity == current
    assert snapshots.get("0" * 16).identity == current  # gone: the published one
    damage(catalog, current)
    fresh = Snapshots(catalog)
    assert fresh.get(verify=True).identity == before
    assert fresh.damaged() == [current]
    assert fresh.get(current).identity == before
    shutil.rmtree(catalog.snapshots_root / current)
    assert catalog.build() == current  # built anew from the segments, it is used again
    assert fresh.get().identity == current
    for identity in (before, current):
        damage(catalog, identity)
    with pytest.raises(CorruptSnapshot):
        Snapshots(catalog).get(verify=True)
    with pytest.raises(NoCorpus):
        Snapshots(Catalog(catalog.data / "empty")).get()


async def test_a_scan_says_what_it_searched(
    two: tuple[Catalog, str, str], tmp_path: Path, tenant: str
) -> None:
    catalog, before, current = two
    damage(catalog, current)
    async with embedded(catalog.data, tmp_path / "whence.db") as stack:
        scan = await stack.ended(await stack.submit(copied(tenant), tenant), tenant)
        assert (scan.state, scan.snapshot) == ("done", before), scan.error
        assert (await stack.stored(scan.id, tenant)).report.snapshot.id == before


async def test_damage_that_shows_while_searching(
    two: tuple[Catalog, str, str], tmp_path: Path, tenant: str
) -> None:
    """The second attempt takes the snapshot before."""
    catalog, before, current = two
    async with embedded(catalog.data, tmp_path / "whence.db") as stack:
        for victim in (catalog.snapshots_root / current).rglob("*"):
            if victim.is_file() and victim.stat().st_size > 300 and victim.suffix != ".json":
                raw = bytearray(victim.read_bytes())
                raw[130:] = bytes(byte ^ 0xFF for byte in raw[130:])
                victim.chmod(0o644)
                victim.open("r+b").write(raw)  # in place, as a bad disk would
        scan = await stack.ended(await stack.submit(copied(tenant), tenant), tenant)
        assert scan.state == "done", scan.error
        assert (scan.snapshot, scan.attempts, scan.findings) == (before, 2, 1)
