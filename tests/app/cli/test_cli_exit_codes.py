"""Exit codes of `whence check`, through the real command: 0, 1, 2, and what the options do to them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.app.cli.conftest import HONEST, SEA, WALK, Whence, new_file

BSD = ("--outbound", "BSD-3-Clause")
# A hunk that announces more lines than follow: its lines cannot be trusted, the search is partial.
TORN = "--- a/torn.py\n+++ b/torn.py\n@@ -1,2 +1,4 @@\n x = 1\n+y = 2\n"


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        (new_file("a.py", HONEST), (), 0),
        (new_file("a.py", SEA), (), 1),
        (new_file("a.py", SEA), ("--fail-on", "review"), 1),
        (new_file("a.py", SEA), ("--fail-on", "never"), 0),
        (new_file("a.py", SEA), ("--exit-zero",), 0),
        (new_file("a.py", WALK), (), 0),
        (new_file("a.py", WALK), ("--fail-on", "attribution"), 1),
        (new_file("a.py", WALK), ("--fail-on", "review"), 0),
        (TORN, (), 2),
        (TORN, ("--on-error", "fail"), 2),
        (TORN, ("--on-error", "warn"), 0),
        (TORN, ("--exit-zero",), 0),
        (TORN + new_file("a.py", SEA), (), 2),
        (TORN + new_file("a.py", SEA), ("--on-error", "warn"), 1),
        (TORN + new_file("a.py", SEA), ("--on-error", "warn", "--fail-on", "never"), 0),
        ("", (), 0),
    ],
)
def test_codes(whence: Whence, project: Path, text: str, options: tuple[str, ...], code: int) -> None:
    (project / "change.diff").write_text(text)
    ran = whence("check", "--diff", "change.diff", *BSD, *options)
    assert ran.code == code, ran.out + ran.err
    if text.startswith(TORN):
        assert "PARTIAL" in ran.out


def test_an_empty_change_is_nothing_to_scan_even_without_a_corpus(whence: Whence, project: Path) -> None:
    (project / "change.diff").write_text("")
    with_corpus = whence("check", "--diff", "change.diff", "--format", "json")
    assert (with_corpus.code, json.loads(with_corpus.out)["worst"]) == (0, None)
    without = whence("check", "--diff", "change.diff", data=project / "nothing")
    assert (without.code, without.out) == (0, "")
    assert "Nothing to scan" in with_corpus.err
    assert "Nothing to scan" in without.err


def test_a_partial_search_says_so_whatever_the_code(whence: Whence, project: Path) -> None:
    (project / "change.diff").write_text(TORN)
    for options in ((), ("--on-error", "warn"), ("--exit-zero",)):
        ran = whence("check", "--diff", "change.diff", "--format", "json", *options)
        assert json.loads(ran.out)["status"] == "partial"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check",), "give one of"),
        (("check", "a.py", "--diff", "b.diff"), "give one of"),
        (("check", "missing.py"), "cannot be read"),
        (("check", "--diff", "good.diff", "--format", "pdf"), "none of"),
        (("check", "--diff", "prose.diff"), "line 1 of the diff"),
        (("check", "--diff", "good.diff", "--policy", "bad.toml"), "did you mean deny"),
        (("check", "--diff", "good.diff", "--key", "k.pem"), "--receipt"),
        (("check", "--base", "--upload-pack=x"), "not a revision"),
        (("check", "--base", "main"), "git"),
        (("attribution", "--report", "prose.diff"), "not JSON"),
        (("waive", "xyz", "--reason", "ours", "--owner", "Ada"), "not the id of a finding"),
        (("receipt", "verify", "prose.diff"), "not a receipt"),
    ],
)
def test_usage_and_input_errors_are_2_and_say_what_is_wrong(
    whence: Whence, project: Path, arguments: tuple[str, ...], said: str
) -> None:
    (project / "good.diff").write_text(new_file("a.py", HONEST))
    (project / "prose.diff").write_text("Dear all,\n")
    (project / "bad.toml").write_text('denny = ["MIT"]\n')
    ran = whence(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_no_corpus_is_2_and_says_how_to_make_one(whence: Whence, project: Path) -> None:
    (project / "change.diff").write_text(new_file("a.py", HONEST))
    ran = whence("check", "--diff", "change.diff", "--exit-zero", data=project / "nothing")
    assert ran.code == 2
    assert "whence corpus add" in ran.err


def test_the_policy_says_from_which_verdict_a_check_fails(whence: Whence, project: Path) -> None:
    (project / "walk.py").write_text(WALK)
    (project / "whence.toml").write_text('outbound = "BSD-3-Clause"\nfail-on = "attribution"\n')
    assert whence("check", "walk.py").code == 1
    assert whence("check", "walk.py", "--fail-on", "conflict").code == 0


def test_as_a_process_with_a_diff_on_standard_input(corpus: Path, project: Path) -> None:
    command = [sys.executable, "-c", "from app.cli.main import run; run()", "check", "--diff", "-"]
    done = subprocess.run(
        [*command, *BSD, "--data", corpus],
        input=new_file("sea.py", SEA), capture_output=True, text=True, check=False, cwd=project,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "CONFLICT  sea.py:1-" in done.stdout
