"""Commits of real repositories, local and over https; and hostile ones, none of which runs anything."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.errors import BadPurl, DigestMismatch, NotInRegistry, SourceError, WhenceError
from corpus.model import Fetched
from corpus.sources import SourceSettings, fetch
from tests.corpus.sources.git_server import GitServer, git, make_repository

FILES = {"src/main.c": b"int main(void) { return 0; }\n", "COPYING": b"GPL\n", "\u00e4 b.txt": b"x\n"}
SETTINGS = SourceSettings(max_seconds=30)


def purl_of(address: str, commit: str) -> str:
    return f"pkg:generic/thing?vcs_url=git+{address}@{commit}"


def contents(fetched: Fetched) -> dict[str, bytes]:
    with tarfile.open(fetched.artifacts[0].path) as archive:
        found = {}
        for member in archive:
            assert member.isreg()
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name.partition("/")[2]] = stream.read()
        return found


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "served").mkdir()
    server = GitServer(tmp_path / "served", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
    yield server
    server.close()


@pytest.mark.parametrize("init", [(), ("--object-format=sha256",)])
def test_a_local_commit(tmp_path: Path, cache: Path, init: tuple[str, ...]) -> None:
    commit = make_repository(tmp_path / "r", FILES, *init)
    fetched = fetch(purl_of((tmp_path / "r").as_uri(), commit), cache, SETTINGS)
    assert contents(fetched) == FILES
    assert [a.name for a in fetched.artifacts] == [f"thing-{commit[:12]}.tar"]
    assert fetched.missing == ()


def test_an_earlier_commit_of_a_packed_bare_repository(tmp_path: Path, cache: Path) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    (tmp_path / "r" / "COPYING").write_bytes(b"changed\n")
    git(tmp_path / "r", "commit", "--quiet", "--all", "--message=two")
    git(tmp_path, "clone", "--quiet", "--bare", str(tmp_path / "r"), "bare")
    git(tmp_path / "bare", "gc", "--quiet")
    assert contents(fetch(purl_of((tmp_path / "bare").as_uri(), commit), cache, SETTINGS)) == FILES


def test_the_same_commit_gives_the_same_bytes_everywhere(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    commit = make_repository(server.root / "r", FILES)
    local = fetch(purl_of((server.root / "r").as_uri(), commit), cache, SETTINGS)
    seen: list[int] = []
    address = f"{server.url}/r/.git"
    remote = fetch(
        purl_of(address, commit), tmp_path / "c2", SETTINGS, lambda name, done, total: seen.append(done)
    )
    assert remote.artifacts[0].sha256 == local.artifacts[0].sha256
    assert contents(remote) == FILES
    assert remote.url == address
    assert seen[-1] > 0
    asked = len(server.requests)
    assert fetch(purl_of(address, commit), tmp_path / "c2", SETTINGS) == remote
    assert len(server.requests) == asked
    assert not list((tmp_path / "c2" / "parts").iterdir())


def test_only_the_commit_is_fetched_and_not_its_history(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    make_repository(server.root / "r", {"old.bin": bytes(range(256)) * 4000})
    git(server.root / "r", "rm", "--quiet", "old.bin")
    (server.root / "r" / "new.c").write_bytes(b"int x;\n")
    git(server.root / "r", "add", "--all")
    git(server.root / "r", "commit", "--quiet", "--message=two")
    commit = git(server.root / "r", "rev-parse", "HEAD")
    small = replace(SETTINGS, max_bytes=4000)
    assert contents(fetch(purl_of(f"{server.url}/r/.git", commit), cache, small)) == {"new.c": b"int x;\n"}


def test_limits(tmp_path: Path, cache: Path, server: GitServer) -> None:
    commit = make_repository(server.root / "r", {"a.txt": b"x" * 100_000})
    for address in (f"{server.url}/r/.git", (server.root / "r").as_uri()):
        with pytest.raises(SourceError, match=r"more than .*1000 bytes|limit of 1000 bytes"):
            fetch(purl_of(address, commit), cache, replace(SETTINGS, max_bytes=1000))


def test_time_is_limited(tmp_path: Path, cache: Path, server: GitServer) -> None:
    """A server that stalls, and a pipe in place of an object, which git would wait for."""
    commit = make_repository(server.root / "r", FILES)
    hasty = replace(SETTINGS, max_seconds=1)
    server.stall = 5
    with pytest.raises(SourceError, match="longer than 1 seconds"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, hasty)
    blob = git(server.root / "r", "rev-parse", "HEAD:COPYING")
    place = server.root / "r" / ".git" / "objects" / blob[:2] / blob[2:]
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(SourceError, match="longer than 1 seconds"):
        fetch(purl_of((server.root / "r").as_uri(), commit), cache, hasty)


def test_what_is_not_there(tmp_path: Path, cache: Path, server: GitServer) -> None:
    commit = make_repository(server.root / "r", FILES)
    for address in (f"{server.url}/r/.git", (server.root / "r").as_uri()):
        with pytest.raises(NotInRegistry):
            fetch(purl_of(address, "0123456789" * 4), cache, SETTINGS)
    for address in (f"{server.url}/none/.git", (server.root / "none").as_uri()):
        with pytest.raises(NotInRegistry):
            fetch(purl_of(address, commit), cache, SETTINGS)
    tree = git(server.root / "r", "rev-parse", "HEAD^{tree}")
    with pytest.raises(SourceError, match="not a commit but a tree"):
        fetch(purl_of((server.root / "r").as_uri(), tree), cache, SETTINGS)


def test_a_server_reads_no_local_repository_and_no_private_address(
    tmp_path: Path, cache: Path, server: GitServer
) -> None:
    commit = make_repository(server.root / "r", FILES)
    careful = replace(SETTINGS, allow_local=False, public_only=True)
    with pytest.raises(BadPurl, match="this machine"):
        fetch(purl_of((server.root / "r").as_uri(), commit), cache, careful)
    with pytest.raises(SourceError, match="not a public address"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, careful)
    assert server.requests == []


def test_an_untrusted_certificate(
    tmp_path: Path, cache: Path, server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = make_repository(server.root / "r", FILES)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceError, match="certificate"):
        fetch(purl_of(f"{server.url}/r/.git", commit), cache, SETTINGS)
    assert server.requests == []


def test_no_git_here(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        fetch(purl_of((tmp_path / "r").as_uri(), commit), cache, SETTINGS)


# ---- hostile repositories ---------------------------------------------------------------------------


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


def test_content_that_does_not_fit_its_id(tmp_path: Path, cache: Path) -> None:
    commit = make_repository(tmp_path / "r", FILES)
    folder = tmp_path / "r"
    objects = {name: git(folder, "rev-parse", f"HEAD:{name}") for name in ("COPYING", "src/main.c")}
    places = {name: folder / ".git" / "objects" / i[:2] / i[2:] for name, i in objects.items()}
    places["COPYING"].chmod(0o644)
    places["COPYING"].write_bytes(places["src/main.c"].read_bytes())
    with pytest.raises((DigestMismatch, SourceError)) as caught:
        fetch(purl_of(folder.as_uri(), commit), cache, SETTINGS)
    assert isinstance(caught.value, WhenceError)
