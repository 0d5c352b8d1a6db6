"""A scan worker whose children die of marked submissions: `python poisoned_worker.py scan`."""

from __future__ import annotations

import sys

from app.scan import guarded
from workers.base import main

if __name__ == "__main__":
    guarded.CHILD = "tests.service.poison"
    main(sys.argv[1])
