"""The nouns of a policy: statuses, verdicts, entries and the policy itself. Frozen values, no behaviour
that reads anything. Everything in app.policy and whoever renders a verdict uses them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from corpus.errors import BadInput

Status = Literal["ok", "attribution", "review", "conflict"]
ListName = Literal["deny", "review", "attribution", "allow"]
# What a project asks about declared AI use: a rule, or the name of a published one (app.disclosure.rules).
AiDisclosure = Literal[
    "off", "report", "require", "forbid",
    "linux", "fedora", "scikit-image", "scipy", "numpy", "cpython", "gentoo",
]  # fmt: skip
# Which accepts in the code count: all, those that stood there before the change, or none.
InlineAccepts = Literal["all", "existing", "off"]

STATUSES: tuple[Status, ...] = ("ok", "attribution", "review", "conflict")
RANK: Mapping[str, int] = MappingProxyType({status: rank for rank, status in enumerate(STATUSES)})

# The order in which lists are asked when entries of the same precision match.
LISTS: tuple[ListName, ...] = ("deny", "review", "attribution", "allow")


class BadPolicy(BadInput):
    """A policy or a waiver that cannot be read: names the place and what to write instead."""

    slug, status = "bad-policy", 422

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy says about one piece of code.

    rule: a stable slug. why: one plain sentence (more where a twin or a label is named).
    what_to_do: options. where: the place of the deciding entry, as
    `[tool.whence] deny[2], pyproject.toml:41` or `preset scipy`, or "" for a built-in rule.
    """

    status: Status
    rule: str
    why: str
    what_to_do: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: an SPDX id or expression, `category:…`, or `no-license`.

    where: its place, for people. note: why a preset has it.
    """

    text: str
    where: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A decision about one finding, by its content fingerprint.

    link is needed for `permission-granted`. expires: the last day on which it holds, or None.
    """

    id: str
    reason: str
    owner: str
    date: dt.date
    expires: dt.date | None = None
    link: str = ""
    note: str = ""
    where: str = ""


@dataclass(frozen=True)
class Policy:
    """What a project accepts.

    outbound: SPDX expression of the project's own licence, "" when unknown.
    caps: kind of evidence → the worst status that it may lead to.
    thresholds: names and numbers for the scan pipeline, which chooses what is a finding.
    excludes: gitignore patterns. self_purls: packages that are the project itself.
    inline_accepts: which accepts in the code count. ai_disclosure: see app.disclosure.
    fail_on: the status from which a check fails.
    """

    name: str = "permissive"
    preset: str = "permissive"
    outbound: str = ""
    deny: tuple[Entry, ...] = ()
    review: tuple[Entry, ...] = ()
    attribution: tuple[Entry, ...] = ()
    allow: tuple[Entry, ...] = ()
    caps: Mapping[str, Status] = field(default_factory=lambda: MappingProxyType({}))
    thresholds: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    excludes: tuple[str, ...] = ()
    self_purls: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    inline_accepts: InlineAccepts = "all"
    ai_disclosure: AiDisclosure = "off"
    fail_on: Status = "conflict"
    where: str = ""

    def entries(self, name: ListName) -> tuple[Entry, ...]:
        """The project's own entries of one list."""
        table = {
            "deny": self.deny,
            "review": self.review,
            "attribution": self.attribution,
            "allow": self.allow,
        }
        return table[name]

    @cached_property
    def digest(self) -> str:
        """16 hex digits over everything that a verdict depends on; places and names are left out."""
        content = {
            "preset": self.preset,
            "outbound": self.outbound,
            "lists": {name: sorted({entry.text for entry in self.entries(name)}) for name in LISTS},
            "caps": dict(self.caps),
            "thresholds": dict(self.thresholds),
            "excludes": self.excludes,
            "self": sorted(self.self_purls),
            "waivers": sorted(
                [w.id, w.reason, w.owner, str(w.date), str(w.expires), w.link] for w in self.waivers
            ),
            "inline_accepts": self.inline_accepts,
            "ai_disclosure": self.ai_disclosure,
            "fail_on": self.fail_on,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        return hash((self.digest, self.where))


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of some statuses; `ok` of none."""
    return max(statuses, key=RANK.__getitem__, default="ok")
