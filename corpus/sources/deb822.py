"""Debian's control format: paragraphs of `Field: value` with continuation lines. Linear, values only.

Called by the Debian source for .dsc files, Release and Sources indexes, and for apt's .sources files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_SIGNED = "-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"


def paragraphs(text: str | Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield each paragraph as a dict: field names in lower case, continuation lines joined by newlines.

    Comment lines are left out; a line that is neither a field nor a continuation is ignored.
    """
    fields: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines() if isinstance(text, str) else text:
        line = line.rstrip("\r\n")
        if not line.strip():
            if fields:
                yield _joined(fields)
            fields, name = {}, ""
        elif line[0] == "#":
            continue
        elif line[0] in " \t":
            if name:
                fields[name].append(line.strip())
        else:
            name, mark, value = line.partition(":")
            name = name.strip().lower() if mark else ""
            if name:
                fields[name] = [value.strip()]
    if fields:
        yield _joined(fields)


def unsigned(text: str) -> str:
    """Return the text that an inline OpenPGP signature encloses; a text without one as it is.

    The signature is not verified.
    """
    lines = text.splitlines()
    if _SIGNED not in lines:
        return text
    start = lines.index(_SIGNED) + 1
    while start < len(lines) and lines[start].strip():  # armour headers end at the first empty line
        start += 1
    body = []
    for line in lines[start + 1 :]:
        if line == _SIGNATURE:
            break
        body.append(line.removeprefix("- "))
    return "\n".join(body) + "\n"


def checksums(field: str) -> dict[str, tuple[str, int]]:
    """Read a `Checksums-…` field: file name → (hex digest, size in bytes). Malformed lines are left out."""
    found = {}
    for line in field.splitlines():
        words = line.split()
        if len(words) == 3 and words[1].isascii() and words[1].isdigit():
            found[words[2]] = (words[0].lower(), int(words[1]))
    return found


def _joined(fields: dict[str, list[str]]) -> dict[str, str]:
    return {name: "\n".join(lines).strip() for name, lines in fields.items()}
