"""Queries and diffs as plain values, to cross to and from children: None, bool, int, str, bytes, list, dict.

A child has read hostile bytes, and a client may send sketches instead of text: what comes back is checked
against the annotations of `Query`, every length and every index, before anything is computed with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from app.scan.diff import Diff
from corpus.errors import BadInput
from corpus.model import ChangedFile, Region, Skip, Unit
from corpus.query import Query

MAX_TOKENS = 20_000_000
UNITS = ("function", "class", "window", "rest")
LAST_LINE = 2**31 - 1
Array = NDArray[np.generic]


class BadWire(BadInput):
    """A value that is no query: names the field and what is wrong."""

    slug, status = "bad-fingerprints", 422


def encode_query(query: Query, *, spelling: bool = True) -> dict[str, Any]:
    """spelling: False replaces the words of the text by a digest that only shows which are the same."""
    return {field.name: _encoded(field.name, getattr(query, field.name), spelling) for field in fields(query)}


def _encoded(name: str, value: Any, spelling: bool) -> Any:
    if name == "spelling":
        return list(value) if spelling else [hashlib.sha256(word).digest()[:6] for word in value]
    if name == "units":
        return [
            [unit.kind, unit.name if spelling else "", unit.first, unit.last, unit.start_line, unit.end_line]
            for unit in value
        ]
    if isinstance(value, np.ndarray):
        return [list(value.shape), value.astype(value.dtype.newbyteorder("<")).tobytes()]
    return [_encoded("", part, spelling) for part in value] if isinstance(value, tuple) else value


def decode_query(data: Any) -> Query:
    """Raises BadWire."""
    if not isinstance(data, dict) or set(data) != set(_hints()):
        raise BadWire(f"a query has the fields {', '.join(_hints())}")
    values = {name: _decoded(name, hint, data[name]) for name, hint in _hints().items()}
    n = len(values["raw"])
    for name, value in values.items():
        if isinstance(value, np.ndarray) and value.ndim == 1 and len(value) != n:
            raise BadWire(f"{name} has {len(value)} entries for {n} tokens")
        if isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            _check_prints(name, value, n)
    if len(values["spelling"]) != n:
        raise BadWire(f"spelling has {len(values['spelling'])} entries for {n} tokens")
    line = values["line"]
    if n and not (line.min() >= 1 and line.max() <= LAST_LINE and (np.diff(line) >= 0).all()):
        raise BadWire("lines do not ascend from 1")
    if any(not 0 <= unit.first <= unit.last <= n for unit in values["units"]):
        raise BadWire("a unit lies outside the tokens")
    return Query(**values)


def _check_prints(name: str, pair: tuple[Array, ...], n: int) -> None:
    keys, at = pair
    if keys.ndim != 1 or at.ndim != 1 or len(keys) != len(at):
        raise BadWire(f"{name} has {len(keys)} keys at {len(at)} places")
    if len(at) and not (at.min() >= 0 and at.max() < n):
        raise BadWire(f"{name} points outside the tokens")


@cache
def _hints() -> dict[str, Any]:
    return get_type_hints(Query)


def _decoded(name: str, hint: Any, value: Any) -> Any:
    if hint is str:
        return _text(name, value)
    if name == "spelling":
        return _words(value)
    if name == "units":
        return tuple(_unit(row) for row in _rows(name, value))
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        return tuple(
            _array(name, part, row) for part, row in zip(parts, _rows(name, value, len(parts)), strict=True)
        )
    return _array(name, hint, value)


def _array(name: str, hint: Any, value: Any) -> Array:
    """An array of the type that the annotation names (`NDArray[np.uint64]`), its own copy of the bytes."""
    dtype = np.dtype(get_args(get_args(hint)[1])[0]).newbyteorder("<")
    shape, raw = _rows(name, value, 2)
    good = isinstance(raw, bytes) and isinstance(shape, list) and 1 <= len(shape) <= 2
    if not good or not all(type(size) is int and 0 <= size <= MAX_TOKENS for size in shape):
        raise BadWire(f"{name} is not an array")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize != len(raw):
        raise BadWire(f"{name} has {len(raw)} bytes, which do not fit its shape")
    if dtype.kind == "b":  # other bytes than 0 and 1 would be neither
        flags: Array = (np.frombuffer(raw, np.uint8) != 0).reshape(shape)
        return flags
    found: Array = np.frombuffer(raw, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    return found


def _rows(name: str, value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise BadWire(f"{name} is not a list" + (f" of {length}" if length is not None else ""))
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 8192:
        raise BadWire(f"{name} is not a text of at most 8192 characters")
    return value


def _words(value: Any) -> list[bytes]:
    words = _rows("spelling", value)
    if not all(isinstance(word, bytes) for word in words):
        raise BadWire("spelling holds something else than bytes")
    return words


def _unit(row: Any) -> Unit:
    kind, name, *numbers = _rows("units", row, 6)
    if kind not in UNITS or not all(type(number) is int and 0 <= number <= LAST_LINE for number in numbers):
        raise BadWire("units holds something else than units")
    return Unit(kind, _text("units", name), *numbers)


def encode_diff(diff: Diff) -> dict[str, Any]:
    return {
        "files": [[changed.path, encode_regions(changed.regions)] for changed in diff.files],
        "skips": [[skip.path, skip.reason, skip.partial] for skip in diff.skips],
        "counts": [diff.added, diff.removed, diff.unread],
        "commits": list(diff.commits),
    }


def encode_regions(regions: Sequence[Region]) -> list[Any]:
    return [[region.first_line, list(region.lines), bytes(region.added)] for region in regions]


def decode_regions(data: Any) -> tuple[Region, ...]:
    return tuple(Region(first, tuple(lines), tuple(map(bool, added))) for first, lines, added in data)


def decode_diff(data: Any) -> Diff:
    """Raises BadWire when a child answered something else."""
    try:
        added, removed, unread = data["counts"]
        return Diff(
            files=tuple(ChangedFile(path, decode_regions(regions)) for path, regions in data["files"]),
            skips=tuple(Skip(path, reason, bool(partial)) for path, reason, partial in data["skips"]),
            added=added,
            removed=removed,
            unread=unread,
            commits=tuple(data["commits"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadWire("the child's answer is no diff") from error
