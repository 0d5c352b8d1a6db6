"""Lock files: one resolution with hashes, its subsets equal to it and complete, no address in any of them."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

LOCKS = ["dev.txt", "base.txt", "service.txt", "ingest.txt", "build.txt"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}( \\)?")
ADDRESS = re.compile(r"://|^\s*(-i|-f|--index-url|--extra-index-url|--find-links)\b", re.MULTILINE)


@pytest.fixture(scope="module")
def compiler(project: Path) -> dict[str, Any]:
    """The names that requirements/compile.py defines."""
    return runpy.run_path(str(project / "requirements" / "compile.py"))


@pytest.fixture(scope="module")
def blocks(project: Path, compiler: dict[str, Any]) -> Callable[[str], dict[str, str]]:
    """Of a lock file: package → its lines."""
    return lambda name: dict(compiler["blocks"]((project / "requirements" / name).read_text("utf-8")))


def closure(requirements: Iterable[Requirement]) -> set[str]:
    """Names of what is required here and now, as the installed packages themselves declare it."""
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, extra) for requirement in requirements for extra in ("", *requirement.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        names.add(name)
        for line in metadata.requires(name) or []:
            child = Requirement(line)
            if child.marker is None or child.marker.evaluate({"extra": extra}):
                waiting += [(child, wanted) for wanted in ("", *child.extras)]
    return names


def test_every_package_is_pinned_and_hashed(project: Path, blocks: Callable[[str], dict[str, str]]) -> None:
    for lock in LOCKS:
        known = blocks(lock)
        assert known
        pins = sum("==" in line for line in (project / "requirements" / lock).read_text("utf-8").splitlines())
        assert pins == len(known)
        for name, block in known.items():
            head, *rest = [line.strip() for line in block.splitlines() if "#" not in line]
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)? \\", head), f"{lock}: {name}"
            assert rest, f"{lock}: {name} has no hash"
            assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in rest), (
                f"{lock}: {name}"
            )


def test_no_lock_names_an_address(project: Path) -> None:
    for lock in LOCKS:
        text = (project / "requirements" / lock).read_text("utf-8")
        assert not re.search(r"://|^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", text, re.M), (
            lock
        )


def test_the_subsets_are_what_the_one_resolution_gives(
    project: Path, blocks: Callable[[str], dict[str, str]]
) -> None:
    everything = blocks("dev.txt").items()
    for lock in LOCKS:
        assert blocks(lock).items() <= everything, lock
    checked = subprocess.run(
        [sys.executable, "requirements/compile.py", "--check"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_the_lock_satisfies_what_pyproject_declares(
    project: Path, blocks: Callable[[str], dict[str, str]]
) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    table = declared["project"]
    lines = [*table["dependencies"], *declared["build-system"]["requires"]]
    lines += [line for extra in table["optional-dependencies"].values() for line in extra]
    known = blocks("dev.txt")
    for requirement in map(Requirement, lines):
        block = known.get(canonicalize_name(requirement.name))
        assert block is not None, f"{requirement} is not locked: make lock"
        pinned = Version(block.split("==")[1].split()[0])
        assert requirement.specifier.contains(pinned, prereleases=True), f"{requirement}, {pinned} is locked"


def test_a_subset_holds_all_that_its_packages_require(
    project: Path, compiler: dict[str, Any], blocks: Callable[[str], dict[str, str]]
) -> None:
    table = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]
    for lock, extras in compiler["SUBSETS"].items():
        lines = table["dependencies"] if extras is not None else ["hatchling", "editables"]
        lines = [*lines, *(line for extra in extras or () for line in table["optional-dependencies"][extra])]
        assert closure(map(Requirement, lines)) <= blocks(lock).keys(), lock


def test_the_lock_serves_the_python_of_debian_12(blocks: Callable[[str], dict[str, str]]) -> None:
    for name in blocks("dev.txt").keys() & {canonicalize_name(d.name) for d in metadata.distributions()}:
        accepted = SpecifierSet(metadata.metadata(name)["Requires-Python"] or "")
        assert accepted.contains("3.11.2"), f"{name} needs Python {accepted}"


def test_a_requirement_that_is_not_locked_is_an_error(compiler: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match="does not pin"):
        compiler["subset"]("alone==1.0 \\\n    --hash=sha256:00\n", ())


def test_a_subset_follows_the_requirers(compiler: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    dev = (
        "a==1 \\\n    --hash=sha256:01\n    # via whence (pyproject.toml)\n"
        "b==1 \\\n    --hash=sha256:02\n    # via\n    #   a\n    #   d\n"
        "c==1 \\\n    --hash=sha256:03\n    # via b\n"
        "d==1 \\\n    --hash=sha256:04\n    # via whence (pyproject.toml)\n"
    )
    subset = compiler["subset"]
    monkeypatch.setitem(subset.__globals__, "declared", lambda extras: {"a"})
    assert subset(dev, ()) == "".join(re.split(r"(?m)^(?=d==)", dev)[0])
