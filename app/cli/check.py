"""`whence check`: search a change and print the report."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.project import MAX_INPUT, exclusion, read_bytes, read_policy
from corpus.errors import BadInput

if TYPE_CHECKING:
    from app.report.model import Report
    from app.scan.diff import Diff

FORMATS = (
    "text", "json", "markdown", "sarif", "gitlab", "rdjson", "github", "spdx", "cyclonedx", "junit",
)  # fmt: skip


class Level(StrEnum):
    """Verdicts that can fail a check, mild to severe."""

    attribution = "attribution"
    review = "review"
    conflict = "conflict"
    never = "never"


class OnError(StrEnum):
    """What a partial search does to the exit code."""

    fail = "fail"
    warn = "warn"


def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Whole files to search, as if all lines were new.")
    ] = None,
    diff: Annotated[
        str | None,
        typer.Option(
            "--diff", metavar="FILE|-", help="A unified diff or format-patch mail; - reads standard input."
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="REV", help="Search what this git work tree changes since REV."),
    ] = None,
    outbound: Annotated[
        str | None,
        typer.Option(
            help="Licence of the project that receives the change (SPDX). Default: what its metadata says."
        ),
    ] = None,
    policy_file: Annotated[
        Path | None,
        typer.Option("--policy", help="A whence.toml or pyproject.toml. Default: the one of this folder."),
    ] = None,
    leads: Annotated[
        bool, typer.Option("--leads", help="Also list weaker candidates, for a person to look at.")
    ] = False,
    format: Annotated[str, typer.Option("--format", "-f", help=f"One of: {', '.join(FORMATS)}.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file.")
    ] = None,
    fail_on: Annotated[
        Level | None,
        typer.Option("--fail-on", help="Exit 1 from this verdict on. Default: the policy's, else conflict."),
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever was found.")] = False,
    on_error: Annotated[
        OnError,
        typer.Option(
            "--on-error", help="fail: exit 2 when some lines could not be searched; warn: only say so."
        ),
    ] = OnError.fail,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder. Default: WHENCE_DATA_DIR, else the user's.")
    ] = None,
) -> None:
    """Search the added lines of a change in the indexed releases.

    Exit 0: nothing at or above --fail-on. 1: something. 2: an error, or a search that is only partial.
    """  # fmt: skip
    if format not in FORMATS:
        raise typer.BadParameter(f"{format!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    change, texts = read_change(files or [], diff, base)
    policy = read_policy(policy_file, outbound)
    if not change.files and not change.skips:
        typer.echo("Nothing to scan: the change is empty.", err=True)
    from app.cli.display import context_for
    from app.report import render
    from app.scan.pipeline import Scanner, scan
    from app.settings import data_dir
    from corpus.index.catalog import Catalog

    index = Catalog(data_dir(data)).open()
    report = scan(change, Scanner(index, policy, excluded=exclusion(policy)), leads=leads)
    threshold = fail_on.value if fail_on else policy.fail_on
    context = context_for(report, change, index, texts, to_terminal=output is None and sys.stdout.isatty(),
                          fail_on=threshold)  # fmt: skip
    rendered = render(format, report, context)
    if output is not None:
        output.write_text(rendered + ("" if rendered.endswith("\n") else "\n"), encoding="utf-8")
    else:
        typer.echo(rendered.rstrip("\n"))
    if code := exit_code(report, threshold, exit_zero=exit_zero, on_error=on_error):
        raise typer.Exit(code)


def exit_code(report: Report, fail_on: str, *, exit_zero: bool, on_error: OnError) -> int:
    """2 for a partial search, unless --on-error=warn or --exit-zero; 1 for a verdict from `fail_on` on."""
    from app.report.model import SEVERITY

    if exit_zero:
        return 0
    if report.status == "partial" and on_error is OnError.fail:
        return 2
    if fail_on == "never" or report.worst is None:
        return 0
    found = [f.verdict.status for f in report.findings]
    return int(any(SEVERITY.index(status) >= SEVERITY.index(fail_on) for status in found))  # type: ignore[arg-type]


def read_change(files: list[Path], diff: str | None, base: str | None) -> tuple[Diff, dict[str, bytes]]:
    """The change to search, and the whole files where they were given."""
    from app.scan.diff import read_diff, read_files

    if sum((bool(files), diff is not None, base is not None)) != 1:
        raise typer.BadParameter(
            "give one of: files, --diff FILE (or - for standard input), --base REV. "
            "For example: git diff main | whence check --diff -"
        )
    if files:
        texts = {_shown(path): read_bytes(path) for path in files}
        return read_files(texts), texts
    if base is not None:
        return read_diff(git_diff(base)), {}
    assert diff is not None
    return read_diff(sys.stdin.buffer.read(MAX_INPUT) if diff == "-" else read_bytes(Path(diff))), {}


def _shown(path: Path) -> str:
    """Paths are told as the user's project knows them, where that can be seen."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix().lstrip("/")


def git_diff(base: str) -> bytes:
    """`git diff` of the work tree against REV, with everything off that could run a program of the tree's."""
    if base.startswith("-"):
        raise BadInput(f"{base!r} is not a revision")
    command = [
        "git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=true", "diff", "--no-ext-diff",
        "--no-textconv", "--no-color", "--unified=3", "--submodule=short", base, "--",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BadInput("--base needs git, which is not installed") from error
    if done.returncode != 0:
        raise BadInput(f"git diff {base}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
