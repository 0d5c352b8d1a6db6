"""A full disk: 4 MiB for database, index, temporary files and log. Nothing breaks, and it heals (C42)."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app.settings import Settings
from tests.api.service import ALL, ROOT, WHENCE, copied, environment, make_keys
from tests.figures import Figure
from tests.reliability.cluster import DIFF, MANY
from tests.service.servers import end, free_port

MIB = 1 << 20
MOUNT = 'mount -t tmpfs -o size=4m tmpfs "$0" && cp -a "$0.first"/. "$0"/ && exec "$@" 2>>"$0/log"'
"""$0: where the small disk goes; what is in $0.first is on it at the beginning."""

BUILD = """
import json, sys
from pathlib import Path
from corpus.errors import WhenceError
from corpus.index.catalog import Catalog
catalog = Catalog(Path(sys.argv[1]))
said = []
for careless in (False, True):
    if careless:
        Catalog._require_space = lambda self, segments: None
    try:
        catalog.build()
        said.append("built")
    except WhenceError as error:
        said.append(error.message)
    except OSError as error:
        said.append(f"errno {error.errno}")
print(json.dumps([said, catalog.open(verify=True).identity, catalog.problems()]))
"""


def confined(small: Path, command: list[str]) -> list[str]:
    """The command with a disk of 4 MiB of its own; as root, or as root of a namespace."""
    user = [] if os.getuid() == 0 else ["-r"]
    return ["unshare", *user, "-m", "--propagation", "private", "sh", "-c", MOUNT, str(small), *command]


@dataclass
class Small:
    """A service whose disk is small. disk: as it sees it, reached through its process."""

    process: subprocess.Popen[bytes]
    url: str
    key: str
    settings: Settings

    @property
    def disk(self) -> Path:
        return Path(f"/proc/{self.process.pid}/root{self.settings.data_dir.parent}")

    def fill(self) -> None:
        """Not a byte is left; `.ballast` is what can be freed."""
        # Unbuffered: what a full disk refused would otherwise be tried again, and refused, at the close.
        with (self.disk / ".ballast").open("wb", buffering=0) as out, suppress(OSError):
            while True:
                out.write(bytes(4096))


@contextmanager
def small_service(corpus: Path, tmp_path: Path) -> Iterator[Small]:
    small, port = tmp_path / "small", free_port()
    small.mkdir()
    first = tmp_path / "small.first"
    shutil.copytree(corpus, first / "data")
    (first / "tmp").mkdir()
    making = Settings(
        data_dir=first / "data",
        database_url=f"sqlite+aiosqlite:///{first / 'whence.db'}",  # type: ignore[arg-type]
        **MANY,  # type: ignore[arg-type]
    )
    key = make_keys(making, (ALL,))["ada", ALL]
    url = f"sqlite+aiosqlite:///{small / 'whence.db'}"
    settings = making.model_copy(update={"data_dir": small / "data"})
    more = {"WHENCE_DATABASE_URL": url, "TMPDIR": str(small / "tmp"), "WHENCE_LEASE_SECONDS": "3"}
    process = subprocess.Popen(
        confined(small, [*WHENCE, "serve", "--port", str(port)]),
        cwd=ROOT, env=environment(settings, **more),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Small(process, f"http://127.0.0.1:{port}", key, settings)
    finally:
        end(process)


def until_up(client: httpx2.Client, small: Small) -> None:
    begun = time.monotonic()
    while True:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        assert small.process.poll() is None, "it ended"
        assert time.monotonic() - begun < 240
        time.sleep(0.1)


def noise() -> bytes:
    lines = "\n".join(f"+x = '{secrets.token_hex(60)}'" for _ in range(600))
    return f"--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,600 @@\n{lines}\n".encode()


@pytest.mark.check("C42")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_disk_is_full(corpus: Path, tmp_path: Path, figure: Figure) -> None:
    with small_service(corpus, tmp_path) as small:
        headers = {"Authorization": f"Bearer {small.key}"}
        with httpx2.Client(base_url=small.url, headers=headers, timeout=60, trust_env=False) as ada:
            until_up(ada, small)
            before = ada.post("/v1/scans", content=copied("before"), headers=DIFF | {"Prefer": "wait=25"})
            assert before.json()["state"] == "done", before.text
            statuses: list[int] = []
            accepted = []
            small.fill()
            for number in range(40):
                answer = ada.post("/v1/scans", content=noise() if number % 2 else copied(f"full {number}"),
                                  headers=DIFF)  # fmt: skip
                statuses.append(answer.status_code)
                if answer.status_code == 202:
                    accepted.append(answer.json()["id"])
            readable = [ada.get(path).status_code for path in ("/livez", f"/v1/scans/{before.json()['id']}")]
            told = ada.get("/metrics").text.splitlines()
            alarm = [line for line in told if line.startswith("whence_disk_free_ratio ")]
            said, identity, problems = build_inside(small)
            (small.disk / ".ballast").unlink()
            freed = time.monotonic()
            while True:
                after = ada.post(
                    "/v1/scans", content=copied(f"after {freed}"), headers=DIFF | {"Prefer": "wait=30"}
                )
                if after.status_code in (200, 202) and after.json()["state"] == "done":
                    break
                assert time.monotonic() - freed < 120, after.text
                time.sleep(0.5)
            healed = time.monotonic() - freed
            ended = [ada.get(f"/v1/scans/{name}", headers={"Prefer": "wait=25"}).json() for name in accepted]
        alive = small.process.poll() is None
        copy = tmp_path / "copy"
        shutil.copytree(small.disk, copy, ignore=shutil.ignore_patterns("tmp"))
    with closing(sqlite3.connect(copy / "whence.db")) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    refused = sum(status in (503, 507) for status in statuses)
    note = f"{len(statuses)} posts: {refused} refused, {len(accepted)} accepted"
    others = len(statuses) - refused - len(accepted)
    figure("C42", "answers that are neither 202 nor 503", others, exactly=0, note=note)
    assert refused > 10
    figure("C42", "processes that ended", not alive, exactly=0)
    figure("C42", "databases damaged", not whole, exactly=0)
    figure("C42", "reading meanwhile answered 200", readable.count(200), exactly=2)
    figure("C42", "accepted scans not done", sum(row["state"] != "done" for row in ended), exactly=0)
    figure("C42", "normal after space is freed", healed, at_most=60, unit="s")
    unbuilt = sum(each != "built" for each in said)
    figure("C42", "builds refused, or failed without damage", unbuilt, exactly=2, note=said[1])
    assert "Free some space" in said[0]
    assert problems == []
    assert identity
    assert float(alarm[0].split()[1]) < 0.15


def build_inside(small: Small) -> tuple[list[str], str, list[str]]:
    """Builds in the service's mounts: refused for want of space; and, without that look, cut by the disk."""
    command = ["nsenter", "-t", str(small.process.pid), "-m", sys.executable, "-c", BUILD]
    command.append(str(small.settings.data_dir))
    if os.getuid() != 0:
        command[1:1] = ["-U", "--preserve-credentials"]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    said, identity, problems = json.loads(done.stdout)
    return said, identity, problems
