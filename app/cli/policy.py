"""`whence policy`: what a policy makes of a licence, and whether the policy itself is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Explain and check the policy of a project.", no_args_is_help=True)
