"""The table of rules: the first that applies to one licence gives its status, reason and options.

Lists come first (the project's, then the preset's), then what the kind of licence means for the project's
own licence. The table ends with a rule that always applies, so a decision is total. Each rule is a line
here; the tests drop them one by one. app.policy.compat walks the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.policy.families import GNU_TERMS, UNCLEAR, excluded, offers, reaches
from app.policy.licenses import NO_LICENSE, Leaf
from app.policy.model import Entry, ListName, Status

PERMISSIVE_DEDICATIONS = frozenset({"0BSD", "MIT-0", "NIST-PD-fallback", "DL-DE-ZERO-2.0"})
NOT_OPEN = frozenset({"Commercial", "Proprietary Free", "Free Restricted", "Source-available"})
NOT_A_LICENSE = frozenset({"CLA", "Patent License", "Unstated License"})
COPYLEFT = frozenset({"Copyleft", "Copyleft Limited"})


@dataclass(frozen=True, slots=True)
class Case:
    """One inbound licence against one outbound licence.

    concluded: the category that came with the conclusion, for licences that the index does not know.
    listed: which list names the licence, in which layer (`project` or `preset`), and the entry.
    """

    inbound: Leaf
    outbound: Leaf
    concluded: str = ""
    listed: tuple[str, ListName, Entry] | None = None

    @property
    def category(self) -> str:
        return "Public Domain" if self.inbound.license in PERMISSIVE_DEDICATIONS else self.inbound.category

    def is_listed(self, layer: str, name: ListName) -> bool:
        return self.listed is not None and self.listed[:2] == (layer, name)

    @property
    def unstated(self) -> bool:
        return not self.inbound.license or self.inbound.license in NO_LICENSE

    @property
    def outbound_is_open(self) -> bool:
        return self.outbound.category in COPYLEFT | {"Permissive", "Public Domain"}

    @property
    def outbound_is_permissive(self) -> bool:
        return self.outbound.category in ("Permissive", "Public Domain")

    @property
    def blocked(self) -> frozenset[str]:
        """The outbound terms that a permissive inbound licence excludes."""
        return offers(self.outbound.license) & excluded(self.inbound.license, self.inbound.exception)

    @property
    def shared(self) -> frozenset[str]:
        """The outbound terms that a copyleft inbound licence reaches."""
        return offers(self.outbound.license) & reaches(self.inbound.license)

    @property
    def fits(self) -> bool:
        return self.shared == offers(self.outbound.license)


@dataclass(frozen=True, slots=True)
class Rule:
    """why and what_to_do may use {inbound}, {outbound}, {category}, {entry}, {preset},
    {concluded} and {note}."""

    slug: str
    status: Status
    applies: Callable[[Case], bool]
    why: str
    what_to_do: str


_REWRITE = (
    "Remove it and have it written anew from a specification by somebody who has not read the original; "
)
_ASK = "or ask its authors for permission under {outbound} and record their answer."
_NARROWS_OPTIONS = (
    "Decide whether the project wants that, and say so in its licence notice; or have the code written anew."
)
_NOTICE = "Keep its copyright notice and licence text with the code or in the file of third-party notices."
_PROJECT = "The project lists {entry} under "
_UNKNOWN_OPTIONS = (
    "Look at the origin for a licence, or ask its authors; when you know it, record a decision on this "
    "finding. Until then leave the code out."
)

RULES: tuple[Rule, ...] = (
    Rule(
        "denied-by-project",
        "conflict",
        lambda case: case.is_listed("project", "deny"),
        f"{_PROJECT}deny, and the similar code is under {{inbound}}.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "review-by-project",
        "review",
        lambda case: case.is_listed("project", "review"),
        f"{_PROJECT}review, and the similar code is under {{inbound}}.",
        "Let the person who looks after licences decide, and record the decision on this finding.",
    ),
    Rule(
        "attribution-by-project",
        "attribution",
        lambda case: case.is_listed("project", "attribution"),
        f"{_PROJECT}attribution: {{inbound}} may be used with its notice.",
        _NOTICE,
    ),
    Rule(
        "allowed-by-project",
        "ok",
        lambda case: case.is_listed("project", "allow"),
        f"{_PROJECT}allow, and the similar code is under {{inbound}}.",
        "Nothing is asked by the policy; naming the origin in a comment helps the next reader.",
    ),
    Rule(
        "denied-by-preset",
        "conflict",
        lambda case: case.is_listed("preset", "deny"),
        "The preset {preset} does not accept {inbound}: {note}.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "review-by-preset",
        "review",
        lambda case: case.is_listed("preset", "review"),
        "The preset {preset} wants {inbound} looked at first: {note}.",
        "Ask on the project's list, or add the licence to one of your own lists.",
    ),
    Rule(
        "accepted-by-preset",
        "attribution",
        lambda case: case.is_listed("preset", "attribution"),
        "The preset {preset} accepts {inbound} with its notice: {note}.",
        _NOTICE,
    ),
    Rule(
        "no-license",
        "review",
        lambda case: case.unstated,
        "No licence was found for the similar code; without one nobody has permission to copy it.",
        _UNKNOWN_OPTIONS,
    ),
    Rule(
        "unknown-restrictive",
        "conflict",
        lambda case: (
            not case.inbound.known
            and (case.concluded in NOT_OPEN or (case.concluded in COPYLEFT and case.outbound_is_permissive))
        ),
        "{inbound} is not in the licence index, but its text was read as {concluded}, which does not allow "
        "copies under {outbound}.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "unknown-license",
        "review",
        lambda case: not case.inbound.known,
        "{inbound} is not a licence that the index knows, so nothing can be said about it.",
        _UNKNOWN_OPTIONS,
    ),
    Rule(
        "not-a-license",
        "review",
        lambda case: case.category in NOT_A_LICENSE or case.inbound.bare_exception,
        "{inbound} does not by itself license code.",
        _UNKNOWN_OPTIONS,
    ),
    Rule(
        "public-domain",
        "ok",
        lambda case: case.category == "Public Domain",
        "{inbound} asks for nothing when code is copied.",
        "Nothing is required; naming the origin in a comment helps the next reader.",
    ),
    Rule(
        "not-open-source",
        "conflict",
        lambda case: case.category in NOT_OPEN,
        "{inbound} restricts use or redistribution ({category}), so its text cannot be passed on under "
        "{outbound}.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "outbound-unknown",
        "review",
        lambda case: not case.outbound.known,
        "The project's own licence is not known, so {inbound} cannot be compared with it.",
        "Set `outbound` in the policy, or a licence in the project's metadata, and look again.",
    ),
    Rule(
        "permissive-incompatible",
        "conflict",
        lambda case: (
            case.category == "Permissive"
            and bool(case.blocked)
            and case.blocked == offers(case.outbound.license)
        ),
        "{inbound} has conditions that {outbound} does not let anybody add.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "permissive-narrows-outbound",
        "review",
        lambda case: case.category == "Permissive" and bool(case.blocked),
        "{inbound} fits only a part of the versions that {outbound} offers: the whole could then be passed "
        "on under the newer ones alone.",
        _NARROWS_OPTIONS,
    ),
    Rule(
        "permissive-unclear",
        "review",
        lambda case: case.inbound.license in UNCLEAR and bool(offers(case.outbound.license) & GNU_TERMS),
        "{inbound} is the name of texts of which some fit {outbound} and some do not.",
        "Read the notice in the original, compare it with FSF's licence list, and record the decision.",
    ),
    Rule(
        "permissive",
        "attribution",
        lambda case: case.category == "Permissive",
        "{inbound} lets the code be used under {outbound} as long as its notice is kept.",
        _NOTICE,
    ),
    Rule(
        "copyleft-into-closed",
        "conflict",
        lambda case: case.category in COPYLEFT and not case.outbound_is_open,
        "{inbound} asks that copies stay under it, which {outbound} does not allow.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "copyleft-into-permissive",
        "conflict",
        lambda case: case.category == "Copyleft" and case.outbound.category not in COPYLEFT,
        "{inbound} asks that copies and adaptations stay under it, so they cannot be passed on under "
        "{outbound}.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "limited-copyleft-into-permissive",
        "conflict",
        lambda case: case.category == "Copyleft Limited" and case.outbound.category not in COPYLEFT,
        "{inbound} is lenient towards programs that link or stand beside it, but text copied from it stays "
        "under it and cannot be passed on under {outbound}.",
        f"Use it as a separate library or file under its own licence. Otherwise: {_REWRITE}{_ASK}",
    ),
    Rule(
        "different-copyleft",
        "conflict",
        lambda case: case.category in COPYLEFT and not case.shared,
        "{inbound} and {outbound} each ask for copies under their own terms, and neither names the other.",
        f"{_REWRITE}{_ASK}",
    ),
    Rule(
        "narrows-outbound",
        "review",
        lambda case: case.category in COPYLEFT and not case.fits,
        "{inbound} fits only a part of the versions that {outbound} offers: the whole could then be passed "
        "on under that part alone.",
        _NARROWS_OPTIONS,
    ),
    Rule(
        "outbound-exception",
        "review",
        lambda case: (
            case.category in COPYLEFT
            and bool(case.outbound.exception)
            and case.outbound.exception != case.inbound.exception
        ),
        "{outbound} gives an additional permission that the authors of code under {inbound} did not give.",
        "Ask its authors for the same exception and record their answer, or leave the code out.",
    ),
    Rule(
        "compatible-copyleft",
        "attribution",
        lambda case: case.category in COPYLEFT,
        "{inbound} lets copies be passed on under {outbound}.",
        "Keep its copyright and licence notices, and mark what was changed and when.",
    ),
    Rule(
        "unclassified",
        "review",
        lambda case: True,
        "No rule covers {inbound} ({category}) under {outbound}.",
        _UNKNOWN_OPTIONS,
    ),
)
