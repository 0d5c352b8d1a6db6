"""Neutral wording: no command, help text or message judges people, claims descent or approves anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

import app.cli
from app.cli.main import app as whence_app
from tests.app.cli.conftest import DIAL, HONEST, SEA, WALK, Whence, new_file

# What no output may say. Longer than the reports' list where help texts need no exception.
FORBIDDEN = re.compile(
    r"\b(?:stole\w*|steal\w*|theft|thie(?:f|ves)|plagiari\w*|ai[- ]generated|infring\w*|cleared|clearance|"
    r"clean\w*|safe|violat\w*|cop(?:y|ied) (?:of|from)|(?:taken|derived|lifted|adapted) from|pirat\w*|"
    r"illegal\w*|guilty|suspicious|offend\w*|culprit)\b",
    re.IGNORECASE,
)
SOURCES = ("cli", "disclosure", "receipt", "attribution", "scan")


def commands(command: click.Command, name: str = "whence") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    for sub, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {sub}")


ALL = dict(commands(typer.main.get_command(whence_app)))


@pytest.mark.parametrize("name", ALL)
def test_help_is_neutral_and_there(whence: Whence, name: str) -> None:
    ran = whence(*name.split()[1:], "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
    assert not FORBIDDEN.search(re.sub(r"[\s│]+", " ", ran.out))


def test_every_option_is_explained() -> None:
    for name, command in ALL.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--diff", "c.diff", "--outbound", "BSD-3-Clause", "--leads"),
        (
            "check",
            "--diff",
            "c.diff",
            "--outbound",
            "BSD-3-Clause",
            "--format",
            "markdown",
            "--pr-text",
            "pr.md",
        ),
        ("check", "--diff", "honest.diff"),
        ("check", "--diff", "empty.diff"),
        ("check", "--diff", "missing.diff"),
        ("policy", "explain", "GPL-3.0-only OR MIT", "--outbound", "MIT"),
        ("disclosure", "--pr-text", "pr.md", "--rule", "gentoo"),
        ("corpus", "list"),
        ("doctor",),
    ],
)
def test_output_is_neutral(whence: Whence, project: Path, arguments: tuple[str, ...]) -> None:
    files = {"a.py": SEA, "b.py": WALK, "c.c": DIAL}
    (project / "c.diff").write_text("".join(new_file(name, text) for name, text in files.items()))
    (project / "honest.diff").write_text(new_file("a.py", HONEST))
    (project / "empty.diff").write_text("")
    (project / "pr.md").write_text("## AI use\n\nCopilot wrote a test.\n")
    ran = whence(*arguments)
    said = re.sub(r"\s+", " ", ran.out + ran.err)
    assert said.strip()
    assert not FORBIDDEN.search(said)


def test_templates_are_neutral() -> None:
    folder = Path(app.cli.__file__).parent.parent
    modules = [path for name in SOURCES for path in sorted((folder / name).glob("*.py"))]
    assert len(modules) > 25
    for module in modules:
        tree = ast.parse(module.read_text(encoding="utf-8"))
        # Docstrings are for us; those of commands are in the help, which is read above.
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                assert not FORBIDDEN.search(node.value), f"{module.name}:{node.lineno}: {node.value[:80]}"


@pytest.mark.parametrize(
    "sentence", ["This code is CLEAN.", "was copied from x", "AI-generated", "cleared", "a violation"]
)
def test_the_word_list_finds_words(sentence: str) -> None:
    assert FORBIDDEN.search(sentence)
