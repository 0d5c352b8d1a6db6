"""One commit of a git repository as a deterministic tar archive.

The repository is hostile: git never runs inside it and never reads its configuration. A remote one is
fetched by https, one commit deep, into a bare repository of our own; of a local one only the object folder
is used, as an alternate of our own empty repository. Trees and blobs are read with ls-tree and cat-file:
nothing is checked out, so there are no hooks, filters or attributes to run. Links and submodules are left
out, and counted.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from corpus.errors import BadPurl, DigestMismatch, NotInRegistry, SourceError
from corpus.model import Artifact, Fetched
from corpus.purl import git_address
from corpus.sources.download import shown
from corpus.sources.git_process import GitProcess
from corpus.sources.settings import Progress, SourceSettings
from corpus.sources.store import Store, digest_of

if TYPE_CHECKING:
    from packageurl import PackageURL

MAX_FILES = 200_000
MAX_BLOB = 64 << 20
_LISTING_LIMIT = 256 << 20


@dataclass(frozen=True, slots=True)
class _Blob:
    path: bytes
    object_id: str
    size: int
    executable: bool


def fetch(
    parsed: PackageURL, store: Store, settings: SourceSettings, progress: Progress | None = None
) -> Fetched:
    """Fetch one commit. Raises BadPurl, NotInRegistry, DigestMismatch, SourceError."""
    purl = str(parsed.to_string())
    vcs_url = parsed.qualifiers.get("vcs_url", "")
    if not vcs_url:
        raise BadPurl(purl, "it needs ?vcs_url=git+https://…@ and a full commit id")
    address, commit = git_address(purl, vcs_url)
    report = progress or (lambda name, done, total: None)
    name = f"{parsed.name}-{commit[:12]}"
    with store.scratch() as scratch:
        process = GitProcess(purl, scratch, settings)
        repository = scratch / "repository"
        process.run("init", "--bare", "--quiet", f"--object-format={_format_of(commit)}", str(repository))
        if address.startswith("https://"):
            process.fetch_commit(repository, address, commit, lambda done: report(name, done, None))
        elif settings.allow_local:
            process.objects = _object_folder(purl, address)
        else:
            raise BadPurl(purl, "repositories of this machine cannot be indexed here")
        blobs, left_out = _listing(process, purl, repository, commit, settings)
        part = scratch / "archive.tar"
        _write_tar(process, purl, repository, blobs, name, part)
        sha256 = digest_of(part)
        artifact = Artifact(f"{name}.tar", store.adopt(part, sha256), sha256)
    url = shown(address) if address.startswith("https://") else ""
    return Fetched(purl, (artifact,), left_out, url=url)


def _format_of(commit: str) -> str:
    return "sha1" if len(commit) == 40 else "sha256"


def _object_folder(purl: str, address: str) -> Path:
    """Return the object folder of a local repository, bare or with a work tree; links are refused."""
    root = Path(unquote(urlsplit(address).path))
    for place in (root / ".git", root):
        objects = place / "objects"
        if place.is_symlink() or objects.is_symlink():
            raise SourceError(purl, f"{place} is or has a link in place of a repository's folder")
        if objects.is_dir():
            return objects.resolve()
    raise NotInRegistry(purl, f"{root} is not a git repository")


def _listing(
    process: GitProcess, purl: str, repository: Path, commit: str, settings: SourceSettings
) -> tuple[list[_Blob], tuple[str, ...]]:
    """Return the regular files of a commit, by path, and sentences on what was left out."""
    kind = process.run(
        "cat-file", "-t", commit, repository=repository, missing=f"commit {commit} is not there"
    )
    if kind.strip() != b"commit":
        raise SourceError(purl, f"{commit} is not a commit but a {kind.decode('ascii', 'replace').strip()}")
    listing = process.run(
        "ls-tree", "-r", "-z", "-l", "--full-tree", commit, repository=repository, limit=_LISTING_LIMIT
    )
    blobs: list[_Blob] = []
    links = submodules = odd = large = 0
    for entry in listing.split(b"\0"):
        if not entry:
            continue
        head, _, path = entry.partition(b"\t")
        mode, _, object_id, size = head.split()
        if mode == b"120000":
            links += 1
        elif mode == b"160000":
            submodules += 1
        elif mode not in (b"100644", b"100755", b"100664") or not _is_plain(path):
            odd += 1
        elif not size.isdigit():  # git says BAD for an object that it has not
            raise SourceError(purl, f"the repository lacks {path.decode('utf-8', 'replace')}")
        elif int(size) > MAX_BLOB:
            large += 1
        else:
            blobs.append(_Blob(path, object_id.decode(), int(size), mode == b"100755"))
    if len(blobs) > MAX_FILES or sum(blob.size for blob in blobs) > settings.max_bytes:
        raise SourceError(purl, f"it has more than {MAX_FILES} files or {settings.max_bytes} bytes")
    counts = (
        (links, "symbolic links"),
        (submodules, "submodules"),
        (odd, "entries with unusable names or modes"),
        (large, f"files larger than {MAX_BLOB} bytes"),
    )
    left_out = tuple(f"{what} left out: {count}" for count, what in counts if count)
    return sorted(blobs, key=lambda blob: blob.path), left_out


def _is_plain(path: bytes) -> bool:
    return not {b"", b".", b".."} & set(path.split(b"/"))


def _write_tar(
    process: GitProcess, purl: str, repository: Path, blobs: list[_Blob], name: str, target: Path
) -> None:
    """Write the blobs under one top folder. Equal commits give equal bytes: no times, owners or umask."""
    with (
        _contents(process, purl, repository) as content_of,
        tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for blob in blobs:
            content = content_of(blob)
            member = tarfile.TarInfo(f"{name}/{blob.path.decode('utf-8', 'surrogateescape')}")
            member.size = len(content)
            member.mode = 0o755 if blob.executable else 0o644
            archive.addfile(member, io.BytesIO(content))


@contextmanager
def _contents(process: GitProcess, purl: str, repository: Path) -> Iterator[Callable[[_Blob], bytes]]:
    """Give a function that reads one blob, checked against its own object id."""
    with process.batch(repository) as child:
        if child.stdin is None or child.stdout is None:
            raise AssertionError("the batch process has pipes")
        requests, answers = child.stdin, child.stdout

        def content_of(blob: _Blob) -> bytes:
            shown_path = blob.path.decode("utf-8", "replace")
            try:
                requests.write(f"{blob.object_id}\n".encode())
                requests.flush()
                head = answers.readline(256).split()
            except BrokenPipeError:
                head = []
            if process.expired:
                raise SourceError(purl, "git took longer than it may")
            if len(head) != 3 or head[1] != b"blob" or int(head[2]) != blob.size:
                raise SourceError(purl, f"git has no content for {shown_path}")
            content = answers.read(blob.size)
            answers.read(1)
            _check_blob(purl, blob, shown_path, content)
            return content

        yield content_of


def _check_blob(purl: str, blob: _Blob, shown_path: str, content: bytes) -> None:
    """Raise DigestMismatch unless the object id is the hash of the content, as git defines it."""
    algorithm = _format_of(blob.object_id)
    digest = hashlib.new(algorithm, b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    if digest.hexdigest() != blob.object_id:
        raise DigestMismatch(purl, shown_path, algorithm, blob.object_id, digest.hexdigest())
