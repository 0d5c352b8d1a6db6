"""`whence check`: search a change and print the report."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from app.cli import options
from app.cli.change import Change, project_of, read_change
from app.cli.project import exclusion, read_text

if TYPE_CHECKING:
    from app.cli.display import Texts
    from app.cli.project import Project
    from app.report.model import Report

FORMATS = (
    "text", "json", "markdown", "sarif", "gitlab", "rdjson", "github", "spdx", "cyclonedx", "junit",
)  # fmt: skip
# Formats that have a place for declared AI use; for others it goes to standard error.
WITH_AI_USE = ("text", "markdown", "json")


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


class Found(NamedTuple):
    """A search that is over. facts: of the index that is here. receipt: what a server made, as it stands."""

    report: Report
    texts: Texts
    facts: Mapping[str, Any] | None = None
    receipt: bytes | None = None


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
    text = read_text(pr_text) if pr_text else None
    if change.empty:
        typer.echo("Nothing to scan: the change is empty.", err=True)
    from app.cli.display import context_for
    from app.data import data_dir
    from app.report import render
    from corpus.errors import NoCorpus

    folder, today = data_dir(data), date.today()
    try:
        found = (
            search_there(
                server, key, change, project, text,
                fingerprints_only=fingerprints_only, receipt=receipt is not None,
            )
            if server is not None and not change.empty
            else search_here(folder, change, project, text, today, leads=leads)
        )  # fmt: skip
    except NoCorpus:
        if change.empty and receipt is None:
            return
        raise
    report = found.report if leads else replace(found.report, leads=None)
    threshold = fail_on.value if fail_on else policy.fail_on
    context = context_for(report, change.diff, found.texts, change.files, fail_on=threshold,
                          today=today.isoformat(),
                          to_terminal=output is None and sys.stdout.isatty())  # fmt: skip
    write(render(format, report, context), output)
    if format not in WITH_AI_USE and report.ai_use is not None:
        from app.report.wording import ai_use_title, ai_use_words

        for sentence in (f"{ai_use_title(report.ai_use)}:", *ai_use_words(report.ai_use)):
            typer.echo(sentence, err=True)
    if receipt is not None:
        write_receipt(found, change, receipt, key, folder)
    if code := exit_code(report, threshold, exit_zero=exit_zero, on_error=on_error):
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
    if fingerprints_only and receipt is not None:
        raise typer.BadParameter(
            "it states digests of the text, which the server does not get with --fingerprints-only",
            param_hint="--receipt",
        )
    if fingerprints_only and server is None:
        raise typer.BadParameter("give --server URL too", param_hint="--fingerprints-only")


def search_here(
    folder: Path, change: Change, project: Project, pr_text: str | None, today: date, *, leads: bool
) -> Found:
    """Search the corpus of the data folder. Raises NoCorpus."""
    from app.disclosure.rules import ai_use
    from app.scan.pipeline import Scanner, scan
    from corpus.index.catalog import Catalog

    index = Catalog(folder).open()
    policy, notes = project.policy, (*project.notes, *change.notes)
    scanner = Scanner(index, policy, excluded=exclusion(policy), notes=notes, today=today)
    use = ai_use(change.commits, pr_text, policy.ai_disclosure)
    return Found(scan(change.diff, scanner, leads=leads, ai_use=use), index, index.facts)


def search_there(
    server: str,
    key: Path | None,
    change: Change,
    project: Project,
    pr_text: str | None,
    *,
    fingerprints_only: bool,
    receipt: bool,
) -> Found:
    """Search the corpus of a server."""
    from app.cli.remote import NoTexts, api_key, search

    answer = search(
        server, api_key(key), change, project, pr_text, fingerprints_only=fingerprints_only, receipt=receipt
    )
    return Found(answer.report, NoTexts(), receipt=answer.receipt)


def exit_code(report: Report, fail_on: str, *, exit_zero: bool, on_error: OnError) -> int:
    """2 for a partial search, unless --on-error=warn or --exit-zero; 1 for a verdict from `fail_on` on.

    1 as well where the project's rule on declared AI use is not met, unless `fail_on` is never.
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
    return int(severe or (report.ai_use is not None and not report.ai_use.fits))


def write(text: str, output: Path | None) -> None:
    """To a file, or to standard output."""
    if output is None:
        typer.echo(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def write_receipt(found: Found, change: Change, path: Path, key: Path | None, data: Path) -> None:
    """The server's receipt as it came, or one signed here: with the key given, else this installation's."""
    from app.receipt.body import body_of
    from app.receipt.signature import local_key, read_private_key, sign, verify

    if found.receipt is not None:
        path.write_bytes(found.receipt)
        typer.echo(
            f"receipt {verify(found.receipt).body.digest[:16]} of the server written to {path}", err=True
        )
        return
    assert found.facts is not None
    body = body_of(found.report, change.diff, found.facts)
    private = read_private_key(key) if key else local_key(data)
    path.write_bytes(sign(body, private, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
    typer.echo(f"receipt {body.digest[:16]} written to {path}", err=True)
