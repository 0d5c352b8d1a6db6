"""SPDX licence expressions: parse, normalise, translate from scancode's keys, categorise.

The index of licences (key, SPDX id, category) comes with the license-expression library, so nothing
here needs scancode. Called by every other module of this package and by the policy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# From the most to the least liberal; the order in which AND takes the worst and OR the best.
# An unstated licence stands between what is known to be free of conditions on the whole work and
# what is known to bind it: unknown needs a person, copyleft is an answer.
SEVERITY: tuple[str, ...] = (
    "Public Domain",
    "Permissive",
    "CLA",
    "Patent License",
    "Unstated License",
    "Unknown",
    "Copyleft Limited",
    "Copyleft",
    "Free Restricted",
    "Source-available",
    "Proprietary Free",
    "Commercial",
)
UNSTATED = frozenset({"Unstated License", "Unknown"})
_RANK = {name: rank for rank, name in enumerate(SEVERITY)}
SCANCODE_REF = "LicenseRef-scancode-"
_ID = re.compile(r"[A-Za-z0-9.+:_-]+")
# Longer texts are no expression; the parser is not asked.
MAX_EXPRESSION = 2_000


@lru_cache(maxsize=1)
def _by_scancode_key() -> dict[str, dict[str, Any]]:
    from license_expression import get_license_index

    return {entry["license_key"]: entry for entry in get_license_index()}


@lru_cache(maxsize=1)
def _by_spdx_id() -> dict[str, dict[str, Any]]:
    """Lower-case SPDX id (current or former) -> index entry; current ids win."""
    found: dict[str, dict[str, Any]] = {}
    for entry in _by_scancode_key().values():
        for former in entry.get("other_spdx_license_keys") or ():
            if former.isascii() and " " not in former:
                found.setdefault(former.lower(), entry)
    for entry in _by_scancode_key().values():
        if entry.get("spdx_license_key"):
            found[entry["spdx_license_key"].lower()] = entry
    return found


@lru_cache(maxsize=1)
def _licensing() -> Any:
    from license_expression import Licensing

    return Licensing()


def _tree(expression: str) -> Any | None:
    """The parsed expression, or None for what is not one."""
    from license_expression import ExpressionError
    from license_expression import ParseError as LexError

    if not expression.strip() or len(expression) > MAX_EXPRESSION:
        return None
    try:
        tree = _licensing().parse(expression)
    except (ExpressionError, LexError, RecursionError, ValueError, TypeError):
        return None
    return tree if tree is not None and all(_ID.fullmatch(symbol.key) for symbol in _symbols(tree)) else None


def _substitute(tree: Any, ids: Mapping[str, str]) -> str:
    """The expression in normal form (sorted, without duplicates) with its ids exchanged."""
    renamed = _tree(_render(tree, ids))
    return "" if renamed is None else str(renamed.simplify().render())


def _render(node: Any, ids: Mapping[str, str]) -> str:
    from license_expression import LicenseWithExceptionSymbol

    if isinstance(node, LicenseWithExceptionSymbol):
        return f"{ids[node.license_symbol.key]} WITH {ids[node.exception_symbol.key]}"
    if not getattr(node, "args", ()):
        return ids[node.key]
    return f" {type(node).__name__} ".join(
        f"({_render(arg, ids)})" if arg.args else _render(arg, ids) for arg in node.args
    )


def _symbols(tree: Any) -> list[Any]:
    """The plain licence and exception symbols of a parsed expression, once each."""
    return list(dict.fromkeys(_licensing().license_symbols(tree, unique=True, decompose=True)))


@lru_cache(maxsize=4096)
def licenses_of(expression: str) -> tuple[str, ...]:
    """The ids that an expression names, exceptions included, in order of appearance."""
    tree = _tree(expression)
    return () if tree is None else tuple(symbol.key for symbol in _symbols(tree))


def _spdx_id(name: str) -> str | None:
    """The current spelling of one SPDX id; `LicenseRef-…` passes; None for a stranger."""
    entry = _by_spdx_id().get(name.lower())
    if entry is not None:
        return str(entry["spdx_license_key"])
    if name.endswith("+") and (entry := _by_spdx_id().get(name[:-1].lower() + "-or-later")):
        return str(entry["spdx_license_key"])
    if name.endswith("+"):
        return _spdx_id(name[:-1])
    if name.lower().startswith(("licenseref-", "documentref-")):
        return name
    return None


@lru_cache(maxsize=4096)
def parse_spdx(text: str) -> str | None:
    """A normalised SPDX expression, or None when `text` is none.

    Former ids become current ones (`GPL-2.0+` -> `GPL-2.0-or-later`), letter case is corrected,
    duplicates and needless parentheses go. One unknown id makes the whole unreadable.
    """
    tree = _tree(text)
    if tree is None:
        return None
    ids = {}
    for symbol in _symbols(tree):
        known = _spdx_id(symbol.key)
        if known is None:
            return None
        ids[symbol.key] = known
    return _substitute(tree, ids)


@lru_cache(maxsize=4096)
def from_scancode(expression: str) -> str:
    """Scancode's licence keys -> SPDX; `LicenseRef-scancode-…` where SPDX has no id, "" for nonsense."""
    tree = _tree(expression)
    if tree is None:
        return ""
    ids = {}
    for symbol in _symbols(tree):
        entry = _by_scancode_key().get(symbol.key, {})
        ids[symbol.key] = entry.get("spdx_license_key") or SCANCODE_REF + symbol.key
    return _substitute(tree, ids)


