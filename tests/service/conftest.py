"""Both stacks for the service's tests, with a small corpus that we wrote ourselves.

`stack` runs a test twice: embedded (SQLite, this process) and production (PostgreSQL, Redis, workers).
`store` runs it on both databases without workers. Tests share the stacks and keep apart by tenant.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from corpus.index.catalog import Catalog
from corpus.ingest import Ingester
from corpus.purl import local_purl
from tests.service.servers import Postgres, Redis
from tests.service.stacks import SOURCE, Stack, embedded, production

_tenants = itertools.count(1)
FOREIGN = (
    "def unrelated(text):\n    words = text.split()\n    return [word.upper() for word in words if word]\n"
)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one published release."""
    root = tmp_path_factory.mktemp("corpus")
    source = root / "kernels"
    source.mkdir()
    (source / "kernel.py").write_text(SOURCE)
    (source / "words.py").write_text("# SPDX-License-Identifier: MIT\n" + FOREIGN)
    catalog = Catalog(root / "data")
    with Ingester(catalog, processes=1) as ingester:
        outcome = ingester.ingest(local_purl(source))
    assert outcome.status == "indexed", outcome
    catalog.build()
    return root / "data"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.create()
        yield server
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def tenant() -> str:
    return f"tenant{next(_tenants)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'whence.db'}"
    url: str = request.getfixturevalue("postgres").database()
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def store(
    request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Stack]:
    """A database of either kind with its tables, and nobody who works on it."""
    folder = tmp_path_factory.mktemp("store")
    if request.param == "sqlite":
        async with embedded(corpus, folder / "whence.db", work=False) as stack:
            yield stack
    else:
        url = request.getfixturevalue("postgres").database()
        async with production(corpus, url, None, (), folder / "log") as stack:
            yield stack


@pytest.fixture(scope="module", params=["embedded", "production"])
async def stack(
    request: pytest.FixtureRequest, corpus: Path, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Stack]:
    """A service that works."""
    folder = tmp_path_factory.mktemp("stack")
    if request.param == "embedded":
        async with embedded(corpus, folder / "whence.db") as stack:
            yield stack
    else:
        url = request.getfixturevalue("postgres").database()
        redis: Redis = request.getfixturevalue("redis_server")
        redis.client().flushall()
        async with production(corpus, url, redis, ("scan", "chores"), folder / "log") as stack:
            yield stack
