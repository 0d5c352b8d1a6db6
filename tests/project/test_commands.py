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


@pytest.fixture
def ci(project: Path, tmp_path: Path) -> Machine:
    """Runs the CI script over a Makefile with these recipes; `collects` is the exit code of its pytest."""
    shutil.copytree(project / ".ci", tmp_path / ".ci")
    (tmp_path / "bench" / "quality").mkdir(parents=True)
    (tmp_path / "bench" / "quality" / "__main__.py").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)

    def run(collects: int = 0, seconds: int = 1500, **recipes: str) -> subprocess.CompletedProcess[str]:
        python.write_text(f"#!/bin/sh\nexit {collects}\n")
        python.chmod(0o755)
        targets = ["test", "test-slow", "check", "quality"]
        rules = [
            f"{name}:\n\t{recipes.get(name.replace('-', '_'), f'@echo ran {name}')}\n" for name in targets
        ]
        (tmp_path / "Makefile").write_text("".join(rules))
        return subprocess.run(
            ["bash", tmp_path / ".ci" / "run"],
            env={**os.environ, "WHENCE_CI_SLICE": str(seconds)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_ci_runs_every_part_and_says_what_it_leaves_out(ci: Machine) -> None:
    result = ci()
    assert result.returncode == 0, result.stderr
    assert re.findall(r"(?m)^ran (\S+)$", result.stdout) == ["test", "test-slow", "check", "quality"]
    assert "make check-deep, make bench, make image: by command only" in result.stdout


def test_ci_names_the_suites_that_do_not_exist(ci: Machine) -> None:
    result = ci(collects=5)
    assert result.returncode == 0
    assert "there are no slow tests yet" in result.stdout
    assert "there are no reliability checks yet" in result.stdout
    assert "ran test-slow" not in result.stdout


def test_ci_stops_when_the_tests_fail(ci: Machine) -> None:
    result = ci(test="@exit 1")
    assert result.returncode != 0
    assert "ran" not in result.stdout


def test_ci_fails_with_a_part_of_the_slice_and_still_runs_the_others(ci: Machine) -> None:
    result = ci(check="@exit 1")
    assert result.returncode == 1
    assert "make check (exit code 2)" in result.stdout
    assert "ran quality" in result.stdout
    assert "has passed" not in result.stdout


def test_ci_leaves_out_what_the_time_does_not_allow(ci: Machine) -> None:
    result = ci(seconds=59)
    assert result.returncode == 0
    assert "make test-slow: no time left" in result.stdout
    assert "ran test-slow" not in result.stdout


@pytest.mark.slow
def test_ci_cuts_a_part_that_takes_longer_and_says_so(ci: Machine) -> None:
    result = ci(seconds=61, test_slow="@sleep 100")
    assert result.returncode == 0, result.stderr
    assert "make test-slow: the rest, after 61 s" in result.stdout
    assert "make check: no time left" in result.stdout
