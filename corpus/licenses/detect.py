"""Text -> licence, by scancode. The only module that imports `licensedcode`.

It is loaded into sandboxed children only (about 1.4 GB and 2 s each): see `detector`. Detections
count, clues do not; of each detection the sub-matches are merged to the most specific statement.
Parts of scancode are replaced by faster ones with the same results.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from licensedcode import cache as _scancode_cache
from licensedcode import detection as _scancode
from licensedcode import match_set as _scancode_sets
from licensedcode.spans import Span, intbitset

from corpus.licenses import expression, families
from corpus.licenses.header import speaks_of_licensing
from corpus.licenses.ranking import Ranking, Rule
from corpus.licenses.shortlist import Needs

# Loaded when the module is: a child is ready when its import is done. Meanwhile no search for garbage among
# millions of objects that stay, and none of those that follow looks at them.
gc.disable()
_INDEX = _scancode_cache.get_index()
_RULES = _INDEX.approx_matchable_rids


def _needs(rule: Any, distinct: bool) -> Needs:
    return Needs(
        rule.get_length(distinct), rule.get_min_matched_length(distinct),
        rule.get_min_high_matched_length(distinct), rule._minimum_containment or 0,
    )  # fmt: skip


_RANKING = Ranking(
    {
        number: Rule(
            _INDEX.msets_by_rid[number], _needs(rule, True), _needs(rule, False), rule.license_expression,
            rule.identifier,
        )
        for number, rule in ((number, _INDEX.rules_by_rid[number]) for number in _RULES)
    },
    _INDEX.len_legalese,
)  # fmt: skip
_every_candidate = _scancode_sets.compute_candidates


def _candidates(
    query_run: Any, idx: Any, matchable_rids: Any, top: int = 50, high_resemblance: bool = False,
    high_resemblance_threshold: float = 0.8, _use_bigrams: bool = False,
) -> list[Any]:  # fmt: skip
    """scancode's ranking of rules for a text: (score, number, rule, words of licensing in the text)."""
    if idx is not _INDEX or matchable_rids is not _RULES or _use_bigrams:
        found: list[Any] = _every_candidate(
            query_run, idx, matchable_rids, top, high_resemblance, high_resemblance_threshold, _use_bigrams
        )
        return found
    resemblance = high_resemblance_threshold if high_resemblance else None
    words = list(query_run.matchable_tokens())
    numbers = _RANKING.best(words, top, resemblance, high_resemblance_threshold)
    legal = {word for word in words if 0 <= word < idx.len_legalese}
    # Nobody reads the score; of the words those that the rule holds as well count.
    return [(None, number, idx.rules_by_rid[number], legal) for number in numbers]


gc.freeze()
gc.enable()
_scancode_sets.compute_candidates = _candidates


def _set_span(span: Any, *ints: Any) -> None:
    """As Span.__init__, but a set of bits, which nobody changes afterwards, is taken as it is."""
    if len(ints) == 2:
        span._set = intbitset(range(ints[0], ints[1] + 1))
    elif len(ints) != 1:
        span._set = intbitset(ints)
    elif type(ints[0]) is intbitset:
        span._set = ints[0]
    elif type(ints[0]) is Span:
        span._set = ints[0]._set
    else:
        span._set = intbitset(ints if isinstance(ints[0], int) else list(ints[0]))


def _overlap(span: Any, other: Any) -> int:
    return len(span._set & other._set)


def _is_false_positive(license_matches: list[Any], package_license: bool = False) -> bool:
    """As scancode's, which cuts each match out of the text before it asks for what rules it out as well."""
    rules = [match.rule for match in license_matches]
    able = all(rule.relevance < 60 for rule in rules) or all(rule.length == 1 for rule in rules)
    return able and bool(_asked_false_positive(license_matches, package_license))


def _contains(span: Any, other: Any) -> bool:
    """As Span.__contains__, which asks for the abstract class of a number first."""
    return other in span._set if type(other) is int else bool(_asked_contains(span, other))


def _distance(span: Any, other: Any) -> int:
    """As Span.distance_to, which makes a set of the common positions first."""
    if span.end < other.start:
        return int(other.start - span.end)
    if span.start <= other.end and not span._set.isdisjoint(other._set):
        return 0
    return int(span.start - other.end)


def _kept(property_of_span: Any) -> Any:
    """A property of a span, which is asked for many times, as one that is computed once."""
    kept = cached_property(property_of_span.fget)
    kept.__set_name__(Span, property_of_span.fget.__name__)
    return kept


