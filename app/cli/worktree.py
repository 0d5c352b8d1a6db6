"""What the commands ask git about the current work tree. Nothing that a repository configures is run.

A revision is resolved once; what goes on is its id. Called by the commands that take --base.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from corpus.errors import BadInput

MAX_COMMITS = 2_000
_SAFE = (
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=true",
    "-c", "log.showSignature=false", "-c", "diff.external=", "-c", "core.pager=cat",
)  # fmt: skip
_UNSET = ("GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_PAGER")
_SET = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1"}


def diff_since(base: str) -> bytes:
    """The unified diff of the work tree against a revision."""
    return _git(
        "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--unified=3",
        "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short", resolve(base), "--",
    )  # fmt: skip


def messages_since(base: str) -> tuple[bytes, ...]:
    """The messages of the commits that HEAD has and the revision has not, newest first."""
    log = _git(
        "log", "--no-show-signature", "--no-color", "--encoding=UTF-8", "--format=%B%x00",
        f"--max-count={MAX_COMMITS + 1}", f"{resolve(base)}..HEAD", "--",
    )  # fmt: skip
    return tuple(message.strip() for message in log.split(b"\0") if message.strip())


def untracked() -> list[str]:
    """Files here that git does not know and does not ignore: no diff shows them."""
    names = _git("ls-files", "--others", "--exclude-standard", "-z").split(b"\0")
    return [name.decode("utf-8", "backslashreplace") for name in names if name]


def files_at(base: str) -> Callable[[str], bytes | None]:
    """Reads files of this folder as of a revision; None for a file that it does not have."""
    commit = resolve(base)

    def read(name: str) -> bytes | None:
        row = _git("ls-tree", "-z", commit, "--", name)
        # `<mode> blob <id>\t<path>`: a link is no text of the project's.
        if not row.startswith(b"100"):
            return None
        return _git("cat-file", "blob", row.split(b"\t")[0].split()[2].decode())

    return read


def user() -> str:
    """How git calls its user here, or ""."""
    try:
        return _git("config", "user.name").decode("utf-8", "replace").strip()
    except BadInput:
        return ""


def resolve(revision: str) -> str:
    """The id of the commit that a revision names. Raises BadInput."""
    if revision.startswith("-"):
        raise BadInput(f"{revision!r} is not a revision")
    try:
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except BadInput as error:
        if "not installed" in error.message or "git repository" in error.message:
            raise
        raise BadInput(f"--base: git knows no commit {revision!r} here; fetch it first") from error
    return found.decode().strip()


def _git(*arguments: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if name not in _UNSET} | _SET
    try:
        done = subprocess.run(["git", *_SAFE, *arguments], capture_output=True, check=False, env=environment)
    except FileNotFoundError as error:
        raise BadInput("--base needs git, which is not installed") from error
    if done.returncode != 0:
        raise BadInput(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()[:500]}")
    return done.stdout
