"""Sketches as JSON, for clients that keep their text to themselves: `POST /v1/fingerprints`.

A file is the object that `app.scan.wire.encode_query(query, spelling=False)` gives, with every run of bytes
in base 64. `path`, `language` and the words in `units` are texts; every other string is base 64. Used by the
API and by app.client; what the values mean is checked in a child, not here.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from corpus.errors import BadInput

TEXTS = ("path", "language", "units")


class BadSketch(BadInput):
    """A value that is no sketch."""

    slug, status = "bad-fingerprints", 422


def to_json(value: dict[str, Any]) -> dict[str, Any]:
    """A wire value as JSON has it."""
    return {name: part if name in TEXTS else _as_text(part) for name, part in value.items()}


def from_json(value: Any) -> dict[str, Any]:
    """A wire value again. Raises BadSketch."""
    if not isinstance(value, dict):
        raise BadSketch("a file's fingerprints are an object")
    return {name: _checked(part) if name in TEXTS else _as_bytes(part) for name, part in value.items()}


def _as_text(part: Any) -> Any:
    if isinstance(part, bytes):
        return base64.b64encode(part).decode("ascii")
    return [_as_text(each) for each in part] if isinstance(part, list) else part


def _as_bytes(part: Any, depth: int = 0) -> Any:
    if isinstance(part, str):
        try:
            return base64.b64decode(part.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise BadSketch("an array is not in base 64") from None
    if isinstance(part, list) and depth < 4:
        return [_as_bytes(each, depth + 1) for each in part]
    if isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 2**63:
        return part
    raise BadSketch("fingerprints hold lists, whole numbers and base 64 only")


def _checked(part: Any, depth: int = 0) -> Any:
    """Texts and numbers as they are, without what a database refuses."""
    if isinstance(part, str):
        if len(part) > 8192 or "\0" in part or not _encodable(part):
            raise BadSketch("a text is too long, or holds NUL or half of a surrogate pair")
        return part
    if isinstance(part, list) and depth < 2:
        return [_checked(each, depth + 1) for each in part]
    if isinstance(part, int) and not isinstance(part, bool) and 0 <= part < 2**31:
        return part
    raise BadSketch("fingerprints hold texts and whole numbers there")


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
