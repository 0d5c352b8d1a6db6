"""What a poisoned worker's children run instead of app.scan.child: a marked submission kills its child."""

from __future__ import annotations

import os
import signal
from typing import Any

from app.scan import child

MARK = b"poisonous_mark"
MARKED_FILE = "poisonous.py"
"""A file of this name kills the child that sketches it."""


def read(body: bytes) -> dict[str, Any]:
    if MARK in child._unpack(body)["diff"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return child.read(body)


def query(path: str, regions: list[Any], language: str) -> dict[str, Any]:
    if path == MARKED_FILE:
        os.kill(os.getpid(), signal.SIGKILL)
    return child.query(path, regions, language)


def queries(files: list[list[Any]]) -> list[dict[str, Any]]:
    return [query(*file) for file in files]


sketches, excluded = child.sketches, child.excluded
