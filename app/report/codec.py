"""Frozen dataclasses to and from plain JSON values, strictly, and their JSON Schema.

The annotations of the dataclasses are the one truth: `encode`, `decode` and `json_schema` read the same
ones, so the committed schema and the model cannot drift apart. Ranges, patterns and lengths are written
with `typing.Annotated` and the marks below. Used by app.report.model only. Pure.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from corpus.errors import BadInput

# Text that JSON, XML or a database refuses: NUL and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Decoder = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included; `high` None is no upper bound."""

    low: float
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Matching:
    """A text in which the regular expression `pattern` is found (anchor it)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """A text of at least one character."""


@dataclass(frozen=True, slots=True)
class AtMost:
    """A list of at most `items` values."""

    items: int


class BadReport(BadInput):
    """A value that is not a report: names the field and what is wrong with it."""

    slug, status = "bad-report", 422

    def __init__(self, why: str, where: str = "") -> None:
        super().__init__(f"report{where}: {why}")
        self.why, self.where = why, where

    def inside(self, step: str) -> BadReport:
        """The same complaint, seen from one level further out."""
        return BadReport(self.why, step + self.where)


def encode(value: Any) -> Any:
    """`value` as dicts, lists and scalars. NUL and lone surrogates become visible escapes.

    A field that is None and has the default None is left out (it means: not asked for).
    """
    if isinstance(value, str):
        return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: encode(item) for field, item in pairs if not (item is None and _optional(field))}
    if isinstance(value, dict):
        return {encode(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value


def decode(kind: Any, data: Any) -> Any:
    """`data` (as json.loads gives it) as an instance of `kind`.

    Strict: no unknown or missing keys, no coercion, finite numbers within their ranges.
    Raises BadReport, which names the field.
    """
    return _decoder(kind)(data)


@cache
def _decoder(kind: Any) -> Decoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _marked(_decoder(arguments[0]), arguments[1:])
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        decoder = _decoder(inner)
        return lambda data: None if data is None else decoder(data)
    if origin is tuple:
        return _items(arguments)
    if origin is dict:
        return _mapping(_decoder(arguments[1]))
    if is_dataclass(kind):
        return _record(kind)
    return _SCALARS[kind]


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise BadReport(f"a text was expected, not {_name(data)}")
    if _UNSTORABLE.search(data):
        raise BadReport("the text holds NUL or half of a surrogate pair")
    return data


def _integer(data: Any) -> int:
    if isinstance(data, float) and data.is_integer():
        return int(data)  # JSON Schema: 3.0 is an integer
    if isinstance(data, bool) or not isinstance(data, int):
        raise BadReport(f"a whole number was expected, not {_name(data)}")
    return data


def _number(data: Any) -> float:
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise BadReport(f"a number was expected, not {_name(data)}")
    try:
        number = float(data)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadReport("the number is not finite")
    return number


def _flag(data: Any) -> bool:
    if not isinstance(data, bool):
        raise BadReport(f"true or false was expected, not {_name(data)}")
    return data


_SCALARS: dict[Any, Decoder] = {str: _text, int: _integer, float: _number, bool: _flag}


def _one_of(choices: tuple[str, ...]) -> Decoder:
    def decoder(data: Any) -> str:
        if not isinstance(data, str) or data not in choices:
            raise BadReport(f"one of {', '.join(choices)} was expected")
        return data

    return decoder


def _marked(inner: Decoder, marks: tuple[Any, ...]) -> Decoder:
    def decoder(data: Any) -> Any:
        value = inner(data)
        for mark in marks:
            if isinstance(mark, Between):
                if value < mark.low or (mark.high is not None and value > mark.high):
                    raise BadReport(
                        f"{value} is outside {mark.low} … {'' if mark.high is None else mark.high}"
                    )
            elif isinstance(mark, Matching):
                if not re.search(mark.pattern, value):
                    raise BadReport(f"the text does not have the form {mark.pattern}")
            elif isinstance(mark, NotEmpty):
                if not value:
                    raise BadReport("the text is empty")
            elif len(value) > mark.items:
                raise BadReport(f"{len(value)} entries, at most {mark.items} are allowed")
        return value

    return decoder


def _items(arguments: tuple[Any, ...]) -> Decoder:
    endless = arguments[-1] is Ellipsis
    inner = _decoder(arguments[0])

    def decoder(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list):
            raise BadReport(f"a list was expected, not {_name(data)}")
        if not endless and len(data) != len(arguments):
            raise BadReport(f"a list of {len(arguments)} was expected")
        decoded = []
        for position, item in enumerate(data):
            try:
                decoded.append(inner(item))
            except BadReport as error:
                raise error.inside(f"[{position}]") from None
        return tuple(decoded)

    return decoder


def _mapping(inner: Decoder) -> Decoder:
    def decoder(data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise BadReport(f"an object was expected, not {_name(data)}")
        decoded = {}
        for key, item in data.items():
            try:
                decoded[_text(key)] = inner(item)
            except BadReport as error:
                raise error.inside("{}") from None
        return decoded

    return decoder


def _record(kind: Any) -> Decoder:
    hints = get_type_hints(kind, include_extras=True)
    inner = {field.name: _decoder(hints[field.name]) for field in fields(kind)}
    required = {field.name for field in fields(kind) if not _optional(field)}

    def decoder(data: Any) -> Any:
        if not isinstance(data, dict):
            raise BadReport(f"an object was expected, not {_name(data)}")
        if missing := required - data.keys():
            raise BadReport(f"missing: {', '.join(sorted(missing))}")
        if data.keys() - inner.keys():
            # They are not named: they may be anything that somebody sent.
            raise BadReport(f"unknown keys; known are {', '.join(inner)}")
        values = {}
        for name, item in data.items():
            try:
                values[name] = inner[name](item)
            except BadReport as error:
                raise error.inside(f".{name}") from None
        return kind(**values)

    return decoder


def _optional(field: Field[Any]) -> bool:
    return field.default is not MISSING


def _name(data: Any) -> str:
    return "null" if data is None else type(data).__name__


def json_schema(kind: Any, title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that accepts what `decode(kind, …)` accepts.

    Rules that join several fields (the order of findings, start before end) are not in it.
    """
    definitions: dict[str, Any] = {}
    root = _schema(kind, definitions)["$ref"].rsplit("/", 1)[-1]
    body = definitions.pop(root)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **body,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        schema = _schema(arguments[0], definitions)
        for mark in arguments[1:]:
            schema = {**schema, **_mark_schema(mark)}
        return schema
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        (inner,) = (argument for argument in arguments if argument is not type(None))
        return {"anyOf": [_schema(inner, definitions), {"type": "null"}]}
    if origin is tuple:
        items = {"type": "array", "items": _schema(arguments[0], definitions)}
        if arguments[-1] is Ellipsis:
            return items
        return {**items, "minItems": len(arguments), "maxItems": len(arguments)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if is_dataclass(kind):
        return _record_schema(kind, definitions)
    return {"type": {str: "string", int: "integer", float: "number", bool: "boolean"}[kind]}


def _record_schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    reference = {"$ref": f"#/$defs/{kind.__name__}"}
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}
        hints = get_type_hints(kind, include_extras=True)
        definitions[kind.__name__] = {
            "description": " ".join((kind.__doc__ or "").split("\n\n")[0].split()),
            "type": "object",
            "properties": {field.name: _schema(hints[field.name], definitions) for field in fields(kind)},
            "required": [field.name for field in fields(kind) if not _optional(field)],
            "additionalProperties": False,
        }
    return reference


def _mark_schema(mark: Any) -> dict[str, Any]:
    if isinstance(mark, Between):
        upper = {} if mark.high is None else {"maximum": mark.high}
        return {"minimum": mark.low, **upper}
    if isinstance(mark, Matching):
        return {"pattern": mark.pattern}
    if isinstance(mark, NotEmpty):
        return {"minLength": 1}
    return {"maxItems": mark.items}
