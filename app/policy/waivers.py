"""Decisions of people about findings: read, applied by content fingerprint, written ready to paste.

A waived finding stays in the report with the verdict `ok` and the rule `waived:<reason>`. Waivers that match
nothing (stale) or whose day has passed (expired) are reported. Who reads the file decides which one counts:
for a pull request that should be the one of the base branch, or a change could waive itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from app.policy.model import BadPolicy, Verdict, Waiver

# reason → how it reads in a verdict. Decisions on a server use the same list.
REASONS: Mapping[str, str] = {
    "common-idiom": "this is how anybody would write it",
    "same-author": "the author of the origin contributed it here",
    "permission-granted": "its authors gave permission",
    "credited": "the origin is credited and its terms are kept",
    "public-domain": "the original is in the public domain",
    "not-similar": "the two were found not to be similar in substance",
    "rewritten": "the code was written anew",
    "ours": "this project is the origin",
}
KEYS = ("id", "reason", "owner", "date", "expires", "link", "note")


class Finding(Protocol):
    """What is needed of a finding: its content fingerprint."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """verdicts: the new verdict of each waived finding by id. stale: waivers that match no finding.
    expired: those that would match, or not, but whose last day has passed.
    """

    verdicts: Mapping[str, Verdict]
    stale: tuple[Waiver, ...]
    expired: tuple[Waiver, ...]


def apply(waivers: Iterable[Waiver], findings: Iterable[Finding], today: date) -> Applied:
    """Which findings are waived on that day. The first waiver of an id that has not expired counts."""
    present = {finding.id for finding in findings}
    verdicts: dict[str, Verdict] = {}
    stale: list[Waiver] = []
    expired: list[Waiver] = []
    for waiver in waivers:
        if waiver.expires is not None and waiver.expires < today:
            expired.append(waiver)
        elif waiver.id not in present:
            stale.append(waiver)
        else:
            verdicts.setdefault(waiver.id, waived(waiver))
    return Applied(verdicts, tuple(stale), tuple(expired))


def waived(waiver: Waiver) -> Verdict:
    """The verdict of a finding with this waiver."""
    link = f" ({waiver.link})" if waiver.link else ""
    until = f" It holds until {waiver.expires.isoformat()}." if waiver.expires else ""
    return Verdict(
        "ok",
        f"waived:{waiver.reason}",
        f"{waiver.owner} decided on {waiver.date.isoformat()}: {REASONS[waiver.reason]}{link}.{until}",
        "Nothing; the decision can be changed where it is recorded.",
        waiver.where,
    )


def parse_waivers(toml_text: str, where: str) -> tuple[Waiver, ...]:
    """The waivers of a pyproject.toml, whence.toml or .whence/waivers.toml. Raises BadPolicy."""
    from app.policy.lines import positions
    from app.policy.parse import section

    table, prefix = section(toml_text, where)
    lines = positions(toml_text)
    name = "[[tool.whence.accept]]" if prefix else "[[accept]]"

    def place(number: int) -> str:
        line = lines.get((*prefix, "accept", number))
        return f"{name} {number}, {where}" + (f":{line}" if line else "")

    return read_waivers(table.get("accept", []), place)


def parse_waiver_file(toml_text: str, where: str) -> tuple[Waiver, ...]:
    """The waivers of a file that holds nothing else; a misspelt table there is an error. Raises BadPolicy."""
    from app.policy.parse import section

    unknown = [key for key in section(toml_text, where)[0] if key != "accept"]
    if unknown:
        raise BadPolicy(where, f"there is no key {unknown[0]!r} here; decisions stand under [[accept]]")
    return parse_waivers(toml_text, where)


def read_waivers(items: Any, place: Callable[[int], str]) -> tuple[Waiver, ...]:
    """Waivers from an array of tables; `place(n)` names the n-th for messages."""
    if not isinstance(items, list):
        raise BadPolicy(place(0), "accept must be an array of tables: [[accept]]")
    return tuple(_read(item, place(number)) for number, item in enumerate(items))


def _read(item: Any, where: str) -> Waiver:
    if not isinstance(item, dict):
        raise BadPolicy(where, "each accept must be a table")
    unknown = [key for key in item if key not in KEYS]
    if unknown:
        raise BadPolicy(where, f"no key {unknown[0]!r}; known: {', '.join(KEYS)}")
    texts = {key: item.get(key, "") for key in ("id", "reason", "owner", "link", "note")}
    for key, value in texts.items():
        if not isinstance(value, str) or (key in ("id", "reason", "owner") and not value.strip()):
            raise BadPolicy(where, f"{key} must be a text, not empty")
    if texts["reason"] not in REASONS:
        raise BadPolicy(where, f"{texts['reason']!r} is not one of the reasons {', '.join(REASONS)}")
    if texts["reason"] == "permission-granted" and not texts["link"].strip():
        raise BadPolicy(where, "permission-granted needs a link to where the permission can be read")
    made = _day(item.get("date"), where, "date")
    if made is None:
        raise BadPolicy(where, "date is needed: the day of the decision, as 2026-11-25")
    expires = _day(item.get("expires"), where, "expires")
    return Waiver(**texts, date=made, expires=expires, where=where)


def _day(value: Any, where: str, key: str) -> date | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadPolicy(where, f"{key} must be a day, as 2026-11-25") from None


def block(
    finding: Finding | str,
    reason: str,
    owner: str,
    made: date,
    *,
    expires: date | None = None,
    link: str = "",
    note: str = "",
    table: str = "accept",
) -> str:
    """TOML ready to paste. table: `accept`, or `tool.whence.accept` in a pyproject.toml. Raises BadPolicy."""
    lines = {
        "id": _quoted(finding if isinstance(finding, str) else finding.id),
        "reason": _quoted(reason),
        "owner": _quoted(owner),
        "date": made.isoformat(),
        "expires": expires.isoformat() if expires else "",
        "link": _quoted(link) if link else "",
        "note": _quoted(note) if note else "",
    }
    text = f"[[{table}]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    parse_waivers(text, "the new waiver")
    return text


def template(finding: Finding, today: str) -> str:
    """TOML to paste and complete: reason and owner are for a person to say. today: `2026-11-25`, or ""."""
    day = today or "YYYY-MM-DD"
    return f'[[accept]]\nid = {_quoted(finding.id)}\nreason = ""\nowner = ""\ndate = {day}\n'


def _quoted(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped, and lone surrogates,
    # which no TOML text can hold.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
