"""What a package says about its licences: debian/copyright by file, package metadata as a whole.

A table of metadata files, each with a reader that returns an SPDX expression or "" when it is uncertain;
`Dep5`, the machine-readable debian/copyright with the lookup by path that its format defines. Files that
cannot be read state nothing: a malformed one is no error here, the evidence of lower rank decides.
Called by conclude and bench.
"""

from __future__ import annotations

import email.parser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from typing import Any

from corpus.licenses.expression import combine, parse_spdx
from corpus.licenses.names import from_name

MAX_METADATA = 1024 * 1024
MAX_STANZAS = 20_000

_LICENSE_NAME = re.compile(
    r"(?:un)?licen[cs]es?|copying|copyrights?|(?:copying|licen[cs]e)(?:[._-][\w.+-]*|v?\d[\w.]*)"
    r"|(?:mit|bsd|apache|l?gpl|agpl)[\w.]*[._-]licen[cs]e|[al]?gpl[-_]?v?[\d.]*",
    re.IGNORECASE,
)
_MAY_BE_LICENSE = re.compile(r"licen|copy|gpl", re.IGNORECASE)  # what all of them have in common
_TEXT_SUFFIX = re.compile(r"\.(?:txt|md|rst|markdown|html?|text)$", re.IGNORECASE)
_SOURCE_SUFFIX = re.compile(
    r"\.(?:c|cc|cpp|cxx|h|hh|hpp|py|pyx|pyi|js|mjs|ts|tsx|jsx|java|rs|go|rb|r|m|f|f90|f95|jl|kt|cs|php|pl|pm|sh|lua"
    r"|json|ya?ml|toml|xml|in|am|spdx|png|svg|asc|sig)$",
    re.IGNORECASE,
)


def is_license_file(path: str) -> bool:
    """Whether a path is by its name a licence text: COPYING.LESSERv3, LICENSE.md, LICENSES/MIT.txt."""
    folder, _, name = path.rpartition("/")
    if name.isascii() and "LICENSES" not in folder and not _MAY_BE_LICENSE.search(name):
        return False
    folder, name = posixpath.split(path)
    if _SOURCE_SUFFIX.search(name) or path == "debian/copyright":
        return False
    if posixpath.basename(folder) == "LICENSES":
        return True
    return _LICENSE_NAME.fullmatch(_TEXT_SUFFIX.sub("", name)) is not None


def is_metadata_file(path: str) -> bool:
    """Whether a path is a package's metadata that can state a licence."""
    return path.rpartition("/")[2] in _READERS


def metadata_expression(path: str, content: bytes) -> str:
    """The SPDX expression that a metadata file states, or ""."""
    reader = _READERS.get(posixpath.basename(path))
    if reader is None or len(content) > MAX_METADATA:
        return ""
    try:
        return reader(content.decode("utf-8", "replace"))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ""


def governed_folder(path: str) -> str:
    """The folder whose files a licence or metadata file speaks for ("" is the root)."""
    folder, name = posixpath.split(path)
    if posixpath.basename(folder) == "LICENSES":
        return posixpath.dirname(folder)
    if name in {"PKG-INFO", "METADATA"} and folder.endswith((".egg-info", ".dist-info")):
        folder = posixpath.dirname(folder)
        return posixpath.dirname(folder) if posixpath.basename(folder) == "src" else folder
    return folder


def _pkg_info(text: str) -> str:
    headers = email.parser.HeaderParser().parsestr(text)
    classified = [
        value.rpartition("::")[2].strip()
        for value in headers.get_all("Classifier", [])
        if str(value).startswith("License ::")
    ]
    stated = parse_spdx(headers.get("License-Expression") or "") or from_name(headers.get("License") or "")
    return stated or from_classifiers(classified)


def from_classifiers(names: list[str]) -> str:
    """Trove classifiers' last parts: several are a choice nobody wrote down, so all must hold (AND)."""
    known = [from_name(name) for name in names if name != "OSI Approved"]
    return combine(known) if known and all(known) else ""


def _package_json(text: str) -> str:
    stated = json.loads(text)
    value = stated.get("license") or stated.get("licenses") or ""
    if isinstance(value, list):  # a former form: a list of choices
        names = [str(entry.get("type", "") if isinstance(entry, dict) else entry) for entry in value]
        known = [from_name(name) for name in names]
        return combine(known, "OR") if all(known) else ""
    return from_name(str(value.get("type", "") if isinstance(value, dict) else value))


