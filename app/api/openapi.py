"""The OpenAPI document: what FastAPI finds out, made complete.

Added: the security scheme, the shape of errors, models of bodies that routes read themselves. A test compares
the committed file with what the routes say: `python -m app.api.openapi > docs/openapi.json` writes it.
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app.api.intake import ScanBody
from app.api.resources import Problem, ScanResource

TAGS = {
    "scans": "Hand in a change, watch it, erase it.",
    "reports": "The result of a scan, in every format.",
    "receipts": "Signed records of what was searched.",
    "decisions": "What people decided about findings.",
    "compare": "Two texts, side by side.",
    "policies": "What a project accepts.",
    "corpus": "What is indexed.",
    "keys": "API keys.",
    "tokens": "CI jobs without a stored key.",
    "webhooks": "Being told when a scan is finished.",
    "audit": "Who did what.",
    "health": "For machines that watch.",
}
DESCRIPTION = """\
Whence tells where the code in a change came from and whether a project may use it.

Send a key as `Authorization: Bearer whence_…`. Every error is `application/problem+json` (RFC 9457); the last
part of its `type` is a stable word. Answers under a key carry `RateLimit` and `RateLimit-Policy`; 429 and 503
carry `Retry-After`. Every answer has an `X-Request-Id`."""


def document(api: FastAPI) -> dict[str, Any]:
    """The document, made once for an application."""
    if api.openapi_schema is None:
        api.openapi_schema = _document(api)
    return api.openapi_schema


def _document(api: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="Whence API",
        version="1",
        description=DESCRIPTION,
        routes=api.routes,
        tags=[{"name": name, "description": what} for name, what in TAGS.items()],
        license_info={"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
    )
    _, models = models_json_schema(
        [(Problem, "serialization"), (ScanResource, "serialization"), (ScanBody, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    schemas = found["components"]["schemas"]
    for name, schema in models["$defs"].items():
        schemas.setdefault(name, schema)
        if "examples" in schema:  # FastAPI leaves out their nulls
            schemas[name]["examples"] = schema["examples"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, or a token of `/v1/tokens`."}
    }
    return found


def text(api: FastAPI) -> str:
    """The document as it is committed."""
    return json.dumps(document(api), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


if __name__ == "__main__":
    import sys

    from app.api.application import create_api
    from app.settings import Settings

    sys.stdout.write(text(create_api(Settings())))
