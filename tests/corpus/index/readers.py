"""Processes of corpus.index.reader for tests, each on a free port of loopback, ended by its id."""

import subprocess
import sys
from contextlib import contextmanager

from corpus.index.shards import Address
from tests.service.servers import end


class ReaderProcess:
    """One reader of a folder of shards."""

    def __init__(self, folder, port=0):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "corpus.index.reader", str(folder), "--port", str(port)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.address = Address.parse(self.process.stdout.readline())

    def end(self):
        end(self.process)
        self.process.stdout.close()

    def again(self):
        """Another process on the same port."""
        return ReaderProcess(self.folder, self.address.port)


@contextmanager
def reader_processes(folder, number):
    started = []
    try:
        for _ in range(number):
            started.append(ReaderProcess(folder))
        yield started
    finally:
        for reader in started:
            reader.end()
