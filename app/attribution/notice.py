"""What has to be said about one piece of code: where it is, what it is similar to, whose it is, its terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.policy.licenses import leaves, tree
from app.report.escape import visible
from app.report.model import Finding, OriginLines

HEADER_LINES = 80
MOST_HOLDERS = 20
MAX_LINE = 400
_COPYRIGHT = re.compile(
    r"(?:SPDX-(?:File|Snippet)CopyrightText:|\bcopyright\b|©|\(c\)(?=\s*\d{4}))\s*(.*)", re.IGNORECASE
)
_SIGNS = re.compile(r"^(?:(?:copyright|©|\(c\)|:|,|by(?=\s)|&copy;)\s*)+", re.IGNORECASE)
# Licence texts speak of copyright, too: a holder's line has a year, or a name with a capital or an address.
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_HOLDER = re.compile(r"(?:by\s+)?[A-Z][\w.'-]+(?:\s+[\w.,'&-]+){0,8}\s*(?:<[^<>\s]+>)?\.?")
_PHRASE = re.compile(r"^(?:notice|holder|owner|law|and|or|in|is|the|to|of|interest|licen[cs]e)", re.I)
_RESERVED = re.compile(r"[\s.,;]*\ball rights reserved\b[\s.]*$", re.IGNORECASE)
_TRAILING = re.compile(r"[\s*/#;%!|\"'-]*(?:\*/|-->|\*\)|-\}|\"\"\"|''')?[\s*]*$")

HeaderOf = Callable[[OriginLines], bytes | None]


@dataclass(frozen=True, slots=True)
class Notice:
    """path, start_line, end_line: the code here. holders: `2007 Ada Example`, as the origin's header says.

    license: SPDX expression. purl, origin_path, origin_lines, url: what the code is similar to.
    """

    path: str
    start_line: int
    end_line: int
    license: str
    holders: tuple[str, ...]
    purl: str
    origin_path: str
    origin_lines: tuple[int, int]
    url: str

    @property
    def similar_to(self) -> str:
        first, last = self.origin_lines
        return f"{visible(self.purl, 300)} {visible(self.origin_path, 300)}, lines {first}-{last}"

    @property
    def license_ids(self) -> tuple[str, ...]:
        """The licences of the expression, each once."""
        return tuple(dict.fromkeys(leaf.license for leaf in leaves(tree(self.license)) if leaf.license))


def notices(findings: Iterable[Finding], header_of: HeaderOf) -> list[Notice]:
    """A notice for each finding that asks for attribution, in the order of files and lines.

    header_of: the text of an origin's file, or None where the index does not keep texts.
    """
    wanted = [finding for finding in findings if finding.verdict.status == "attribution"]
    wanted.sort(key=lambda f: (f.region.path, f.region.start_line, f.region.end_line, f.origin.purl))
    made = []
    for finding in wanted:
        origin, region = finding.origin, finding.region
        text = header_of(origin)
        made.append(
            Notice(
                region.path, region.start_line, region.end_line, finding.license.expression,
                copyright_lines(text) if text is not None else (),
                origin.purl, origin.path, (origin.start_line, origin.end_line), origin.url,
            )
        )  # fmt: skip
    return made


def copyright_lines(text: bytes) -> tuple[str, ...]:
    """Years and holders that the header of a source file names, without the word and the comment signs."""
    found: list[str] = []
    for line in text.split(b"\n", HEADER_LINES)[:HEADER_LINES]:
        matched = _COPYRIGHT.search(line[:MAX_LINE].decode("utf-8", "replace"))
        if matched is None:
            continue
        said = _TRAILING.sub("", _SIGNS.sub("", matched[1].strip())).strip()
        said = _RESERVED.sub("", said)
        named = _YEAR.search(said) or (_HOLDER.fullmatch(said) and not _PHRASE.match(said))
        if named and said not in found:
            found.append(visible(said, 200))
        if len(found) == MOST_HOLDERS:
            break
    return tuple(found)
