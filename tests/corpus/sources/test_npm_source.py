"""npm packages from a registry of our own, and npm's configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus.errors import DigestMismatch, NotConfigured, NotInRegistry, SourceError
from corpus.sources import SourceSettings, fetch
from corpus.sources.download import integrity_digests
from corpus.sources.npm import declared_license
from corpus.sources.npm_config import NpmConfig, npm_config
from tests.corpus.sources.registry_server import Registry, tarball

TARBALL = tarball({"package/index.js": b"module.exports = 1;\n"})


def test_release(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_npm("left", "1.0.0", TARBALL, homepage="https://left.example")
    fetched = fetch("pkg:npm/left@1.0.0", cache, settings)
    assert [a.name for a in fetched.artifacts] == ["left-1.0.0.tgz"]
    assert fetched.artifacts[0].path.read_bytes() == TARBALL
    assert (fetched.declared, fetched.url) == ("GPL-3.0-only", "https://left.example")


@pytest.mark.parametrize("purl", ["pkg:npm/@scope/left@1.0.0", "pkg:npm/%40scope/left@1.0.0"])
def test_scoped_release(registry: Registry, settings: SourceSettings, cache: Path, purl: str) -> None:
    registry.add_npm("@scope/left", "1.0.0", TARBALL)
    fetched = fetch(purl, cache, settings)
    assert fetched.purl == "pkg:npm/%40scope/left@1.0.0"
    assert fetched.artifacts[0].path.read_bytes() == TARBALL


def test_gone(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    with pytest.raises(NotInRegistry):
        fetch("pkg:npm/left@1.0.0", cache, settings)
    registry.add_npm("left", "1.0.0", TARBALL)
    with pytest.raises(NotInRegistry, match=r"no version 2\.0\.0"):
        fetch("pkg:npm/left@2.0.0", cache, settings)


def test_wrong_digest(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    path = registry.add_npm("left", "1.0.0", TARBALL)
    registry.files[path] = TARBALL[:-1] + b"!"
    with pytest.raises(DigestMismatch, match="sha512"):
        fetch("pkg:npm/left@1.0.0", cache, settings)


def edited(registry: Registry, **dist: object) -> None:
    """Change what the registry says of where the tarball lies."""
    document = json.loads(registry.files["/npm/left"])
    entry = document["versions"]["1.0.0"]["dist"]
    entry.update(dist)
    registry.files["/npm/left"] = json.dumps(document).encode()


def test_old_releases_have_a_sha1_only(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    path = registry.add_npm("left", "1.0.0", TARBALL)
    edited(registry, integrity=None)
    registry.files[path] = TARBALL[:-1] + b"!"
    with pytest.raises(DigestMismatch, match="sha1"):
        fetch("pkg:npm/left@1.0.0", cache, settings)
    registry.files[path] = TARBALL
    assert fetch("pkg:npm/left@1.0.0", cache, settings).artifacts


@pytest.mark.parametrize(
    ("dist", "why"),
    [
        ({"integrity": "sha512-!!", "shasum": "short"}, "no digest"),
        ({"tarball": "file:///etc/passwd"}, "no address"),
        ({"tarball": None}, "no address"),
    ],
)
def test_entries_that_cannot_be_trusted(
    registry: Registry, settings: SourceSettings, cache: Path, dist: dict[str, object], why: str
) -> None:
    registry.add_npm("left", "1.0.0", TARBALL)
    edited(registry, **dist)
    with pytest.raises(SourceError, match=why):
        fetch("pkg:npm/left@1.0.0", cache, settings)


@pytest.mark.parametrize(
    "body", [b"[", b"[]", b"{}", b'{"versions": []}', b'{"versions": {"1.0.0": 3}}', b"\xff"]
)
def test_documents_that_are_none(
    registry: Registry, settings: SourceSettings, cache: Path, body: bytes
) -> None:
    registry.files["/npm/left"] = body
    with pytest.raises(SourceError):
        fetch("pkg:npm/left@1.0.0", cache, settings)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "GPL-2.0", "url": "x"}}, "GPL-2.0"),
        ({"licenses": [{"type": "MIT"}, "GPL-3.0"]}, "MIT OR GPL-3.0"),
        ({"license": 7}, ""),
        ({}, ""),
    ],
)
def test_declared_license(stated: dict[str, object], expected: str) -> None:
    assert declared_license(stated) == expected


def test_integrity_strings() -> None:
    assert integrity_digests("sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha999-AA== junk") == {
        "sha1": "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    }
    assert integrity_digests("sha1-AAAA") == {}


# ---- npm's configuration ------------------------------------------------------------------------


def test_npm_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "globalrc").write_text("registry=https://one.example/\ncafile=/one.pem\n")
    env = {"HOME": str(tmp_path), "npm_config_globalconfig": str(tmp_path / "globalrc"), "PATH": ""}
    assert npm_config("", env) == NpmConfig("https://one.example/", "/one.pem")
    (tmp_path / ".npmrc").write_text(
        '; comment\n# comment\n[section]\nregistry = "https://${PLACE}.example/"\n'
        "@scope:registry=https://scope.example/\nproxy=null\nnonsense\n"
    )
    env["PLACE"] = "two"
    assert npm_config("", env) == NpmConfig("https://two.example/", "/one.pem")
    assert npm_config("@scope", env).registry == "https://scope.example/"
    assert npm_config("@other", env).registry == "https://two.example/"
    env["NPM_CONFIG_REGISTRY"] = "https://three.example/"
    env["npm_config_https_proxy"] = "http://proxy.example:3128"
    assert npm_config("", env) == NpmConfig("https://three.example/", "/one.pem", "http://proxy.example:3128")


def test_npm_itself_is_asked_last(tmp_path: Path) -> None:
    program = tmp_path / "npm"
    program.write_text("#!/bin/sh\n[ \"$1 $2 $3\" = 'config get registry' ] && echo https://asked.example/\n")
    program.chmod(0o755)
    missing = str(tmp_path / "none")
    env = {"HOME": missing, "npm_config_globalconfig": missing, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert npm_config("", env).registry == "https://asked.example/"
    env["PATH"] = missing
    assert npm_config("", env).registry == ""


def test_not_configured_says_what_to_set(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("npm_config_globalconfig", str(tmp_path / "none"))
    with pytest.raises(NotConfigured, match="WHENCE_NPM_REGISTRY"):
        fetch("pkg:npm/left@1.0.0", cache, SourceSettings())
