"""The console examples of the documentation: each command is run, and prints what the page says."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.cli.conftest import HONEST, SEA, WALK, Whence, new_file

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("policy.md", "receipt.md")
FLAGS = doctest.ELLIPSIS | doctest.REPORT_NDIFF


def examples(page: str) -> Iterator[tuple[str, str]]:
    """(command, what the page says it prints)."""
    for block in re.findall(r"```console\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_what_is_printed(whence: Whence, project: Path, page: str) -> None:
    (project / "sea.py").write_text(SEA)
    (project / "walk.py").write_text(WALK)
    (project / "pr.md").write_text("Makes the tides faster.\n")
    (project / "change.diff").write_text(new_file("sea.py", SEA) + new_file("hello.py", HONEST))
    code, number = 0, 0
    for command, expected in examples(page):
        number += 1
        if command == "echo $?":
            got = f"{code}\n"
        else:
            program, *arguments = shlex.split(command)
            assert program == "whence"
            ran = whence(*arguments)
            code, got = ran.code, ran.out + ran.err
            assert code in (0, 1), ran.err
        assert doctest.OutputChecker().check_output(expected, got, FLAGS), f"{command}\n{got}"
    assert number >= 3
