"""`whence keys`: the API keys of an installation, made where its database is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.cli import options
from app.cli.serve import read_settings

if TYPE_CHECKING:
    from app.db.keys import NewKey
    from app.db.models import ApiKey
    from app.work import Work

app = typer.Typer(no_args_is_help=True, help="Make, list, replace and revoke API keys of this installation.")
Result = TypeVar("Result")
DAY = 86400.0
ACTOR = "cli"

Tenant = Annotated[
    str, typer.Option("--tenant", help="Whose key it is. Keys see their own tenant's scans only.")
]
KeyId = Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `whence keys list` shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="scan, read or admin; may be repeated. Default: scan and read."),
    ] = None,
    tenant: Tenant = "default",
    days: Annotated[int, typer.Option("--days", min=0, help="Days that it is valid; 0 is for ever.")] = 365,
    data: options.Data = None,
) -> None:
    """Make a key. It is printed once and cannot be shown again."""
    from app.db import keys
    from app.services import audit

    async def make(work: Work) -> NewKey:
        made = await keys.create(work, name, scope or ["scan", "read"], lifetime=days * DAY if days else None)
        await audit.record(work, ACTOR, "key.create", made.key.id, {"name": name, "scopes": made.key.scopes})
        return made

    _show(_in_work(data, tenant, make))


@app.command("list")
def list_keys(tenant: Tenant = "default", data: options.Data = None) -> None:
    """Keys of a tenant: id, first characters, state, scopes, name."""
    from app.db import keys

    for key in _in_work(data, tenant, keys.keys):
        typer.echo(f"{key.id}  {key.prefix}…  {_state(key):22}  {','.join(key.scopes):16}  {key.name}")


@app.command()
def rotate(
    key: KeyId,
    tenant: Tenant = "default",
    overlap: Annotated[
        float, typer.Option("--overlap-hours", min=0, help="Hours that the old key stays valid.")
    ] = 24.0,
    data: options.Data = None,
) -> None:
    """Make a successor with the same name and scopes; the old key ends after an overlap."""
    from app.db import keys
    from app.services import audit

    async def replace(work: Work) -> NewKey:
        made = await keys.rotate(work, key, overlap=overlap * 3600)
        await audit.record(work, ACTOR, "key.rotate", key, {"successor": made.key.id})
        return made

    _show(_in_work(data, tenant, replace))


@app.command()
def revoke(key: KeyId, tenant: Tenant = "default", data: options.Data = None) -> None:
    """End a key; a running service refuses it within seconds."""
    from app.db import keys
    from app.services import audit

    async def end(work: Work) -> None:
        await keys.revoke(work, key)
        await audit.record(work, ACTOR, "key.revoke", key)

    _in_work(data, tenant, end)
    typer.echo(f"{key} is revoked", err=True)


def _in_work(data: Path | None, tenant: str, act: Callable[[Work], Awaitable[Result]]) -> Result:
    import asyncio

    settings = read_settings(data)
    from app.context import Context

    async def run() -> Result:
        async with Context.open(settings) as context, context.work(tenant) as work:
            return await act(work)

    return asyncio.run(run())


def _show(made: NewKey) -> None:
    """The secret alone on standard output, so that it can be piped into where it is kept."""
    key = made.key
    typer.echo(f"{key.id} of {key.tenant}: {', '.join(key.scopes)}, {_state(key)}", err=True)
    typer.echo("The key follows. It cannot be shown again.", err=True)
    typer.echo(made.secret)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None:
        return "valid for ever"
    day = dt.datetime.fromtimestamp(key.expires_at, dt.UTC).date().isoformat()
    return f"{'expired' if key.expires_at < dt.datetime.now(dt.UTC).timestamp() else 'valid until'} {day}"
