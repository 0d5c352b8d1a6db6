"""What the project in the current folder says of itself: its policy, its decisions and its own licence.

A `Read` gives a file of the project by name, from this folder or from a revision of it: a change must not be
judged by the policy that it brings along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import BadInput

if TYPE_CHECKING:
    from app.policy.model import Policy, Waiver

MAX_INPUT = 256 << 20
MAX_PROBLEMS = 10
POLICIES = ("whence.toml", "pyproject.toml")
WAIVERS = ".whence/waivers.toml"
METADATA = ("pyproject.toml", "package.json", "Cargo.toml", "DESCRIPTION", "setup.cfg")

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Project:
    """The policy with the decisions that count. notes: sentences on what is odd about it, for the report.

    text: the TOML that the policy was read from, "" for the built-in one. waivers: those of the policy that
    stand elsewhere, in .whence/waivers.toml.
    """

    policy: Policy
    notes: tuple[str, ...] = ()
    text: str = ""
    waivers: tuple[Waiver, ...] = ()


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


def here(name: str) -> bytes | None:
    """A file of this folder."""
    return read_bytes(Path(name)) if Path(name).is_file() else None


def whence_table() -> Path | None:
    """The file of this folder that may hold a policy."""
    return next((Path(name) for name in POLICIES if Path(name).is_file()), None)


def read_project(given: Path | None, outbound: str | None, read: Read = here, revision: str = "") -> Project:
    """The project's policy: `given`, else whence.toml or pyproject.toml as `read` gives them.

    outbound wins over what the policy says, and that over what the project's metadata declares. Decisions of
    .whence/waivers.toml come on top. revision: where `read` reads, for messages. Raises BadPolicy, BadInput.
    """
    from app.policy.parse import parse, section, with_outbound
    from app.policy.waivers import parse_waiver_file

    text, where = "", "built-in"
    if given:
        text, where = read_text(given), str(given)
    else:
        for name in POLICIES:
            if (data := read(name)) is not None:
                text, where = data.decode("utf-8", "replace"), _place(name, revision)
                break
    policy = parse(text, where)
    more: tuple[Waiver, ...] = ()
    if (data := read(WAIVERS)) is not None:
        more = parse_waiver_file(data.decode("utf-8", "replace"), _place(WAIVERS, revision))
        policy = replace(policy, waivers=(*policy.waivers, *more))
    notes = _problems(text, where)
    if outbound is not None:
        policy = with_outbound(policy, outbound)
    elif not policy.outbound:
        policy = with_outbound(policy, _declared(read))
    return Project(policy, notes, text if section(text, where)[0] else "", more)


def read_policy(given: Path | None, outbound: str | None) -> Policy:
    """The policy alone, of this folder."""
    return read_project(given, outbound).policy


def _declared(read: Read) -> str:
    from app.policy.metadata import outbound_of

    texts = {name: data for name in METADATA if (data := read(name)) is not None}
    return outbound_of({name: data.decode("utf-8", "replace") for name, data in texts.items()})


def _place(name: str, revision: str) -> str:
    return f"{revision}:./{name}" if revision else name


def _problems(text: str, where: str) -> tuple[str, ...]:
    """What `whence policy check` would find, as sentences."""
    if not text:
        return ()
    from app.policy.check import problems

    found = problems(text, where)
    said = [f"Policy, {p.where}: {p.what}{f' ({p.suggestion}?)' if p.suggestion else ''}." for p in found]
    if len(said) > MAX_PROBLEMS:
        said = [
            *said[:MAX_PROBLEMS],
            f"Policy: and {len(said) - MAX_PROBLEMS} more; see whence policy check.",
        ]
    return tuple(said)


def exclusion(policy: Policy) -> Callable[[str], bool]:
    """Which paths the policy leaves out (gitignore patterns)."""
    if not policy.excludes:
        return lambda path: False
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(policy.excludes).match_file
