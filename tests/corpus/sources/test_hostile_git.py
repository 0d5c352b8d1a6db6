"""Hostile git repositories: whatever is hidden in them, nothing of it runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.errors import BadPurl, SourceError
from corpus.sources import fetch
from tests.corpus.sources.git_server import (
    FILES,
    SETTINGS,
    GitServer,
    contents,
    git,
    make_repository,
    purl_of,
)


class Trap:
    """A command that leaves a file behind if anything runs it, and a repository to hide it in."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path, self.repository = tmp_path, tmp_path / "hostile"
        self.canaries = tmp_path / "canaries"
        self.canaries.mkdir()
        self.script = tmp_path / "payload.sh"
        self.script.write_text(f"#!/bin/sh\ntouch {self.canaries}/ran\nexit 1\n")
        self.script.chmod(0o755)
        self.commit = make_repository(self.repository, FILES)

    def configure(self, *pairs: tuple[str, str]) -> None:
        for name, value in pairs:
            git(self.repository, "config", name, value)

    def add(self, files: dict[str, bytes]) -> None:
        for name, body in files.items():
            (self.repository / name).write_bytes(body)
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "--message=more")
        self.commit = git(self.repository, "rev-parse", "HEAD")

    def add_tree(self, entries: bytes) -> None:
        """Commit a tree that git itself would refuse to make."""
        tree = git(
            self.repository, "hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=entries
        )
        self.commit = git(self.repository, "commit-tree", tree, "-m", "odd")

    @property
    def address(self) -> str:
        return self.repository.as_uri()


def fsmonitor(trap: Trap) -> None:
    trap.configure(("core.fsmonitor", str(trap.script)), ("core.untrackedCache", "true"))


def text_conversion(trap: Trap) -> None:
    trap.add({".gitattributes": b"* diff=evil\n"})
    trap.configure(("diff.evil.textconv", str(trap.script)))


def filters(trap: Trap) -> None:
    trap.add({".gitattributes": b"* filter=evil ident export-subst\n"})
    for kind in ("smudge", "clean", "process"):
        trap.configure((f"filter.evil.{kind}", str(trap.script)))
    trap.configure(("filter.evil.required", "true"))


def external_diff_and_programs(trap: Trap) -> None:
    for name in ("diff.external", "core.pager", "core.editor", "core.sshCommand", "core.askPass",
                 "gpg.program", "credential.helper", "core.alternateRefsCommand"):  # fmt: skip
        trap.configure((name, str(trap.script)))


def hooks(trap: Trap) -> None:
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "update",
                 "fsmonitor-watchman", "post-update", "proc-receive"):  # fmt: skip
        hook = trap.repository / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(trap.script.read_bytes())
        hook.chmod(0o755)
    trap.configure(("core.hooksPath", str(trap.repository / ".git" / "hooks")))


def submodule_url(trap: Trap) -> None:
    text = f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c {trap.script}\n\tupdate = !{trap.script}\n'
    blob = git(trap.repository, "hash-object", "-w", "--stdin", stdin=text.encode())
    entries = b"100644 .gitmodules\0" + bytes.fromhex(blob) + b"160000 x\0" + bytes.fromhex(trap.commit)
    trap.add_tree(entries)
    trap.configure(("submodule.recurse", "true"), ("fetch.recurseSubmodules", "true"))


def alternates(trap: Trap) -> None:
    other = trap.tmp_path / "other"
    make_repository(other, {"x": b"x"})
    (other / ".git" / "config").write_text(f"[core]\n\tfsmonitor = {trap.script}\n")
    alternates_file = trap.repository / ".git" / "objects" / "info" / "alternates"
    alternates_file.parent.mkdir(exist_ok=True)
    alternates_file.write_text(f"{other}/.git/objects\n|{trap.script}\n../../../../..\n")


def git_file(trap: Trap) -> None:
    """`.git` is a file that points to a folder with a configuration of its own."""
    fsmonitor(trap)
    (trap.repository / ".git").rename(trap.tmp_path / "elsewhere")
    (trap.repository / ".git").write_text(f"gitdir: {trap.tmp_path}/elsewhere\n")


def git_link(trap: Trap) -> None:
    (trap.repository / ".git").rename(trap.tmp_path / "elsewhere")
    (trap.repository / ".git").symlink_to(trap.tmp_path / "elsewhere")


def links_in_the_tree(trap: Trap) -> None:
    (trap.repository / "link").symlink_to(trap.script)
    (trap.repository / "outside").symlink_to("/etc")
    trap.add({})


def option_like_url(trap: Trap) -> None:
    trap.repository = trap.tmp_path / f"--upload-pack={trap.script.name}"
    trap.commit = make_repository(trap.repository, FILES)


def other_transports(trap: Trap) -> None:
    """The repository's configuration turns every address into a command."""
    trap.configure((f"url.ext::sh -c {trap.script} .insteadOf", "file://"), ("protocol.ext.allow", "always"))


def served_pack_hook(trap: Trap) -> None:
    trap.configure(("uploadpack.packObjectsHook", str(trap.script)), ("uploadpack.allowFilter", "true"))


def lazy_fetch(trap: Trap) -> None:
    """A partial clone lacks a blob, and names a program that would bring it."""
    blob = git(trap.repository, "rev-parse", "HEAD:COPYING")
    (trap.repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    trap.configure(
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "evil"),
        ("remote.evil.url", f"file://{trap.repository}"),
        ("remote.evil.uploadpack", str(trap.script)),
        ("remote.evil.promisor", "true"),
    )


