"""JSON with one spelling for each value, as RFC 8785 (JCS) asks: what is signed is bytes, not meaning.

Numbers are integers a JSON number can hold exactly; shares and measures are written as integers or texts, so
that no rule for floats is needed.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

LARGEST = 2**53 - 1
MAX_DEPTH = 40


def canonical(value: Any) -> bytes:
    """UTF-8, no blanks, keys in the order of their UTF-16 code units. ValueError for what JSON lacks."""
    text = json.dumps(_ordered(value, 0), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def read(data: bytes) -> Any:
    """The value whose canonical spelling `data` is. Raises ValueError for any other bytes."""
    try:
        value = json.loads(data.decode("utf-8"), parse_float=_refused, parse_constant=_refused)
        same = canonical(value) == data
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not same:
        raise ValueError("not in canonical form: something was added, reordered or reformatted")
    return value


def _ordered(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError("keys must be texts")
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key], depth + 1) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > LARGEST):
        raise ValueError(f"{value!r} has no exact number in canonical JSON")
    return value


def _refused(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is not a whole number")
