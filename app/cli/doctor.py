"""`whence doctor`: is this installation fit, and is the corpus whole?"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

EXTRAS = (("numba", "compiled kernels", "ingest"), ("licensedcode", "licence detection", "ingest"),
          ("pypi_simple", "fetching from Python indexes", "ingest"))  # fmt: skip


def doctor(
    data: Annotated[Path | None, typer.Option("--data", help="Data folder.")] = None,
) -> None:
    """Check the installation and every byte of the corpus; exit 2 when something is broken."""
    from app.data import data_dir
    from corpus.index.catalog import Catalog

    folder = data_dir(data)
    typer.echo(f"data folder     {folder}")
    typer.echo(f"Python          {sys.version.split()[0]}")
    if not hasattr(os.path, "ALLOW_MISSING"):
        typer.echo(
            "warning: this Python lacks the tar fixes of 2025; Whence's own archive reader does not need them"
        )
    for module, what, extra in EXTRAS:
        state = "present" if importlib.util.find_spec(module) else f"absent (pip install 'whence[{extra}]')"
        typer.echo(f"{what:28s} {state}")
    catalog = Catalog(folder)
    entries = catalog.entries()
    typer.echo(f"releases        {len(entries)}")
    typer.echo(f"snapshot        {catalog.current() or 'none published'}")
    problems = catalog.problems()
    for problem in problems:
        typer.echo(f"problem: {problem}", err=True)
    if problems:
        raise typer.Exit(2)
    typer.echo(
        "every segment and the published snapshot are whole"
        if entries
        else "no corpus yet: whence corpus add …"
    )
