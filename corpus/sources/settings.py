"""What the operator decides about fetching: where from, and how much. Called by shells and all sources."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """Told how far the transfer of one file has come.

    name: of the file. done, total: bytes; total is None while the size is unknown.
    """

    def __call__(self, name: str, done: int, total: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Where releases come from and what a fetch may cost.

    debian_mirrors, pypi_indexes, npm_registry: override what apt, pip and npm are configured with.
    max_bytes: of one file. max_seconds: for one file, all attempts together.
    retries: further attempts after a transient error. backoff: seconds before the first of them, doubled
        each time. connect_timeout, read_timeout: seconds. max_redirects: per request.
    allow_local: purls may name files and repositories of this machine (the command line: yes; a server: no).
    public_only: connect to public addresses only, the configured registries excepted (a server: yes).
    """

    debian_mirrors: tuple[str, ...] = ()
    pypi_indexes: tuple[str, ...] = ()
    npm_registry: str = ""
    max_bytes: int = 2 << 30
    max_seconds: float = 1800.0
    retries: int = 4
    backoff: float = 0.5
    connect_timeout: float = 15.0
    read_timeout: float = 60.0
    max_redirects: int = 5
    allow_local: bool = True
    public_only: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> SourceSettings:
        """Read WHENCE_DEBIAN_MIRROR, WHENCE_PYPI_INDEX (several, by spaces) and WHENCE_NPM_REGISTRY."""
        env = os.environ if environment is None else environment
        return cls(
            debian_mirrors=tuple(env.get("WHENCE_DEBIAN_MIRROR", "").split()),
            pypi_indexes=tuple(env.get("WHENCE_PYPI_INDEX", "").split()),
            npm_registry=env.get("WHENCE_NPM_REGISTRY", "").strip(),
        )
