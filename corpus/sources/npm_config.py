"""What npm is configured with: registry, certificate bundle and proxy, from variables and npmrc files.

Order, first one wins, as npm documents it: npm_config_* variables, the user's npmrc, the global one.
A project's own npmrc is not read: Whence may run in a folder that it does not trust. When none of them names
a registry, the npm program, if there is one, is asked. Called by the npm source.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class NpmConfig:
    """registry: base URL, "" when nothing names one. cafile, proxy: or ""."""

    registry: str
    cafile: str = ""
    proxy: str = ""


def npm_config(scope: str = "", environment: Mapping[str, str] | None = None) -> NpmConfig:
    """Read npm's configuration; a scope (`@babel`) may have a registry of its own."""
    env = os.environ if environment is None else environment
    options: dict[str, str] = {}
    for file in reversed(_npmrc_files(env)):
        options.update(_options(file, env))
    for name, value in env.items():
        if name.lower().startswith("npm_config_") and value:
            options[name[len("npm_config_") :].lower().replace("_", "-")] = value
    registry = options.get(f"{scope}:registry", "") if scope else ""
    registry = registry or options.get("registry", "") or _asked(env)
    proxy = options.get("https-proxy") or options.get("proxy") or ""
    return NpmConfig(registry, options.get("cafile", ""), "" if proxy in ("null", "false") else proxy)


def _npmrc_files(env: Mapping[str, str]) -> list[Path]:
    """Return the npmrc files, most important first."""
    home = Path(env.get("HOME") or Path.home())
    lowered = {name.lower(): value for name, value in env.items()}
    user = Path(lowered.get("npm_config_userconfig") or home / ".npmrc")
    prefix = lowered.get("npm_config_prefix") or env.get("PREFIX") or "/usr"
    named = lowered.get("npm_config_globalconfig")
    shared = [Path(named)] if named else [Path(prefix) / "etc" / "npmrc", Path("/etc/npmrc")]
    return [user, *shared]


def _options(file: Path, env: Mapping[str, str]) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if not line or line[0] in ";#[":
            continue
        name, mark, value = line.partition("=")
        if mark:
            value = value.strip().strip("\"'")
            found[name.strip()] = _VARIABLE.sub(lambda match: env.get(match[1], match[0]), value)
    return found


def _asked(env: Mapping[str, str]) -> str:
    """Ask npm for its registry, from a folder without a project of its own."""
    try:
        done = subprocess.run(
            ["npm", "config", "get", "registry", "--no-update-notifier"],
            capture_output=True, text=True, timeout=60, check=False, cwd="/", env=dict(env),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    answer = done.stdout.strip()
    return answer if done.returncode == 0 and answer.startswith(("http://", "https://")) else ""
