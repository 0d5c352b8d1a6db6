"""The newest release of a package, from registries on loopback; what vouches for a file of another suite."""

import hashlib

import pytest

from corpus.errors import NotInRegistry
from corpus.sources import fetch
from corpus.sources.newest import newest


def stanza(name, version, files, section="math"):
    sums = "\n".join(f" {hashlib.sha256(b).hexdigest()} {len(b)} {n}" for n, b in files.items())
    return (
        f"Package: {name}\nVersion: {version}\nDirectory: pool/main/{name[0]}/{name}\nSection: misc\n"
        f"Package-List:\n lib{name} deb {section} optional\nChecksums-Sha256:\n{sums}\n\n"
    )


def test_debian_versions_are_compared_as_debian_does(registry, settings, cache):
    registry.add_sources_index("stable", stanza("reef", "1.9-1", {}) + stanza("other", "9-1", {}))
    registry.add_sources_index("testing", stanza("reef", "1.10~rc1-1", {}))
    registry.add_sources_index("unstable", stanza("reef", "1:0.2-1", {}))
    assert newest("pkg:deb/debian/reef", cache, settings) == "pkg:deb/debian/reef@1:0.2-1?arch=source"
    assert newest("pkg:deb/debian/other@1-1", cache, settings) == "pkg:deb/debian/other@9-1?arch=source"
    with pytest.raises(NotInRegistry, match="no version of tide"):
        newest("pkg:deb/debian/tide", cache, settings)


def test_a_python_release_is_final_and_has_a_source(registry, settings, cache):
    registry.add_pypi(
        "reef", {"reef-1.2.tar.gz": b"a", "reef-1.10.tar.gz": b"b", "reef-2.0rc1.tar.gz": b"c",
                 "reef-3.0-py3-none-any.whl": b"d"}
    )  # fmt: skip
    assert newest("pkg:pypi/reef@0.1", cache, settings) == "pkg:pypi/reef@1.10"
    registry.add_pypi("wheels", {"wheels-3.0-py3-none-any.whl": b"d"})
    with pytest.raises(NotInRegistry, match="source distribution"):
        newest("pkg:pypi/wheels", cache, settings)
    with pytest.raises(NotInRegistry):
        newest("pkg:pypi/absent", cache, settings)


def test_npm_says_itself_what_is_latest(registry, settings, cache):
    registry.files["/npm/reef"] = b'{"versions": {}, "dist-tags": {"latest": "2.0.1"}}'
    assert newest("pkg:npm/reef@1.0.0", cache, settings) == "pkg:npm/reef@2.0.1"
    registry.files["/npm/untold"] = b'{"versions": {}}'
    with pytest.raises(NotInRegistry, match="latest"):
        newest("pkg:npm/untold", cache, settings)


def test_a_kind_without_a_list_of_versions_is_refused(settings, cache):
    with pytest.raises(NotInRegistry, match="list of versions"):
        newest("pkg:github/ada/reef", cache, settings)


def test_an_index_is_read_into_a_table_once(registry, settings, cache):
    tarball = b"not opened here"
    files = {"reef_1.0.orig.tar.gz": tarball, "reef_1.0-2.debian.tar.xz": b"gone"}
    registry.add_sources_index("testing", stanza("reef", "1.0-2", files))
    registry.files["/debian/pool/main/r/reef/reef_1.0.orig.tar.gz"] = tarball
    found = fetch("pkg:deb/debian/reef@1.0-1?arch=source", cache, settings)
    assert [a.sha256 for a in found.artifacts] == [hashlib.sha256(tarball).hexdigest()]
    assert "cannot be had" in found.missing[0]
    tables = list((cache / "indexes").iterdir())
    assert len(tables) == 1
    assert newest("pkg:deb/debian/reef", cache, settings).endswith("@1.0-2?arch=source")
    assert list((cache / "indexes").iterdir()) == tables
    assert len(registry.asked_for("/debian/dists/testing/main/source/Sources.xz")) == 1
