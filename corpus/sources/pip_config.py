"""What pip is configured with: its indexes, certificate bundle and proxy, read from the files that pip reads.

Order, later ones win, as pip's documentation gives it: global, user, the virtual environment's,
PIP_CONFIG_FILE, PIP_* variables. Called by the PyPI source.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PipConfig:
    """index: `index-url`, "" when pip's built-in index holds. extra: each `extra-index-url`.

    cafile, proxy: `cert` and `proxy`, or "".
    """

    index: str = ""
    extra: tuple[str, ...] = ()
    cafile: str = ""
    proxy: str = ""


def pip_config(environment: Mapping[str, str] | None = None, etc: Path = Path("/etc")) -> PipConfig:
    """Read pip's configuration of this user, environment and interpreter."""
    env = os.environ if environment is None else environment
    options: dict[str, str] = {}
    for file in config_files(env, etc):
        options.update(_options(file))
    for name in ("index-url", "extra-index-url", "cert", "proxy"):
        if value := env.get("PIP_" + name.upper().replace("-", "_")):
            options[name] = value
    return PipConfig(
        index=options.get("index-url", "").strip(),
        extra=tuple(options.get("extra-index-url", "").split()),
        cafile=options.get("cert", "").strip(),
        proxy=options.get("proxy", "").strip(),
    )


def config_files(env: Mapping[str, str], etc: Path) -> Iterator[Path]:
    """Yield the configuration files that pip would read, least important first."""
    named = env.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(env.get("HOME") or Path.home())
    for folder in reversed(env.get("XDG_CONFIG_DIRS", str(etc / "xdg")).split(os.pathsep)):
        if folder:
            yield Path(folder) / "pip" / "pip.conf"
    yield etc / "pip.conf"
    yield home / ".pip" / "pip.conf"
    yield Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(env.get("VIRTUAL_ENV") or sys.prefix) / "pip.conf"
    if named:
        yield Path(named)


def _options(file: Path) -> dict[str, str]:
    """Return the options of [global], overridden by those of [install] and [download], long names."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return {}
    found: dict[str, str] = {}
    for section in ("global", "download", "install"):
        if parser.has_section(section):
            found.update({name.lstrip("-").replace("_", "-"): value for name, value in parser.items(section)})
    return found
