"""Where Whence keeps its data. Light: the command line reads it at every start."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_dir(given: Path | None = None) -> Path:
    """The data folder: `--data`, else WHENCE_DATA_DIR, else the platform's folder for a user's data."""
    if given is not None:
        return given.expanduser().resolve()
    if configured := os.environ.get("WHENCE_DATA_DIR"):
        return Path(configured).expanduser().resolve()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "whence"
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "whence"
