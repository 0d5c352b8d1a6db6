"""What a poisoned worker's children run instead of app.scan.child: a marked submission kills its child."""

from __future__ import annotations

import os
import signal
from typing import Any

from app.scan import child

MARK = b"poisonous_mark"


def read(body: bytes) -> dict[str, Any]:
    if MARK in child._unpack(body)["diff"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return child.read(body)


query, sketches, excluded = child.query, child.sketches, child.excluded
