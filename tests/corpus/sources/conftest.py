"""A registry and a git server on loopback, and settings that name nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.sources import SourceSettings
from tests.corpus.sources.git_server import GitServer
from tests.corpus.sources.registry_server import Registry


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    yield server
    server.close()


@pytest.fixture
def settings(registry: Registry) -> SourceSettings:
    return SourceSettings(
        debian_mirrors=(f"{registry.url}/debian",),
        pypi_indexes=(f"{registry.url}/simple",),
        npm_registry=f"{registry.url}/npm",
        backoff=0.01,
        max_seconds=20,
        read_timeout=5,
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "served").mkdir()
    server = GitServer(tmp_path / "served", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    yield server
    server.close()
