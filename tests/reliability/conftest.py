"""What the reliability checks share: the stacks of the API's tests, and clusters that may be damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api.conftest import ada, corpus, embedded, production, service
from tests.reliability.cluster import Cluster, embedded_cluster, production_cluster

__all__ = ["ada", "corpus", "embedded", "production", "service"]


@pytest.fixture
def cluster(corpus: Path, tmp_path: Path) -> Iterator[Callable[..., Cluster]]:
    """`cluster("production", **settings)`: a service of one's own with all its processes, to be killed."""
    with ExitStack() as stack:

        def make(kind: str, **settings: str) -> Cluster:
            maker = {"embedded": embedded_cluster, "production": production_cluster}[kind]
            folder = tmp_path / f"{kind}{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return stack.enter_context(maker(corpus, folder, **settings))

        yield make
