"""One file of a diff while it is read: name, lines, what is wrong with it. Called by the diff reader."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from corpus.model import Region, Skip

_MAX_TROUBLES = 20
_SUBPROJECT = re.compile(rb"Subproject commit [0-9a-f]{40,64}(?:-dirty)?")


@dataclass(slots=True)
class Run:
    """Consecutive lines of the new file; a region in the making."""

    first_line: int
    lines: list[bytes]
    added: list[bool]


@dataclass(slots=True)
class Section:
    """What is known of a file.

    line: where it starts in the diff. name: its path as raw bytes. named: by a pair of --- and +++ lines.
    note: what changed if no text did (mode, renamed, copied, empty). troubles: (line, what) of malformed
    lines. strays: how many added lines stand outside any hunk, the first in stray_line.
    """

    line: int
    name: bytes = b""
    from_git: bool = False
    named: bool = False
    deleted: bool = False
    binary: bool = False
    gitlink: bool = False
    blobs_differ: bool = False
    note: str = ""
    hunks: int = 0
    runs: list[Run] = field(default_factory=list)
    troubles: list[tuple[int, str]] = field(default_factory=list)
    more_troubles: int = 0
    stray_line: int = 0
    strays: int = 0

    def trouble(self, line: int, what: str) -> None:
        if len(self.troubles) < _MAX_TROUBLES:
            self.troubles.append((line, what))
        else:
            self.more_troubles += 1

    def stray(self, line: int) -> None:
        self.stray_line = self.stray_line or line
        self.strays += 1

    def add_run(self, line: int, start: int, lines: list[bytes], added: list[bool]) -> None:
        """Append what the hunk at `line` of the diff holds; hunks that touch make one run."""
        start = max(start, 1)  # `+0,0` has no lines unless it lies
        last = self.runs[-1] if self.runs else None
        end = last.first_line + len(last.lines) if last else 0
        if last and start == end:
            last.lines += lines
            last.added += added
            return
        if start < end:
            self.trouble(line, f"the hunk starts at line {start}, inside or before the previous one")
        self.runs.append(Run(start, lines, added))

    def regions(self) -> tuple[Region, ...]:
        runs = sorted(self.runs, key=lambda run: run.first_line)
        return tuple(Region(run.first_line, tuple(run.lines), tuple(run.added)) for run in runs)

    def skips(self, path: str) -> list[Skip]:
        """Every malformed or stray line, named."""
        found = [Skip(path, f"line {line}: {what}", partial=True) for line, what in self.troubles]
        if self.more_troubles:
            found.append(Skip(path, f"{self.more_troubles} more malformed places", partial=True))
        if self.strays:
            lines = "1 added line" if self.strays == 1 else f"{self.strays} added lines"
            found.append(Skip(path, f"line {self.stray_line}: {lines} outside any hunk", partial=True))
        return found

    def is_submodule(self) -> bool:
        """Whether the text is only the id of a commit of another repository."""
        return self.gitlink and all(_SUBPROJECT.fullmatch(line) for run in self.runs for line in run.lines)

    def without_text(self, path: str) -> Skip:
        """Why a section without runs has none. Partial if it announces text that is not there."""
        if self.gitlink:
            return Skip(path, "submodule")
        if self.deleted:
            return Skip(path, "deleted")
        if self.binary:
            return Skip(path, "binary")
        if self.hunks:
            return Skip(path, "only removed lines")
        if self.named or self.blobs_differ:
            return Skip(path, f"line {self.line}: the file is announced as changed but no text follows", True)
        return Skip(path, self.note or "nothing changed")
