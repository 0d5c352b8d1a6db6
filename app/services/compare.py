"""Two texts compared, in a child. For POST /v1/compare; stores nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from app.context import Context
from app.errors import TooLarge

MAX_TEXT = 1 << 20


async def compare(
    context: Context, left: bytes, right: bytes, *, left_path: str = "left", right_path: str = "right",
    language: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """How far two texts agree: the fields of `corpus.compare.Comparison` and both languages.

    language: None is found from the paths. Raises BadInput, TooLarge, SandboxError.
    """
    for name, text in (("left", left), ("right", right)):
        if len(text) > MAX_TEXT:
            raise TooLarge(f"the {name} text", len(text), MAX_TEXT)
    found: dict[str, Any] = await asyncio.to_thread(
        context.children.run, "app.scan.child:compare", [left_path, left], [right_path, right], language
    )
    return found
