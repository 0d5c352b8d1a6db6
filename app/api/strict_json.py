"""The one way in which JSON from outside is read, and the types that its fields have.

Promise: UTF-8 without a byte order mark, each key once, finite numbers, no NUL and no half of a surrogate
pair; everything else is `BadJson` (a 400 that repeats nothing). What passes can be stored in SQLite and
PostgreSQL alike. Used by every route with a body.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.problems import BadRequest

MAX_KEYS = 20_000
MAX_INT = 2**53 - 1


class BadJson(BadRequest):
    slug, status = "bad-json", 400


class Body(BaseModel):
    """Base of all bodies that come in: unknown fields are refused, nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def examples(*values: Any) -> ConfigDict:
    """`model_config` of a body with examples for the documentation."""
    return ConfigDict(json_schema_extra={"examples": list(values)})


def _text(most: int, least: int = 0) -> Any:
    return StringConstraints(strict=True, min_length=least, max_length=most, pattern=r"^[^\x00]*$")


Line = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""A name or a word: one line without control characters."""
FilePath = Annotated[str, _text(1024, 1)]
LongText = Annotated[str, _text(1_000_000)]
DiffText = Annotated[str, _text(5 << 20)]
Purl = Annotated[
    str, StringConstraints(strict=True, min_length=5, max_length=500, pattern=r"^pkg:[^\x00-\x20\x7f]+$")
]
Hash64 = Annotated[int, Field(strict=True, ge=0, le=2**64 - 1)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]


def read_json(raw: bytes) -> Any:
    """The value in `raw`. Raises BadJson."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"The body is not UTF-8 (byte {error.start}).") from None
    if text.startswith("\ufeff"):
        raise BadJson("The body starts with a byte order mark.")
    keys = 0

    def record(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal keys
        keys += len(pairs)
        if keys > MAX_KEYS:
            raise BadJson(f"The body has more than {MAX_KEYS} keys.")
        found = dict(pairs)
        if len(found) != len(pairs):
            raise BadJson("An object in the body has the same key twice.")
        return found

    try:
        return json.loads(
            text,
            object_pairs_hook=record,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"The body is not JSON (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise BadJson("The body is nested too deeply.") from None


def _no_constant(name: str) -> Any:
    raise BadJson("NaN and infinities are not JSON.")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BadJson("A number in the body is too large.")
    return number


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise BadJson("A number in the body is too large.")
    return int(digits)
