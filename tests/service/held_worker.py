"""An ingest worker that stands still at marked releases, before or after they are indexed, until killed.

HELD_AT: `before` or `after`. HELD_FLAG: a file that is made once it stands still.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from corpus.ingest import Ingester, Outcome
from workers.base import main

MARK = "held"
honest = Ingester.ingest


def held(self: Ingester, purl: str, **more: Any) -> Outcome:
    if MARK not in purl:
        return honest(self, purl, **more)
    if os.environ["HELD_AT"] == "after":  # in the catalogue, and nobody was told
        honest(self, purl, **more)
    Path(os.environ["HELD_FLAG"]).touch()
    time.sleep(600)
    raise AssertionError("nobody killed it")


if __name__ == "__main__":
    Ingester.ingest = held  # type: ignore[method-assign]
    main(sys.argv[1])
