"""Tokens of indexed files, unpacked as far as they are asked for: of most candidates one function is read."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.index.blocks import MappedArray
from corpus.index.packed import unshuffle


class Run:
    """n tokens that follow each other in an indexed file.

    vocab: uint32[n], numbers in the vocabulary of the segment. raw, renamed: uint64[n]; kind: uint8[n];
    neutral: uint16[n].
    """

    def __init__(self, vocabulary: tuple[MappedArray, ...], planes: NDArray[np.uint8]) -> None:
        """planes: uint8[4, n], the bytes of `vocab`. vocabulary: the columns raw, renamed, kind, neutral."""
        self._vocabulary, self._planes = vocabulary, planes

    @cached_property
    def vocab(self) -> NDArray[np.uint32]:
        return unshuffle(self._planes)

    @cached_property
    def distinct(self) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
        """The vocabulary in use, ascending, and for each token where it stands there."""
        which, inverse = np.unique(self.vocab, return_inverse=True)
        return which.astype(np.int64), inverse

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        return self.vocab.astype(np.int64)

    def _column(self, number: int) -> NDArray[Any]:
        return self._vocabulary[number].take(self._places)

    @cached_property
    def raw(self) -> NDArray[np.uint64]:
        return self._column(0)

    @cached_property
    def renamed(self) -> NDArray[np.uint64]:
        return self._column(1)

    @cached_property
    def kind(self) -> NDArray[np.uint8]:
        return self._column(2)

    @cached_property
    def neutral(self) -> NDArray[np.uint16]:
        return self._column(3)


class FileTokens(Run):
    """All tokens of an indexed file. line: uint32[n]."""

    def __init__(self, vocabulary: tuple[MappedArray, ...], data: bytes) -> None:
        """data: the byte planes of `vocab` and then those of the differences of `line`."""
        ids, self._lines = np.frombuffer(data, np.uint8).reshape(2, 4, -1)
        super().__init__(vocabulary, ids)

    @cached_property
    def line(self) -> NDArray[np.uint32]:
        return np.cumsum(unshuffle(self._lines), dtype=np.uint32)

    def part(self, first: int, last: int) -> Run:
        """The tokens first..last (half-open)."""
        return Run(self._vocabulary, self._planes[:, first:last])
