"""Puts the API together: `create_app(settings)` is the one ASGI application, layers and routes.

Outside in: request id, log and last resort · key and rate limit · headers and body within limits · routes.
Called by `whence serve`, by `python -m app.api.openapi` and by tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.api import (
    audit,
    compare,
    corpus,
    decisions,
    fingerprints,
    handlers,
    health,
    keys,
    policies,
    receipts,
    reports,
    scans,
    tokens,
    webhooks,
)
from app.api.metrics import Metrics
from app.api.openapi import document
from app.api.stream import Streams
from app.auth.callers import ANONYMOUS, Authenticator
from app.auth.identity import Identities
from app.auth.rates import Rates
from app.auth.tokens import Tokens
from app.context import Context
from app.middleware.body import BodyLimits, Limits
from app.middleware.gate import Gate
from app.middleware.requests import Requests
from app.queue import started
from app.services.receipts import Signer
from app.settings import Settings

ROUTERS = (
    scans, reports, receipts, fingerprints, compare, policies, decisions, corpus, keys, tokens, webhooks,
    audit, health,
)  # fmt: skip
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def without_keys(settings: Settings) -> bool:
    """Whether no key is asked for: embedded, on a loopback address, and not told otherwise."""
    return settings.embedded and settings.keys_required == "auto" and settings.host in LOOPBACK


def create_api(settings: Settings) -> FastAPI:
    """The routes. `state.context` is there while the application runs."""

    @asynccontextmanager
    async def lifespan(api: FastAPI) -> AsyncIterator[None]:
        async with Context.open(settings) as context, started(context):
            api.state.context = context
            await api.state.signer.load()
            yield

    api = FastAPI(
        title="Whence",
        version=version("whence"),
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    handlers.register(api)
    for noun in ROUTERS:
        api.include_router(noun.router)
    api.state.metrics = Metrics()
    api.state.streams = Streams()
    api.state.last_check = health.LastCheck()
    api.state.tokens = Tokens()
    api.state.signer = Signer(settings)
    api.state.identities = Identities(settings.oidc_audience, allow_private=settings.webhook_private)
    api.openapi = lambda: document(api)  # type: ignore[method-assign]
    return api


def create_app(settings: Settings) -> ASGIApp:
    """The whole application. Its routes are at `app.api` of the innermost layer, for tests."""
    api = create_api(settings)
    state = api.state
    limits = Limits(limit=settings.max_body, diff_limit=min(settings.max_diff, settings.max_body))
    rates = Rates(settings.rate_limit, settings.redis_url.get_secret_value() or None)
    failures = Rates(settings.wrong_key_limit)
    authenticate = Authenticator(lambda: state.context, state.tokens)
    anonymous = ANONYMOUS if without_keys(settings) else None
    return Requests(Gate(BodyLimits(api, limits), authenticate, rates, failures, anonymous), state.metrics)
