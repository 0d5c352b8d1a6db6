"""The project's own licence, as its metadata states it: the default for `outbound`.

Pure: the caller hands over the texts of the files that it found. What the files say is read as the corpus
reads releases (`corpus.licenses.declared`), with what only matters for a project's own licence on top.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping

# In the order in which they are believed.
FILES = ("pyproject.toml", "setup.cfg", "package.json", "Cargo.toml", "DESCRIPTION", "PKG-INFO")

# A bare "BSD" does not say which: as a project's own licence all of them mean the same for what it may take.
_SOME_BSD = re.compile(
    r"License :: OSI Approved :: BSD License|^\s*license\s*[=:].{0,20}\bBSD\b", re.I | re.M
)
# npm's word for "no rights granted": nothing under copyleft fits.
_UNLICENSED = re.compile(r'"license"\s*:\s*"UNLICENSED"')
PROPRIETARY = "LicenseRef-scancode-proprietary-license"


def outbound_of(texts: Mapping[str, str]) -> str:
    """An SPDX expression, or "" when no file states one clearly. texts: file name → text."""
    by_name = {path.rsplit("/", 1)[-1]: text for path, text in sorted(texts.items(), reverse=True)}
    for name in FILES:
        if name in by_name and (stated := _stated(name, by_name[name])):
            return stated
    return ""


def _stated(name: str, text: str) -> str:
    from corpus.licenses.declared import metadata_expression

    stated = _setup_cfg(text) if name == "setup.cfg" else metadata_expression(name, text.encode())
    if stated:
        return stated
    if name == "package.json" and _UNLICENSED.search(text):
        return PROPRIETARY
    return "BSD-3-Clause" if name != "package.json" and _SOME_BSD.search(text) else ""


def _setup_cfg(text: str) -> str:
    from corpus.licenses.declared import from_classifiers
    from corpus.licenses.names import from_name

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return ""
    if not parser.has_section("metadata"):
        return ""
    stated = parser.get("metadata", "license", fallback="")
    lines = parser.get("metadata", "classifiers", fallback="").splitlines()
    classifiers = [line.split("::")[-1].strip() for line in lines if line.strip().startswith("License ::")]
    return from_name(stated.strip()) or from_classifiers(classifiers)
