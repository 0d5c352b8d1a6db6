"""`whence waive`: record a decision about a finding in the repository."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.project import WAIVERS, read_bytes, read_text
from corpus.errors import BadInput

if TYPE_CHECKING:
    from app.report.model import Finding

ID_DIGITS = 32


def waive(
    id: Annotated[str, typer.Argument(help="The id of a finding; with --report its first digits do.")],
    reason: Annotated[
        str,
        typer.Option(
            help="common-idiom, same-author, permission-granted (needs --link), credited, public-domain, "
            "not-similar, rewritten or ours."
        ),
    ],
    owner: Annotated[str, typer.Option(help="Who decides. Default: git's user.name.")] = "",
    expires: Annotated[str, typer.Option(help="Last day on which it holds, as 2027-01-31.")] = "",
    link: Annotated[str, typer.Option(help="Where the decision or the permission can be read.")] = "",
    note: Annotated[str, typer.Option(help="A sentence more.")] = "",
    report: Annotated[
        Path | None, typer.Option(help="The JSON report that names the finding: the id is then checked.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help=f"Where to record it. Default: {WAIVERS}.")] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", metavar="URL", help="Record it on this Whence server, for all its scans of yours."
        ),
    ] = None,
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="With --server: its API key. Default: WHENCE_KEY.")
    ] = "",
    policy_name: Annotated[
        str, typer.Option(help="With --server: only for scans under this stored policy.")
    ] = "",
) -> None:
    """Record a decision: the finding stays listed, as ok, wherever its lines move, until it expires."""
    from app.cli import worktree
    from app.policy.waivers import block

    finding = _finding(report, id) if report else None
    if finding is None and not (len(id) == ID_DIGITS and all(digit in "0123456789abcdef" for digit in id)):
        raise BadInput(f"{id!r} is not the id of a finding ({ID_DIGITS} hex digits): copy it from a report")
    owner = owner or worktree.user() or _no_owner()
    day = _day(expires)
    if server is not None:
        if file is not None:
            raise typer.BadParameter("it is recorded there: not with --file", param_hint="--server")
        fields = {
            "finding": finding.id if finding else id, "reason": reason, "owner": owner, "link": link,
            "note": note, "expires": day.isoformat() if day else "", "policy_name": policy_name,
        }  # fmt: skip
        _tell_server(server, key, {name: value for name, value in fields.items() if value})
        return
    if key or policy_name:
        raise typer.BadParameter("give --server URL too", param_hint="--key" if key else "--policy-name")
    file = file or Path(WAIVERS)
    table = "tool.whence.accept" if file.name == "pyproject.toml" else "accept"
    made = block(
        finding or id, reason, owner, date.today(), expires=day, link=link, note=note, table=table
    )  # fmt: skip
    _write(file, finding.id if finding else id, (_comment(finding) if finding else "") + made)


def _write(file: Path, id: str, made: str) -> None:
    """Add a block to a file of decisions. Raises BadInput where the finding is waived there already."""
    from app.policy.waivers import parse_waiver_file, parse_waivers

    text = read_text(file) if file.exists() else ""
    own_file = file.name == Path(WAIVERS).name
    for waiver in (parse_waiver_file if own_file else parse_waivers)(text, str(file)):
        if waiver.id == id:
            raise BadInput(f"finding {waiver.id} is waived already: {waiver.where}")
    whole = f"{text.rstrip()}\n\n{made}" if text.strip() else made
    parse_waivers(whole, str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(whole, encoding="utf-8")
    temporary.replace(file)
    typer.echo(f"{file}: recorded\n\n{made}", nl=False)


def _tell_server(server: str, key: str, fields: dict[str, str]) -> None:
    from app.cli.remote import api_key
    from app.client import Client

    with Client(server, api_key(key)) as client:
        made = client.decide(fields)
    typer.echo(
        f"{server}: recorded as {made['id']}, {made['reason']} by {made['owner']} on {made['decided_on']}"
    )


def _finding(report: Path, id: str) -> Finding:
    """The one finding of a report whose id begins with `id`."""
    from app.report.model import Report

    try:
        data = json.loads(read_bytes(report))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{report} is not JSON: {error}") from error
    findings = {f.id: f for f in Report.from_dict(data).findings if id and f.id.startswith(id)}
    if len(findings) != 1:
        said = "no finding" if not findings else f"{len(findings)} findings"
        raise BadInput(f"{report} has {said} with an id that begins with {id!r}")
    return next(iter(findings.values()))


def _comment(finding: Finding) -> str:
    from app.report import wording

    said = f"{wording.lines(finding.region)} is similar to {wording.origin(finding.origin)}"
    return f"# {said} ({wording.license_name(finding.license)})\n"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"--expires {text!r} is not a day, as 2027-01-31") from None


def _no_owner() -> str:
    raise BadInput("say who decides: --owner NAME (git has no user.name here)")
