"""Which names of members are paths inside the tree. Pure; a name never reaches the file system."""

from __future__ import annotations

import re

from corpus.archive.limits import ArchiveLimits, Unreadable

_SEPARATORS = re.compile(r"[/\\]")
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ORDINARY = re.compile(rb"(?:[\w+-][\w.+ -]*/)*[\w+-][\w.+ -]*")
_SHOWN = 200


def member_path(name: bytes, limits: ArchiveLimits) -> str:
    """`name` as a relative path with single slashes and no dots. Raises Unreadable with the reason."""
    if len(name) > limits.path_bytes:
        raise Unreadable(f"path of more than {limits.path_bytes} bytes")
    if _ORDINARY.fullmatch(name) and name.count(b"/") < limits.path_levels:
        return name.decode()
    try:
        text = name.decode()
    except UnicodeDecodeError:
        raise Unreadable("undecodable name") from None
    if _CONTROL.search(text):
        raise Unreadable("name with control characters")
    if text.startswith(("/", "\\")) or _DRIVE.match(text):
        raise Unreadable("absolute path")
    if ".." in _SEPARATORS.split(text):
        raise Unreadable("path that leaves the tree")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        raise Unreadable("empty name")
    if len(parts) > limits.path_levels:
        raise Unreadable(f"path of more than {limits.path_levels} levels")
    return "/".join(parts)


def shown(name: bytes) -> str:
    """A name that is no path, for a person to read: escaped and cut."""
    text = _CONTROL.sub(
        lambda found: f"\\x{ord(found[0]):02x}", name[:_SHOWN].decode(errors="backslashreplace")
    )
    return text + ("…" if len(name) > _SHOWN else "")


def common_top(paths: list[str]) -> str:
    """The folder that all paths are in, or "". AppleDouble files beside it (`._name`) don't count."""
    tops = {
        path.split("/", 1)[0] if "/" in path else ""
        for path in paths
        if not path.rsplit("/", 1)[-1].startswith("._")
    }
    return tops.pop() if len(tops) == 1 else ""
