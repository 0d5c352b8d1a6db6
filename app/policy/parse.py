"""TOML text → Policy. `[tool.whence]` of a pyproject.toml, or the top level of a whence.toml.

A wrong key, type or value is an error that names its line; a misspelt licence is not (it may be one that the
index does not know): `app.policy.check.problems` finds those.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, get_args

from app.policy.lines import Path, positions
from app.policy.model import LISTS, STATUSES, AiDisclosure, BadPolicy, Entry, InlineAccepts, Policy, Status
from app.policy.presets import PRESETS

KINDS = ("literal", "renamed", "rewritten", "translated")
THRESHOLDS = ("min_tokens", "min_similarity", "max_chance")
# Key as written in the text → what it holds; `-` and `_` are the same.
KEYS = (
    *("name", "preset", "outbound", "deny", "review", "attribution", "allow", "caps", "thresholds"),
    *("exclude", "self", "accept", "inline_accepts", "ai_disclosure", "fail_on"),
)
MAX_TEXT = 1_000_000


def parse(toml_text: str, where: str) -> Policy:
    """The policy in a text; the default one where the text has no `[tool.whence]` or is empty.

    where: the file's name, for messages and verdicts. Raises BadPolicy.
    """
    table, prefix = section(toml_text, where)
    return _Reader(table, prefix, where, positions(toml_text)).policy()


def section(toml_text: str, where: str) -> tuple[Mapping[str, Any], Path]:
    """The table that is ours, and its path in the text."""
    if len(toml_text) > MAX_TEXT:
        raise BadPolicy(where, f"longer than {MAX_TEXT:,} characters")
    try:
        document = tomllib.loads(toml_text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadPolicy(where, f"not TOML: {error}") from None
    tool = document.get("tool")
    if isinstance(tool, dict) and "whence" in tool:
        if not isinstance(tool["whence"], dict):
            raise BadPolicy(where, "[tool.whence] must be a table")
        return tool["whence"], ("tool", "whence")
    if where.rsplit("/", 1)[-1] == "pyproject.toml" or "project" in document or "build-system" in document:
        return {}, ("tool", "whence")
    return document, ()


def with_outbound(policy: Policy, outbound: str) -> Policy:
    """The policy for another outbound licence; "" stands for the one that the preset is written for."""
    return replace(policy, outbound=outbound or PRESETS[policy.preset].outbound)


class _Reader:
    def __init__(self, table: Mapping[str, Any], prefix: Path, where: str, lines: Mapping[Path, int]) -> None:
        self.prefix, self.where, self.lines = prefix, where, lines
        self.table: dict[str, Any] = {}
        self.spelling: dict[str, str] = {}
        for key, value in table.items():
            name = key.replace("-", "_")
            if name not in KEYS:
                near = difflib.get_close_matches(name, KEYS, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known keys: {', '.join(KEYS)}"
                raise BadPolicy(self.place(key), f"there is no key {key!r}{hint}")
            if name in self.table:
                raise BadPolicy(self.place(key), f"{name} is set twice")
            self.table[name], self.spelling[name] = value, key

    def policy(self) -> Policy:
        from app.policy.waivers import read_waivers

        preset = self.text("preset", "permissive")
        if preset not in PRESETS:
            raise BadPolicy(self.place("preset"), f"no preset {preset!r}; there are {', '.join(PRESETS)}")
        lists = {name: self.entries(name) for name in LISTS}
        return Policy(
            name=self.text("name", preset),
            preset=preset,
            outbound=self.text("outbound", ""),
            **lists,
            caps=self.caps(),
            thresholds=self.thresholds(),
            excludes=self.texts("exclude"),
            self_purls=self.texts("self"),
            waivers=read_waivers(self.table.get("accept", []), lambda n: self.place("accept", n)),
            inline_accepts=self.choice("inline_accepts", get_args(InlineAccepts), "all"),
            ai_disclosure=self.choice("ai_disclosure", get_args(AiDisclosure), "off"),
            fail_on=self.choice("fail_on", STATUSES, "conflict"),
            where=self.where,
        )

    def place(self, name: str, number: int | None = None) -> str:
        """`[tool.whence] deny[2], pyproject.toml:41`."""
        key = self.spelling.get(name, name)
        path: Path = (*self.prefix, key)
        section_name = "[tool.whence] " if self.prefix else ""
        element = "" if number is None else f"[{number}]"
        line = self.lines.get(path if number is None else (*path, number)) or self.lines.get(path)
        return f"{section_name}{key}{element}, {self.where}" + (f":{line}" if line else "")

    def text(self, name: str, default: str) -> str:
        value = self.table.get(name, default)
        if not isinstance(value, str):
            raise BadPolicy(self.place(name), "must be a text in quotes")
        return value.strip()

    def texts(self, name: str) -> tuple[str, ...]:
        values = self.table.get(name, [])
        if not isinstance(values, list):
            raise BadPolicy(self.place(name), "must be an array of texts")
        for number, value in enumerate(values):
            if not isinstance(value, str) or not value.strip():
                raise BadPolicy(self.place(name, number), "must be a text in quotes, not empty")
        return tuple(value.strip() for value in values)

    def entries(self, name: str) -> tuple[Entry, ...]:
        return tuple(Entry(text, self.place(name, number)) for number, text in enumerate(self.texts(name)))

    def choice(self, name: str, allowed: tuple[Any, ...], default: str) -> Any:
        value = self.text(name, default)
        if value not in allowed:
            raise BadPolicy(self.place(name), f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def mapping(self, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        value = self.table.get(name, {})
        if not isinstance(value, dict):
            raise BadPolicy(self.place(name), "must be a table")
        for key in value:
            if key.replace("-", "_") not in allowed:
                raise BadPolicy(self.place(name), f"no {key!r} in {name}; known: {', '.join(allowed)}")
        return {key.replace("-", "_"): item for key, item in value.items()}

    def caps(self) -> Mapping[str, Status]:
        caps = self.mapping("caps", KINDS)
        for kind, status in caps.items():
            if status not in STATUSES:
                raise BadPolicy(self.place("caps"), f"{kind}: {status!r} is not one of {', '.join(STATUSES)}")
        return MappingProxyType(caps)

    def thresholds(self) -> Mapping[str, float]:
        values = self.mapping("thresholds", THRESHOLDS)
        for key, value in values.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
                raise BadPolicy(self.place("thresholds"), f"{key} must be a number, not negative")
        return MappingProxyType({key: float(value) for key, value in values.items()})
