"""Licence names, categories and expressions, over the index that license-expression ships.

`tree(text)` reads an SPDX expression into leaves, AND and OR. It is a small parser of its own: linear,
bounded in length and depth, and total: what cannot be read becomes one unknown leaf, never an error.
The index is loaded once, on first use (license_expression takes some 70 ms).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

MAX_LENGTH = 2_000
MAX_DEPTH = 40

# SPDX's deprecated ids that name a licence together with its exception.
COMBINED: Mapping[str, str] = MappingProxyType(
    {
        "ecos-2.0": "GPL-2.0-or-later WITH eCos-exception-2.0",
        "gpl-2.0-with-autoconf-exception": "GPL-2.0-only WITH Autoconf-exception-2.0",
        "gpl-2.0-with-bison-exception": "GPL-2.0-only WITH Bison-exception-2.2",
        "gpl-2.0-with-classpath-exception": "GPL-2.0-only WITH Classpath-exception-2.0",
        "gpl-2.0-with-font-exception": "GPL-2.0-only WITH Font-exception-2.0",
        "gpl-2.0-with-gcc-exception": "GPL-2.0-only WITH GCC-exception-2.0",
        "gpl-3.0-with-autoconf-exception": "GPL-3.0-only WITH Autoconf-exception-3.0",
        "gpl-3.0-with-gcc-exception": "GPL-3.0-only WITH GCC-exception-3.1",
        "wxwindows": "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
    }
)

# Where the index's category does not fit the text of the licence.
CATEGORY_CORRECTED: Mapping[str, str] = MappingProxyType(
    {
        # Keep the notice, mark changes, say where the original is: no duty on other people's code.
        "Qhull": "Permissive",
        # A BSD text followed by a sentence on export law.
        "HPND-export-US": "Permissive",
        "HPND-export-US-acknowledgement": "Permissive",
        "HPND-UC-export-US": "Permissive",
        # SPDX lists it as a licence: MPL 2.0 without its secondary licences.
        "MPL-2.0-no-copyleft-exception": "Copyleft Limited",
    }
)

NO_LICENSE = frozenset({"NONE", "LicenseRef-scancode-no-license", "LicenseRef-scancode-unstated"})


@dataclass(frozen=True, slots=True)
class Name:
    """One licence or exception of the index: canonical SPDX id (or scancode's), category."""

    id: str
    category: str
    is_exception: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """One licence of an expression.

    text: canonical spelling, with the exception. license: without it; "" when nothing is stated.
    category: scancode's, "Unknown" when the index has no such licence.
    """

    text: str
    license: str
    exception: str = ""
    category: str = "Unknown"
    bare_exception: bool = False

    @property
    def known(self) -> bool:
        return self.category != "Unknown"


@dataclass(frozen=True, slots=True)
class Node:
    """`AND` or `OR` of two or more parts."""

    operator: str
    parts: tuple[Tree, ...]


Tree = Leaf | Node


@lru_cache(maxsize=1)
def index() -> Mapping[str, Name]:
    """Lower-case name (SPDX id, its aliases, scancode's key) → Name."""
    from license_expression import get_license_index

    names: dict[str, Name] = {}
    aliases: list[tuple[str, Name]] = []
    for record in get_license_index():
        key = record["license_key"]
        spdx = record["spdx_license_key"] or key
        corrected = CATEGORY_CORRECTED.get(spdx)
        name = Name(spdx, corrected or record["category"], bool(record["is_exception"]) and not corrected)
        if not record["is_deprecated"] or spdx.lower() not in names:
            names[spdx.lower()] = name
        aliases += [(alias.lower(), name) for alias in (*record["other_spdx_license_keys"], key)]
    for alias, name in aliases:
        names.setdefault(alias, name)
    return MappingProxyType(names)


@lru_cache(maxsize=1)
def categories() -> frozenset[str]:
    """The names of all categories."""
    return frozenset(name.category for name in index().values())


def lookup(text: str) -> Name | None:
    """The licence or exception of that name, whatever its case; `X+` is X where the index has no alias."""
    found = index().get(text.lower())
    return found or (index().get(text[:-1].lower()) if text.endswith("+") else None)


def leaf(license_text: str, exception_text: str = "") -> Leaf:
    """The leaf of one licence name and one exception name."""
    if license_text.upper() in ("", "NONE", "NOASSERTION"):
        return Leaf("", "")
    combined = COMBINED.get(license_text.lower())
    if combined and not exception_text:
        license_text, _, exception_text = combined.partition(" WITH ")
    name = lookup(license_text)
    license_id = name.id if name else license_text
    exception = lookup(exception_text) if exception_text else None
    exception_id = exception.id if exception else exception_text
    text = f"{license_id} WITH {exception_id}" if exception_id else license_id
    if not name:
        return Leaf(text, license_id, exception_id)
    return Leaf(text, license_id, exception_id, name.category, name.is_exception)


@lru_cache(maxsize=4096)
def tree(text: str) -> Tree:
    """An SPDX expression as a tree; anything that is not one becomes one unknown leaf."""
    text = text.strip()
    if len(text) <= MAX_LENGTH:
        try:
            return _Parser(text).expression()
        except ValueError:
            pass
    shown = text if len(text) <= 80 else text[:79] + "…"
    return Leaf(shown, shown)


def readable(text: str) -> bool:
    """Whether the text follows the grammar of SPDX expressions, known names or not."""
    try:
        _Parser(text.strip()).expression()
    except ValueError:
        return False
    return len(text) <= MAX_LENGTH


def leaves(node: Tree) -> Iterator[Leaf]:
    """All leaves, left to right."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)


def canonical(node: Tree) -> str:
    """One spelling for equal expressions: canonical ids, parts sorted, repetitions dropped."""
    if isinstance(node, Leaf):
        return node.text
    parts = sorted({f"({canonical(p)})" if isinstance(p, Node) else canonical(p) for p in node.parts})
    return f" {node.operator} ".join(parts)


class _Parser:
    """Recursive descent over `OR < AND < WITH`; ValueError when the text is not an expression."""

    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r"[()]|[^\s()]+", text)
        self.at = 0
        self.depth = 0

    def expression(self) -> Tree:
        if not self.tokens:
            return Leaf("", "")
        node = self.joined("OR")
        if self.at != len(self.tokens):
            raise ValueError("text after the end of the expression")
        return node

    def joined(self, operator: str) -> Tree:
        parts = [self.operand(operator)]
        while self.peek().upper() == operator:
            self.at += 1
            parts.append(self.operand(operator))
        flat: list[Tree] = []
        for part in parts:
            flat += part.parts if isinstance(part, Node) and part.operator == operator else [part]
        return flat[0] if len(flat) == 1 else Node(operator, tuple(flat))

    def operand(self, operator: str) -> Tree:
        return self.joined("AND") if operator == "OR" else self.term()

    def term(self) -> Tree:
        if self.peek() == "(":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ValueError("too deep")
            self.at += 1
            node = self.joined("OR")
            if self.take() != ")":
                raise ValueError("a bracket is not closed")
            self.depth -= 1
            return node
        license_text = self.name()
        if self.peek().upper() == "WITH":
            self.at += 1
            return leaf(license_text, self.name())
        return leaf(license_text)

    def name(self) -> str:
        token = self.take()
        if not re.fullmatch(r"[A-Za-z0-9.:+_-]+", token) or token.upper() in ("AND", "OR", "WITH"):
            raise ValueError(f"{token!r} is not a licence name")
        return token

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token
