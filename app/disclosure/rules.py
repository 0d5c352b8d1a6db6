"""What projects ask about declared AI use: four plain rules, and those that projects have published.

`judge` compares a rule with what a change declares. It judges the declaration, never the code. A published
rule is a line of `RULES` with its source, summed up in our words. What was read, in stored copies: the pages
of Linux, SciPy, NumPy and CPython; Fedora's proposal as it went to the vote (the council approved it on
2025-10-22); the change of scikit-image's guide that is linked; of Gentoo's page the motion, as quoted by
others. Rules change: the page decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from app.disclosure.declared import Declared, read
from app.report.model import AiUse

Mode = Literal["off", "report", "require", "forbid"]


@dataclass(frozen=True, slots=True)
class Rule:
    """mode: off; report what is declared; require an answer, yes or no; forbid declared use.

    trailer: the trailer that the project asks for, or "". people_sign: no tool may stand in Signed-off-by.
    asks: one sentence. source: its address, or "" for a plain rule.
    """

    name: str
    mode: Mode
    asks: str = ""
    source: str = ""
    trailer: str = ""
    people_sign: bool = False


_PUBLISHED = (
    Rule(
        "linux",
        "report",
        "names tools in an Assisted-by trailer; only people sign off.",
        "https://docs.kernel.org/process/coding-assistants.html",
        "Assisted-by",
        people_sign=True,
    ),
    Rule(
        "fedora",
        "report",
        "asks to disclose use where a significant part comes from a tool unchanged, best by Assisted-by.",
        "https://discussion.fedoraproject.org/t/council-policy-proposal-policy-on-ai-assisted-contributions/165092",
        "Assisted-by",
    ),
    Rule(
        "scikit-image",
        "report",
        "asks to declare all use of tools, best by Assisted-by.",
        "https://github.com/scikit-image/scikit-image/pull/8272",
        "Assisted-by",
    ),
    Rule(
        "scipy",
        "require",
        "asks each pull request for a disclosure: tools, how they were used, what they wrote.",
        "https://github.com/scipy/scipy/blob/main/doc/source/dev/conduct/ai_policy.rst",
    ),
    Rule(
        "numpy",
        "require",
        "asks each pull request to say whether AI was used, and if so with what and for what.",
        "https://numpy.org/doc/stable/dev/ai_policy.html",
    ),
    Rule(
        "cpython",
        "report",
        "appreciates a disclosure in the pull request and does not require it.",
        "https://devguide.python.org/getting-started/generative-ai/",
    ),
    Rule(
        "gentoo",
        "forbid",
        "takes no content made with the assistance of language-model tools (council motion of 2024-04-14).",
        "https://wiki.gentoo.org/wiki/Project:Council/AI_policy",
    ),
)

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule("off", "off"),
            Rule("report", "report"),
            Rule("require", "require"),
            Rule("forbid", "forbid"),
            *_PUBLISHED,
        )
    }
)
MOST = 20
"""Statements that a report holds; a note counts the rest."""


def judge(declared: Declared, setting: str) -> AiUse | None:
    """What a report says of it under a rule, by its name in `RULES` (KeyError otherwise); None for `off`."""
    rule = RULES[setting]
    if rule.mode == "off":
        return None
    if not declared.commits and not declared.pull_request:
        notes = ["Not looked at: neither commit messages nor a pull request text were given."]
        return AiUse(rule.name, rule.asks, rule.source, True, (), tuple(notes))
    fits, notes = True, []
    if (more := len(declared.statements) - MOST) > 0:
        notes.append(f"and {more:,} more statements")
    if not declared.statements:
        notes.append("Nothing is declared about AI use.")
    if declared.used and declared.denied:
        notes.append("The statements disagree: ask the author.")
    if rule.mode == "require" and not declared.statements:
        fits = False
        notes.append("The project asks for a statement, yes or no: add one to the pull request.")
    if rule.mode == "forbid" and declared.used:
        fits = False
        notes.append("The project takes no contributions with declared AI use: talk to its maintainers.")
    notes += _manners(rule, declared)
    if declared.unread:
        notes.append(f"{declared.unread:,} messages or texts were too long or too many to be read whole.")
    if declared.commits:
        notes.append(f"Trailers are recognised by {declared.reader}.")
    return AiUse(rule.name, rule.asks, rule.source, fits, declared.statements[:MOST], tuple(notes))


def ai_use(commits: Sequence[bytes], pull_request: str | None, setting: str) -> AiUse | None:
    """What a report says of whole commit messages and the text of a pull request, under a project's rule.

    Who hands in the text of the pull request wants to be told, also where the project has no rule.
    """
    if setting == "off":
        if pull_request is None:
            return None
        setting = "report"
    return judge(read(commits, pull_request), setting)


def _manners(rule: Rule, declared: Declared) -> list[str]:
    """Notes on the form of a declaration; they never make a check fail."""
    notes = []
    in_commits = [each for each in declared.used if each.where.startswith("commit")]
    trailers = {each.trailer.lower() for each in in_commits}
    if rule.trailer and in_commits and rule.trailer.lower() not in trailers:
        notes.append(f"{rule.name} asks for the trailer {rule.trailer}; the commits use another form.")
    if rule.people_sign and any(each.role == "sign-off" for each in in_commits):
        notes.append("A tool stands in Signed-off-by; only a person can sign off.")
    return notes