def included_configuration(trap: Trap) -> None:
    (trap.tmp_path / "more.config").write_text(
        f"[core]\n\tfsmonitor = {trap.script}\n\tpager = {trap.script}\n"
    )
    trap.configure(("include.path", str(trap.tmp_path / "more.config")), ("alias.ls-tree", f"!{trap.script}"))


def paths_that_climb(trap: Trap) -> None:
    blob = bytes.fromhex(git(trap.repository, "rev-parse", "HEAD:COPYING"))
    inner = b"100755 post-checkout\0" + blob
    tree = git(trap.repository, "hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=inner)
    trap.add_tree(b"100644 ..\0" + blob + b"40000 .git\0" + bytes.fromhex(tree) + b"100644 a\nb\tc\0" + blob)


def replaced_objects(trap: Trap) -> None:
    """A replacement would give other content under the same id."""
    first = trap.commit
    trap.add({"COPYING": b"something else\n"})
    git(trap.repository, "replace", first, trap.commit)
    trap.commit = first


HOSTILE: list[Callable[[Trap], None]] = [
    fsmonitor, text_conversion, filters, external_diff_and_programs, hooks, submodule_url, alternates,
    git_file, git_link, links_in_the_tree, option_like_url, other_transports, served_pack_hook, lazy_fetch,
    included_configuration, paths_that_climb, replaced_objects,
]  # fmt: skip


LEFT_OUT = {
    submodule_url: "submodules",
    links_in_the_tree: "symbolic links",
    paths_that_climb: "unusable names",
}


@pytest.mark.parametrize("arm", HOSTILE, ids=lambda arm: arm.__name__)
def test_hostile_repositories_run_nothing(
    arm: Callable[[Trap], None], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = Trap(tmp_path)
    arm(trap)
    # Whence may itself be started inside the hostile folder.
    monkeypatch.chdir(trap.repository)
    if arm in (git_file, git_link, lazy_fetch):
        with pytest.raises(SourceError):
            fetch(purl_of(trap.address, trap.commit), cache, SETTINGS)
    else:
        fetched = fetch(purl_of(trap.address, trap.commit), cache, SETTINGS)
        assert all(".." not in name.split("/") for name in contents(fetched))
        if arm is replaced_objects:
            assert contents(fetched) == FILES
        if arm in LEFT_OUT:
            assert [LEFT_OUT[arm] in sentence for sentence in fetched.missing] == [True]
    assert list(trap.canaries.iterdir()) == []


def test_the_traps_work(tmp_path: Path) -> None:
    """The same repositories do run their command when git is used inside them: the test above can fail."""
    for arm, command in (
        (fsmonitor, ["status"]),
        (text_conversion, ["show", "--textconv"]),
        (external_diff_and_programs, ["log", "-p", "--ext-diff"]),
        (hooks, ["checkout", "--detach"]),
        (lazy_fetch, ["cat-file", "-p", "HEAD:COPYING"]),
    ):
        folder = tmp_path / arm.__name__
        folder.mkdir()
        trap = Trap(folder)
        arm(trap)
        (trap.repository / "COPYING").write_bytes(b"edited\n")
        subprocess.run(["git", *command], cwd=trap.repository, capture_output=True, check=False, timeout=30)
        assert list(trap.canaries.iterdir()), arm.__name__


@pytest.mark.parametrize("served", [filters, hooks, submodule_url, served_pack_hook, links_in_the_tree])
def test_hostile_repositories_over_https(
    served: Callable[[Trap], None], tmp_path: Path, cache: Path, server: GitServer
) -> None:
    trap = Trap(tmp_path)
    served(trap)
    trap.repository.rename(server.root / "r")
    git(server.root / "r", "update-ref", "refs/heads/odd", trap.commit)
    fetched = fetch(purl_of(f"{server.url}/r/.git", trap.commit), cache, SETTINGS)
    assert contents(fetched)
    assert list(trap.canaries.iterdir()) == []


@pytest.mark.parametrize(
    "target", ["file://{hostile}/.git/info/refs", "ext::sh -c {payload}", "http://127.0.0.1:9/x"]
)
def test_redirects_to_other_protocols(target: str, tmp_path: Path, cache: Path, server: GitServer) -> None:
    trap = Trap(tmp_path)
    server.redirects["/r/"] = target.format(hostile=trap.repository, payload=trap.script)
    with pytest.raises(SourceError):
        fetch(purl_of(f"{server.url}/r/.git", trap.commit), cache, SETTINGS)
    assert list(trap.canaries.iterdir()) == []


@pytest.mark.parametrize(
    "address", ["ext::sh -c {payload}", "--upload-pack={payload}", "ssh://-oProxyCommand={payload}/x"]
)
def test_addresses_that_are_commands(address: str, tmp_path: Path, cache: Path) -> None:
    trap = Trap(tmp_path)
    with pytest.raises(BadPurl):
        fetch(purl_of(address.format(payload=trap.script), trap.commit), cache, SETTINGS)
    assert list(trap.canaries.iterdir()) == []


def test_the_users_own_configuration_does_not_count(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = Trap(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f"[core]\n\tfsmonitor = {trap.script}\n[alias]\n\tx = !{trap.script}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(trap.repository / ".git"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap.script))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(trap.canaries))
    assert contents(fetch(purl_of(trap.address, trap.commit), cache, SETTINGS)) == FILES
    assert list(trap.canaries.iterdir()) == []
