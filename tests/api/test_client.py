"""`whence check --server`: the search is elsewhere, the report, its rendering and the exit code are here."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.service import ROOT, SOURCE, WHENCE, Service, diff_of

Run = Callable[..., subprocess.CompletedProcess[str]]
WAIVERS = """\
[[accept]]
id = "{id}"
reason = "permission-granted"
owner = "ada"
date = 2026-01-02
link = "https://example.org/permission"
"""


@pytest.fixture
def whence(embedded: Service, tmp_path: Path) -> Run:
    """The command in an empty folder, with the address and a key of the service."""

    def run(*arguments: str, key: str = "", **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*WHENCE, *arguments, "--server", embedded.url],
            cwd=tmp_path,
            env={
                **os.environ, "PYTHONPATH": str(ROOT), "WHENCE_KEY": key or embedded.key("brin"),
                "WHENCE_DATA_DIR": str(tmp_path / "none"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **given,
        )  # fmt: skip

    return run


def test_a_change_is_searched_there_and_told_here(whence: Run, tmp_path: Path) -> None:
    (tmp_path / "c.diff").write_bytes(diff_of(SOURCE + f"# {uuid.uuid4().hex}\n"))
    done = whence("check", "--diff", "c.diff", "--outbound", "MIT")
    assert done.returncode == 1, done.stdout
    assert "pkg:generic/kernels@1.0" in done.stdout
    assert "GPL-3.0-or-later" in done.stdout
    assert whence("check", "--diff", "c.diff", "--outbound", "GPL-3.0-or-later").returncode == 0
    piped = whence("check", "--diff", "-", "--format", "sarif", input=(tmp_path / "c.diff").read_text())
    assert '"2.1.0"' in piped.stdout


def test_sketches_give_the_same_finding(whence: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOURCE + f"# {uuid.uuid4().hex}\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\0")
    rest = ("--outbound", "MIT", "--format", "json")
    plain = whence("check", "mine.py", *rest)
    sketched = whence("check", "mine.py", "picture.png", "--fingerprints-only", *rest)
    assert (plain.returncode, sketched.returncode) == (1, 1), sketched.stderr
    one, other = json.loads(plain.stdout), json.loads(sketched.stdout)
    keep = ("region", "origin", "license", "verdict")
    (ours,), (theirs,) = one["findings"], other["findings"]
    assert {name: ours[name] for name in keep} == {name: theirs[name] for name in keep}
    assert ours["evidence"]["line_pairs"] == theirs["evidence"]["line_pairs"]
    assert [skip["path"] for skip in other["skipped"]] == ["picture.png"]


def test_decisions_of_the_project_count(whence: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SOURCE + f"# {uuid.uuid4().hex}\n")
    found = json.loads(whence("check", "mine.py", "--outbound", "MIT", "--format", "json").stdout)
    (tmp_path / ".whence").mkdir()
    (tmp_path / ".whence" / "waivers.toml").write_text(WAIVERS.format(id=found["findings"][0]["id"]))
    done = whence("check", "mine.py", "--outbound", "MIT")
    assert done.returncode == 0, done.stdout + done.stderr


def test_refusals_are_one_line_and_exit_2(whence: Run, tmp_path: Path, embedded: Service) -> None:
    (tmp_path / "c.diff").write_bytes(diff_of(SOURCE))
    (tmp_path / "no.diff").write_text("nonsense\n" * 3)
    wrong = whence("check", "--diff", "c.diff", key="whence_wrong")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1
    assert "401" in wrong.stderr
    for arguments in (
        ("check", "--diff", "no.diff"),
        ("check", "--diff", "c.diff", "--receipt", "r.json", "--fingerprints-only"),
    ):
        refused = whence(*arguments)
        assert refused.returncode == 2, (arguments, refused.stderr)
        assert "Traceback" not in refused.stderr
    for address in ("ftp://x", "http://user:pw@127.0.0.1:1", "nonsense"):
        bad = subprocess.run(
            [*WHENCE, "check", "--diff", "c.diff", "--server", address], cwd=tmp_path, capture_output=True,
            text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert bad.returncode == 2
        assert "pw" not in bad.stderr