Span.start, Span.end, Span.distance_to = _kept(Span.start), _kept(Span.end), _distance
_asked_contains = Span.__contains__
Span.__init__, Span.overlap, Span.__contains__ = _set_span, _overlap, _contains
_asked_false_positive = _scancode.is_false_positive
_scancode.is_false_positive = _is_false_positive

# Words that no permissive notice needs: the fast matcher is not believed when they are there.
_COPYLEFT_WORDS = re.compile(
    r"(?i)\b[al]?gpl|general public|lesser public|copyleft|share[- ]?alike|mozilla|mpl\b|cecill|eclipse|epl\b"
    r"|cddl|eupl|free software|gnu\b|affero|non-?commercial"
)
# A match of fewer words names no licence, unless it is a tag ("License: MIT").
MIN_WORDS = 4
# Matches of fewer words are mentions.
LONG = 2 * MIN_WORDS
_TAG = re.compile(r"(?i)\blicen[cs]e\s*[:=]")
_NAMES_GPL = re.compile(r"(?i)\b[al]?gpl|general\s+public\s+licen[cs]e|copyleft")
# More licences than that in short mentions, none of them granted, are a list of ids.
MAX_MENTIONS = 2
# What surrounds the sentence that grants: scancode reads licences of its own, or other versions, in it.
_SURROUND = re.compile(
    r"(?i)without any warranty|hope that it will be useful|should have received|along with this"
    r"|for more details|merchantability"
    r"|write to the free software|foundation, inc|franklin st|temple place"
)
_GRANT = re.compile(r"(?i)redistribut|licensed|either version|under the terms|permi[ts]|released|licen[cs]e:")
# The Free Software Foundation's own words for a choice, which scancode loses when more text follows.
_CHOICE = re.compile(r"(?i)under\s+the\s+terms\s+of\s+either\b")
# The sentence itself outranks scancode's rules: some read "any later version" as "only", and approximate
# matching takes the Lesser licence for the General one. Over text with single spaces.
_GRANTED = re.compile(
    r"(?i)gnu (?:(lesser|library|affero) )?general public licen[cs]e(?: \([al]?gpl\))?,?(?: as)? published "
    r"by the free software foundation[;,:]? (?:either )?version ([1-3](?:\.\d)?)(?: of the licen[cs]e)?"
    r"(,? or \(?at your option\)?,? any later version)?"
)
_FAMILY = {"": "GPL", "lesser": "LGPL", "library": "LGPL", "affero": "AGPL"}
_IN_PARALLEL = re.compile(r"(?i)\bor\s+both\s+in\s+parallel\b")
# Scores (0..100) under which a match is no statement: of any, and of a short one.
MIN_SCORE = 50.0
SHORT_SCORE = 90.0
# The score of a whole rule; its relevance is a little under 100 where a rule is not in doubt either.
EXACT = 95.0
# The share of the known notice from which a permissive reading of a text that names the GPL is believed.
CERTAIN = 0.95


def detect_text(text: str) -> dict[str, object]:
    """The licence that a notice or a licence text states.

    Returns `expression` (SPDX, "" when none), `score` 0..1, `matched_lines` [first, last] (1-based) or None,
    `bare` (a licence text and nothing that applies it to a work), `reason` (`ambiguous` when the answer
    would be permissive, is not certain, and the text speaks of the GPL) and `path`: `fast` | `full`.
    """
    matches = _INDEX.match(query_string=text, approximate=False)
    path = "fast"
    if not _settled(matches, text):
        matches = _INDEX.match(query_string=text)
        path = "full"
    found = _conclude(_believable(matches, text), text)
    return {**found, "path": path}


def detect_by_all_rules(text: str) -> dict[str, object]:
    """As detect_text, with scancode's own pass over all of its rules: what tests and bench compare with."""
    _scancode_sets.compute_candidates = _every_candidate
    try:
        return detect_text(text)
    finally:
        _scancode_sets.compute_candidates = _candidates


def default_expression(text: str) -> str:
    """The SPDX expression of scancode's own detections over `text`, unfiltered: what bench compares with."""
    found = _scancode.detect_licenses(query_string=text)
    return expression.combine(
        [expression.from_scancode(one.license_expression) for one in found if one.license_expression]
    )


