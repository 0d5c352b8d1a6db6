"""Imports run one way: the contracts of pyproject.toml hold, and each of them is able to fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def copy(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for package in ("app", "workers", "corpus"):
        shutil.copytree(project / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project / "pyproject.toml", folder)
    return folder


def test_the_contracts_of_the_layers_hold(project: Path) -> None:
    result = lint(project)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("corpus.offender", "app"),
        ("app.offender", "workers"),
        ("corpus.offender", "sqlalchemy"),
        ("corpus.offender", "licensedcode"),
        ("app.offender", "commoncode"),
        ("workers.offender", "debian"),
        ("app.policy.offender", "corpus.index"),
    ],
)
def test_an_import_against_a_contract_is_found(copy: Path, module: str, imported: str) -> None:
    path = (copy / module.replace(".", "/")).with_suffix(".py")
    path.write_text(f"import {imported}\n")
    try:
        result = lint(copy)
    finally:
        path.unlink()
    assert result.returncode != 0
    assert f"{module} -> {imported}" in result.stdout
