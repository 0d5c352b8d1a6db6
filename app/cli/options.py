"""Options that several commands share, each written once: their names, help and shape."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path] | None, typer.Argument(help="Whole files to search, as if all lines were new.")]
DiffFile = Annotated[
    str | None,
    typer.Option(
        "--diff", metavar="FILE|-", help="A unified diff or format-patch mail; - is standard input."
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="REV",
        help="What this git work tree changes since REV; policy and waivers are then those of REV.",
    ),
]
Outbound = Annotated[
    str | None,
    typer.Option(help="Licence of the receiving project (SPDX). Default: the policy's, else its metadata's."),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="A whence.toml or pyproject.toml. Default: the one of this folder, or REV."
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder. Default: WHENCE_DATA_DIR, else the user's.")
]
