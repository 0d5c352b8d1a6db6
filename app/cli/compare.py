"""`whence compare`: how similar are two files, without an index."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.project import read_bytes


def compare(
    left: Annotated[Path, typer.Argument(help="One file.")],
    right: Annotated[Path, typer.Argument(help="The other file.")],
    format: Annotated[
        str, typer.Option("--format", "-f", help="text or json (with `score` in 0..1).")
    ] = "text",
    lines: Annotated[int, typer.Option(help="How many line pairs the text form shows.", min=0)] = 20,
) -> None:
    """Compare two files and print how far they agree, with line pairs."""
    from corpus.compare import compare as compare_texts
    from corpus.languages import language_of

    if format not in ("text", "json"):
        raise typer.BadParameter(f"{format!r} is neither text nor json", param_hint="--format")
    sides = []
    for path in (left, right):
        text = read_bytes(path)
        sides.append((path.name, text, language_of(path.name, text[:4096]) or "text"))
    result = compare_texts(sides[0], sides[1])
    if format == "json":
        typer.echo(json.dumps({"left": str(left), "right": str(right), **_shares(asdict(result))}))
        return
    typer.echo(f"score {result.score:.2f}: {result.tokens} tokens agree, longest run {result.longest_run}")
    if result.tokens:
        typer.echo(
            f"{result.left:.0%} of {left} and {result.right:.0%} of {right}; "
            f"{result.literal:.0%} spelled alike"
        )
        text_left, text_right = (s[1].decode("utf-8", "replace").split("\n") for s in sides)
        for a, b in result.line_pairs[:lines]:
            typer.echo(
                f"{a:5d} {text_left[a - 1].strip()[:50]:50s} | {b:5d} {text_right[b - 1].strip()[:50]}"
            )
        if len(result.line_pairs) > lines:
            typer.echo(f"… and {len(result.line_pairs) - lines} more line pairs (--format json has all)")


def _shares(values: dict[str, object]) -> dict[str, object]:
    """`left` and `right` name the files in the JSON form; the shares get names of their own."""
    values["containment_left"], values["containment_right"] = values.pop("left"), values.pop("right")
    return values
