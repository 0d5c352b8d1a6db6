"""What generated requests bring to light: schemathesis over the committed document, bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.api.service import ROOT, Service, serving
from tests.figures import Figure

MANY = "1000000/minute"
EXAMPLES = os.environ.get("WHENCE_CONTRACT_EXAMPLES", "12")
SECONDS = os.environ.get("WHENCE_CONTRACT_SECONDS", "120")
"""Generated requests an operation and phase, and the time for all. Set more for a long run."""
# Keys must not end under the test, streams wait for their subject, a build would change what others read.
LEFT_OUT = (
    *("watchScan", "watchJob", "rotateKey", "revokeKey"),
    *("buildCorpus", "rollBackCorpus", "addReleases", "removeReleases"),
)
# Which texts are TOML, package URLs or public addresses cannot be said in a JSON Schema.
UNCHECKED = "positive_data_acceptance"
# A body over the size limit is refused with 413, whatever else is wrong with it.
REFUSALS = """\
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
"""


@pytest.mark.check("C20")
@pytest.mark.long
@pytest.mark.timeout(400)
def test_generated_requests_find_no_fault(corpus: Path, tmp_path: Path, figure: Figure) -> None:
    settings = Settings(
        data_dir=corpus,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'whence.db'}",  # type: ignore[arg-type]
        rate_limit=MANY,
        webhook_private=False,
    )
    # A quick generator sends more wrong keys in a minute than are answered with 401.
    with serving("embedded", settings, tmp_path, WHENCE_WRONG_KEY_LIMIT=MANY) as service:
        generate(service, tmp_path, figure)


def generate(embedded: Service, tmp_path: Path, figure: Figure) -> None:
    report = tmp_path / "report.ndjson"
    (tmp_path / "schemathesis.toml").write_text(REFUSALS)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "docs" / "openapi.json")),
        *("--url", embedded.url.rstrip("/"), "--header", f"Authorization: Bearer {embedded.key('cleo')}"),
        *("--max-examples", EXAMPLES, "--seed", "7", "--max-time", SECONDS, "--request-timeout", "30"),
        *("--no-shrink", "--exclude-checks", UNCHECKED),
        *("--generation-database", "none", "--suppress-health-check", "all", "--no-color"),
        *(word for name in LEFT_OUT for word in ("--exclude-operation-id", name)),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=float(SECONDS) + 240,
        env=dict(os.environ),
    )
    cases = sum('"ScenarioFinished"' in line or '"interactions"' in line for line in report.open())
    note = f"{EXAMPLES} an operation and phase, at most {SECONDS} s"
    figure("C20", "scenarios of generated requests", cases, note=note)
    figure("C20", "status of the generator: faults found", done.returncode, exactly=0)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert embedded.process.poll() is None
    for line in embedded.log.read_text("utf-8").splitlines():
        assert json.loads(line)["event"] != "request_failed", line
