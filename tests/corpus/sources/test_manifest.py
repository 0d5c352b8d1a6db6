"""Manifests: what they hold, and messages that name file and entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.errors import BadManifest
from corpus.manifest import MAX_BYTES, Manifest, read, shipped


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "corpus.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_purls_are_canonical_and_unique(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        'releases = ["pkg:deb/debian/gsl@2.7.1+dfsg-5?arch=source", "pkg:pypi/B_c@1",\n'
        ' "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5?arch=source"]\nbackground = ["pkg:npm/@a/b@1"]\n',
    )
    assert read(path) == Manifest(
        ("pkg:deb/debian/gsl@2.7.1%2Bdfsg-5?arch=source", "pkg:pypi/b-c@1"), ("pkg:npm/%40a/b@1",)
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no release"),
        ("releases = []", "names no release"),
        ('releases = "pkg:pypi/a@1"', "releases must be a list"),
        ("background = {a = 1}", "background must be a list"),
        ('releases = ["pkg:pypi/a@1", 3]', "entry 2 of releases is not a string"),
        ('releases = ["pkg:pypi/a@1", "chess"]', "entry 2 of releases: 'chess'"),
        ('background = ["pkg:pypi/a"]', "entry 1 of background: .* no version"),
        ('relaeses = ["pkg:pypi/a@1"]', "unknown key 'relaeses'"),
        ('releases = ["pkg:pypi/a@1"]\nbackground = ["pkg:pypi/A@1"]', "in releases and in background"),
        ("releases = [", "not TOML"),
        ("\udcff", "not TOML"),
        ("releases = " + "[" * 100_000, "not TOML"),
        ("#" * (MAX_BYTES + 1), "larger"),
    ],
)
def test_refusals_name_file_and_entry(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadManifest, match=why) as caught:
        read(path)
    assert str(path) in caught.value.message


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="cannot be read"):
        read(tmp_path / "none.toml")
    with pytest.raises(BadManifest, match="cannot be read"):
        read(tmp_path)


def test_the_demo_lies_inside_the_package() -> None:
    manifest = read(shipped("demo"))
    assert len(manifest.releases) == 6
    assert {purl.partition("/")[0] for purl in manifest.releases} == {"pkg:deb", "pkg:pypi", "pkg:npm"}
    with pytest.raises(BadManifest, match=r"only .*demo"):
        shipped("nothing")
