"""`whence check`: search a change and print the report."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import options
from app.cli.change import Change, project_of, read_change
from app.cli.project import exclusion, read_text

if TYPE_CHECKING:
    from app.cli.display import Texts
    from app.cli.project import Project
    from app.disclosure.declared import Declared
    from app.disclosure.rules import Outcome
    from app.receipt.body import Body
    from app.report.model import Report

    Found = tuple[Report, Texts, dict[str, Any]]

FORMATS = (
    "text", "json", "markdown", "sarif", "gitlab", "rdjson", "github", "spdx", "cyclonedx", "junit",
)  # fmt: skip
# Formats in which a person reads the sections beside the findings; for others they go to standard error.
FOR_PEOPLE = ("text", "markdown")


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


Format = Annotated[str, typer.Option("--format", "-f", help=f"One of: {', '.join(FORMATS)}.")]
FailOn = Annotated[
    Level | None,
    typer.Option("--fail-on", help="Exit 1 from this verdict on. Default: the policy's, else conflict."),
]
OnPartial = Annotated[
    OnError,
    typer.Option("--on-error", help="fail: exit 2 when some lines could not be searched; warn: only say so."),
]
ReceiptFile = Annotated[
    Path | None, typer.Option("--receipt", metavar="FILE", help="Write a signed receipt of the search.")
]
Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="With --server: its API key (default: WHENCE_KEY). With --receipt: an Ed25519 key file (PEM).",
    ),
]
Server = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="Search on this Whence server instead of here.")
]
FingerprintsOnly = Annotated[
    bool, typer.Option("--fingerprints-only", help="With --server: send sketches, no source text.")
]
PullRequestText = Annotated[
    Path | None,
    typer.Option("--pr-text", metavar="FILE", help="Text of the pull request, read for declared AI use."),
]


def check(
    files: options.Files = None,
    diff: options.DiffFile = None,
    base: options.Base = None,
    outbound: options.Outbound = None,
    policy_file: options.PolicyFile = None,
    leads: Annotated[
        bool, typer.Option("--leads", help="Also list weaker candidates, for a person to look at.")
    ] = False,
    format: Format = "text",
    output: options.Output = None,
    fail_on: FailOn = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever was found.")] = False,
    on_error: OnPartial = OnError.fail,
    receipt: ReceiptFile = None,
    key: Key = None,
    server: Server = None,
    fingerprints_only: FingerprintsOnly = False,
    pr_text: PullRequestText = None,
    data: options.Data = None,
) -> None:
    """Search the added lines of a change in the indexed releases.

    Exit 0: nothing at or above --fail-on. 1: something, or the project's rule on declared AI use is not met.
    2: an error, or a search that is only partial.
    """
    if format not in FORMATS:
        raise typer.BadParameter(f"{format!r} is none of {', '.join(FORMATS)}", param_hint="--format")
    check_options(receipt=receipt, key=key, server=server, fingerprints_only=fingerprints_only)
    change = read_change(files or [], diff, base)
    project = project_of(change, policy_file, outbound)
    policy = project.policy
    declared, outcome = declared_use(change, policy.ai_disclosure, pr_text)
    if change.empty:
        typer.echo("Nothing to scan: the change is empty.", err=True)
    from app.cli.display import context_for
    from app.data import data_dir
    from app.report import render
    from app.report.renderers import Section
    from corpus.errors import NoCorpus

    folder, today = data_dir(data), date.today()
    try:
        report, texts, facts = (
            search_there(server, key, change, project, fingerprints_only=fingerprints_only)
            if server is not None and not change.empty
            else search_here(folder, change, project, today, leads=leads)
        )
    except NoCorpus:
        if change.empty and receipt is None:
            return
        raise
    if not leads:
        report = replace(report, leads=None)
    threshold = fail_on.value if fail_on else policy.fail_on
    sections = (Section("Declared AI use", outcome.sentences),) if outcome.sentences else ()
    context = context_for(report, change.diff, texts, change.files, fail_on=threshold, sections=sections,
                          today=today.isoformat(),
                          to_terminal=output is None and sys.stdout.isatty())  # fmt: skip
    write(render(format, report, context), output)
    if format not in FOR_PEOPLE:
        for sentence in outcome.sentences:
            typer.echo(f"Declared AI use: {sentence}", err=True)
    if receipt is not None:
        from app.receipt.body import ai_use_of, body_of

        use = ai_use_of(declared, outcome.rule.name, outcome.fits) if outcome.rule.mode != "off" else None
        write_receipt(body_of(report, change.diff, facts, use), receipt, key, folder)
    if code := exit_code(report, threshold, exit_zero=exit_zero, on_error=on_error, fits=outcome.fits):
        raise typer.Exit(code)


def check_options(
    *, receipt: Path | None, key: Path | None, server: str | None, fingerprints_only: bool
) -> None:
    """Options that mean something only together, or never."""
    if key is not None and receipt is None and server is None:
        raise typer.BadParameter(
            "it signs a receipt or opens a server: give --receipt FILE or --server URL too",
            param_hint="--key",
        )
    if server is not None and receipt is not None:
        raise typer.BadParameter(
            "it is signed where the corpus is: not with --server", param_hint="--receipt"
        )
    if fingerprints_only and server is None:
        raise typer.BadParameter("give --server URL too", param_hint="--fingerprints-only")


def search_here(folder: Path, change: Change, project: Project, today: date, *, leads: bool) -> Found:
    """Search the corpus of the data folder. Raises NoCorpus."""
    from app.scan.pipeline import Scanner, scan
    from corpus.index.catalog import Catalog

    index = Catalog(folder).open()
    policy, notes = project.policy, (*project.notes, *change.notes)
    scanner = Scanner(index, policy, excluded=exclusion(policy), notes=notes, today=today)
    return scan(change.diff, scanner, leads=leads), index, index.facts


def search_there(
    server: str, key: Path | None, change: Change, project: Project, *, fingerprints_only: bool
) -> Found:
    """Search the corpus of a server."""
    from app.cli.remote import NoTexts, search

    secret = str(key) if key else os.environ.get("WHENCE_KEY", "")
    return search(server, secret, change, project, fingerprints_only=fingerprints_only), NoTexts(), {}


def exit_code(report: Report, fail_on: str, *, exit_zero: bool, on_error: OnError, fits: bool = True) -> int:
    """2 for a partial search, unless --on-error=warn or --exit-zero; 1 for a verdict from `fail_on` on.

    fits: whether the project's rule on declared AI use is met; if not, 1 as well, unless `fail_on` is never.
    """
    from app.report.model import SEVERITY

    if exit_zero:
        return 0
    if report.status == "partial" and on_error is OnError.fail:
        return 2
    if fail_on == "never":
        return 0
    found = [f.verdict.status for f in report.findings]
    severe = any(SEVERITY.index(status) >= SEVERITY.index(fail_on) for status in found)
    return int(severe or not fits)


def declared_use(change: Change, setting: str, pr_text: Path | None) -> tuple[Declared, Outcome]:
    """What the change declares about AI use, and how that fits the project's rule.

    Who gives the text of the pull request wants to be told, also where the project has no rule.
    """
    from app.disclosure.declared import Declared, read
    from app.disclosure.rules import judge

    if setting == "off":
        if pr_text is None:
            return Declared(), judge(Declared(), setting)
        setting = "report"
    declared = read(change.commits, read_text(pr_text) if pr_text else None)
    return declared, judge(declared, setting)


def write(text: str, output: Path | None) -> None:
    """To a file, or to standard output."""
    if output is None:
        typer.echo(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def write_receipt(body: Body, path: Path, key: Path | None, data: Path) -> None:
    """Sign the body with the key given, else with this installation's own."""
    from app.receipt.signature import local_key, read_private_key, sign

    private = read_private_key(key) if key else local_key(data)
    path.write_bytes(sign(body, private, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    typer.echo(f"receipt {body.digest[:16]} written to {path}", err=True)
