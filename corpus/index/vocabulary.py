"""The vocabulary of a segment: the distinct words of its files, and tokens as numbers in it.

Called by the writer of segments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.index.packed import shuffle
from corpus.index.record import Record

_TOKENS_AT_ONCE = 1 << 18


def distinct(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct rows, ascending: the index of the first of each, and for every row which of them it is.

    One spelling has several rows where languages differ about it (`function` is a keyword or a name).
    """
    order = np.argsort(columns[0], kind="stable")
    first = columns[0][order]
    new = np.ones(len(order), bool)
    np.not_equal(first[1:], first[:-1], out=new[1:])
    mixed = np.zeros(len(order), bool)
    for column in columns[1:]:
        ordered = column[order]
        mixed[1:] |= ~new[1:] & (ordered[1:] != ordered[:-1])
    if mixed.any():
        run = np.cumsum(new) - 1
        some = np.flatnonzero(np.bincount(run[mixed], minlength=run[-1] + 1)[run])
        order[some] = order[some][np.lexsort([column[order[some]] for column in columns[::-1]])]
        for column in columns[1:]:
            ordered = column[order[some]]
            new[some[1:]] |= ordered[1:] != ordered[:-1]
    inverse = np.empty(len(order), np.int64)
    inverse[order] = np.cumsum(new) - 1
    return order[new], inverse


def _groups(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Runs of records of some hundred thousand tokens: their arrays cost few calls and fit the caches."""
    group: list[Record] = []
    tokens = 0
    for record in records:
        group.append(record)
        tokens += len(record.ids)
        if tokens >= _TOKENS_AT_ONCE:
            yield group
            group, tokens = [], 0
    if group:
        yield group


def shuffled_tokens(files: Sequence[Record], number: NDArray[np.uint32]) -> Iterator[bytes]:
    """Of each file the numbers of its tokens and the steps between their lines, as byte planes.

    number: in the vocabulary of the segment, of every word of every file.
    """
    first_word = 0
    for records in _groups(files):
        words, sizes = [len(r.vocab_raw) for r in records], [len(r.ids) for r in records]
        begins = first_word + np.cumsum([0, *words])
        first_word = int(begins[-1])
        ids = number[np.concatenate([r.ids for r in records]) + np.repeat(begins[:-1], sizes)]
        lines = np.concatenate([r.lines for r in records])
        steps = np.diff(lines, prepend=np.uint32(0))
        heads = (np.cumsum(sizes) - sizes)[np.array(sizes) > 0]
        steps[heads] = lines[heads]
        planes = memoryview(shuffle(ids)), memoryview(shuffle(steps))
        for end, size in zip(np.cumsum(sizes).tolist(), sizes, strict=True):
            ends = range(end, 4 * len(ids) + 1, max(len(ids), 1))
            yield b"".join([p[e - size : e] for p in planes for e in ends])
