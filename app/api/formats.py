"""Which format of a report a client gets: by the suffix of the path, else by its Accept header."""

from __future__ import annotations

from collections.abc import Mapping

from app.api.problems import NotAcceptable
from app.errors import NotFound
from app.report.renderers import RENDERERS

SUFFIXES = {renderer.suffix.removeprefix("."): name for name, renderer in RENDERERS.items()}
TYPES: dict[str, str] = {}
for _name, _renderer in RENDERERS.items():
    TYPES.setdefault(_renderer.media_type, _name)


def by_suffix(suffix: str) -> str:
    """The name of the format. Raises NotFound."""
    if suffix not in SUFFIXES:
        raise NotFound("format", suffix)
    return SUFFIXES[suffix]


def by_accept(accept: str) -> str:
    """The format of a report that the header prefers; JSON where it leaves the choice. NotAcceptable."""
    return choose(accept, TYPES, "json")


def choose(accept: str, types: Mapping[str, str], default: str) -> str:
    """The name of the media type that the header prefers, the first of equals. Raises NotAcceptable."""
    ranges = [_range(part) for part in accept.split(",") if part.strip()][:50]
    if not ranges:
        return default
    best, name = 0.0, ""
    for media_type, candidate in types.items():
        quality = _quality(media_type, ranges)
        if quality > best:
            best, name = quality, candidate
    if not name:
        raise NotAcceptable(f"it can be had as {', '.join(types)}")
    return name


def _range(part: str) -> tuple[str, float]:
    media, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = min(1.0, max(0.0, float(value)))
            except ValueError:
                quality = 0.0
    return media, quality if quality == quality else 0.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The most precise range decides (RFC 9110, 12.5.1)."""
    main = media_type.partition("/")[0]
    for wanted in (media_type, f"{main}/*", "*/*"):
        found = [quality for media, quality in ranges if media == wanted]
        if found:
            return max(found)
    return 0.0
