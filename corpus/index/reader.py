"""A process that answers lookups in mapped shards of snapshots, for readers on other machines.

    python -m corpus.index.reader FOLDER [--host 127.0.0.1] [--port 0]

FOLDER holds what `corpus.index.shards.write_shards` wrote; a snapshot that arrives later is served without a
restart. Prints its address when it listens. Anybody who reaches the port may ask and may cost processor time:
it belongs into a private network. Asked by corpus.index.shards.Readers.
"""

from __future__ import annotations

import argparse
import re
import socket
import socketserver
import threading
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import BadInput, CorruptSnapshot, WhenceError
from corpus.index.blocks import read_manifest
from corpus.index.lookup import NAMES, by_shard
from corpus.index.table import Shard, Table
from corpus.sandboxed import MIB, decode, encode, receive, send

MOST_REQUEST = 64 * MIB
"""Bytes of a request: eight million hashes."""

_SNAPSHOT = re.compile(r"[0-9a-f]{16}")


def shard_folder(root: Path, snapshot: str, shard: Shard) -> Path:
    """Where the tables of one shard of a snapshot lie."""
    return root / snapshot / f"{shard.number}-of-{shard.of}"


class Shards:
    """The shards below a folder, opened when first asked for. Safe to use from threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[tuple[str, Shard], dict[str, Table]] = {}
        self._lock = threading.Lock()

    def answer(self, snapshot: str, shard: Shard, table: str, keys: bytes) -> list[bytes]:
        """Indexes into the keys and values, uint32 each. Raises BadInput, CorruptSnapshot."""
        hashes = np.frombuffer(keys, "<u8")
        if table not in NAMES or not _SNAPSHOT.fullmatch(snapshot):
            raise BadInput(f"no table {table!r} of a snapshot {snapshot!r}")
        if any(held != shard for held, _ in by_shard(hashes, shard.of)):
            raise BadInput(f"not all hashes belong to shard {shard.number} of {shard.of}")
        which, values = self._tables(snapshot, shard)[table].lookup(hashes)
        return [which.astype("<u4").tobytes(), values.astype("<u4").tobytes()]

    def _tables(self, snapshot: str, shard: Shard) -> dict[str, Table]:
        with self._lock:
            found = self._open.get((snapshot, shard))
            if found is None:
                folder = shard_folder(self._root, snapshot, shard)
                manifest = read_manifest(folder)
                if (manifest.get("snapshot"), manifest.get("shard")) != (snapshot, list(shard)):
                    raise CorruptSnapshot(folder, "it holds another shard")
                found = {name: Table(folder, name, manifest) for name in NAMES}
                self._open[snapshot, shard] = found
            return found


class _Connection(socketserver.BaseRequestHandler):
    """Requests of one client, one after the other, until it goes."""

    server: _Server

    def handle(self) -> None:
        while True:
            try:
                frame = receive(self.request, MOST_REQUEST)
            except (EOFError, OSError, ValueError):
                return
            answer: list[Any]
            try:
                snapshot, number, of, table, keys = decode(frame)
                answer = ["ok", *self.server.shards.answer(snapshot, Shard(number, of), table, keys)]
            except WhenceError as error:
                answer = ["error", error.message]
            except Exception as error:
                answer = ["error", f"not a request: {type(error).__name__}"]
            try:
                send(self.request, encode(answer))
            except OSError:
                return


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], root: Path) -> None:
        self.shards = Shards(root)
        super().__init__(address, _Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """An answer is two writes: by Nagle's algorithm the second waits 40 ms for the client's kernel."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder")
    with _Server((options.host, options.port), options.folder) as server:
        print(f"{options.host}:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
