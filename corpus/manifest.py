"""Manifests: TOML lists of the releases to index. Called by the command line and the service.

    releases = ["pkg:pypi/chardet@5.2.0", …]      what changes are compared with
    background = ["pkg:npm/…", …]                 permissive code that many projects share

`corpus/manifests/` holds those that come with Whence; `shipped("demo")` finds one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from corpus.errors import BadManifest, BadPurl
from corpus.purl import canonical

MAX_BYTES = 4 << 20
_FOLDER = Path(__file__).parent / "manifests"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Canonical purls in the order of the file, each once."""

    releases: tuple[str, ...]
    background: tuple[str, ...] = ()


def shipped(name: str) -> Path:
    """Return the path of a manifest that comes with Whence. Raises BadManifest naming those there are."""
    known = {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}
    if name not in known:
        raise BadManifest(name, f"no manifest of this name comes with Whence, only {', '.join(known)}")
    return known[name]


def read(path: Path) -> Manifest:
    """Read a manifest. Raises BadManifest naming the file and the entry that is wrong."""
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise BadManifest(path, f"it is larger than {MAX_BYTES} bytes")
        document = tomllib.loads(body.decode("utf-8"))
    except OSError as error:
        raise BadManifest(path, f"it cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadManifest(path, f"it is not TOML: {error}") from None
    if unknown := sorted(set(document) - {"releases", "background"}):
        raise BadManifest(path, f"unknown key {unknown[0]!r}: only releases and background are known")
    releases = _purls(path, "releases", document.get("releases", []))
    background = _purls(path, "background", document.get("background", []))
    if not releases and not background:
        raise BadManifest(path, "it names no release")
    if both := set(releases) & set(background):
        raise BadManifest(path, f"{min(both)} stands in releases and in background")
    return Manifest(releases, background)


def _purls(path: Path, key: str, entries: object) -> tuple[str, ...]:
    if not isinstance(entries, list):
        raise BadManifest(path, f"{key} must be a list of package URLs")
    found: dict[str, None] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, str):
            raise BadManifest(path, f"entry {number} of {key} is not a string")
        try:
            found.setdefault(canonical(entry))
        except BadPurl as error:
            raise BadManifest(path, f"entry {number} of {key}: {error.message}") from None
    return tuple(found)
