"""Columns of (hash, value) entries, ascending by both, as one segment or one file of a partition has them.

The tables of a segment name each hash once, however many units have it: `Repeated`. Read part by part when a
snapshot is built (`corpus.index.merge`), and by `corpus.reuse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64

Cut = tuple[int, int]
"""Where entries are cut, always before the first one of a hash: the number of that hash, and of the entry."""


class Values(Protocol):
    """An array that is mapped, or in memory."""

    def __len__(self) -> int: ...
    def all(self) -> NDArray[Any]: ...
    def slice(self, first: int, last: int) -> NDArray[Any]: ...
    def release(self) -> None: ...


class Entries(Protocol):
    """The entries of a column in one source."""

    end: Cut

    def __len__(self) -> int: ...
    def cuts(self, hashes: U64) -> Sequence[Cut]:
        """Before the first entry of each of these hashes, or of the next larger one."""

    def between(self, first: Cut, last: Cut) -> tuple[U64, NDArray[Any]]: ...
    def release(self) -> None:
        """Let go of the memory that reading took."""


class Plain:
    """An array with the hash of each entry, and one with its value."""

    def __init__(self, hashes: Values, values: Values) -> None:
        self._hashes, self._values = hashes, values
        self.end = (len(hashes), len(values))

    def __len__(self) -> int:
        return len(self._values)

    def cuts(self, hashes: U64) -> list[Cut]:
        return [(at, at) for at in np.searchsorted(self._hashes.all(), hashes).tolist()]

    def between(self, first: Cut, last: Cut) -> tuple[U64, NDArray[Any]]:
        hashes: U64 = self._hashes.slice(first[0], last[0]).copy()  # what is mapped may then be let go
        return hashes, self._values.slice(first[1], last[1])

    def release(self) -> None:
        self._hashes.release()
        self._values.release()


class Repeated:
    """An array of distinct hashes, one of values, and a bit for each value: whether a hash begins with it."""

    def __init__(self, hashes: Values, begins: Values, values: Values) -> None:
        self._hashes, self._begins, self._values = hashes, begins, values
        self.end = (len(hashes), len(values))

    def __len__(self) -> int:
        return len(self._values)

    def all(self) -> tuple[U64, NDArray[Any]]:
        return self.between((0, 0), self.end)

    def values(self) -> NDArray[Any]:
        return self._values.all()

    def hashes_of(self, entries: NDArray[np.int64]) -> U64:
        """The hashes of some entries, by their numbers."""
        begins, through = self._counted()
        byte = entries >> 3
        after = np.uint8(0xFE) << (entries & 7).astype(np.uint8)
        number = through[byte] - np.bitwise_count(begins[byte] & after) - 1
        hashes: U64 = self._hashes.all()[number]
        return hashes

    def cuts(self, hashes: U64) -> list[Cut]:
        numbers = np.searchsorted(self._hashes.all(), hashes)
        begins, through = self._counted()
        entry = np.full(len(numbers), self.end[1])
        inner = numbers < self.end[0]
        byte = np.searchsorted(through, numbers[inner], side="right")
        before = numbers[inner] - through[byte] + np.bitwise_count(begins[byte])
        bits = np.unpackbits(begins[byte, None], axis=1, bitorder="little")
        entry[inner] = 8 * byte + (np.cumsum(bits, axis=1) > before[:, None]).argmax(axis=1)
        return list(zip(numbers.tolist(), entry.tolist(), strict=True))

    def _counted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The bits, eight in a byte, and how many hashes begin up to the end of each byte."""
        begins = self._begins.all()
        return begins, np.cumsum(np.bitwise_count(begins), dtype=np.int64)

    def between(self, first: Cut, last: Cut) -> tuple[U64, NDArray[Any]]:
        size, skipped = last[1] - first[1], first[1] & 7
        packed = self._begins.slice(first[1] >> 3, (last[1] + 7) >> 3)
        bits = np.unpackbits(packed, count=skipped + size, bitorder="little")[skipped:]
        counts = np.diff(np.flatnonzero(bits.view(bool)), append=size)
        return np.repeat(self._hashes.slice(first[0], last[0]), counts), self._values.slice(first[1], last[1])

    def release(self) -> None:
        self._hashes.release()
        self._begins.release()
        self._values.release()
