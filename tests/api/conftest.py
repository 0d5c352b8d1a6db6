"""The service over HTTP, on both stacks, with a small corpus of our own. Tests keep apart by content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from app.settings import Settings
from corpus.index.catalog import Catalog
from tests.api.service import SOURCE, Service, production_settings, serving, workers
from tests.service.servers import Postgres, Redis
from tests.small_corpus import add_release, sample_tree

MANY = "1000000/minute"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one published release under the GPL."""
    data = tmp_path_factory.mktemp("api") / "data"
    catalog = Catalog(data)
    add_release(catalog, "pkg:generic/kernels@1.0", {"kernel.py": SOURCE.encode(), **sample_tree("meadow")})
    catalog.build()
    return data


@pytest.fixture(scope="session")
def embedded(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One process on SQLite."""
    folder = tmp_path_factory.mktemp("embedded")
    settings = Settings(
        data_dir=corpus,
        database_url=f"sqlite+aiosqlite:///{folder / 'whence.db'}",
        rate_limit=MANY,
        webhook_private=False,
    )
    with serving("embedded", settings, folder) as service:
        yield service


@pytest.fixture(scope="session")
def production(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """PostgreSQL, Redis, a scan worker and the chores."""
    folder = tmp_path_factory.mktemp("production")
    postgres, redis = Postgres(), Redis()
    try:
        postgres.create()
        redis.start()
        settings = production_settings(corpus, postgres.database(), redis, rate_limit=MANY)
        with serving("production", settings, folder) as service, workers(settings, folder, "scan", "chores"):
            yield service
    finally:
        redis.stop()
        postgres.destroy()


@pytest.fixture(scope="session", params=["embedded", "production"])
def service(request: pytest.FixtureRequest) -> Service:
    """The service, on each stack."""
    found: Service = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def ada(service: Service) -> Iterator[httpx2.Client]:
    """A client of the tenant `ada` with all scopes."""
    with service.client("ada") as client:
        yield client
