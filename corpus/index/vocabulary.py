"""The vocabulary of a segment: the distinct words of its files, and tokens as numbers in it.

Called by the writer of segments. Both functions have machine code for many words or tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.index.packed import compile_pays, gather, shuffle


def distinct(
    columns: Sequence[NDArray[Any]], sizes: NDArray[np.int64], ranks: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Distinct rows, ascending: the index of the first of each, and for every row which of them it is.

    sizes: how many rows each file has. ranks: of the files; a row of the lowest rank is the first.
    One spelling has several rows where languages differ about it (`function` is a keyword or a name).
    """
    if compile_pays(len(columns[0])):
        from corpus.index.vocabulary_compiled import words

        at, which = words(*columns, sizes, ranks)
        order, number = _ordered([column[at] for column in columns])
        return at[order], number[which]
    if (ranks[1:] >= ranks[:-1]).all():
        return _ordered(columns)
    order = np.argsort(ranks, kind="stable")
    rows = gather((np.cumsum(sizes) - sizes)[order], sizes[order])
    at, ordered = _ordered([column[rows] for column in columns])
    number = np.empty(len(rows), np.uint32)
    number[rows] = ordered
    return rows[at], number


def _ordered(columns: Sequence[NDArray[Any]]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
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
    number = np.empty(len(order), np.uint32)
    number[order] = np.cumsum(new, dtype=np.uint32) - np.uint32(1)
    return order[new], number


def byte_planes(
    ids: NDArray[np.uint32],
    lines: NDArray[np.uint32],
    sizes: NDArray[np.int64],
    first_words: NDArray[np.int64],
    number: NDArray[np.uint32],
    *,
    compiled: bool = False,
) -> NDArray[np.uint8]:
    """Of each file the numbers of its tokens and the steps between their lines, as byte planes.

    sizes: how many tokens each file has. first_words: where its words stand in `number`, which has the number
    in the vocabulary of the segment of every word of every file.
    """
    if compiled:
        from corpus.index.vocabulary_compiled import byte_planes as machine_code

        made: NDArray[np.uint8] = machine_code(ids, lines, sizes, first_words, number)
        return made
    numbers = number[ids + np.repeat(first_words, sizes)]
    steps = np.diff(lines, prepend=np.uint32(0))
    heads = (np.cumsum(sizes) - sizes)[sizes > 0]
    steps[heads] = lines[heads]
    ends = np.cumsum(sizes).tolist()
    planes = [
        shuffle(column[end - size : end])
        for size, end in zip(sizes.tolist(), ends, strict=True)
        for column in (numbers, steps)
    ]
    return np.frombuffer(b"".join(planes), np.uint8)


def spans(text: NDArray[np.uint8], begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> bytes:
    """Parts of a text, one after the other."""
    if compile_pays(len(begins)):
        from corpus.index.vocabulary_compiled import spans as machine_code

        made: bytes = machine_code(text, begins, lengths).tobytes()
        return made
    whole = text.tobytes()
    ends = (begins + lengths).tolist()
    return b"".join([whole[begin:end] for begin, end in zip(begins.tolist(), ends, strict=True)])


def differing(
    text: NDArray[np.uint8], begins: NDArray[np.int64], lengths: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Which parts of a text are not as another of its parts. others: the number of that one, for each."""
    if compile_pays(len(begins)):
        from corpus.index.vocabulary_compiled import differing as machine_code

        found: NDArray[np.int64] = machine_code(text, begins, lengths, others)
        return found
    unlike = lengths != lengths[others]
    same = np.flatnonzero(~unlike)
    mine, theirs = (text[gather(begins[rows], lengths[rows])] for rows in (same, others[same]))
    unlike[np.repeat(same, lengths[same])[mine != theirs]] = True
    return np.flatnonzero(unlike)
