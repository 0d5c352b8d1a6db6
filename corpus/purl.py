"""Package URLs: the names of releases, compared in canonical form.

Canonical is what packageurl-python writes (`%2B` for `+`, lower-case types, PyPI names normalised);
raw spellings are accepted wherever a person types one. Called by the command line, the manifests, the
sources and the scan (to leave out a project's own code). Pure: nothing is read or fetched here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import BadPurl

if TYPE_CHECKING:
    from packageurl import PackageURL

MAX_LENGTH = 4096
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_DEBIAN_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_DEBIAN_VERSION = re.compile(r"(?:[0-9]+:)?[0-9A-Za-z][0-9A-Za-z.+~-]*")


@lru_cache(maxsize=4096)
def parse(purl: str, *, release: bool = True) -> PackageURL:
    """Read a raw or canonical purl. Raises BadPurl saying why.

    release: whether it must name one release, so that a purl without a version is refused.
    """
    from packageurl import PackageURL

    if len(purl) > MAX_LENGTH:
        raise BadPurl(purl[:60] + "…", f"it is longer than {MAX_LENGTH} characters")
    text = purl.strip()
    if _CONTROL.search(text) or " " in text:
        raise BadPurl(purl, "it contains a space or a control character")
    if not text.lower().startswith("pkg:"):
        raise BadPurl(purl, "it does not start with 'pkg:'")
    try:
        parsed = PackageURL.from_string("pkg:" + _with_escaped_qualifiers(text[4:]))
    except ValueError as error:
        raise BadPurl(purl, str(error)) from None
    _check_names(purl, parsed, release)
    return parsed


def canonical(purl: str) -> str:
    """Return the one spelling under which a release is stored and compared. Raises BadPurl."""
    return str(parse(purl).to_string())


@lru_cache(maxsize=1 << 14)
def package_name(purl: str) -> str:
    """Return the purl of a package or a release without version and qualifiers: what all releases share."""
    from packageurl import PackageURL

    parsed = parse(purl, release=False)
    return str(PackageURL(parsed.type, parsed.namespace, parsed.name).to_string())


def same_package(a: str, b: str) -> bool:
    """Tell whether two purls name the same package or releases of it."""
    return package_name(a) == package_name(b)


def local_purl(path: Path | str) -> str:
    """Return the canonical purl of a local folder or archive: its name, and where it lies as a file: URL."""
    from packageurl import PackageURL

    place = Path(path).absolute()
    name = place.name.strip() or "local"  # a name of white space alone is none to the purl
    url = place.as_uri()
    return canonical(str(PackageURL("generic", None, name, "local", {"download_url": url}).to_string()))


def _with_escaped_qualifiers(text: str) -> str:
    """Escape what a raw purl may carry in its qualifiers and the parser would misread.

    `+` would become a space, and the `@` before the commit of a git address the mark of a version.
    """
    head, mark, qualifiers = text.partition("?")
    return head + mark + qualifiers.replace("+", "%2B").replace("@", "%40")


def _check_names(purl: str, parsed: PackageURL, release: bool) -> None:
    """Refuse parts that could not name a release, or that would lead out of a folder or a host."""
    qualifiers = parsed.qualifiers if isinstance(parsed.qualifiers, dict) else {}
    parts = [*(parsed.namespace or "").split("/"), parsed.name, parsed.version or ""]
    if parsed.subpath:
        raise BadPurl(purl, "it names a part of a release (#…): name the release")
    if any(_CONTROL.search(value) for value in qualifiers.values()):
        raise BadPurl(purl, "a qualifier contains a control character")
    for part in parts:
        if _CONTROL.search(part):
            raise BadPurl(purl, "a part of it contains a control character")
        if part in (".", "..") or "\\" in part or "/" in part:
            raise BadPurl(purl, f"{part!r} cannot be a name or a version")
    if qualifiers.get("vcs_url"):
        git_address(purl, qualifiers["vcs_url"])
        return
    if not parsed.version:
        if not release:
            return
        raise BadPurl(purl, "it has no version: name one release, as in pkg:pypi/chardet@5.2.0")
    if parsed.type == "deb" and not (
        _DEBIAN_NAME.fullmatch(parsed.name) and _DEBIAN_VERSION.fullmatch(parsed.version)
    ):
        raise BadPurl(purl, "the name or the version is not one that Debian allows")


def git_address(purl: str, vcs_url: str) -> tuple[str, str]:
    """Split `git+https://host/path@commit` into (address, commit). Raises BadPurl saying what is wrong."""
    scheme, mark, address = vcs_url.partition("+")
    if not mark or scheme != "git":
        raise BadPurl(purl, "vcs_url must start with git+https:// or git+file://")
    address, mark, commit = address.rpartition("@")
    if not mark or not _COMMIT.fullmatch(commit):
        raise BadPurl(purl, "vcs_url must end with @ and a full commit id in hexadecimal")
    if not address.startswith(("https://", "file:///")):
        raise BadPurl(purl, "git repositories are read by https:// or from a local path (file:///)")
    return address, commit
