"""Lines for manifests from registries' metadata: loopback registries, real archives."""

import hashlib
import io
import tarfile

import pytest

from corpus.propose import propose
from corpus.sources import SourceSettings
from tests.corpus.sources.registry_server import Registry

GPL = b"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 Ada
License: GPL-3+

Files: debian/*
Copyright: 2021 Bo
License: Expat
"""
PROSE = b"Copyright Ada.\n\nOn Debian systems the text is in /usr/share/common-licenses/LGPL-2.1\n"


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return out.getvalue()


@pytest.fixture
def registry():
    server = Registry()
    yield server
    server.close()


@pytest.fixture
def settings(registry):
    return SourceSettings(
        (f"{registry.url}/debian",), (f"{registry.url}/simple",), f"{registry.url}/npm", backoff=0.01
    )


@pytest.fixture
def mirror(registry):
    """Three source packages, of sections math and games."""
    stanzas = ""
    for name, section, text in (("reef", "math", GPL), ("atoll", "math", PROSE), ("dice", "games", GPL)):
        files = {f"{name}_1.0.orig.tar.gz": b"x" * 3000,
                 f"{name}_1.0-1.debian.tar.gz": tar({"debian/copyright": text})}  # fmt: skip
        sums = "\n".join(f" {hashlib.sha256(b).hexdigest()} {len(b)} {n}" for n, b in files.items())
        folder = f"pool/main/{name[0]}/{name}"
        stanzas += (
            f"Package: {name}\nVersion: 1.0-1\nDirectory: {folder}\nSection: misc\n"
            f"Package-List:\n {name} deb {section} optional\nChecksums-Sha256:\n{sums}\n\n"
        )
        registry.files |= {f"/debian/{folder}/{file}": body for file, body in files.items()}
    registry.add_sources_index("stable", stanzas)


@pytest.mark.usefixtures("mirror")
def test_a_section_of_debian(settings, tmp_path):
    found = {p.purl: p for p in propose([], ["math"], tmp_path, settings=settings)}
    reef = found["pkg:deb/debian/reef@1.0-1?arch=source"]
    assert (reef.license, reef.category, reef.fits, reef.size) == ("GPL-3.0-or-later", "Copyleft", True, 3000)
    assert reef.line().startswith(f'  "{reef.purl}",  # GPL-3.0-or-later by debian/copyright, Files: *')
    atoll = found["pkg:deb/debian/atoll@1.0-1?arch=source"]
    assert atoll.license == "LGPL-2.1-only"
    assert "common licence" in atoll.reason
    assert len(found) == 2


@pytest.mark.usefixtures("mirror")
def test_what_does_not_fit_is_a_comment_that_says_why(settings, tmp_path):
    asked = ["pkg:deb/debian/dice", "pkg:deb/debian/absent@1-1"]
    dice, absent = propose(asked, [], tmp_path, background=True, settings=settings)
    assert not dice.fits
    assert dice.line().startswith("  #")
    assert "not permissive" in dice.line()
    assert "no such source package" in absent.reason
    small = next(propose(["pkg:deb/debian/dice"], [], tmp_path, largest=2000, settings=settings))
    assert not small.fits
    assert "larger than" in small.reason


def test_python_by_its_classifiers_and_npm_by_its_registry(registry, settings, tmp_path):
    told = b"Metadata-Version: 2.1\nName: reef\nClassifier: License :: OSI Approved :: MIT License\n"
    registry.add_pypi(
        "reef", {"reef-1.0.tar.gz": tar({"reef-1.0/PKG-INFO": told, "reef-1.0/a.py": b"x = 1\n"})}
    )
    registry.add_npm("atoll", "2.0.0", tar({"package/index.js": b"x\n"}))
    registry.files["/npm/atoll"] = registry.files["/npm/atoll"][:-1] + b', "dist-tags": {"latest": "2.0.0"}}'
    python, npm = propose(["pkg:pypi/reef", "pkg:npm/atoll"], [], tmp_path, settings=settings)
    assert (python.purl, python.license, python.fits) == ("pkg:pypi/reef@1.0", "MIT", False)
    assert "PKG-INFO" in python.reason
    assert (npm.purl, npm.license, npm.fits) == ("pkg:npm/atoll@2.0.0", "GPL-3.0-only", True)
