"""Lists of ascending numbers in few bytes: differences of 1 to 5 bytes each, seven bits a byte.

The last byte of a number has its high bit clear, the most significant byte comes first. Units that share a
hash lie close together (one file, one release), so that most differences take one byte.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.fingerprint.hashing import U64

_MORE = range(1, 5)
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]
Numbers = NDArray[np.unsignedinteger[Any]]
"""Of units: of two bytes where they suffice."""
Postings = tuple[U64, U8, Numbers]
"""Distinct keys, ascending; the units of the first key, then of the next one; a bit for each of these, eight
in a byte, the lowest first: whether a key begins with it."""
COMPILED_FROM, LOADED_FROM = 1 << 12, 1 << 21


def pack(values: U32, starts: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes of all lists, one after the other, and the length of each in bytes.

    starts: index of the first value of each list, ascending from 0; values ascend within a list.
    """
    if not len(values):
        return np.empty(0, np.uint8), np.empty(0, np.int64)
    delta = values.astype(np.int64)
    delta[1:] -= values[:-1]
    delta[starts] = values[starts]
    width = np.ones(len(delta), np.int64)
    for more in _MORE:
        width += delta >= 1 << 7 * more
    ends = np.cumsum(width)
    out = np.empty(int(ends[-1]), np.uint8)
    out[ends - 1] = delta & 127
    for more in _MORE:
        wide = np.flatnonzero(width > more)
        out[ends[wide] - 1 - more] = delta[wide] >> 7 * more & 127 | 128
    return out, np.add.reduceat(width, starts)


def unpack(data: NDArray[np.uint8], lengths: NDArray[np.int64]) -> tuple[U32, NDArray[np.int64]]:
    """The values of all lists, and how many each has. lengths: bytes of each list (at least 1)."""
    if not len(data):
        return np.empty(0, np.uint32), np.zeros(len(lengths), np.int64)
    ends = np.flatnonzero(data < 128)
    width = np.diff(ends, prepend=-1)
    values = data[ends].astype(np.int64)
    for more in _MORE:
        wide = np.flatnonzero(width > more)
        if not len(wide):
            break
        values[wide] |= (data[ends[wide] - more] & np.int64(127)) << 7 * more
    last = np.searchsorted(ends, np.cumsum(lengths) - 1) + 1
    counts = np.diff(last, prepend=0)
    totals = np.cumsum(values)
    first = last - counts
    return (totals - np.repeat(totals[first] - values[first], counts)).astype(np.uint32), counts


def gather(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The indices of many ranges, one range after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    indices: NDArray[np.int64] = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return indices


def order_of(values: U32) -> NDArray[np.int64]:
    """Indices in the order of the values, equal ones as given.

    numpy sorts what has 16 bits digit by digit, three times faster than it sorts longer numbers.
    """
    order = np.argsort(values.astype(np.uint16), kind="stable")
    high = (values >> np.uint32(16)).astype(np.uint16)
    return order[np.argsort(high[order], kind="stable")]


def shuffle(values: U32) -> bytes:
    """Byte planes one after the other: small numbers then compress to almost nothing."""
    return values.astype("<u4").view(np.uint8).reshape(-1, 4).T.tobytes()


def unshuffle(planes: NDArray[np.uint8]) -> U32:
    """uint32[n] from the byte planes uint8[4, n]."""
    out: U32 = planes[0].astype(np.uint32)
    for number in range(1, 4):  # a transposed copy takes four times as long for a long file
        if planes[number].any():
            out |= planes[number].astype(np.uint32) << np.uint32(8 * number)
    return out


def compile_pays(size: int) -> bool:
    """Whether machine code sooner deals with so many pairs, words or tokens, loading it included."""
    if "numba" in sys.modules:
        return size >= COMPILED_FROM
    return size >= LOADED_FROM and find_spec("numba") is not None


def postings(keys: Sequence[U64], units: Sequence[Numbers]) -> Postings:
    """Distinct pairs by key, then by unit: a fingerprint that a unit holds twice is one posting.

    The pairs come in parts, of which each has its keys and its units; these are of one type.
    """
    if compile_pays(sum(map(len, keys))):
        from corpus.index.packed_compiled import postings as machine_code

        return machine_code(keys, units)
    if not keys:
        return np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.uint32)
    return _by_arrays(np.concatenate(keys), np.concatenate(units))


def _by_arrays(key: U64, unit: Numbers) -> Postings:
    """numpy sorts numbers many times faster than pairs. So what is sorted is the high bits of a key with the
    index of its pair in place of the low ones; the rare cases that leaves are made good.
    """
    bits = np.uint64(len(key).bit_length())
    order = np.sort(key >> bits << bits | np.arange(len(key), dtype=np.uint64))
    low = (np.uint64(1) << bits) - np.uint64(1)
    index = (order & low).astype(np.int64)
    key, unit, done = key[index], unit[index], 0
    for at in np.flatnonzero(key[1:] < key[:-1]).tolist():  # keys that differ in their low bits alone
        if at >= done:
            first, done = np.searchsorted(order, [key[at] >> bits << bits, order[at] | low]).tolist()
            run = first + np.argsort(key[first:done], kind="stable")
            key[first:done], unit[first:done] = key[run], unit[run]
    first = np.ones(len(key), bool)
    np.not_equal(key[1:], key[:-1], out=first[1:])
    if (~first[1:] & (unit[1:] < unit[:-1])).any():
        unit = np.sort(np.cumsum(first).astype(np.uint64) << np.uint64(32) | unit).astype(unit.dtype)
    new = first.copy()
    new[1:] |= unit[1:] != unit[:-1]
    return key[first], np.packbits(first[new], bitorder="little"), unit[new]
