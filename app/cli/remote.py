"""The search of `whence check` on a server instead of here; its report is then treated like one of our own.

The server gets the change, the project's policy and its decisions, so that report and receipt say what those
of a local check would. With `fingerprints_only` the change is tokenised here and only sketches leave: no line
of source text, no message and no text of a pull request does.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, cast

import typer

from app.client import Client, ServerError
from corpus.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from app.cli.change import Change
    from app.cli.project import Project
    from app.report.model import Report
    from corpus.index.snapshot import Index
    from corpus.model import Skip


class NoTexts:
    """Stands for the index: texts of origins are on the server, and it keeps them."""

    def text_of(self, purl: str, path: str) -> bytes | None:
        return None


class Answer(NamedTuple):
    """The report, and where it was asked for the signed receipt as a file holds it."""

    report: Report
    receipt: bytes | None


def api_key(given: Path | str | None) -> str:
    """The key of an option, else of the environment, else none."""
    return str(given) if given else os.environ.get("WHENCE_KEY", "")


def search(
    server: str,
    key: str,
    change: Change,
    project: Project,
    pull_request: str | None,
    *,
    fingerprints_only: bool,
    receipt: bool,
) -> Answer:
    """A server's report on this change, with this project's decisions. Raises ServerError, BadInput."""
    from app.report.assemble import assemble

    policy, outbound = policy_text(project), project.policy.outbound
    skips: list[Skip] = []
    with Client(server, key) as client:
        if fingerprints_only:
            sketches = _sketches(change, project, skips)
            scan = client.scan_sketches(sketches, policy=policy, outbound=outbound, progress=_tell)
        else:
            scan = client.scan(
                None if change.files else change.raw, change.files, pull_request=pull_request,
                # What the diff holds already is read there.
                messages=() if change.diff.commits else change.commits,
                policy=policy, outbound=outbound, progress=_tell,
            )  # fmt: skip
        report = client.report(scan)
        sealed = _checked(client.receipt(scan), client.receipt_key(), change) if receipt else None
    if fingerprints_only:
        report = _completed(report, change, project, pull_request)
    report = assemble(
        engine=report.engine,
        snapshot=report.snapshot,
        outbound=report.outbound,
        policy=report.policy,
        searched=report.worst is not None,
        findings=report.findings,
        leads=report.leads,
        skipped=(*report.skipped, *skips),
        limits=(*report.limits, *project.notes, *change.notes),
        ai_use=report.ai_use,
    )
    return Answer(report, sealed)


def policy_text(project: Project) -> str:
    """The policy as one text, with the decisions that stand in a file of their own. Raises BadInput."""
    if not project.waivers:
        return project.text
    from app.policy.model import BadPolicy
    from app.policy.parse import parse, section
    from app.policy.waivers import block

    _, prefix = section(project.text, "the policy")
    table = ".".join([*map(str, prefix), "accept"])
    blocks = [
        block(each.id, each.reason, each.owner, each.date, expires=each.expires, link=each.link,
              note=each.note, table=table)
        for each in project.waivers
    ]  # fmt: skip
    whole = "\n".join([project.text, *blocks])
    try:
        parse(whole, "the policy")
    except BadPolicy:
        raise BadInput(
            "to check on a server, write each accept of the policy as a table: [[accept]]"
        ) from None
    return whole


def _completed(report: Report, change: Change, project: Project, pull_request: str | None) -> Report:
    """A report on sketches with what only the text can tell: accepts and credits in it, declared AI use."""
    from app.disclosure.rules import ai_use
    from app.scan.decisions import apply_decisions

    policy = replace(project.policy, waivers=())  # the server has counted those
    decided = apply_decisions(report.findings, change.diff.files, policy, date.today())
    use = ai_use(change.commits, pull_request, policy.ai_disclosure)
    return replace(report, findings=decided.findings, ai_use=use)


def _checked(receipt: bytes, key: str, change: Change) -> bytes:
    """The receipt, once it verifies and is about this change."""
    from app.receipt.comparison import differences
    from app.receipt.signature import BadReceipt, verify

    try:
        found = differences(verify(receipt, key).body, change.diff)
    except BadReceipt as error:
        raise ServerError(f"the server's receipt does not verify: {error.message}") from None
    if found:
        raise ServerError(f"the server's receipt is about another change: {found[0]}")
    return receipt


def _sketches(change: Change, project: Project, skips: list[Skip]) -> list[dict[str, object]]:
    """Every searchable file of the change as the API takes it; what is left out goes to `skips`."""
    from app.cli.project import exclusion
    from app.fingerprints import to_json
    from app.scan.pipeline import Scanner, queries
    from app.scan.wire import encode_query

    skips += change.diff.skips
    nowhere = cast("Index", NoTexts())  # making sketches needs no index
    scanner = Scanner(nowhere, project.policy, excluded=exclusion(project.policy))
    return [to_json(encode_query(query, spelling=False)) for query in queries(change.diff, scanner, skips)]


def _tell(state: str) -> None:
    """Only to a person who is watching: a log of CI wants no progress."""
    if sys.stderr.isatty():
        typer.echo(f"scan: {state}", err=True)