def _settled(matches: list[Any], text: str) -> bool:
    """Whether exact matching alone is beyond doubt.

    Whole rules were matched, they say one thing, what they leave of the text is silent about licensing,
    and a permissive reading is not of a text with words of copyleft.
    """
    lines = text.splitlines()
    stating = [match for match in matches if not _is_surround(match, lines)]
    if not stating or any(match.coverage() < 100 or match.score() < EXACT for match in stating):
        return False
    covered = {line for match in matches for line in range(match.start_line, match.end_line + 1)}
    if any(speaks_of_licensing(line) for at, line in enumerate(lines, 1) if at not in covered):
        return False
    said = str(_conclude(_believable(matches, text), text)["expression"])
    if not said or (" " in said and len(stating) > 1):
        return False
    return expression.is_copyleft(said) or _COPYLEFT_WORDS.search(text) is None


def _believable(matches: Iterable[Any], text: str) -> list[Any]:
    """The matches of detections, i.e. without clues, false positives, fragments and lists of ids."""
    kept: list[Any] = []
    lines = text.splitlines()
    for group in _scancode.group_matches(matches):
        # What LicenseDetection.from_matches decides by, without the identifier that it makes of the text.
        analysis = _scancode.analyze_detection(license_matches=group)
        _, stated = _scancode.get_detected_license_expression(analysis=analysis, license_matches=group)
        if stated is not None:
            kept += [match for match in group if _is_solid(match, lines)]
    mentioned = {match.rule.license_expression for match in kept if match.len() < LONG}
    if len(mentioned) > MAX_MENTIONS and not _GRANT.search(text):
        kept = [match for match in kept if match.len() >= LONG]
    return kept


def _is_solid(match: Any, lines: list[str]) -> bool:
    rule = match.rule
    if rule.is_license_clue or rule.is_license_intro or match.score() < MIN_SCORE:
        return False
    if match.len() >= MIN_WORDS or match.matcher == "1-spdx-id":
        return True
    return bool(match.score() >= SHORT_SCORE and (rule.is_license_tag or _TAG.search(_matched(match, lines))))


def _matched(match: Any, lines: list[str]) -> str:
    return " ".join(lines[match.start_line - 1 : match.end_line])


def _conclude(matches: list[Any], text: str) -> dict[str, object]:
    lines = text.splitlines()
    granting = [match for match in matches if not _is_surround(match, lines)] or matches
    if not granting:
        return {"expression": "", "score": 0.0, "matched_lines": None, "bare": False, "reason": ""}
    expressions = [expression.from_scancode(match.rule.license_expression) for match in granting]
    named = [stated for stated in expressions if expression.is_stated(stated)] or expressions[:1]
    # Who grants terms and mentions the public domain grants those terms.
    named = [stated for stated in named if expression.category(stated) != "Public Domain"] or named
    choice = _CHOICE.search(text) is not None and _IN_PARALLEL.search(text) is not None
    bare = all(match.rule.is_license_text for match in granting)
    merged = merge_notice(named if bare else _as_granted(named, text), choice)
    words = [match.len() for match in granting]
    score = sum(match.score() * match.len() for match in granting) / sum(words) / 100
    doubtful = score < CERTAIN or max(words) < LONG
    if doubtful and _NAMES_GPL.search(text) and not expression.is_copyleft(merged):
        return {"expression": "", "score": 0.0, "matched_lines": None, "bare": False, "reason": "ambiguous"}
    return {
        "expression": merged,
        "score": round(score, 3),
        "matched_lines": [min(m.start_line for m in matches), max(m.end_line for m in matches)],
        "bare": bare,
        "reason": "",
    }


def _is_surround(match: Any, lines: list[str]) -> bool:
    """Whether a match lies in the warranty and address sentences of a notice, not in its grant."""
    matched = _matched(match, lines)
    return _SURROUND.search(matched) is not None and _GRANT.search(matched) is None


def _as_granted(named: list[str], text: str) -> list[str]:
    """The GNU ids as the granting sentences of the notice spell them, where those are not in doubt."""
    granted = {
        families.Gnu(
            _FAMILY[(found[1] or "").lower()],
            found[2] if "." in found[2] else f"{found[2]}.0",
            "or-later" if found[3] else "only",
        )
        for found in _GRANTED.finditer(" ".join(text.split()))
    }
    spelled = []
    for name in named:
        known = families.gnu(name)
        alike = [grant for grant in granted if known and grant.version == known.version]
        spelled.append(alike[0].spdx if known not in granted and len(alike) == 1 else name)
    return spelled


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
