"""A route that reads its JSON strictly: see app.api.strict_json for what that means."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from app.api.problems import UnsupportedMedia
from app.api.strict_json import read_json


class StrictRequest(Request):
    """A request whose `json()` refuses what could not be stored or told apart."""

    async def json(self) -> Any:
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """For routers: `APIRouter(route_class=StrictRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        reads_json = self.body_field is not None

        async def strict(given: Request) -> Response:
            request = StrictRequest(given.scope, given.receive)  # the one that keeps the body: it comes once
            if reads_json and media_type(request) != "application/json" and await request.body():
                raise UnsupportedMedia("send application/json", headers={"Accept": "application/json"})
            return await handle(request)

        return strict


def media_type(request: Request) -> str:
    """The type of the body, in lower case and without parameters; "" when it is not said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
