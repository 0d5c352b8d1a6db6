"""The change that a command is about: files, a diff, or what a work tree changes; with commit messages."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.cli.project import MAX_INPUT, Project, read_bytes, read_project
from corpus.errors import BadInput

if TYPE_CHECKING:
    from app.scan.diff import Diff

NAMED = 5


@dataclass(frozen=True, slots=True)
class Change:
    """diff: what to search. files: whole contents by path, where they were given. commits: messages.

    notes: sentences on what the change leaves out. base: the revision it is measured from, or "".
    raw: the diff as it was read, empty for whole files.
    """

    diff: Diff
    files: dict[str, bytes] = field(default_factory=dict)
    commits: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()
    base: str = ""
    raw: bytes = b""

    @property
    def empty(self) -> bool:
        return not self.diff.files and not self.diff.skips


def read_change(files: list[Path], diff: str | None, base: str | None) -> Change:
    """The change to search; exactly one of the three is given."""
    from app.scan.diff import read_diff, read_files

    if sum((bool(files), diff is not None, base is not None)) != 1:
        raise typer.BadParameter(
            "give one of: files, --diff FILE (or - for standard input), --base REV. "
            "For example: git diff main | whence check --diff -"
        )
    if files:
        texts = {_shown(path): read_bytes(path) for path in files}
        return Change(read_files(texts), texts)
    if base is not None:
        from app.cli import worktree

        raw = worktree.diff_since(base)
        messages = worktree.messages_since(base)
        return Change(read_diff(raw), commits=messages, notes=_untracked(), base=base, raw=raw)
    assert diff is not None
    raw = _standard_input() if diff == "-" else read_bytes(Path(diff))
    read = read_diff(raw)
    return Change(read, commits=read.commits, raw=raw)


def _standard_input() -> bytes:
    data = sys.stdin.buffer.read(MAX_INPUT + 1)
    if len(data) > MAX_INPUT:
        raise BadInput(f"standard input is larger than {MAX_INPUT >> 20} MiB")
    return data


def project_of(change: Change, policy_file: Path | None, outbound: str | None) -> Project:
    """The project that receives the change, as it was before the change where that is known."""
    if not change.base:
        return read_project(policy_file, outbound)
    from app.cli import worktree

    return read_project(policy_file, outbound, worktree.files_at(change.base), change.base)


def _untracked() -> tuple[str, ...]:
    from app.cli import worktree

    names = worktree.untracked()
    if not names:
        return ()
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return (f"Files that git does not track were not searched: {', '.join(names[:NAMED])}{more}.",)


def _shown(path: Path) -> str:
    """Paths are told as the user's project knows them, where that can be seen."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix().lstrip("/")
