"""What stands before every test: the Makefile's environment and the guard that brings the servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

# What the guard calls, apart from what it looks for.
TOOLS = ["sh", "env", "ls", "touch", "chmod", "true"]
Machine = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def machine(project: Path, tmp_path: Path) -> Machine:
    """Runs the guard on a machine with exactly these programs; `programs` are shell scripts by name."""
    programs_folder = tmp_path / "bin"
    programs_folder.mkdir()
    for tool in TOOLS:
        (programs_folder / tool).symlink_to(shutil.which(tool) or tool)

    def run(**programs: str) -> subprocess.CompletedProcess[str]:
        for name, body in programs.items():
            path = programs_folder / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{body}\n")
            path.chmod(0o755)
        return subprocess.run(
            ["sh", project / "tests" / "servers.sh"],
            env={"PATH": str(programs_folder), "HERE": str(programs_folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run


def test_nothing_is_done_where_the_servers_are(machine: Machine) -> None:
    result = machine(redis_server="", initdb="", apt_get="exit 9", id="echo 0")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_without_rights_it_stops_with_the_command(machine: Machine) -> None:
    result = machine(initdb="", apt_get="exit 9", id="echo 1000", sudo="exit 1")
    assert result.returncode == 1
    assert "apt-get update && apt-get install -y --no-install-recommends redis-server" in result.stderr


@pytest.mark.parametrize(("user", "sudo"), [("0", "exit 9"), ("1000", 'shift; exec "$@"')])
def test_with_rights_it_installs_what_is_missing(
    machine: Machine, tmp_path: Path, user: str, sudo: str
) -> None:
    calls = tmp_path / "calls"
    brings = "case $1 in install) touch $HERE/redis-server; chmod +x $HERE/redis-server; esac"
    apt = f'echo "$*" >>{calls}; {brings}'
    result = machine(initdb="", apt_get=apt, id=f"echo {user}", sudo=sudo)
    assert result.returncode == 0, result.stderr
    assert calls.read_text().splitlines() == ["update", "install -y --no-install-recommends redis-server"]


def test_an_installation_that_fails_or_brings_nothing_is_an_error(machine: Machine) -> None:
    assert machine(initdb="", apt_get="exit 100", id="echo 0").returncode != 0
    result = machine(initdb="", apt_get="exit 0", id="echo 0")
    assert result.returncode == 1
    assert "cannot be found" in result.stderr


def test_a_machine_without_apt_is_told_what_is_needed(machine: Machine) -> None:
    result = machine(initdb="", id="echo 0")
    assert result.returncode == 1
    assert "redis-server" in result.stderr


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_is_the_default_and_lists_every_target(project: Path) -> None:
    shown = make(project).stdout
    wanted = "install demo test test-all check check-deep quality lint types bench lock image clean"
    assert set(wanted.split()) <= set(re.findall(r"(?m)^  make ([a-z-]+) ", shown))


def test_an_old_python_is_refused_by_name(project: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(project / name, tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").touch()
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = make(tmp_path, "install", f"PYTHON={old}")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_environment_is_made_anew_only_after_a_change(project: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(project / name, tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").touch()
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".stamp").touch()
    assert make(tmp_path, "--question", "install").returncode == 0
    os.utime(tmp_path / "requirements" / "dev.txt", (2**31, 2**31))
    assert make(tmp_path, "--question", "install").returncode == 1


def test_the_ci_script_is_valid_and_executable(project: Path) -> None:
    script = project / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text("utf-8")