def _cargo(text: str) -> str:
    value = tomllib.loads(text).get("package", {}).get("license", "")
    return parse_spdx(value.replace("/", " OR ")) or from_name(value)


def _pyproject(text: str) -> str:
    stated = tomllib.loads(text)
    project = stated.get("project", {})
    value = project.get("license") or stated.get("tool", {}).get("poetry", {}).get("license") or ""
    if isinstance(value, dict):
        value = value.get("text", "")
    classified = [
        str(name).rpartition("::")[2].strip()
        for name in project.get("classifiers", [])
        if str(name).startswith("License ::")
    ]
    return from_name(str(value)) or from_classifiers(classified)


def _description(text: str) -> str:
    """R and Octave: `License: GPL (>= 2) | file LICENSE`; a bare `file LICENSE` states nothing."""
    found = re.search(r"^Licen[cs]e:[ \t]*(.+(?:\n[ \t]+\S.*)*)", text, re.IGNORECASE | re.MULTILINE)
    if found is None:
        return ""
    named = re.sub(r"\s*[|+]\s*file\s+LICEN[CS]E\b", "", " ".join(found[1].split()))
    return from_name(named)


_READERS: dict[str, Callable[[str], str]] = {
    "PKG-INFO": _pkg_info,
    "METADATA": _pkg_info,
    "package.json": _package_json,
    "Cargo.toml": _cargo,
    "pyproject.toml": _pyproject,
    "DESCRIPTION": _description,
}


@dataclass(frozen=True)
class Stanza:
    """One `Files:` paragraph. name: its licence's short name. text: the licence text given for it."""

    patterns: tuple[str, ...]
    name: str
    text: str

    @cached_property
    def expression(self) -> str:
        return from_name(self.name)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("|".join(_pattern(pattern) for pattern in self.patterns))

    def matches(self, path: str) -> bool:
        return path in self.patterns or self._regex.match(path) is not None


def _pattern(glob: str) -> str:
    r"""A file pattern as a regular expression without backtracking across wildcards.

    `*` and `?` match any characters, `/` and leading dots included; `\*`, `\?`, `\\` are literal. Sets
    (`[ch]`) are outside the format but in use: they are honoured, literal brackets match by equality.
    """
    escapes = {"\\*": "[*]", "\\?": "[?]", "\\\\": "\\"}
    return translate(re.sub(r"\\[*?\\]", lambda found: escapes[found[0]], glob.removeprefix("./")))


class Dep5:
    """A machine-readable debian/copyright (copyright-format 1.0)."""

    def __init__(self, stanzas: tuple[Stanza, ...], whole: str) -> None:
        self.stanzas = stanzas
        self.whole = whole  # the header's licence: that of the package as a whole, an expression or ""

    def stanza(self, path: str) -> Stanza | None:
        """The last paragraph with a pattern for `path` (relative to the source tree)."""
        return next((stanza for stanza in reversed(self.stanzas) if stanza.matches(path)), None)


def read_dep5(content: bytes) -> Dep5 | None:
    """The paragraphs of a debian/copyright; None when it is free prose, too long or malformed."""
    from debian_inspector import copyright as dep5

    text = content.decode("utf-8", "replace")
    if len(content) > MAX_METADATA or not re.search(
        r"^Format(?:-Specification)?:", text[:4096], re.MULTILINE
    ):
        return None
    try:
        paragraphs = dep5.DebianCopyright.from_text(text).paragraphs
    except Exception:  # a parser of hand-written files; whatever it trips over, the file states nothing
        return None
    texts = {
        p.license.name: p.license.text or ""
        for p in paragraphs
        if isinstance(p, dep5.CopyrightLicenseParagraph) and p.license
    }
    stanzas = [
        Stanza(tuple(p.files.values), name, own or texts.get(name, ""))
        for p in paragraphs[:MAX_STANZAS]
        if isinstance(p, dep5.CopyrightFilesParagraph) and p.files
        for name, own in [_license_of(p)]
        if name or own
    ]
    header = next((p for p in paragraphs if isinstance(p, dep5.CopyrightHeaderParagraph)), None)
    return Dep5(tuple(stanzas), from_name(_license_of(header)[0]) if header is not None else "")


def _license_of(paragraph: Any) -> tuple[str, str]:
    stated = paragraph.license
    return (str(stated.name or "").strip(), str(stated.text or "").strip()) if stated else ("", "")
