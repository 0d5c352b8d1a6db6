"""Debian source packages from a pool of our own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import DigestMismatch, NoSource, NotConfigured, NotInRegistry, SourceError
from corpus.sources import SourceSettings, fetch
from corpus.sources.apt_config import Mirror, configured_mirrors
from corpus.sources.deb822 import checksums, paragraphs, unsigned
from tests.corpus.sources.registry_server import Registry, dsc, signed, sources_stanza, tarball

ORIG = tarball({"hello-1.0/hello.c": b"int main(void) { return 0; }\n"})
PACKAGING = tarball({"debian/copyright": b"License: GPL-3+\n"})
PURL = "pkg:deb/debian/hello@1.0-2+b1?arch=source"
CANONICAL = "pkg:deb/debian/hello@1.0-2%2Bb1?arch=source"


def hello(version: str = "1.0-2+b1") -> dict[str, bytes]:
    return {"hello_1.0.orig.tar.gz": ORIG, f"hello_{version}.debian.tar.xz": PACKAGING}


def test_upstream_and_packaging_are_told_apart(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.add_debian("hello", "1.0-2+b1", hello())
    fetched = fetch(PURL, cache, settings)
    assert fetched.purl == CANONICAL
    assert [(a.name, a.role, a.folder) for a in fetched.artifacts] == [
        ("hello_1.0.orig.tar.gz", "upstream", ""),
        ("hello_1.0-2+b1.debian.tar.xz", "packaging", ""),
    ]
    assert fetched.missing == ()
    assert fetched.url == "https://www.example.org/hello"
    upstream = fetched.artifacts[0]
    assert upstream.path.read_bytes() == ORIG
    assert upstream.path == cache / upstream.sha256[:2] / upstream.sha256
    assert upstream.sha256 == hashlib.sha256(ORIG).hexdigest()


def test_a_second_fetch_needs_no_network(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_debian("hello", "1.0-2+b1", hello())
    first = fetch(PURL, cache, settings)
    asked = len(registry.requests)
    assert fetch(CANONICAL, cache, settings) == first
    assert len(registry.requests) == asked


def test_a_damaged_cache_is_fetched_again(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_debian("hello", "1.0-2+b1", hello())
    path = fetch(PURL, cache, settings).artifacts[0].path
    path.write_bytes(ORIG[:-1] + b"!")
    assert fetch(PURL, cache, settings).artifacts[0].path.read_bytes() == ORIG


def test_the_epoch_is_in_no_file_name(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_debian("hello", "2:1.0-2", hello("1.0-2"))
    assert len(fetch("pkg:deb/debian/hello@2:1.0-2?arch=source", cache, settings).artifacts) == 2
    assert len(fetch("pkg:deb/debian/hello@2%3A1.0-2?arch=source", cache, settings).artifacts) == 2


def test_another_epoch_is_another_version(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_debian("hello", "2:1.0-2", hello("1.0-2"))
    with pytest.raises(SourceError, match=r"hello 2:1\.0-2"):
        fetch("pkg:deb/debian/hello@1:1.0-2?arch=source", cache, settings)


def test_upstream_components_have_their_folder_and_signatures_are_no_trees(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    files = hello() | {
        "hello_1.0.orig-data-set.tar.xz": b"component",
        "hello_1.0.orig.tar.gz.asc": b"signature",
    }
    registry.add_debian("hello", "1.0-2+b1", files)
    folders = {a.name: a.folder for a in fetch(PURL, cache, settings).artifacts}
    assert folders == {
        "hello_1.0.orig.tar.gz": "",
        "hello_1.0.orig-data-set.tar.xz": "data-set",
        "hello_1.0-2+b1.debian.tar.xz": "",
    }


def test_native_and_format_1_packages(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_debian("native", "3.1", {"native_3.1.tar.xz": ORIG}, "contrib")
    registry.add_debian(
        "libold", "1.0-1", {"libold_1.0.orig.tar.gz": ORIG, "libold_1.0-1.diff.gz": PACKAGING}
    )
    native = fetch("pkg:deb/debian/native@3.1?arch=source", cache, settings)
    assert [(a.name, a.role) for a in native.artifacts] == [("native_3.1.tar.xz", "upstream")]
    old = fetch("pkg:deb/debian/libold@1.0-1", cache, settings)
    assert [a.role for a in old.artifacts] == ["upstream", "packaging"]


def test_a_version_that_only_the_security_mirror_has(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.add_debian("hello", "1.0-2+b1", hello(), root="/security")
    del registry.files["/security/pool/main/h/hello/hello_1.0.orig.tar.gz"]
    registry.files["/debian/pool/main/h/hello/hello_1.0.orig.tar.gz"] = ORIG
    both = replace(settings, debian_mirrors=(f"{registry.url}/debian", f"{registry.url}/security/"))
    fetched = fetch(PURL, cache, both)
    assert len(fetched.artifacts) == 2
    assert fetched.missing == ()


def test_a_replaced_version_gives_its_upstream_tarball_checked_by_the_index(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    """The mirror has gone on to another Debian version of the same upstream version."""
    now = hello("1.0-3") | {"hello_1.0.orig-extra.tar.gz": b"extra"}
    registry.add_debian("hello", "1.0-3", now)
    other = {"hello-doc_1.0.orig.tar.gz": b"not this one"}
    stanzas = sources_stanza("hello-doc", "1.0-9", other) + sources_stanza("hello", "1.0-3", now)
    registry.add_sources_index("stable", stanzas)
    fetched = fetch(PURL, cache, settings)
    assert {a.name: a.folder for a in fetched.artifacts} == {
        "hello_1.0.orig.tar.gz": "",
        "hello_1.0.orig-extra.tar.gz": "extra",
    }
    assert len(fetched.missing) == 1
    assert "debian/copyright" in fetched.missing[0]


def test_the_index_catches_a_changed_upstream_tarball(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.add_sources_index("stable", sources_stanza("hello", "1.0-3", hello("1.0-3")), suffix="gz")
    registry.files["/debian/pool/main/h/hello/hello_1.0.orig.tar.gz"] = ORIG[:-1] + b"!"
    with pytest.raises(DigestMismatch):
        fetch(PURL, cache, settings)


def test_a_forged_index_is_not_believed(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_sources_index("stable", sources_stanza("hello", "1.0-3", hello("1.0-3")))
    path = "/debian/dists/stable/main/source/Sources.xz"
    registry.files[path] = registry.files[path][:-1] + b"!"
    registry.files["/debian/pool/main/h/hello/hello_1.0.orig.tar.gz"] = ORIG
    missing = fetch(PURL, cache, settings).missing
    assert any("unchecked" in sentence for sentence in missing)


def test_without_any_index_the_tarball_is_said_to_be_unchecked(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.files["/debian/pool/main/h/hello/hello_1.0.orig.tar.bz2"] = ORIG
    fetched = fetch(PURL, cache, settings)
    assert [a.name for a in fetched.artifacts] == ["hello_1.0.orig.tar.bz2"]
    assert any("unchecked" in sentence for sentence in fetched.missing)


def test_a_missing_debian_part_is_named(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    folder = registry.add_debian("hello", "1.0-2+b1", hello())
    del registry.files[f"{folder}/hello_1.0-2+b1.debian.tar.xz"]
    fetched = fetch(PURL, cache, settings)
    assert [a.role for a in fetched.artifacts] == ["upstream"]
    assert fetched.missing == ("hello_1.0-2+b1.debian.tar.xz is no longer on the mirror",)


def test_nothing_left(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    with pytest.raises(NotInRegistry, match="nor is its upstream tarball"):
        fetch(PURL, cache, settings)
    with pytest.raises(NotInRegistry, match="native"):
        fetch("pkg:deb/debian/native@3.1", cache, settings)
    folder = registry.add_debian("hello", "1.0-2+b1", hello())
    del registry.files[f"{folder}/hello_1.0.orig.tar.gz"]
    with pytest.raises(NotInRegistry, match=r"hello_1\.0\.orig\.tar\.gz"):
        fetch(PURL, cache, settings)


def test_a_mirror_that_does_not_answer_is_not_a_gone_version(
    registry: Registry, settings: SourceSettings, cache: Path
) -> None:
    registry.files["/debian/pool/main/h/hello/hello_1.0.orig.tar.gz"] = ORIG
    path = "/debian/pool/main/h/hello/hello_1.0-2%2Bb1.dsc"
    registry.faults[path] = [500] * 20
    with pytest.raises(SourceError, match="500") as caught:
        fetch(PURL, cache, settings)
    assert not isinstance(caught.value, NotInRegistry)


def test_wrong_digest(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    folder = registry.add_debian("hello", "1.0-2+b1", hello())
    registry.files[f"{folder}/hello_1.0.orig.tar.gz"] = ORIG[:-1] + b"!"
    with pytest.raises(DigestMismatch, match="sha256"):
        fetch(PURL, cache, settings)
    assert not list((cache / "parts").glob("*.part"))
    registry.files[f"{folder}/hello_1.0.orig.tar.gz"] = ORIG
    assert len(fetch(PURL, cache, settings).artifacts) == 2


def test_a_dsc_of_something_else(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    folder = registry.add_debian("hello", "1.0-2+b1", hello())
    registry.files[f"{folder}/hello_1.0-2%2Bb1.dsc"] = dsc("goodbye", "1.0-2+b1", {}).encode()
    with pytest.raises(SourceError, match="goodbye"):
        fetch(PURL, cache, settings)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "hello_1.0.orig.tar.gz/../x", "other_1.0.tar.gz"]
)
def test_names_that_lead_elsewhere_are_not_fetched(
    registry: Registry, settings: SourceSettings, cache: Path, name: str
) -> None:
    folder = registry.add_debian("hello", "1.0-2+b1", hello())
    registry.files[f"{folder}/hello_1.0-2%2Bb1.dsc"] = dsc("hello", "1.0-2+b1", {name: b"x"}).encode()
    with pytest.raises(NoSource):
        fetch(PURL, cache, settings)


def test_binary_packages_have_no_source(settings: SourceSettings, cache: Path) -> None:
    with pytest.raises(NoSource, match="arch=source"):
        fetch("pkg:deb/debian/hello@1.0-2?arch=amd64", cache, settings)


# ---- configuration and format ------------------------------------------------------------------------


def test_apt_configuration_in_both_formats(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://commented.example/debian stable main\n"
        "deb [arch=amd64 signed-by=/key.gpg] http://one.example/debian/ stable main contrib # x\n"
        "deb-src http://one.example/debian stable-updates main non-free\n"
        "deb cdrom:[Disc]/ stable main\n"
        "deb http://flat.example/debian ./\n"
        "rubbish\n"
    )
    (parts / "more.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: http://two.example/debian\n https://three.example/debian\n"
        "Suites: testing\nComponents: main\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: stable\nComponents: main\n"
    )
    (parts / "ignored.save").write_text("deb http://saved.example/debian stable main\n")
    assert configured_mirrors(tmp_path) == [
        Mirror("http://one.example/debian", ("stable", "stable-updates"), ("main", "contrib", "non-free")),
        Mirror("http://two.example/debian", ("testing",), ("main",)),
        Mirror("https://three.example/debian", ("testing",), ("main",)),
    ]
    assert configured_mirrors(tmp_path / "none") == []


def test_no_mirror_says_what_to_set(cache: Path) -> None:
    with pytest.raises(NotConfigured, match="WHENCE_DEBIAN_MIRROR"):
        fetch("pkg:deb/no-such-distribution/hello@1.0-2", cache, SourceSettings())


def test_control_format() -> None:
    text = "A: 1\nB:\n x\n .\n y\n# comment\n\n\nnonsense\n C: not a field\nA: 2\r\n"
    assert list(paragraphs(text)) == [{"a": "1", "b": "x\n.\ny"}, {"a": "2"}]
    assert unsigned("A: 1\n") == "A: 1\n"
    assert unsigned(signed("A: 1\n- -dash\n")) == "A: 1\n-dash\n"
    assert unsigned("-----BEGIN PGP SIGNED MESSAGE-----") == "\n"
    assert checksums("AB 12 name\nab x name2\nonly two\n") == {"name": ("ab", 12)}
