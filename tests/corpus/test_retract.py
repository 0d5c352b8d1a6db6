"""Nothing of a release is left when it is taken out and a snapshot has been built: not even its download."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
import zstandard

from corpus.coverage import failures, remember
from corpus.errors import UnknownRelease
from corpus.index import segment
from corpus.index.catalog import Catalog
from corpus.ingest import Ingester, Outcome
from corpus.purl import local_purl
from corpus.retract import retract
from corpus.sources import SourceSettings
from tests.corpus.sources.registry_server import Registry

MARK = "total_of_the_ninth_reef"


def module(name: str) -> str:
    return "".join(
        f"def {name}_{n}(cells):\n    for ring in range({n + 3}):\n"
        f"        cells[ring] = cells[ring * {n + 2}] + {n}.25\n    return {name}(cells, {n})\n\n"
        for n in range(5)
    )


def tar(folder: str, text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{folder}/code.py")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def unpacked(data: bytes) -> bytes:
    """The bytes of a file and of all that is compressed in it."""
    found = data
    if data[:2] == b"\x1f\x8b":
        found += gzip.decompress(data)
    at = data.find(b"\x28\xb5\x2f\xfd")
    while at >= 0:
        found += zstandard.ZstdDecompressor().decompressobj().decompress(data[at:])
        at = data.find(b"\x28\xb5\x2f\xfd", at + 4)
    return found


def holders(root: Path, mark: str) -> list[Path]:
    files = (path for path in root.rglob("*") if path.is_file())
    return [path for path in files if mark.encode() in unpacked(path.read_bytes()) or mark in path.name]


@pytest.fixture
def catalog(tmp_path):
    """Two releases of a registry and a local archive, one artifact being shared."""
    registry = Registry()
    (tmp_path / "local.tar.gz").write_bytes(tar("local", module("lagoon_of_a_local_archive")))
    shared = tar("shared", module("shared_by_two"))
    for name in ("one", "two"):
        registry.add_pypi(name, {f"{name}-1.0.tar.gz": shared})
    registry.add_pypi("reef", {"reef-9.0.tar.gz": tar("reef-9.0", module(MARK))})
    made = Catalog(tmp_path / "data")
    settings = SourceSettings((), (f"{registry.url}/simple",), backoff=0.01)
    with Ingester(made, processes=1, settings=settings) as ingester:
        purls = [f"pkg:pypi/{name}" for name in ("one@1.0", "two@1.0", "reef@9.0")]
        for purl in [*purls, local_purl(tmp_path / "local.tar.gz")]:
            assert ingester.ingest(purl).status == "indexed"
    registry.close()
    made.build()
    return made


def test_nothing_of_it_is_left(catalog, tmp_path):
    assert {path.relative_to(catalog.data).parts[0] for path in holders(catalog.data, MARK)} >= {
        "cache", "segments",
    }  # fmt: skip
    remember(catalog, [Outcome("pkg:pypi/reef@9.0", "failed", MARK)])
    retract(catalog, ["pkg:pypi/reef@9.0"])
    assert failures(catalog) == {}
    assert holders(catalog.cache, MARK) == []
    catalog.build()
    assert holders(catalog.data, MARK) == []
    assert holders(catalog.data, "reef@9.0") == []


def test_a_copied_archive_goes_too(catalog, tmp_path):
    retract(catalog, [local_purl(tmp_path / "local.tar.gz")])
    catalog.build()
    assert holders(catalog.data, "lagoon_of_a_local_archive") == []


def test_what_another_release_shares_stays(catalog):
    retract(catalog, ["pkg:pypi/one@1.0"])
    catalog.build()
    assert holders(catalog.cache, "shared_by_two")
    retract(catalog, ["pkg:pypi/two@1.0"])
    catalog.build()
    assert holders(catalog.data, "shared_by_two") == []


def test_what_an_older_version_indexed_can_be_taken_out(catalog, monkeypatch):
    monkeypatch.setattr(segment, "FORMAT", segment.FORMAT + 1)
    retract(catalog, ["pkg:pypi/reef@9.0"])
    assert "pkg:pypi/reef@9.0" not in catalog.entries()
    assert holders(catalog.cache, MARK) == []


def test_an_unknown_release_changes_nothing(catalog):
    before = {path: path.read_bytes() for path in catalog.cache.rglob("*") if path.is_file()}
    with pytest.raises(UnknownRelease):
        retract(catalog, ["pkg:pypi/reef@9.0", "pkg:pypi/never@1"])
    assert {path: path.read_bytes() for path in catalog.cache.rglob("*") if path.is_file()} == before
    assert "pkg:pypi/reef@9.0" in catalog.entries()
