"""Who asks, and may they ask so often? Answered before a byte of the body is read.

A request needs a key, unless the service runs without keys (embedded, on loopback). Routes say which scope
they need; here only the key itself counts. Addresses that send wrong keys are slowed down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth.callers import Caller
from app.auth.rates import Rates
from app.errors import Forbidden, TooMany, Unauthorized
from app.middleware.answers import send_problem
from corpus.errors import WhenceError

OPEN = ("/healthz", "/livez", "/readyz", "/v1/tokens", "/v1/openapi.json", "/v1/receipts/key")
"""Paths that need no key; the token exchange checks its own."""
UNLIMITED = ("/healthz", "/livez", "/readyz")
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

Authenticate = Callable[[str], Awaitable[Caller]]


class Gate:
    """The ASGI layer. rates: of requests, by key. failures: of wrong keys, by address.

    anonymous: who a request without a key is, where keys are not asked for.
    """

    def __init__(
        self,
        app: ASGIApp,
        authenticate: Authenticate,
        rates: Rates,
        failures: Rates,
        anonymous: Caller | None = None,
    ) -> None:
        self.app, self.authenticate, self.rates, self.anonymous = app, authenticate, rates, anonymous
        self.failures = failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                await self._pass(scope)
            except WhenceError as error:
                await send_problem(error, scope, send)
                return
        await self.app(scope, receive, send)

    async def _pass(self, scope: Scope) -> None:
        path, address = scope["path"], (scope.get("client") or ("",))[0]
        if path in UNLIMITED:
            return
        caller = None if path in OPEN else await self._caller(scope, address)
        state = scope.setdefault("state", {})
        state["caller"] = caller
        who = f"key:{caller.key_id}" if caller and caller.key_id else f"address:{address}"
        allowance = await self.rates.spend(who)
        state.setdefault("answer_headers", {}).update(allowance.headers())
        if not allowance.allowed:
            raise TooMany("more requests than this key may send", max(1, allowance.reset))

    async def _caller(self, scope: Scope, address: str) -> Caller:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given and self.anonymous is not None:
            return self._on_this_machine(scope, self.anonymous)
        try:
            if len(given) != 1:
                raise Unauthorized("send one key: `Authorization: Bearer whence_…`")
            kind, _, key = given[0].decode("latin-1").partition(" ")
            if kind.lower() != "bearer":
                raise Unauthorized("send a key: `Authorization: Bearer whence_…`")
            return await self.authenticate(key.strip())
        except Unauthorized:
            if given and not (spent := await self.failures.spend(address)).allowed:
                raise TooMany("too many wrong keys from this address", max(1, spent.reset)) from None
            raise

    def _on_this_machine(self, scope: Scope, anonymous: Caller) -> Caller:
        """Refuses what a page in a browser can send here: another name for this host, another origin."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        named = [f"//{headers.get(b'host', '')}", headers.get(b"origin", "")]
        for address in named:
            if address not in ("", "//") and _host(address) not in LOOPBACK_NAMES:
                raise Forbidden("without a key, ask by a loopback address and not from a web page")
        return anonymous


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
