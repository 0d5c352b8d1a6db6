"""The real registries, as the clients of this machine are configured."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from corpus.sources import SourceSettings, fetch

pytestmark = pytest.mark.network


@pytest.mark.parametrize(
    ("purl", "names", "member"),
    [
        ("pkg:pypi/html2text@2025.4.15", {"html2text-2025.4.15.tar.gz"}, "html2text-2025.4.15/PKG-INFO"),
        ("pkg:npm/pitchfinder@2.3.4", {"pitchfinder-2.3.4.tgz"}, "package/package.json"),
        (
            "pkg:deb/debian/gsl@2.7.1+dfsg-5+deb12u1?arch=source",
            {"gsl_2.7.1+dfsg.orig.tar.gz", "gsl_2.7.1+dfsg-5+deb12u1.debian.tar.xz"},
            "gsl-2.7.1+dfsg/COPYING",
        ),
    ],
)
def test_fetch(cache: Path, purl: str, names: set[str], member: str) -> None:
    fetched = fetch(purl, cache, SourceSettings())
    assert {artifact.name for artifact in fetched.artifacts} == names
    assert fetched.missing == ()
    upstream = next(artifact for artifact in fetched.artifacts if artifact.role == "upstream")
    with tarfile.open(upstream.path) as archive:
        assert any(name.partition("/")[2] == member.partition("/")[2] for name in archive.getnames())
