"""PostgreSQL nodes as a `Lookup`: an event loop of its own in a thread, asked from any other.

    python -m app.lookup.postgres SNAPSHOT-FOLDER URL…

loads the tables of a snapshot into nodes, one part a URL (a power of two of them).
"""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from app.lookup.nodes import Nodes, load
from corpus.errors import BadInput
from corpus.fingerprint.hashing import U64
from corpus.index.blocks import read_manifest
from corpus.index.lookup import NAMES, Found, Mapped
from corpus.index.table import Shard

T = TypeVar("T")


class PostgresLookup:
    """The tables of one snapshot on PostgreSQL nodes. Safe to use from threads, not from an event loop.

    manifest: of the snapshot. urls: one a node, in the order in which they were loaded.
    """

    def __init__(self, manifest: dict[str, Any], urls: Sequence[str], seconds: float = 5.0) -> None:
        require_power_of_two(urls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lookup", daemon=True)
        self._thread.start()
        bits = {name: manifest["tables"][name]["bits"] for name in NAMES}
        self._nodes = self._run(_made(manifest["content"][:16], urls, bits, seconds))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def find(self, table: str, keys: U64) -> Found:
        return self._run(self._nodes.find(table, keys))

    def close(self) -> None:
        self._run(self._nodes.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _made(snapshot: str, urls: Sequence[str], bits: dict[str, int], seconds: float) -> Nodes:
    return Nodes(snapshot, urls, bits, seconds)


def require_power_of_two(urls: Sequence[str]) -> None:
    if not urls or len(urls) & len(urls) - 1 or len(urls) > 256:
        raise BadInput(f"{len(urls)} PostgreSQL nodes: the number must be a power of two, at most 256")


def load_snapshot(snapshot: Path, urls: Sequence[str]) -> None:
    """Load the tables of a snapshot into nodes, one after the other."""
    require_power_of_two(urls)
    manifest = read_manifest(snapshot)
    tables = Mapped(snapshot, manifest).tables
    for number, url in enumerate(urls):
        asyncio.run(load(url, manifest["content"][:16], Shard(number, len(urls)), tables))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("url", nargs="+")
    options = parser.parse_args()
    load_snapshot(options.snapshot, options.url)


if __name__ == "__main__":
    main()
