"""A content-addressed folder of what was read: `spool/<sha1>`.

The name is git's id of the content, so nothing that an archive says becomes part of a path. One flat folder:
spread over subfolders, a new file costs many times as much.
"""

from __future__ import annotations

import os
from hashlib import sha1
from pathlib import Path


def blob_id(data: bytes | bytearray) -> str:
    """git's id of a file with this content, 40 hex digits: its SWHID without the prefix."""
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def location(spool: Path, sha1: str) -> Path:
    return spool / sha1


def store(spool: Path, data: bytes | bytearray, name: str) -> None:
    """Write `data` under its id, whole or not at all, unless it is there already."""
    target, unfinished = os.path.join(spool, name), os.path.join(spool, f".{name}.{os.getpid()}")
    if os.path.exists(target):
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        descriptor = os.open(unfinished, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(spool, exist_ok=True)
        descriptor = os.open(unfinished, flags, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
    os.replace(unfinished, target)
