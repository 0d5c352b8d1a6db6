"""A registry on loopback, and settings that name nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.sources import SourceSettings
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