def combine(expressions: list[str], operator: str = "AND") -> str:
    """The expressions joined, without duplicates; "" for none."""
    distinct = list(dict.fromkeys(text for text in expressions if text))
    if len(distinct) <= 1:
        return distinct[0] if distinct else ""
    return parse_spdx(f" {operator} ".join(f"({text})" for text in distinct)) or distinct[0]


@lru_cache(maxsize=4096)
def equivalent(one: str, other: str) -> bool:
    """Whether both expressions mean the same (order and grouping aside)."""
    left, right = _tree(one), _tree(other)
    if left is None or right is None:
        return one == other
    return bool(left.simplify() == right.simplify())


def _category_of_id(name: str) -> str:
    entry = _by_spdx_id().get(name.lower()) or _by_scancode_key().get(name.removeprefix(SCANCODE_REF))
    return str(entry["category"]) if entry is not None else "Unknown"


@lru_cache(maxsize=4096)
def category(expression: str) -> str:
    """Scancode's category of an SPDX expression; "Unknown" for "" or a stranger.

    AND: the worst. OR: the best that is stated. `A WITH X`: that of X where X loosens A.
    """
    tree = _tree(expression)
    return "Unknown" if tree is None else _category(tree)


def _category(node: Any) -> str:
    from license_expression import LicenseWithExceptionSymbol

    if isinstance(node, LicenseWithExceptionSymbol):
        base = _category_of_id(node.license_symbol.key)
        exception = _category_of_id(node.exception_symbol.key)
        return base if exception in UNSTATED else min(base, exception, key=_rank)
    if not getattr(node, "args", ()):
        return _category_of_id(node.key)
    parts = [_category(arg) for arg in node.args]
    if type(node).__name__ == "OR":
        return min([part for part in parts if part not in UNSTATED] or parts, key=_rank)
    return max(parts, key=_rank)


def _rank(name: str) -> int:
    return _RANK.get(name, _RANK["Unknown"])


def is_stated(expression: str) -> bool:
    """Whether an expression names at least one licence (not merely "see elsewhere")."""
    return bool(expression) and category(expression) not in UNSTATED


def is_copyleft(expression: str) -> bool:
    return "Copyleft" in category(expression)
