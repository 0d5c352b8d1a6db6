"""`whence receipt`: check and show signed receipts, offline and without a corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli import options
from app.cli.project import read_bytes

app = typer.Typer(help="Check and show signed receipts of a search.", no_args_is_help=True)

ReceiptFile = Annotated[Path, typer.Argument(metavar="FILE", help="A receipt.")]
PublicKey = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="PUBKEY", help="File with the public key (hex or PEM) that must have signed."
    ),
]


@app.command()
def verify(
    file: ReceiptFile,
    diff: Annotated[
        Path | None, typer.Option("--diff", metavar="FILE", help="The change that it should be about.")
    ] = None,
    key: PublicKey = None,
) -> None:
    """Is the receipt as it was signed, and about this change? Exit 1: about another change. 2: altered."""
    from app.receipt.signature import read_public_key, verify

    receipt = verify(read_bytes(file), read_public_key(read_bytes(key)) if key else None)
    signed = receipt.signed
    whose = "the given key" if key else "a key that nothing vouches for here; --key checks whose"
    typer.echo(f"{file}: unaltered since {signed.at}, signed by {signed.fingerprint} ({whose})")
    typer.echo(
        f"body {receipt.body.digest[:16]}, snapshot {receipt.body.index.snapshot}, {receipt.body.status}"
    )
    if diff is not None:
        from app.receipt.comparison import differences
        from app.scan.diff import read_diff

        found = differences(receipt.body, read_diff(read_bytes(diff)))
        for sentence in found:
            typer.echo(sentence)
        if found:
            raise typer.Exit(1)
        typer.echo(f"it is about the change in {diff}")


@app.command()
def show(
    file: ReceiptFile,
    format: Annotated[str, typer.Option("--format", "-f", help="markdown or json.")] = "markdown",
    key: PublicKey = None,
) -> None:
    """Print a receipt that verifies, short enough for a pull request."""
    from app.receipt.markdown import render
    from app.receipt.signature import read_public_key, verify

    if format not in ("markdown", "json"):
        raise typer.BadParameter(f"{format!r} is neither markdown nor json", param_hint="--format")
    receipt = verify(read_bytes(file), read_public_key(read_bytes(key)) if key else None)
    shown = render(receipt) if format == "markdown" else json.dumps(receipt.body.to_dict(), indent=1)
    typer.echo(shown.rstrip("\n"))


@app.command("key")
def show_key(data: options.Data = None) -> None:
    """Print the public key of this installation, for others to check its receipts; makes it at first use."""
    from app.data import data_dir
    from app.receipt.signature import local_key

    typer.echo(local_key(data_dir(data)).public_key().public_bytes_raw().hex())
