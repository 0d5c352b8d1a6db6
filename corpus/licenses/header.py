"""The licence notice at the top of a source file, whatever the language, and the key that names it.

Detection is slow, headers repeat: of a file only the comment lines near its top are looked at, of those
only what lies between the first and the last line that speaks of licensing; comment signs, white space
and copyright lines (years and names) go. Files with the same notice then share one key, and a file whose
comments never speak of licensing needs no detection at all. One pass, linear in what is looked at.
Called by conclude.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

# Comments that begin below this line are not a header.
HEADER_LINES = 100
# A header is cut here, in bytes of the file and in characters of the notice.
HEADER_BYTES = 64 * 1024
MAX_LINE = 2_000
MAX_TAG = 500

# What every notice that scancode can read contains; missing one costs a conclusion, so it is wide. Plain
# words in lower case, cheap to look for, and the pattern that decides where they stand.
_MARKS = (
    ("licen", r"licen[cs]"), ("copyleft", ""), ("gpl", r"\b[al]?gpl"), ("general public", ""),
    ("free software", r"free software(?! foundation|$)"), ("redistribut", ""), ("permission", ""),
    ("permitted", ""), ("public domain", ""), ("public-domain", ""), ("warrant", r"warrant(?:y|ies)\b"),
    ("creative commons", ""), ("proprietary", ""), ("confidential", ""), ("trade secret", ""),
    ("disclaim", ""), ("without restriction", ""), ("no restriction", ""), ("freely", ""),
    ("special exception", ""), ("commercial use", ""), ("noncommercial", ""), ("non-commercial", ""),
    ("cecill", ""), ("this notice", ""), ("copyright notice", ""), ("misrepresent", ""),
    ("following conditions are", ""), ("terms ", r"(?<!in )terms (?:of|and)\b"), ("may be used", ""),
    ("may be copied", ""), ("may be distributed", ""), ("distributed under", ""), ("released under", ""),
    ("available under", ""), ("provided under", ""), ("published under", ""),
    ("under ", r"under (?:the )?(?:(?:modified|new|[234].clause) )?(?:mit|bsd|isc)\b"),
)  # fmt: skip
# In capitals only: the file that holds the terms.
_COPYING = re.compile(r"\bCOPYING\b")
_SPEAKS = re.compile(
    "|".join([*(pattern or plain for plain, pattern in _MARKS), rf"(?-i:{_COPYING.pattern})"]), re.IGNORECASE
)
Marks = tuple[tuple[str, re.Pattern[str] | None], ...]
_SPOKEN: Marks = tuple((plain, re.compile(pattern) if pattern else None) for plain, pattern in _MARKS)
# Unmarked prose counts as a comment: macros and here-documents hide notices from any comment syntax.
_PROSE_WORD = re.compile(r"\b[A-Za-z]{2,}+(?=[ ,.;:])")
_CODE = re.compile(r"[{}=\[\]]|[;({,]$|->|::")
_LINE_SIGN = re.compile(
    r"""\s*(?: //+[/!<]* | ;+ | %+ | --+ | !+ | \*+(?!/) | "(?!"") | ' (?!'') | \.\\" | \\"
      | \#+(?!\s*(?:include|define|undef|if|ifdef|ifndef|elif|else|endif|pragma|error|line)\b)\|?
      | dnl\b | REM\b | @c(?:omment)?\b | \.\.(?=\s|$) | [cC](?=\s|$) )""",
    re.VERBOSE,
)
_BLOCKS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ('r"""', '"""'),
    ('"""', '"""'),
    ("'''", "'''"),
    ("(*", "*)"),
    ("{-", "-}"),
    ("%{", "%}"),
    ("#{", "#}"),
    ("#|", "|#"),
    ("#=", "=#"),
    ("--[[", "]]"),
    ("=begin", "=end"),
    ("=pod", "=cut"),
)
_OPENINGS = tuple(opening for opening, _ in _BLOCKS)
# What a line begins with that opens a comment or has the sign of one.
_FIRST_OF_SIGN = frozenset("/;%-!*\"'.\\#dR@cC") | {opening[0] for opening in _OPENINGS}
# Decoration round a line of a comment; a plus at its end is text ("GPLv2+").
_RIGHT_EDGE = " \t\r\f\v*#/;%!|=~_-"
_LEFT_EDGE = _RIGHT_EDGE + "+"
_COPYRIGHT = re.compile(
    r"(?i)(?:\bcopyright\b|\bcopr\b|\(c\)|©).*\b(?:19|20)\d\d\b|^\W*(?:copyright|\(c\)|©)\W*(?:\(c\)|©)"
)
_TAG = re.compile(r"^\W{0,10}(?:(?:dnl|REM|@c)\s+)?SPDX-License-Identifier:\s*(\S.*)$", re.IGNORECASE)
_TAG_END = re.compile(r"\s*(?:\*+/|-->|\"\"\"|'''|\*\)|-\}|\|#|=#|%>|\?>).*$")
# Words that grant, and signs that set a title off, before the name of a licence.
_GRANTS = re.compile(
    r"\b(?:licen[cs]ed|released|distributed|available|published)(?: under)?(?: the)?(?: terms of)?(?: the)? ",
    re.IGNORECASE,
)
_SET_OFF = re.compile(r"\s[-–—|/]+\s|[:,;(]\s?(?!//)")
_QUALIFIES = re.compile(
    r"\b(?:not|non|no|except|excluding|unlike|than|compatib\w+|requires?|needs?|depends?|unless|if|some|parts?"
    r"|was|were|formerly|previously|under which)\b",
    re.IGNORECASE,
)
TITLE_WORDS = 6
_LIST_ITEM = re.compile(r"\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s", re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_WORDS = re.compile(r"\w+\+?")


@dataclass(frozen=True, slots=True)
class Header:
    """What the top of a file says about its licence.

    notice: the sentences about licensing, one line each as in the file, or "".
    tags: the values of its SPDX-License-Identifier lines as written.
    """

    notice: str
    tags: tuple[str, ...]


def read_header(text: bytes) -> Header:
    """The notice and tags among the comments that begin in the first lines of `text`."""
    blocks = _comment_blocks(text[:HEADER_BYTES].decode("utf-8", "replace"))
    marks = _marks_in([line for block in blocks for line in block], _SPOKEN)
    if not marks:
        return Header("", ())
    notice: list[str] = []
    tags: list[str] = []
    for block in blocks:
        lines = []
        for line in block:
            if "-" not in line:
                lines.append(line)
            elif (tag := _TAG.match(line)) is not None:
                tags.append(_TAG_END.sub("", tag[1][:MAX_TAG]).strip())
            elif "SPDX-" not in line[:40]:
                lines.append(line)
        spoken = _about_licensing(lines, marks)
        if spoken:
            notice += ["", *spoken] if notice else spoken
    return Header("\n".join(notice), tuple(tags))


def license_name_in(notice: str) -> str:
    """The licence name that a notice of one line consists of, or "".

    `https://example.org - GPLv3`, `Released under the GNU GPL v2 or later.`: what stands before the name is a
    title set off by a sign, or words that grant. A name in a sentence (`works with GPLv3 code`) is none.
    """
    if "\n" in notice or len(notice) > MAX_TAG:
        return ""
    grant = _GRANTS.search(notice)
    title, name = (notice[: grant.start()], notice[grant.end() :]) if grant else _last_part(notice)
    if len(title.split()) > TITLE_WORDS or _QUALIFIES.search(notice):
        return ""
    return name.strip(" \t.,;:()[]")


def _last_part(line: str) -> tuple[str, str]:
    """What stands before and after the last sign that sets a title off."""
    signs = list(_SET_OFF.finditer(line))
    return (line[: signs[-1].start()], line[signs[-1].end() :]) if signs else ("", line)


def notice_key(notice: str) -> str:
    """32 hex digits that equal notices share: their words, whatever case, layout and punctuation."""
    words = " ".join(_WORDS.findall(notice.lower()))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def speaks_of_licensing(text: str) -> bool:
    return _says(text, _SPOKEN)


def _marks_in(lines: list[str], marks: Marks) -> Marks:
    """Those of `marks` that can be in one of the lines; none when no line speaks of licensing."""
    together = "\n".join(lines)
    if not together.isascii():
        return marks if _SPEAKS.search(together) is not None else ()
    folded = together.lower()
    found = tuple(mark for mark in marks if mark[0] in folded)
    return found or (marks[:1] if "COPYING" in together else ())


def _says(text: str, marks: Marks) -> bool:
    """Whether a text speaks of licensing. marks: all, or those that can be in it."""
    if not text.isascii():
        # Of other letters some are equal when case is ignored and yet no others in lower case.
        return _SPEAKS.search(text) is not None
    folded = text.lower()
    for plain, pattern in marks:
        if plain in folded and (pattern is None or pattern.search(folded) is not None):
            return True
    return "COPYING" in text and _COPYING.search(text) is not None


@lru_cache(maxsize=1 << 16)
def _tells_holder(line: str) -> bool:
    return _COPYRIGHT.search(line) is not None


def _comment_blocks(top: str) -> list[list[str]]:
    """Runs of comment lines that begin in the first `HEADER_LINES` lines, without their signs."""
    blocks: list[list[str]] = [[]]
    closing = ""
    for number, whole in enumerate(top.split("\n")):
        line = whole[:MAX_LINE].rstrip()
        if number >= HEADER_LINES and not closing and not blocks[-1]:
            break
        if not closing:
            closing, said = _outside(line) if line else ("", "" if blocks[-1] else None)
            if closing:
                line = said or ""
            elif said is not None:
                blocks[-1].append(said)
            elif blocks[-1]:
                blocks.append([])
        if closing:
            inside, found, _after = line.partition(closing)
            blocks[-1].append(_bare(inside))
            closing = "" if found else closing
    return blocks


@lru_cache(maxsize=1 << 16)
def _outside(line: str) -> tuple[str, str | None]:
    """A line that no block comment holds: the sign that closes the one which it opens, and what it says.

    None for code.
    """
    bare = line.lstrip()
    if bare[0] in _FIRST_OF_SIGN:
        if bare.startswith(_OPENINGS):
            opening, closing = next(pair for pair in _BLOCKS if bare.startswith(pair[0]))
            return closing, bare[len(opening) :]
        if (sign := _LINE_SIGN.match(line)) is not None:
            return "", _bare(line[sign.end() :])
    return "", _bare(line) if _is_prose(line) else None


def _bare(line: str) -> str:
    return line.lstrip(_LEFT_EDGE).rstrip(_RIGHT_EDGE)


def _is_prose(line: str) -> bool:
    return _CODE.search(line) is None and len(_PROSE_WORD.findall(line)) >= 2


def _runs_on(line: str) -> bool:
    """Whether a line is prose whose sentence goes on after it."""
    return line[-1:] not in ".:!?>" and len(line.split()) >= 5


def _end_of_terms(lines: list[str], last: int) -> int:
    """The end of the paragraph of line `last`, and of the numbered list that follows it."""
    while last + 1 < len(lines) and (
        lines[last + 1] or (last + 2 < len(lines) and _LIST_ITEM.match(lines[last + 2]))
    ):
        last += 1
    return last


def _about_licensing(lines: list[str], marks: Marks) -> list[str]:
    """From the first line that speaks of licensing to the end of the paragraph with the last one."""
    if not (marks := _marks_in(lines, marks)):
        return []
    # A line that only tells who holds the copyright is left out.
    told = [(line, _says(line, marks)) for line in lines]
    told = [(line, says) for line, says in told if says or not _tells_holder(line)]
    lines = [line for line, _ in told]
    speaking = [at for at, (_, says) in enumerate(told) if says]
    if not speaking:
        return []
    first, last = speaking[0], speaking[-1]
    # The sentence may have begun on the lines before.
    while first and speaking[0] - first < 3 and _runs_on(lines[first - 1]):
        first -= 1
    last = _end_of_terms(lines, last)
    spoken = [_SPACES.sub(" ", line) for line in lines[first : last + 1]]
    return [line for at, line in enumerate(spoken) if line or (at and spoken[at - 1])]
