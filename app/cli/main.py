"""Entry of the command `whence`: its tree of commands and how errors end it.

Exit codes: 0 nothing at or above --fail-on, 1 something, 2 a usage, input or service error, or a search that
is only partial.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    attribution,
    calibrate,
    check,
    compare,
    corpus,
    disclosure,
    doctor,
    keys,
    policy,
    receipt,
    serve,
    waive,
)
from corpus.errors import WhenceError

app = typer.Typer(
    name="whence",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help=(
        "Where did the code in a change come from, and may the project use it?\n\n"
        "First index what to compare with: `whence corpus add pkg:pypi/chardet@5.2.0`. "
        "Then check a change: `git diff main | whence check --diff - --outbound BSD-3-Clause`."
    ),
)
app.command("check")(check.check)
app.command("waive")(waive.waive)
app.command("attribution")(attribution.attribution)
app.command("disclosure")(disclosure.disclosure)
app.command("compare")(compare.compare)
app.command("doctor")(doctor.doctor)
app.command("serve")(serve.serve)
corpus.app.command("calibrate")(calibrate.calibrate)
app.add_typer(corpus.app, name="corpus")
app.add_typer(keys.app, name="keys")
app.add_typer(policy.app, name="policy")
app.add_typer(receipt.app, name="receipt")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"whence {version('whence')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Root of the command tree."""


def run() -> None:
    """Run the command; errors that a user can mend are one line on standard error and exit code 2."""
    try:
        app()
    except WhenceError as error:
        typer.echo(f"whence: {error.message}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("whence: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"whence: {where}{error.strerror or error}", err=True)
        sys.exit(2)
