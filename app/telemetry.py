"""Logs of the service: one JSON object a line on standard error, ids and numbers only.

Promise: whatever logs (our code, the server, a library), each line is one valid JSON object in ASCII, and no
message of an exception, body, header or query gets into it: an exception is told by its type and where it
stood. Called once by `whence serve` and by each worker.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

LONGEST = 500
_SECRET = ("authorization", "cookie", "key_text", "password", "secret", "token")

Event = MutableMapping[str, Any]


def configure_logs(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send everything that logs through one JSON renderer. May be called again."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_of_exception,
        _without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True, default=_type_name),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Names of routes are logged by app.middleware.requests; these would log paths, addresses or statements.
    for name in ("uvicorn.access", "httpx2", "httpcore2", "sqlalchemy", "aiosqlite", "arq", "multipart"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").propagate = False


def frames(error: BaseException, most: int = 4) -> list[str]:
    """File, line and function of the innermost frames: what a developer needs, and no value of a variable."""
    found: list[str] = []
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{'/'.join(code.co_filename.rsplit('/', 2)[-2:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-most:]


def _place_of_exception(logger: Any, name: str, event: Event) -> Event:
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"], event["frames"] = type(error).__name__, frames(error)
    event.pop("stack_info", None)
    return event


def _without_secrets(logger: Any, name: str, event: Event) -> Event:
    for key, value in event.items():
        if any(word in key.lower() for word in _SECRET):
            event[key] = "…"
        elif isinstance(value, str) and len(value) > LONGEST:
            event[key] = value[:LONGEST] + "…"
    return event


def _type_name(value: object) -> str:
    return type(value).__name__
