"""What the project in the current folder says of itself: its policy and its own licence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import BadInput

if TYPE_CHECKING:
    from app.policy.model import Policy

MAX_INPUT = 256 << 20
POLICIES = ("whence.toml", "pyproject.toml")
METADATA = ("pyproject.toml", "package.json", "Cargo.toml", "DESCRIPTION", "setup.cfg")


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that the user named; BadInput says what is wrong with it."""
    try:
        if path.stat().st_size > MAX_INPUT:
            raise BadInput(f"{path} is larger than {MAX_INPUT >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def read_text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", "replace")


def whence_table() -> Path | None:
    """The file of this folder that may hold a policy."""
    return next((Path(name) for name in POLICIES if Path(name).is_file()), None)


def read_policy(given: Path | None, outbound: str | None) -> Policy:
    """The project's policy: `given`, else whence.toml or pyproject.toml of this folder.

    outbound wins over what the policy says, and that over what the project's metadata declares.
    """
    from app.policy.parse import parse, with_outbound

    path = given or whence_table()
    policy = parse(read_text(path), str(path)) if path else parse("", "built-in")
    if outbound is not None:
        return with_outbound(policy, outbound)
    if not policy.outbound:
        from app.policy.metadata import outbound_of

        return with_outbound(
            policy, outbound_of({n: read_text(Path(n)) for n in METADATA if Path(n).is_file()})
        )
    return policy


def exclusion(policy: Policy) -> Callable[[str], bool]:
    """Which paths the policy leaves out (gitignore patterns)."""
    if not policy.excludes:
        return lambda path: False
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(policy.excludes).match_file
