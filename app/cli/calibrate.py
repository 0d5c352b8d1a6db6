"""`whence corpus calibrate`: how often unrelated code agrees as well, measured on the index itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from corpus.null import Tail

SHOWN = (0.1, 0.01, 0.001)


def calibrate(
    functions: Annotated[
        int, typer.Option("--functions", "-n", min=100, help="Functions of background releases to scan.")
    ] = 4000,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes. Default: all cores.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws another sample.")] = 1,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder. Default: WHENCE_DATA_DIR, else the user's.")
    ] = None,
) -> None:
    """Measure how often unrelated code agrees as well: `chance` in reports, and what is shown, rest on it.

    Functions of the background releases are scanned as changes, their own package being no origin. The result
    is kept with the published snapshot and goes on with the next ones, in proportion to their size.
    """
    from app.cli.progress import Bars
    from app.data import data_dir
    from corpus.calibration import draw, measure, null_of
    from corpus.index.catalog import Catalog
    from corpus.null import BUILT_IN

    catalog = Catalog(data_dir(data))
    index = catalog.open()
    drawn = draw(index, functions, seed)
    with Bars(0) as bars:
        measured = measure(
            catalog,
            index,
            drawn,
            jobs or os.cpu_count() or 1,
            lambda done, total: bars.count("functions", done, total),
        )
    null = null_of(index, measured)
    catalog.calibrate(index.identity, null)
    typer.echo(f"{len(drawn)} functions of background releases measured; kept for snapshot {index.identity}")
    typer.echo(told("copies", "bits", null.copies, built_in=null.copies == BUILT_IN.copies))
    derived = null.derived
    typer.echo(told("rewritten and translated", "strength", derived, built_in=derived == BUILT_IN.derived))


def told(name: str, what: str, tail: Tail, *, built_in: bool) -> str:
    """One line on a tail, for an index of the size that it was measured on."""
    if built_in:
        return f"{name}: too few functions agree with anything, so the built-in figures stay"
    levels = ", ".join(f"{chance:g} from {tail.reached(chance):.2f}" for chance in SHOWN)
    return f"{name}: chance {levels} {what}; {tail.scale:.2f} more divide it by e"
