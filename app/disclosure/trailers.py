"""Trailers of commit messages that name AI tools, behind one interface.

commit-check keeps the list of tools and their marks; it is used where it is installed (`whence[disclosure]`).
Without it a reader of our own knows the disclosing trailers and a few names, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata

from app.report.model import AiRole

# (tool, role, trailer key or "", matched text)
Signature = tuple[str, AiRole, str, str]
Signatures = Callable[[str], list[Signature]]

OWN = "Whence's own short list; install whence[disclosure] for the full one"
_ROLES: dict[str, AiRole] = {
    "disclosure": "disclosure", "co_author": "co-author", "signoff": "sign-off", "stamp": "stamp",
}  # fmt: skip
_DISCLOSING = frozenset({"assisted-by", "generated-by"})
_PERSONS: dict[str, AiRole] = {
    "co-authored-by": "co-author",
    "co-developed-by": "co-author",
    "signed-off-by": "sign-off",
}
_TOOLS = (
    "Aider", "ChatGPT", "Claude", "Codex", "Copilot", "Cursor", "Devin", "Gemini", "Grok", "Jules",
)  # fmt: skip
_NAMED = re.compile(rf"\b({'|'.join(_TOOLS)})\b", re.IGNORECASE)
# A person may be called Claude: as a co-author a tool has an address of its vendor or of a bot.
_ROBOT = re.compile(
    r"(?:@(?:anthropic|openai|cursor|aider|devin|google)\.|noreply@|\[bot\]|copilot@|\bGitHub Copilot\b)",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]{0,40})[ \t]*:[ \t]*(\S.*)")


def best_reader() -> tuple[str, Signatures]:
    """commit-check's signatures where they can be imported, else our own; with the name to show."""
    try:
        from commit_check.ai_signatures import detect_ai_signatures  # noqa: F401
    except ImportError:
        return OWN, own_signatures
    return f"commit-check {metadata.version('commit-check')}", commit_check_signatures


def commit_check_signatures(message: str) -> list[Signature]:
    """What commit-check finds. Raises ImportError without it."""
    from commit_check.ai_signatures import detect_ai_signatures

    signatures: list[Signature] = []
    for found in detect_ai_signatures(message):
        tool = found["tool"]
        if tool == "Generic AI":
            tool = tool_named_in(found["value"]) or "AI tool"
        role = _ROLES.get(found["role"], "stamp")
        signatures.append((tool, role, found["trailer"], found["matched_text"]))
    return signatures


def own_signatures(message: str) -> list[Signature]:
    """Assisted-by and Generated-by, whatever they name, and well-known tools as authors or signers."""
    found: list[Signature] = []
    for line in message.splitlines():
        trailer = _TRAILER.fullmatch(line[:1000].rstrip())
        if trailer is None:
            continue
        key, value = trailer[1].lower(), trailer[2]
        named = _NAMED.search(value)
        if key in _DISCLOSING:
            found.append((tool_named_in(value) or "AI tool", "disclosure", trailer[1], line.strip()))
        elif key in _PERSONS and named and _ROBOT.search(value):
            found.append((_spelled(named[1]), _PERSONS[key], trailer[1], line.strip()))
    return list(dict.fromkeys(found))


def tool_named_in(text: str) -> str:
    """A well-known tool that a text names, or ""."""
    named = _NAMED.search(text)
    return _spelled(named[1]) if named else ""


def _spelled(name: str) -> str:
    return next(tool for tool in _TOOLS if tool.lower() == name.lower())
