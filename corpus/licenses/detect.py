"""Text -> licence, by scancode. The only module that imports `licensedcode`.

It is loaded into sandboxed children only (about 1.4 GB and 6-12 s each): see `detector`. Detections
count, clues do not; of each detection the sub-matches are merged to the most specific statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from licensedcode import cache as _scancode_cache
from licensedcode import detection as _scancode

from corpus.licenses import expression, families

# Loaded when the module is: a child is ready when its import is done.
_INDEX = _scancode_cache.get_index()

# Words that no permissive notice needs: the fast matcher is not believed when they are there.
_COPYLEFT_WORDS = re.compile(
    r"(?i)\b[al]?gpl|general public|lesser public|copyleft|share[- ]?alike|mozilla|mpl\b|cecill|eclipse|epl\b"
    r"|cddl|eupl|free software|gnu\b|affero|non-?commercial"
)
# A match of fewer words names no licence, unless it is a tag ("License: MIT") or a whole line.
MIN_WORDS = 4
# More licences than that in short mentions are a list of ids, not a notice.
MAX_MENTIONS = 6
# What surrounds the sentence that grants: scancode reads licences of its own, or other versions, in it.
_SURROUND = re.compile(
    r"(?i)without any warranty|hope that it will be useful|should have received|along with this"
    r"|write to the free software|foundation, inc|franklin st|temple place"
)
_GRANT = re.compile(r"(?i)redistribut|licensed|either version|under the terms|permi[ts]|released|licen[cs]e:")
# The Free Software Foundation's own words for a choice, which scancode loses when more text follows.
_CHOICE = re.compile(r"(?i)under\s+the\s+terms\s+of\s+either\b")
_IN_PARALLEL = re.compile(r"(?i)\bor\s+both\s+in\s+parallel\b")
MIN_SCORE = 50.0


def detect_text(text: str) -> dict[str, object]:
    """The licence that a notice or a licence text states.

    Returns `expression` (SPDX, "" when none), `score` 0..1, `matched_lines` [first, last] (1-based) or None,
    `bare` (a licence text and nothing that applies it to a work) and `path`: `fast` | `full`.
    """
    matches = _INDEX.match(query_string=text, approximate=False)
    path = "fast"
    if not _settled(matches, text):
        matches = _INDEX.match(query_string=text)
        path = "full"
    return {**_conclude(_believable(matches), text), "path": path}


def _settled(matches: list[Any], text: str) -> bool:
    """Whether exact matching alone is beyond doubt: one rule, in full, over nearly all of the text."""
    if len(matches) != 1:
        return False
    match = matches[0]
    if match.coverage() < 100 or match.score() < 100 or match.len() < 0.8 * len(text.split()):
        return False
    if expression.is_copyleft(expression.from_scancode(match.rule.license_expression)):
        return True
    return _COPYLEFT_WORDS.search(text) is None


def _believable(matches: Iterable[Any]) -> list[Any]:
    """The matches of detections, i.e. without clues, false positives, fragments and lists of ids."""
    kept: list[Any] = []
    for group in _scancode.group_matches(matches):
        found = _scancode.LicenseDetection.from_matches(matches=group)
        if found.license_expression is None:
            continue
        solid = [match for match in found.matches if _is_solid(match)]
        short = {match.rule.license_expression for match in solid if match.len() < 2 * MIN_WORDS}
        if len(short) > MAX_MENTIONS:
            solid = [match for match in solid if match.len() >= 2 * MIN_WORDS]
        kept += solid
    return kept


def _is_solid(match: Any) -> bool:
    rule = match.rule
    if rule.is_license_clue or rule.is_license_intro or match.score() < MIN_SCORE:
        return False
    return bool(rule.is_license_tag or match.matcher == "1-spdx-id" or match.len() >= MIN_WORDS)


def _conclude(matches: list[Any], text: str) -> dict[str, object]:
    if not matches:
        return {"expression": "", "score": 0.0, "matched_lines": None, "bare": False}
    lines = text.splitlines()
    granting = [match for match in matches if not _is_surround(match, lines)] or matches
    expressions = [expression.from_scancode(match.rule.license_expression) for match in granting]
    named = [stated for stated in expressions if expression.is_stated(stated)] or expressions[:1]
    choice = _CHOICE.search(text)
    words = sum(match.len() for match in granting)
    return {
        "expression": merge_notice(named, choice is not None and _IN_PARALLEL.search(text) is not None),
        "score": round(sum(match.score() * match.len() for match in granting) / words / 100, 3),
        "matched_lines": [min(m.start_line for m in matches), max(m.end_line for m in matches)],
        "bare": all(match.rule.is_license_text for match in granting),
    }


def _is_surround(match: Any, lines: list[str]) -> bool:
    """Whether a match lies in the warranty and address sentences of a notice, not in its grant."""
    matched = " ".join(lines[match.start_line - 1 : match.end_line])
    return _SURROUND.search(matched) is not None and _GRANT.search(matched) is None


def merge_notice(expressions: list[str], choice: bool = False) -> str:
    """The statements of one notice as one expression: GNU sub-matches narrow to the most specific.

    A choice (OR) or an exception (WITH) in the same notice already covers the plain GNU ids it names.
    choice: the notice offers its GNU licences as alternatives.
    """
    distinct = list(dict.fromkeys(expressions))
    plain = [text for text in distinct if " " not in text]
    compound = [text for text in distinct if " " in text]
    covered = [name for text in compound for name in expression.licenses_of(text)]
    merged = [
        name
        for name in families.merge(plain)
        if not any(name == known or families.refines(known, name) for known in covered)
    ]
    if choice:
        offered = [name for name in merged if families.gnu(name)]
        merged = [name for name in merged if name not in offered]
        compound.append(expression.combine(offered, "OR"))
    return expression.combine(merged + compound)
