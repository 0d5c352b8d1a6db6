"""The committed OpenAPI document is what the routes say, and complete."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app.api.application import create_api
from app.api.intake import _PARTS
from app.api.openapi import text
from app.settings import Settings
from tests.api.service import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
OPERATIONS = [
    (f"{method.upper()} {path}", what)
    for path, methods in DOCUMENT["paths"].items()
    for method, what in methods.items()
]


def test_the_committed_document_is_current() -> None:
    assert text(create_api(Settings())) == (ROOT / "docs" / "openapi.json").read_text("utf-8"), (
        "write it anew: python -m app.api.openapi > docs/openapi.json"
    )


def test_operations_have_names_words_and_errors() -> None:
    names = [what["operationId"] for _, what in OPERATIONS]
    assert len(set(names)) == len(names) >= 35
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)+", name) for name in names)
    for name, what in OPERATIONS:
        assert what["summary"], name
        assert what["description"], name
        watched = "health" in what["tags"] and what["security"] == []
        wanted = {"431", "500"} if watched else {"400", "401", "429", "500"}
        assert wanted <= set(what["responses"]), name
        if "requestBody" in what:
            assert {"408", "413", "415", "422"} <= set(what["responses"]), name
        if "{" in name:
            assert "404" in what["responses"] or "PUT" in name, name
        for status, answer in what["responses"].items():
            if int(status) >= 400 and (name, status) != ("GET /readyz", "503"):
                schema = answer["content"]["application/problem+json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Problem"}


def bodies() -> list[str]:
    return [name for name in DOCUMENT["components"]["schemas"] if name.endswith("Body")]


@pytest.mark.parametrize("name", [*bodies(), "ScanResource", "Problem"])
def test_examples_fit_their_schemas(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    assert schema["examples"]
    for example in schema["examples"]:
        assert list(validator.iter_errors(example)) == []


def test_every_part_and_event_has_an_example() -> None:
    content = DOCUMENT["paths"]["/v1/scans"]["post"]["requestBody"]["content"]
    assert set(content["multipart/form-data"]["schema"]["properties"]) == set(_PARTS)
    assert "diff --git" in content["text/x-diff"]["example"]
    events = DOCUMENT["paths"]["/v1/scans/{scan_id}/events"]["get"]["responses"]["200"]["content"]
    assert "event: progress" in events["text/event-stream"]["example"]
    documentation = (ROOT / "docs" / "api.md").read_text("utf-8")
    for part in _PARTS:
        assert f"`{part}`" in documentation, part
    for _, what in OPERATIONS:
        assert what["operationId"] in documentation, what["operationId"]
