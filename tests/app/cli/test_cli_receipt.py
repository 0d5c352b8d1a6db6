"""Receipts through the real command: written by a check, verified with neither corpus nor network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.app.cli.conftest import HONEST, SEA, Whence, new_file

BSD = ("--outbound", "BSD-3-Clause")
CHANGE = new_file("sea.py", SEA) + new_file("hello.py", HONEST) + new_file("notes.md", "# Notes\n")
NO_NETWORK = "import socket\nsocket.socket = None\nfrom app.cli.main import run\nrun()\n"


def test_the_same_check_twice_gives_the_same_body(whence: Whence, project: Path) -> None:
    (project / "c.diff").write_text(CHANGE)
    for name in ("one.json", "two.json"):
        ran = whence("check", "--diff", "c.diff", *BSD, "--receipt", name)
        assert ran.code == 1
        assert f"written to {name}" in ran.err
    one, two = (json.loads((project / name).read_text()) for name in ("one.json", "two.json"))
    assert one["body"] == two["body"]
    body = one["body"]
    assert [region["path"] for region in body["regions"] if region["findings"]] == ["sea.py"]
    assert [region["path"] for region in body["regions"] if not region["findings"]] == ["hello.py"]
    assert body["index"]["licenses"] == {"GPL-2.0-only": 1, "GPL-3.0-or-later": 1, "MIT": 1}
    assert body["index"]["releases"] == 1
    assert body["policy"]["outbound"] == "BSD-3-Clause"
    assert "def tide_height" not in (project / "one.json").read_text()
    stricter = whence("check", "--diff", "c.diff", "--outbound", "MIT", "--receipt", "three.json")
    assert stricter.code == 1
    assert json.loads((project / "three.json").read_text())["body"] != body


def test_verification_needs_neither_corpus_nor_network(whence: Whence, project: Path) -> None:
    (project / "c.diff").write_text(CHANGE)
    whence("check", "--diff", "c.diff", *BSD, "--receipt", "r.json")
    public = whence("receipt", "key")
    (project / "key.pub").write_text(public.out)

    def offline(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": "/usr/bin:/bin", "WHENCE_DATA_DIR": str(project / "nothing")}
        return subprocess.run(
            [sys.executable, "-c", NO_NETWORK, "receipt", *arguments],
            capture_output=True, text=True, check=False, cwd=project, env=environment,
        )  # fmt: skip

    done = offline("verify", "r.json", "--diff", "c.diff", "--key", "key.pub")
    assert done.returncode == 0, done.stderr
    assert "the given key" in done.stdout
    assert "it is about the change in c.diff" in done.stdout

    (project / "c.diff").write_text(CHANGE.replace("total = 0.0", "total = 1.0"))
    other = offline("verify", "r.json", "--diff", "c.diff")
    assert other.returncode == 1
    assert "sea.py:1-15 has other text" in other.stdout
    assert "nothing vouches for" in other.stdout

    data = (project / "r.json").read_text()
    (project / "r.json").write_text(data.replace('"status":"conflict"', '"status":"ok"'))
    altered = offline("verify", "r.json")
    assert altered.returncode == 2
    assert "changed after it was signed" in altered.stderr
    assert offline("show", "r.json").returncode == 2
    assert not (project / "nothing").exists()


def test_a_key_of_ones_own(whence: Whence, project: Path) -> None:
    (project / "hello.py").write_text(HONEST)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "k.pem"], check=True, cwd=project)
    subprocess.run(["openssl", "pkey", "-in", "k.pem", "-pubout", "-out", "k.pub"], check=True, cwd=project)
    (project / "k.pem").chmod(0o600)
    assert whence("check", "hello.py", "--receipt", "r.json", "--key", "k.pem").code == 0
    assert whence("receipt", "verify", "r.json", "--key", "k.pub").code == 0
    (project / "other.pub").write_text("ab" * 32)
    refused = whence("receipt", "verify", "r.json", "--key", "other.pub")
    assert refused.code == 2
    assert "another key" in refused.err


def test_the_markdown_form_fits_a_pull_request(whence: Whence, project: Path) -> None:
    (project / "c.diff").write_text(CHANGE)
    (project / "whence.toml").write_text('ai-disclosure = "report"\n')
    (project / "pr.md").write_text("## AI disclosure\n\nNo AI was used.\n")
    whence("check", "--diff", "c.diff", *BSD, "--receipt", "r.json", "--pr-text", "pr.md")
    shown = whence("receipt", "show", "r.json", "--format", "markdown")
    assert shown.code == 0
    assert "### Receipt of a search: 1 conflict" in shown.out
    assert "1 of them without findings" in shown.out
    assert "Not searched: 1 part of the change" in shown.out
    assert "pull request: no use" in shown.out
    assert len(shown.out.encode()) < 4_000
