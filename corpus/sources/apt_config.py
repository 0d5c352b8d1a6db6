"""Which mirrors apt is configured with: `sources.list` lines and deb822 `.sources` stanzas.

Binary (`deb`) and source (`deb-src`) entries count alike: a pool holds both. Called by the Debian source.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from corpus.sources.deb822 import paragraphs

# For a mirror that a setting names without saying what it holds.
DEFAULT_SUITES = ("stable", "oldstable", "oldoldstable", "testing", "unstable")
DEFAULT_COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")


@dataclass(frozen=True, slots=True)
class Mirror:
    """One archive: its base URL without a slash at the end, its suites and its components, in order."""

    url: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def configured_mirrors(folder: Path = Path("/etc/apt")) -> list[Mirror]:
    """Return the mirrors of an apt configuration folder in apt's order, entries for one URL merged."""
    found: list[Mirror] = []
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # a file that apt itself could not read either
        found += _stanzas(text) if file.suffix == ".sources" else _lines(text)
    return _merged(found)


def mirror_of(url: str) -> Mirror:
    """Return the mirror that a setting names by its base URL."""
    return Mirror(url.rstrip("/"), DEFAULT_SUITES, DEFAULT_COMPONENTS)


def apt_proxy(scheme: str) -> str:
    """Return the proxy that apt is configured with for `http` or `https`, or ""."""
    try:
        done = subprocess.run(
            ["apt-config", "shell", "proxy", f"Acquire::{scheme}::Proxy"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = shlex.split(done.stdout) if done.returncode == 0 else []
    value = words[0].partition("=")[2] if words else ""
    return "" if value == "DIRECT" else value


def _lines(text: str) -> Iterator[Mirror]:
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        kind, _, rest = line.partition(" ")
        if kind.strip() not in ("deb", "deb-src"):
            continue
        rest = rest.strip()
        if rest.startswith("["):
            rest = rest.partition("]")[2]
        fields = rest.split()
        if len(fields) >= 3:
            yield Mirror(fields[0].rstrip("/"), (fields[1],), tuple(fields[2:]))


def _stanzas(text: str) -> Iterator[Mirror]:
    for stanza in paragraphs(text):
        if stanza.get("enabled", "yes").strip().lower() in ("no", "false", "without", "off", "disable"):
            continue
        if not {"deb", "deb-src"} & set(stanza.get("types", "").split()):
            continue
        suites, components = (
            tuple(stanza.get("suites", "").split()),
            tuple(stanza.get("components", "").split()),
        )
        for url in stanza.get("uris", "").split():
            if suites and components:
                yield Mirror(url.rstrip("/"), suites, components)


def _merged(mirrors: list[Mirror]) -> list[Mirror]:
    by_url: dict[str, Mirror] = {}
    for mirror in mirrors:
        if not mirror.url.startswith(("http://", "https://", "file:")):
            continue  # cdrom:, ssh:, mirror+… need apt's own methods
        known = by_url.get(mirror.url, Mirror(mirror.url, (), ()))
        by_url[mirror.url] = Mirror(
            mirror.url,
            tuple(dict.fromkeys(known.suites + mirror.suites)),
            tuple(dict.fromkeys(known.components + mirror.components)),
        )
    return list(by_url.values())
