"""Imports run one way: the contracts of pyproject.toml hold, and each of them is able to fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")

# Package → what a module of it must not import: at least one for each contract.
OFFENCES = [
    ("corpus", "app"),
    ("app", "workers"),
    ("corpus", "sqlalchemy"),
    ("corpus", "licensedcode"),
    ("app", "commoncode"),
    ("workers", "debian"),
    ("app.policy", "corpus.index"),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_contracts_of_the_layers_hold(project: Path) -> None:
    result = lint(project)
    assert result.returncode == 0, result.stdout + result.stderr


def test_imports_against_the_contracts_are_found(project: Path, tmp_path: Path) -> None:
    for package in ("app", "workers", "corpus"):
        shutil.copytree(project / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(project / "pyproject.toml", tmp_path)
    for number, (package, imported) in enumerate(OFFENCES):
        path = tmp_path / package.replace(".", "/") / f"offender{number}.py"
        path.write_text(f"import {imported}\n")
    result = lint(tmp_path)
    assert result.returncode != 0
    missed = [
        f"{package} -> {imported}"
        for number, (package, imported) in enumerate(OFFENCES)
        if f"{package}.offender{number} -> {imported}" not in result.stdout
    ]
    assert missed == []
