"""`whence corpus`: what is indexed, and keeping it so."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpus.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from corpus.index.catalog import Catalog
    from corpus.ingest import Outcome

app = typer.Typer(
    help="Add, list and remove indexed releases; build and publish the index.", no_args_is_help=True
)

Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder. Default: WHENCE_DATA_DIR, else the user's.")
]


class Shape(StrEnum):
    """Forms of what is printed."""

    text = "text"
    json = "json"


def _catalog(data: Path | None) -> Catalog:
    from app.data import data_dir
    from corpus.index.catalog import Catalog

    return Catalog(data_dir(data))


@app.command()
def add(
    purls: Annotated[
        list[str] | None,
        typer.Argument(metavar="PURL…", help="Package URLs, or paths of a folder or an archive."),
    ] = None,
    manifest: Annotated[
        list[Path] | None, typer.Option("--manifest", "-m", help="TOML with `releases` and `background`.")
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="The PURLs are permissive code that says what is common.")
    ] = False,
    build_after: Annotated[
        bool, typer.Option("--build/--no-build", help="Build and publish a snapshot at the end.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Index releases anew that are already in.")] = False,
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Keep source texts, to show matched lines.")
    ] = True,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "--processes", "-j", min=1, help="Releases at a time. Default: all cores."),
    ] = None,
    data: Data = None,
) -> None:
    """Fetch releases, index them and publish the result. What is already indexed is left as it is.

    A run that was ended goes on when it is started again. Of a package whose release the registry no longer
    has, the newest is taken, and said so. Exit 2 when a release failed; the others are usable.

    Without a PURL or a manifest: the releases that were added before, which a new version may need anew.
    """
    catalog = _catalog(data)
    wanted = _wanted(purls or [], manifest or [], background)
    wanted = wanted or [(purl, entry.background) for purl, entry in catalog.entries().items()]
    if not wanted:
        raise typer.BadParameter(
            "name at least one PURL or a --manifest, e.g. whence corpus add pkg:pypi/chardet@5.2.0"
        )
    try:
        from corpus.crew import Options, ingest_all
    except ModuleNotFoundError as error:
        raise MissingExtra("indexing releases", "ingest") from error
    from app.cli.progress import Bars
    from corpus.coverage import remember
    from corpus.sources import SourceSettings

    outcomes: list[Outcome] = []
    options = Options(jobs or os.cpu_count() or 1, SourceSettings.from_environment(), texts, again)
    with Bars(len(wanted)) as bars:
        for outcome in ingest_all(catalog, wanted, options, bars.tell, bars.pace):
            outcomes.append(outcome)
            bars.finish(outcome)
        remember(catalog, outcomes)
        if build_after and catalog.entries():
            bars.say(f"snapshot {catalog.build(bars.build)} published")
    _conclude(outcomes)


def _wanted(purls: list[str], manifests: list[Path], background: bool) -> list[tuple[str, bool]]:
    """Releases to index, each once, in the order given."""
    from corpus.manifest import read
    from corpus.purl import local_purl

    rows: dict[str, bool] = {}
    for purl in purls:
        if not purl.startswith("pkg:"):
            if not Path(purl).exists():
                raise BadInput(f"{purl!r} is neither a package URL (pkg:…) nor an existing path")
            purl = local_purl(Path(purl))
        rows.setdefault(purl, background)
    for path in manifests:
        found = read(path)
        for purl in found.releases:
            rows.setdefault(purl, False)
        for purl in found.background:
            rows.setdefault(purl, True)
    return list(rows.items())


def _conclude(outcomes: list[Outcome]) -> None:
    """The last line says what became of all releases; a failure is exit code 2."""
    failed = [o for o in outcomes if o.status == "failed"]
    incomplete = [o for o in outcomes if o.status == "incomplete"]
    done = len(outcomes) - len(failed)
    said = f"{done} of {len(outcomes)} releases are indexed"
    if incomplete:
        said += f", {len(incomplete)} of them without a part: " + ", ".join(o.purl for o in incomplete)
    if failed:
        said += f"; failed: {', '.join(o.purl for o in failed)}"
    typer.echo(said, err=bool(failed))
    if failed:
        raise typer.Exit(2)


@app.command()
def build(data: Data = None) -> None:
    """Build a snapshot of all indexed releases, verify it and publish it."""
    from app.cli.progress import Bars

    with Bars(0) as bars:
        identity = _catalog(data).build(bars.build)
    typer.echo(f"snapshot {identity} published")


@app.command("list")
def list_(
    format: Annotated[Shape, typer.Option("--format", "-f", help="For people or machines.")] = Shape.text,
    data: Data = None,
) -> None:
    """The indexed releases, with files, code units and main licence."""
    catalog = _catalog(data)
    rows = []
    for entry in catalog.entries().values():
        counts = catalog.segment(entry).counts
        licenses = sorted(counts["licenses"].items(), key=lambda item: -item[1])
        rows.append(
            {"purl": entry.purl, "background": entry.background,
             "files": counts["files"], "units": counts["units"],
             "lines": counts["lines"], "licenses": counts["licenses"], "skips": counts["skips"],
             "main_license": licenses[0][0] if licenses else "",
             "added": datetime.fromtimestamp(entry.added, UTC).isoformat(timespec="seconds")}
        )  # fmt: skip
    if format is Shape.json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        mark = " (background)" if row["background"] else ""
        typer.echo(
            f"{row['purl']}{mark}\n"
            f"    {row['files']} files, {row['units']} units, mostly {row['main_license']}"
        )
    if not rows:
        typer.echo("nothing is indexed yet: whence corpus add PURL…")


@app.command()
def status(
    format: Annotated[Shape, typer.Option("--format", "-f", help="For people or machines.")] = Shape.text,
    data: Data = None,
) -> None:
    """What is published, and what was kept and skipped, by licence, language and reason."""
    from collections import Counter

    catalog = _catalog(data)
    totals: dict[str, Counter[str]] = {"licenses": Counter(), "languages": Counter(), "skips": Counter()}
    sums: Counter[str] = Counter(dict.fromkeys(("files", "units", "lines", "tokens", "bytes"), 0))
    missing = []
    entries = catalog.entries()
    for entry in entries.values():
        segment = catalog.segment(entry)
        for name, counter in totals.items():
            counter.update(segment.counts[name])
        sums.update({name: segment.counts[name] for name in sums if name != "bytes"})
        sums["bytes"] += sum(e["bytes"] for e in segment.manifest["sealed"].values())
        missing += [f"{entry.purl}: {part}" for part in segment.facts.missing]
    facts = {"data": str(catalog.data), "snapshot": catalog.current(), "releases": len(entries), **sums,
             **{name: dict(counter.most_common()) for name, counter in totals.items()},
             "missing": missing}  # fmt: skip
    if format is Shape.json:
        typer.echo(json.dumps(facts, indent=1))
        return
    typer.echo(f"data folder  {catalog.data}\nsnapshot     {catalog.current() or 'none published'}")
    typer.echo(
        f"releases     {len(entries)}: {sums['files']} files, {sums['lines']} lines, "
        f"{sums['units']} code units"
    )
    for name, counter in totals.items():
        typer.echo(f"{name}:")
        for key, count in counter.most_common(15):
            typer.echo(f"  {count:8d}  {key}")
    for part in missing:
        typer.echo(f"missing: {part}")


class Page(StrEnum):
    """Forms of the coverage."""

    text = "text"
    json = "json"
    markdown = "markdown"


@app.command("coverage")
def coverage_(
    format: Annotated[
        Page, typer.Option("--format", "-f", help="For people, machines or a page.")
    ] = Page.text,
    data: Data = None,
) -> None:
    """What the index covers: by licence and language, bytes a unit and a line, what is left out and why."""
    from app.cli.coverage import as_markdown, as_text
    from corpus.coverage import coverage

    found = coverage(_catalog(data))
    if format is Page.json:
        typer.echo(json.dumps(found.plain(), indent=1))
    else:
        typer.echo(as_text(found) if format is Page.text else as_markdown(found), nl=format is Page.text)


@app.command()
def propose(
    packages: Annotated[
        list[str] | None,
        typer.Argument(metavar="PURL…", help="Packages, a version is not needed: pkg:pypi/chess."),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option("--section", help="A whole section of Debian, e.g. math, science, gnu-r."),
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="For a list of permissive code; otherwise of copyleft code.")
    ] = False,
    largest: Annotated[
        int, typer.Option("--largest", min=1, help="Compressed megabytes of one source.")
    ] = 20,
    data: Data = None,
) -> None:
    """Lines for a manifest, from registries' metadata: the newest release of packages, with the reason.

    Releases that do not fit the list are printed as comments.
    """
    if not packages and not section:
        raise typer.BadParameter("name packages, or a --section of Debian")
    try:
        from corpus.propose import propose as judge
    except ModuleNotFoundError as error:
        raise MissingExtra("proposing releases", "ingest") from error
    cache = _catalog(data).cache
    found = judge(packages or [], section or [], cache, background=background, largest=largest << 20)
    for proposal in found:
        typer.echo(proposal.line())


@app.command()
def remove(
    purls: Annotated[list[str], typer.Argument(metavar="PURL…", help="Releases to take out.")],
    build_after: Annotated[
        bool, typer.Option("--build/--no-build", help="Publish a snapshot without them.")
    ] = True,
    data: Data = None,
) -> None:
    """Take releases out of the corpus, with all that was made of them and their downloads."""
    from app.cli.progress import Bars
    from corpus.purl import canonical
    from corpus.retract import retract

    catalog = _catalog(data)
    retract(catalog, [canonical(purl) for purl in purls])
    typer.echo(f"removed {len(purls)}")
    if not build_after:
        return
    if not catalog.entries():
        catalog.withdraw()
        typer.echo("the corpus is empty: nothing is published any more")
        return
    with Bars(0) as bars:
        identity = catalog.build(bars.build)
    typer.echo(f"snapshot {identity} published")


@app.command()
def rollback(data: Data = None) -> None:
    """Publish the snapshot before the current one again."""
    typer.echo(f"snapshot {_catalog(data).rollback()} published")
