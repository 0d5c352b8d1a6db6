"""Workers log as the server does: one JSON object a line, also what a library says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.service.servers import end
from tests.service.stacks import ROOT


def test_each_line_of_a_worker_is_a_json_object(tmp_path: Path) -> None:
    """A worker whose Redis is away has something to say."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "WHENCE_DATA_DIR": str(tmp_path / "data"),
        "WHENCE_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'whence.db'}",
        "WHENCE_REDIS_URL": "redis://:hidden@127.0.0.1:1/0",
    }
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.chores"], cwd=ROOT, env=environment, stderr=errors,
            stdin=subprocess.DEVNULL, stdout=errors,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while b"is away" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
    finally:
        end(process, signal.SIGTERM)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert "the queue chores is away: ConnectionError" in [line["event"] for line in lines]
    assert {"event", "level", "logger", "timestamp"} <= set(lines[0])
    assert "hidden" not in log.read_text()
