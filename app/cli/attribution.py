"""`whence attribution`: the notices that findings with the verdict attribution ask for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import options
from app.cli.change import project_of, read_change
from app.cli.check import write
from app.cli.project import MAX_INPUT, exclusion, read_bytes
from corpus.errors import BadInput, NoCorpus

if TYPE_CHECKING:
    from app.attribution.notice import Notice
    from app.attribution.patch import FileLines
    from app.report.model import Report
    from app.scan.diff import Diff
    from corpus.index.snapshot import Snapshot


class Form(StrEnum):
    """How the notices are written."""

    dep5 = "dep5"
    snippet = "snippet"
    patch = "patch"


def attribution(
    files: options.Files = None,
    diff: options.DiffFile = None,
    base: options.Base = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A JSON report, instead of searching again.")
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            help="dep5: stanzas of a NOTICE file; snippet: SPDX tags; patch: both, to `git apply` here."
        ),
    ] = Form.dep5,
    notice: Annotated[str, typer.Option(help="Name of the NOTICE file that a patch adds to.")] = "NOTICE",
    outbound: options.Outbound = None,
    policy_file: options.PolicyFile = None,
    output: options.Output = None,
    data: options.Data = None,
) -> None:
    """Write the notice of every finding that may be used with attribution: holders, licence, licence text."""
    from app.attribution.notice import notices
    from app.data import data_dir
    from corpus.index.catalog import Catalog

    index: Snapshot | None = None
    try:
        index = Catalog(data_dir(data)).open()
    except NoCorpus:
        if report is None:
            raise
    change: Diff | None = None
    texts: Mapping[str, bytes] = {}
    if report is not None:
        if files or diff or base:
            raise typer.BadParameter("a report says what the change is: give it alone", param_hint="--report")
        found = _read_report(report)
    else:
        from app.scan.pipeline import Scanner, scan

        given = read_change(files or [], diff, base)
        policy = project_of(given, policy_file, outbound).policy
        assert index is not None
        change, texts = given.diff, given.files
        found = scan(change, Scanner(index, policy, excluded=exclusion(policy)))
    wanted = notices(found.findings, lambda o: index.text_of(o.purl, o.path) if index else None)
    if not wanted:
        typer.echo("No finding asks for attribution.", err=True)
        return
    write(_written(wanted, form, notice, change, texts), output)


def _written(
    notices: list[Notice], form: Form, notice: str, change: Diff | None, texts: Mapping[str, bytes]
) -> str:
    from app.attribution import dep5, patch, snippet

    if form is Form.dep5:
        return dep5.render(notices)
    if form is Form.snippet:
        return snippet.render(notices)
    if not patch.PLAIN_PATH.fullmatch(notice):
        raise typer.BadParameter(f"{notice!r} is not a path inside this folder", param_hint="--notice")
    known = _lines({each.path for each in notices}, change, texts)
    made = patch.make(notices, known, notice, _inside(notice))
    for sentence in made.left_out:
        typer.echo(sentence, err=True)
    return made.text.decode("utf-8", "surrogateescape")


def _lines(paths: Iterable[str], change: Diff | None, texts: Mapping[str, bytes]) -> dict[str, FileLines]:
    """The lines of each file: the file's own where it agrees with the change, else those of the change."""
    from app.attribution.patch import FileLines

    known: dict[str, FileLines] = {}
    shown: dict[str, dict[int, bytes]] = {}
    for changed in change.files if change else ():
        for region in changed.regions:
            shown.setdefault(changed.path, {}).update(enumerate(region.lines, region.first_line))
    for path in paths:
        data = texts.get(path) or _inside(path)
        lines = shown.get(path, {})
        whole = FileLines.of(data) if data is not None else None
        if whole and all(whole.lines.get(n, b"").rstrip(b"\r") == line for n, line in lines.items()):
            known[path] = whole
        elif lines:
            known[path] = FileLines(lines, whole=False)
    return known


def _inside(path: str) -> bytes | None:
    """A regular file below this folder; paths of a change are somebody else's words."""
    place = Path(path)
    if place.is_absolute() or not place.resolve().is_relative_to(Path.cwd().resolve()):
        return None
    if not place.is_file() or place.stat().st_size > MAX_INPUT:
        return None
    return read_bytes(place)


def _read_report(path: Path) -> Report:
    from app.report.model import Report

    try:
        return Report.from_dict(json.loads(read_bytes(path)))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from error
