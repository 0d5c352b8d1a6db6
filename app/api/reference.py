"""The generated parts of the documentation: tables of settings and operations.

`python -m app.api.reference` writes them anew between the marks in docs/operations.md and docs/api.md; a test
compares.
"""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import FastAPI

from app.api.openapi import document
from app.settings import Settings

MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
DOCUMENTS = ("docs/operations.md", "docs/api.md")


def settings_table() -> str:
    """Every setting as an environment variable, with its default."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "computed" if field.default_factory is not None else _plain(field.default)
        rows.append(f"| `WHENCE_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def operations_table(api: FastAPI) -> str:
    """Every operation with the scopes that may use it."""
    rows = ["| operation | request | scopes | |", "|---|---|---|---|"]
    for path, methods in document(api)["paths"].items():
        for method, what in methods.items():
            scopes = " or ".join(what.get("x-scopes", ())) or "no key"
            rows.append(
                f"| `{what['operationId']}` | `{method.upper()} {path}` | {scopes} | {what['summary']} |"
            )
    return "\n".join(rows)


def renewed(text: str, api: FastAPI) -> str:
    """A document with its generated parts as they should be."""
    parts = {"settings": settings_table(), "operations": operations_table(api)}
    return MARKED.sub(lambda found: found[1] + parts[found[2]] + found[3], text)


def _plain(value: object) -> str:
    shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    if shown is None:
        return "empty"
    if isinstance(shown, bool):
        return str(shown).lower()
    return f"`{shown}`" if shown != "" else "empty"


if __name__ == "__main__":
    from app.api.application import create_api

    for name in DOCUMENTS:
        place = Path(name)
        place.write_text(renewed(place.read_text("utf-8"), create_api(Settings())), encoding="utf-8")
