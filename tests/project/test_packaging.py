"""What an installation gets: exactly our three packages with their data, and a command that starts."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PACKAGES = ("app", "workers", "corpus")


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def plain_install(project: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment with the plain installation, as README describes it."""
    environment = tmp_path_factory.mktemp("plain")
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, timeout=120)
    programs = environment / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "--require-hashes", "-r", str(project / "requirements" / "base.txt")], check=True, timeout=600
    )
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True, timeout=120)
    return programs


def test_the_wheel_holds_the_three_packages_and_all_their_files(wheel: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {path.as_posix() for path in files if path.parts[0] in PACKAGES}
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = Parser().parsestr(archive.read(metadata).decode("utf-8"))
        folder = metadata.rpartition("/")[0]
        programs = archive.read(f"{folder}/entry_points.txt").decode("utf-8")
        assert "BSD 3-Clause" in archive.read(f"{folder}/licenses/LICENSE").decode("utf-8")
    assert about["Name"] == "whence"
    assert about["License-Expression"] == "BSD-3-Clause"
    assert about["Requires-Python"] == ">=3.11"
    assert set(about.get_all("Provides-Extra", [])) >= {"server", "ingest", "postgres", "redis", "github"}
    assert "whence = app.cli.main:run" in programs


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_the_plain_installation_has_a_working_command(plain_install: Path, tmp_path: Path) -> None:
    shown = subprocess.run(
        [plain_install / "whence", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "check" in shown.stdout
    checked = subprocess.run(
        [plain_install / "python", "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
