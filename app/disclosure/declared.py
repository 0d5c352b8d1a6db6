"""What a change declares about AI use: statements in its commit messages and its pull request's text.

Texts are hostile and private: they are bounded, quoted in short, and never logged. Called by the command line
and by whoever receives pull requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.report.model import AiStatement

MAX_COMMITS = 2_000
MAX_MESSAGE = 64_000
MAX_PULL_REQUEST = 200_000
MAX_QUOTE = 160


@dataclass(frozen=True, slots=True)
class Declared:
    """statements: in the order read. commits: messages read. pull_request: whether a text was given.

    reader: what recognised the tools in commit messages. unread: messages, or parts, over the limits.
    """

    statements: tuple[AiStatement, ...] = ()
    commits: int = 0
    pull_request: bool = False
    reader: str = ""
    unread: int = 0

    @property
    def used(self) -> tuple[AiStatement, ...]:
        return tuple(each for each in self.statements if each.used)

    @property
    def denied(self) -> tuple[AiStatement, ...]:
        return tuple(each for each in self.statements if not each.used)


def read(commits: Sequence[bytes], pull_request: str | None = None) -> Declared:
    """Read whole commit messages (oldest first or as they come) and the text of a pull request."""
    from app.disclosure.pull_request import statements
    from app.disclosure.trailers import best_reader

    name, signatures = best_reader() if commits else ("", None)
    found: list[AiStatement] = []
    unread = max(0, len(commits) - MAX_COMMITS)
    for number, message in enumerate(commits[:MAX_COMMITS], 1):
        unread += len(message) > MAX_MESSAGE
        text = message[:MAX_MESSAGE].decode("utf-8", "replace")
        assert signatures is not None
        found += [
            AiStatement(f"commit {number}", True, tool, role, trailer, quoted(matched))
            for tool, role, trailer, matched in signatures(text)
        ]
    if pull_request is not None:
        unread += len(pull_request) > MAX_PULL_REQUEST
        found += statements(pull_request[:MAX_PULL_REQUEST])
    return Declared(tuple(found), min(len(commits), MAX_COMMITS), pull_request is not None, name, unread)


def quoted(text: str) -> str:
    """One line of a text, cut."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_QUOTE else line[: MAX_QUOTE - 1] + "…"
