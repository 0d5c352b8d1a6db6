"""Credits and accepts that stand in the code itself, read from the lines round a region.

`accept_in` finds `# whence: accept <reason> [link]` on a line of the region or in the comment right above it.
`credit_in` finds a REUSE snippet (SPDX-SnippetBegin … SPDX-SnippetEnd) round it, or a notice that names the
origin. A credit settles what asks for attribution alone; it never settles a copyleft conflict.
Both take the whole file as lines and a region as 1-based inclusive numbers; both are linear in the lines.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from app.policy.licenses import canonical, tree
from app.policy.model import Verdict
from app.policy.waivers import REASONS

ACCEPT = re.compile(r"\bwhence:\s*accept\b[ \t]*([A-Za-z-]*)[ \t]*(\S{0,500})", re.IGNORECASE)
COMMENT = re.compile(r"^\s*(?:#|//|/\*|\*|!|%|--|;|\"\"\"|'''|c\s|C\s|<!--|\.\.\s)")
BLOCKS = {"/*": "*/", '"""': '"""', "'''": "'''", "<!--": "-->"}
OPENS = re.compile(r"^\s*[rRuU]?(/\*|\"{3}|'{3}|<!--)")
BEGIN, END = "SPDX-SnippetBegin", "SPDX-SnippetEnd"
SNIPPET_LICENSE = re.compile(
    r"(?:SPDX-License-Identifier|SPDX-SnippetLicenseConcluded):[ \t]*([A-Za-z0-9.+() -]{1,300})"
)
SNIPPET_HOLDER = re.compile(r"SPDX-SnippetCopyrightText:\s*\S")
BORROWED = re.compile(
    r"\b(?:adapted|based|borrowed|copied|derived|excerpt|from|modified|originally|port|ported|taken|translat\w+|"
    r"transcribed|vendored|copyright)\b|©",
    re.IGNORECASE,
)
# How far above a region a notice still belongs to it, and how much of a file is its header.
ABOVE, HEADER, TAGS = 40, 60, 4
MAX_LINE = 2_000


@dataclass(frozen=True, slots=True)
class InlineAccept:
    """An accept written in the code.

    added: the line is itself new in the change; whether that counts is the caller's choice (a bot should
    not let a change accept itself). problem: why it does not hold, or "".
    """

    reason: str
    line: int
    link: str = ""
    added: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Credit:
    """A credit of the origin. by: `snippet` or `notice`. license: what a snippet states, or ""."""

    by: str
    line: int
    license: str = ""


def accept_in(lines: Sequence[str], start: int, end: int, added: Collection[int] = ()) -> InlineAccept | None:
    """The first accept on the region's lines or in the comment lines right above it."""
    for number in (*range(start, min(end, len(lines)) + 1), *_comment_above(lines, start)):
        found = ACCEPT.search(lines[number - 1][:MAX_LINE])
        if found:
            reason, link = found[1].lower(), found[2]
            link = link if link.startswith(("https://", "http://", "mailto:")) else ""
            problem = ""
            if reason not in REASONS:
                problem = f"{reason or 'nothing'} is not one of the reasons {', '.join(REASONS)}"
            elif reason == "permission-granted" and not link:
                problem = "permission-granted needs a link to where the permission can be read"
            return InlineAccept(reason, number, link, number in added, problem)
    return None


def accepted(accept: InlineAccept, path: str) -> Verdict:
    """The verdict of a finding that the code accepts. ValueError where the accept does not hold."""
    if accept.problem:
        raise ValueError(accept.problem)
    link = f" ({accept.link})" if accept.link else ""
    return Verdict(
        "ok",
        f"waived:{accept.reason}",
        f"A comment in the code says: {REASONS[accept.reason]}{link}.",
        "Nothing; the decision can be changed where it stands.",
        f"{path}:{accept.line}",
    )


def credit_in(
    lines: Sequence[str], start: int, end: int, names: Collection[str], *, snippets: bool = True
) -> Credit | None:
    """A snippet round the region, or a notice with one of the origin's names above, in it or in the header.

    names: what the origin is called: package, project, file, author; shorter than three letters is ignored.
    snippets: false where the caller knows that the file has none; finding that out takes a look at all lines.
    """
    snippet = _snippet(lines, start, end) if snippets else None
    if snippet:
        return snippet
    wanted = [re.escape(name.lower()) for name in names if len(name.strip()) >= 3]
    if not wanted:
        return None
    named = re.compile(rf"(?<![a-z0-9_])(?:{'|'.join(wanted)})(?![a-z0-9_])")
    inside = _comments(lines, start, end)
    header = _comments(lines, 1, min(HEADER, start - 1))
    for number in (*_comment_above(lines, start), *inside, *header):
        line = lines[number - 1][:MAX_LINE]
        if named.search(line.lower()) and BORROWED.search(line):
            return Credit("notice", number)
    return None


def with_credit(verdict: Verdict, credit: Credit | None, origin_license: str, path: str) -> Verdict:
    """The verdict once the credit is counted: `attribution` becomes `ok`; nothing else gets milder."""
    if credit is None:
        return verdict
    if credit.license and canonical(tree(credit.license)) != canonical(tree(origin_license)):
        return replace(
            verdict,
            why=f"{verdict.why} The snippet at line {credit.line} is credited under {credit.license}.",
        )
    if verdict.status != "attribution":
        return replace(verdict, why=f"{verdict.why} The origin is credited at line {credit.line}.")
    return Verdict(
        "ok",
        "credited",
        f"{verdict.why} The origin is credited at line {credit.line}.",
        "Check that the notice and the licence text are shipped with the code.",
        f"{path}:{credit.line}",
    )


def _comments(lines: Sequence[str], start: int, end: int) -> Iterator[int]:
    """Numbers of the lines that are comments, or stand in a docstring or block comment opened here."""
    closing = ""
    for number in range(start, min(end, len(lines)) + 1):
        line = lines[number - 1][:MAX_LINE]
        if closing:
            yield number
            closing = "" if closing in line else closing
            continue
        if COMMENT.match(line):
            yield number
        opened = OPENS.match(line)
        if opened:
            closing = BLOCKS[opened[1]]
            closing = "" if closing in line[opened.end() :] else closing


def _comment_above(lines: Sequence[str], start: int) -> tuple[int, ...]:
    """Numbers of the comment lines that end right above the region, nearest first."""
    numbers = []
    for number in range(min(start - 1, len(lines)), max(0, start - 1 - ABOVE), -1):
        if not COMMENT.match(lines[number - 1][:MAX_LINE]):
            break
        numbers.append(number)
    return tuple(numbers)


def _snippet(lines: Sequence[str], start: int, end: int) -> Credit | None:
    """The innermost snippet that holds the whole region and states its licence and copyright."""
    open_at: list[int] = []
    around: tuple[int, int] | None = None
    for number, line in enumerate(lines, 1):
        if BEGIN in line:
            open_at.append(number)
        elif END in line and open_at:
            first = open_at.pop()
            # A region may begin, or end, with the tags of its own snippet.
            inside = first <= min(end, start + TAGS) and number >= max(start, end - TAGS)
            if inside and around is None:
                around = (first, number)
    if around is None:
        return None
    stated = "", False
    for line in lines[around[0] - 1 : around[1]]:
        license_line = SNIPPET_LICENSE.search(line[:MAX_LINE])
        if license_line and not stated[0]:
            stated = license_line[1].strip(" -"), stated[1]
        stated = stated[0], stated[1] or bool(SNIPPET_HOLDER.search(line[:MAX_LINE]))
    return Credit("snippet", around[0], stated[0]) if stated[0] and stated[1] else None
