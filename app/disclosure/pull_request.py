"""The disclosure section, or the checkboxes, of a pull request's text (Markdown). One pass over its lines.

A section counts when its heading speaks of AI, or of tools, and of disclosing or using them. What a template
left there (HTML comments, whole lines in italics, boxes without a mark) is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.disclosure.declared import quoted
from app.disclosure.trailers import tool_named_in
from app.report.model import AiStatement

MAX_LINE = 2_000
_AI = r"(?:A\.?I\.?|LLMs?|GenAI|generative|language models?|chatbots?|copilot|chatgpt|claude)"
_MENTIONS = re.compile(rf"\b{_AI}\b", re.IGNORECASE)
_HEADING = re.compile(
    r"(#{1,6})\s+(.*?)\s*#*\s*|(\*\*|__)(.*?)(?:\*\*|__):?\s*",
)
_TITLE = re.compile(
    rf"(?=.*\b(?:{_AI}|tools?)\b)(?=.*\b(?:disclos|declar|use\b|usage|used|generat|assist|statement))",
    re.IGNORECASE,
)
_BOX = re.compile(r"\s*[-*+]\s+\[([ xX])\]\s+(.*)")
_ITALIC = re.compile(r"\s*(?:\*[^*].*[^*]\*|_[^_].*[^_]_)\s*")
# Boxes by which people confirm that they know the rules; they say nothing about use.
_CONFIRMS = re.compile(
    r"\b(?:read|understand|understood|follow\w*|compl(?:y|ies)|agree|certify|responsib\w+|reviewed|verified|"
    r"checked|human)\b",
    re.IGNORECASE,
)
_NONE = re.compile(r"\W*(?:no|none|n/?a|not applicable|nothing|never|not used|0 ?%)(?![a-z])", re.IGNORECASE)
_WITHOUT = re.compile(
    rf"\b(?:no|not|without|did\s?n[o']?t|none)\b.{{0,60}}\b(?:{_AI}|tools?|assist\w*|use|used|using)\b"
    rf"|\b(?:{_AI}|tools?)\b.{{0,40}}\b(?:not|never)\b",
    re.IGNORECASE,
)


def statements(text: str) -> list[AiStatement]:
    """What the text declares: at most one statement a checked box, one a section without boxes."""
    found: list[AiStatement] = []
    for in_section, lines in _parts(_without_comments(text)):
        boxes = [box for line in lines if (box := _BOX.fullmatch(line[:MAX_LINE]))]
        if boxes:
            for box in boxes:
                said = box[2]
                about = in_section or _MENTIONS.search(said)
                if box[1] in "xX" and about and (_denies(said) or not _CONFIRMS.search(said)):
                    found.append(_statement(said))
        elif in_section:
            answer = " ".join(line.strip() for line in lines if line.strip() and not _ITALIC.fullmatch(line))
            if answer:
                found.append(_statement(answer[:MAX_LINE]))
    return found


def _statement(said: str) -> AiStatement:
    used = not _denies(said)
    return AiStatement(
        "pull request", used, tool_named_in(said) if used else "", "statement", "", quoted(said)
    )


def _denies(said: str) -> bool:
    """Whether a sentence says that no such tool was used; one that goes on to name a tool does not."""
    said = said.replace("*", "").replace("_", " ")
    return bool(_NONE.match(said) or (not tool_named_in(said) and _WITHOUT.search(said)))


def _without_comments(text: str) -> str:
    parts = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        parts.append(text[at:start])
        end = text.find("-->", start)
        if end < 0:
            return "".join(parts)
        at = end + 3
    return "".join([*parts, text[at:]])


def _parts(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The text cut at its headings: whether the heading asks about AI use, and the lines under it.

    A deeper heading inside such a section belongs to it.
    """
    asks, level = False, 0
    lines: list[str] = []
    for line in text.splitlines():
        heading = _HEADING.fullmatch(line[:MAX_LINE].strip())
        if heading is None:
            lines.append(line)
            continue
        depth = len(heading[1]) if heading[1] else 7
        title = heading[2] if heading[1] else heading[4]
        if asks and depth > level and not _TITLE.search(title):
            continue
        yield asks, lines
        asks, level, lines = bool(_TITLE.search(title)), depth, []
    yield asks, lines
