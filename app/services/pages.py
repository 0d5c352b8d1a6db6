"""Lists by opaque cursor, newest first. Ids sort by time, so a page is not disturbed by new rows."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from corpus.errors import BadInput

Row = TypeVar("Row")
MAX_PAGE = 200
_ID = re.compile(r"[a-z]{1,8}_[0-9a-z]{26}")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows and where the next page begins, None at the end."""

    rows: Sequence[Row]
    next: str | None


def to_cursor(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """The id of the last row seen. Raises BadInput."""
    try:
        text = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        identity = text.decode("ascii")
    except (ValueError, binascii.Error):
        identity = ""
    if not _ID.fullmatch(identity):
        raise BadInput("the cursor is not one that this service gave")
    return identity
