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
    file: Annotated[Path, typer.Option(help="Where to record it.")] = Path(WAIVERS),
) -> None:
    """Record a decision: the finding stays listed, as ok, wherever its lines move, until it expires."""
    from app.cli import worktree
    from app.policy.waivers import block, parse_waiver_file, parse_waivers

    finding = _finding(report, id) if report else None
    if finding is None and not (len(id) == ID_DIGITS and all(digit in "0123456789abcdef" for digit in id)):
        raise BadInput(f"{id!r} is not the id of a finding ({ID_DIGITS} hex digits): copy it from a report")
    text = read_text(file) if file.exists() else ""
    own_file = file.name == Path(WAIVERS).name
    for waiver in (parse_waiver_file if own_file else parse_waivers)(text, str(file)):
        if waiver.id == (finding.id if finding else id):
            raise BadInput(f"finding {waiver.id} is waived already: {waiver.where}")
    table = "tool.whence.accept" if file.name == "pyproject.toml" else "accept"
    made = block(
        finding or id, reason, owner or worktree.user() or _no_owner(), date.today(),
        expires=_day(expires), link=link, note=note, table=table,
    )  # fmt: skip
    made = (_comment(finding) if finding else "") + made
    whole = f"{text.rstrip()}\n\n{made}" if text.strip() else made
    parse_waivers(whole, str(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(whole, encoding="utf-8")
    temporary.replace(file)
    typer.echo(f"{file}: recorded\n\n{made}", nl=False)


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
