"""Source distributions from a simple index of our own, and pip's configuration."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import DigestMismatch, NoSource, NotInRegistry, SourceError
from corpus.sources import SourceSettings, fetch
from corpus.sources.pip_config import PipConfig, pip_config
from tests.corpus.sources.registry_server import Registry, tarball

SDIST = tarball({"my_pkg-1.0/setup.py": b"raise SystemExit('built')\n"})


@pytest.mark.parametrize("html", [False, True])
def test_sdist_in_json_and_html(
    registry: Registry, settings: SourceSettings, cache: Path, html: bool
) -> None:
    files = {
        "my_pkg-1.0.tar.gz": SDIST,
        "my_pkg-1.0.zip": b"zip",
        "my_pkg-1.0-py3-none-any.whl": b"wheel",
        "my_pkg-1.0.1.tar.gz": b"later",
    }
    registry.add_pypi("my-pkg", files, html=html)
    fetched = fetch("pkg:pypi/My_Pkg@1.0", cache, settings)
    assert fetched.purl == "pkg:pypi/my-pkg@1.0"
    assert [(a.name, a.role) for a in fetched.artifacts] == [("my_pkg-1.0.tar.gz", "upstream")]
    assert fetched.artifacts[0].path.read_bytes() == SDIST
    assert fetched.url == f"{registry.url}/simple/my-pkg/"


def test_versions_are_compared_as_versions(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_pypi("my-pkg", {"my_pkg-2025.4.15.tar.gz": SDIST})
    assert fetch("pkg:pypi/my-pkg@2025.04.15", cache, settings).artifacts[0].name == "my_pkg-2025.4.15.tar.gz"


def test_wheels_only(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_pypi("my-pkg", {"my_pkg-1.0-py3-none-any.whl": b"wheel"})
    with pytest.raises(NoSource, match="wheels only"):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)


def test_gone(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    with pytest.raises(NotInRegistry):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)
    registry.add_pypi("my-pkg", {"my_pkg-1.0.tar.gz": SDIST})
    with pytest.raises(NotInRegistry):
        fetch("pkg:pypi/my-pkg@2.0", cache, settings)
    del registry.files["/files/my_pkg-1.0.tar.gz"]
    with pytest.raises(NotInRegistry):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)


def test_digests(registry: Registry, settings: SourceSettings, cache: Path) -> None:
    registry.add_pypi("my-pkg", {"my_pkg-1.0.tar.gz": SDIST})
    registry.files["/files/my_pkg-1.0.tar.gz"] = SDIST[:-1] + b"!"
    with pytest.raises(DigestMismatch):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)
    registry.add_pypi("my-pkg", {"my_pkg-1.0.tar.gz": SDIST}, digests=False)
    with pytest.raises(SourceError, match="no digest"):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)


def test_the_next_index_is_asked(
    registry: Registry, settings: SourceSettings, cache: Path, tmp_path: Path
) -> None:
    """The second index is a folder, as pip allows."""
    folder = tmp_path / "index" / "my-pkg"
    folder.mkdir(parents=True)
    (folder / "my_pkg-1.0.tar.gz").write_bytes(SDIST)
    digest = hashlib.sha256(SDIST).hexdigest()
    (folder / "index.html").write_text(f'<a href="my_pkg-1.0.tar.gz#sha256={digest}">my_pkg-1.0.tar.gz</a>')
    indexes = (f"{registry.url}/simple", (tmp_path / "index").as_uri())
    fetched = fetch("pkg:pypi/my-pkg@1.0", cache, replace(settings, pypi_indexes=indexes))
    assert fetched.artifacts[0].path.read_bytes() == SDIST


def test_an_index_on_the_network_cannot_name_local_files(
    registry: Registry, settings: SourceSettings, cache: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "my_pkg-1.0.tar.gz"
    secret.write_bytes(SDIST)
    registry.add_pypi("my-pkg", {"my_pkg-1.0.tar.gz": SDIST}, html=True)
    page = registry.files["/simple/my-pkg/"].decode()
    registry.files["/simple/my-pkg/"] = page.replace(
        "../../files/my_pkg-1.0.tar.gz", secret.as_uri()
    ).encode()
    with pytest.raises(SourceError, match="this machine"):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/vnd.pypi.simple.v1+json", b"{"),
        ("application/vnd.pypi.simple.v1+json", b'{"files": 3}'),
        ("application/vnd.pypi.simple.v1+json", b"[]"),
        ("application/pdf", b"%PDF"),
        ("", b"x"),
    ],
)
def test_pages_that_are_none(
    registry: Registry, settings: SourceSettings, cache: Path, kind: str, body: bytes
) -> None:
    registry.files["/simple/my-pkg/"] = body
    registry.types["/simple/my-pkg/"] = kind
    with pytest.raises(SourceError, match="not a simple index page"):
        fetch("pkg:pypi/my-pkg@1.0", cache, settings)


# ---- pip's configuration ------------------------------------------------------------------------


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
        "VIRTUAL_ENV": str(tmp_path / "venv"),
        **more,
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_pip_files_in_their_order(tmp_path: Path) -> None:
    write(
        tmp_path / "xdg/pip/pip.conf", "[global]\nindex-url = https://one.example/simple\ncert = /one.pem\n"
    )
    write(tmp_path / "home/.pip/pip.conf", "[global]\nindex-url = https://two.example/simple\n")
    write(tmp_path / "home/.config/pip/pip.conf", "[global]\nproxy = http://proxy.example:3128\n")
    assert pip_config(environment(tmp_path), tmp_path) == PipConfig(
        "https://two.example/simple", (), "/one.pem", "http://proxy.example:3128"
    )
    write(
        tmp_path / "venv/pip.conf",
        "[global]\nindex_url = https://three.example/simple\n"
        "extra-index-url =\n  https://four.example/simple\n  file:///five/simple\n",
    )
    config = pip_config(environment(tmp_path), tmp_path)
    assert config.index == "https://three.example/simple"
    assert config.extra == ("https://four.example/simple", "file:///five/simple")
    write(
        tmp_path / "named.conf",
        "[install]\nindex-url = https://six.example/simple\n[global]\nindex-url = x\n",
    )
    named = environment(tmp_path, PIP_CONFIG_FILE=str(tmp_path / "named.conf"))
    assert pip_config(named, tmp_path).index == "https://six.example/simple"
    variables = named | {"PIP_INDEX_URL": "https://seven.example/simple", "PIP_CERT": "/two.pem"}
    assert pip_config(variables, tmp_path).index == "https://seven.example/simple"
    assert pip_config(variables, tmp_path).cafile == "/two.pem"


def test_pip_without_files_and_with_broken_ones(tmp_path: Path) -> None:
    write(tmp_path / "venv/pip.conf", "index-url outside of any section\n")
    assert pip_config(environment(tmp_path), tmp_path).index == ""
    write(tmp_path / "venv/pip.conf", "[global]\nindex-url = https://one.example/100%/simple\n")
    assert pip_config(environment(tmp_path), tmp_path).index == "https://one.example/100%/simple"
    assert pip_config(environment(tmp_path, PIP_CONFIG_FILE="/dev/null"), tmp_path) == PipConfig()
