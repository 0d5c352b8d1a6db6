"""`whence disclosure`: what a change declares about AI use. Needs no corpus."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli import options
from app.cli.change import project_of, read_change
from app.cli.check import PullRequestText
from app.cli.project import read_project, read_text


def disclosure(
    diff: options.DiffFile = None,
    base: options.Base = None,
    pr_text: PullRequestText = None,
    rule: Annotated[
        str | None, typer.Option(help="A rule, or the name of a published one. Default: the policy's.")
    ] = None,
    policy_file: options.PolicyFile = None,
    format: Annotated[str, typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Show what commit messages and a pull request's text declare about AI use; nothing is read from code.

    Exit 1 when that does not meet the project's rule.
    """
    from app.disclosure.declared import read
    from app.disclosure.rules import RULES, judge
    from app.report.wording import ai_use_words

    if format not in ("text", "json"):
        raise typer.BadParameter(f"{format!r} is neither text nor json", param_hint="--format")
    if rule is not None and rule not in RULES:
        raise typer.BadParameter(f"{rule!r} is none of {', '.join(RULES)}", param_hint="--rule")
    change = read_change([], diff, base) if diff or base or not pr_text else None
    project = project_of(change, policy_file, None) if change else read_project(policy_file, None)
    setting = rule or project.policy.ai_disclosure
    commits = change.commits if change else ()
    declared = read(commits, read_text(Path(pr_text)) if pr_text else None)
    use = judge(declared, "report" if setting == "off" else setting)
    assert use is not None
    if format == "json":
        shown = {"rule": use.rule, "fits": use.fits, "reader": declared.reader,
                 "statements": [asdict(each) for each in declared.statements]}  # fmt: skip
        typer.echo(json.dumps(shown, indent=1))
    else:
        for sentence in ai_use_words(use):
            typer.echo(sentence)
    if not use.fits:
        raise typer.Exit(1)
