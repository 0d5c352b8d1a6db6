"""SPDX snippet tags (REUSE 3.2) for a notice, as comments of the language that the file is in."""

from __future__ import annotations

from collections.abc import Sequence

from app.attribution.notice import Notice
from corpus.languages import LANGUAGES, language_of

# Where the first line comment of the table would not do: C before C99 knows only blocks.
_COMMENTS = {"c": ("/*", "*/"), "ocaml": ("(*", "*)"), "text": ("#", "")}


def comment_signs(path: str) -> tuple[str, str]:
    """How a comment of one line opens and closes in the language of a path; ("#", "") where unknown."""
    language = language_of(path, b"") or "text"
    if language in _COMMENTS:
        return _COMMENTS[language]
    remarks = [(remark.opener, remark.closer) for remark in LANGUAGES[language].remarks]
    plain = [pair for pair in remarks if not pair[1]]
    return (plain or remarks)[0]


def tags(notice: Notice) -> tuple[list[str], list[str]]:
    """The comment lines to stand before the code, and those after it."""
    holders = notice.holders or ("the authors of " + notice.similar_to.split(" ")[0],)
    before = [
        "SPDX-SnippetBegin",
        *(f"SPDX-SnippetCopyrightText: {holder}" for holder in holders),
        f"SPDX-License-Identifier: {notice.license}",
        f"SPDX-SnippetComment: similar to {notice.similar_to}",
    ]
    return [_comment(line, notice.path) for line in before], [_comment("SPDX-SnippetEnd", notice.path)]


def render(notices: Sequence[Notice]) -> str:
    """The tags of each notice, under a line that says where they go."""
    blocks = []
    for notice in notices:
        before, after = tags(notice)
        place = f"{notice.path}:{notice.start_line}-{notice.end_line}"
        blocks.append("\n".join([f"# {place}", *before, "  …", *after, ""]))
    return "\n".join(blocks)


def _comment(text: str, path: str) -> str:
    opener, closer = comment_signs(path)
    if closer:
        text = text.replace(closer, closer[0] + " " + closer[1:])
    return f"{opener} {text} {closer}".rstrip()
