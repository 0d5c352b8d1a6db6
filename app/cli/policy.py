"""`whence policy`: what a policy makes of a licence, and whether the policy itself is sound."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Explain and check the policy of a project.", no_args_is_help=True)

PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="A whence.toml or pyproject.toml. Default: the one of this folder."),
]
Format = Annotated[str, typer.Option("--format", "-f", help="text or json.")]


@app.command()
def explain(
    expression: Annotated[str, typer.Argument(help="An SPDX expression, e.g. 'GPL-2.0-or-later OR MIT'.")],
    outbound: Annotated[str | None, typer.Option(help="Licence of the receiving project (SPDX).")] = None,
    policy_file: PolicyFile = None,
    format: Format = "text",
) -> None:
    """May code under EXPRESSION be used here? Licence by licence, with the rule that decides."""
    from app.cli.project import read_policy
    from app.policy.explain import as_text
    from app.policy.explain import explain as explain_expression

    explanation = explain_expression(read_policy(policy_file, outbound), expression)
    typer.echo(json.dumps(asdict(explanation), indent=1) if format == "json" else as_text(explanation))


@app.command()
def check(policy_file: PolicyFile = None, format: Format = "text") -> None:
    """Find mistakes in a policy: unknown licences, contradictions, duplicates. Exit 1 when there are any."""
    from app.cli.project import read_text, whence_table
    from app.policy.check import problems

    path = policy_file or whence_table()
    if path is None:
        typer.echo("no policy here: neither whence.toml nor pyproject.toml; the built-in one applies")
        return
    found = problems(read_text(path), str(path))
    if format == "json":
        typer.echo(json.dumps([asdict(p) for p in found], indent=1))
    else:
        for problem in found:
            meant = f" → {problem.suggestion}" if problem.suggestion else ""
            typer.echo(f"{problem.where}: {problem.what}{meant}")
        typer.echo(f"{path}: {len(found)} problem{'s' if len(found) != 1 else ''}")
    if found:
        raise typer.Exit(1)
