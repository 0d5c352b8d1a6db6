"""`whence serve`: the service. Without further settings it is complete in this one process."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli import options
from corpus.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from app.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
HEADER_BYTES = 32 << 10


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. Default: WHENCE_HOST, else 127.0.0.1.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; 0 takes a free one. Default: WHENCE_PORT, else 8321."),
    ] = None,
    data: options.Data = None,
) -> None:
    """Serve the API under the address that is printed, until interrupted.

    Settings are the variables `WHENCE_…`. With a PostgreSQL database and Redis, scans are done by worker
    processes; otherwise by this one.
    """
    # The server handles the signal, and raises it again when all is answered: a clean end is status 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = read_settings(data, host=host, port=port)
    require_keys(settings)
    from app.api.application import create_app
    from app.telemetry import configure_logs

    configure_logs()
    listener = listen(settings.host, settings.port)
    where = listener.getsockname()
    shown = f"[{where[0]}]" if ":" in where[0] else where[0]
    told = f"Whence serves http://{shown}:{where[1]}/ (interrupt with Ctrl-C)"
    run(create_app(settings), listener, settings, lambda: typer.echo(told))


def run(app: Any, listener: socket.socket, settings: Settings, ready: Callable[[], None]) -> None:
    """Serve until a signal says otherwise; requests in flight are answered. ready: called once it answers."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws="none",
        h11_max_incomplete_event_size=HEADER_BYTES,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=round(settings.stop_seconds),
    )
    server = Server(config)
    server.run(sockets=[listener])
    if not server.started:
        raise BadInput("the service could not start; its log has the reason")


def read_settings(data: Path | None, **given: Any) -> Settings:
    """Settings from the environment; what is given on the command line goes before. Raises BadInput."""
    try:
        from pydantic import ValidationError

        from app.settings import Settings
    except ModuleNotFoundError as error:
        raise MissingExtra("the service", "server") from error

    if data is not None:
        given["data_dir"] = data
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:  # its own text would repeat passwords
        wrong = "; ".join(
            f"WHENCE_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}".replace("WHENCE_: ", "")
            for each in error.errors(include_input=False)
        )
        raise BadInput(f"settings: {wrong}") from None


def require_keys(settings: Settings) -> None:
    """Refuse to be reachable by others, or to serve many machines, as long as anybody might ask anything."""
    if settings.embedded and settings.host in LOOPBACK and settings.keys_required == "auto":
        return
    import asyncio

    from app.context import Context
    from app.db.keys import any_exist
    from app.work import EVERY_TENANT

    async def exist() -> bool:
        async with Context.open(settings) as context, context.work(EVERY_TENANT, read=True) as work:
            return await any_exist(work)

    if not asyncio.run(exist()):
        raise BadInput(
            f"nobody holds a key yet, so {settings.host} is not served: "
            "`whence keys create --name NAME --scope admin` makes one"
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises BadInput."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise BadInput(f"{host} port {port} cannot be listened on: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener
