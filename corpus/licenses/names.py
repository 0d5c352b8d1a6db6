"""Licence names as people and package metadata write them -> SPDX expressions.

"GPLv3+", "LGPL (>= 2.1)", "GNU General Public License v2 or later", "BSD 3-clause", "Expat": the GNU family
by its grammar (name, version, "or later"), the others by a table. What is not certain stays "": a name
without its decisive part ("BSD", "Artistic") is no licence. Called by declared and conclude.
"""

from __future__ import annotations

import re
from functools import lru_cache

from corpus.licenses.expression import combine, parse_spdx

MAX_NAME = 300

# Over lower-case words and signs with single spaces between them (`_plain`): linear.
_GNU_NAME = re.compile(
    r"(?:the )?(?:gnu )?"
    r"(?:(?P<agpl>agpl|affero (?:gpl|general public(?: licen[cs]e)?))"
    r"|(?P<lgpl>lgpl|(?:lesser|library|library or lesser) (?:gpl|general public(?: licen[cs]e)?))"
    r"|(?P<gfdl>gfdl|fdl|free documentation(?: licen[cs]e)?)"
    r"|(?P<gpl>gpl|general public(?: licen[cs]e)?))"
    r"(?: (?:agpl|lgpl|gfdl|gpl)\b(?! ?v?[1-3]))?(?: licen[cs]e)?(?P<niv> niv)?"
    r"(?: ?(?P<least>>=)| ?(?P<above>>))?(?: ?(?:version|v\.?))?(?: ?(?P<version>[1-3](?:\.\d)?)(?:\.0)?)?"
    r"(?P<later> ?\+| (?:or|and)(?: at your option)?(?: any)?"
    r" (?:later|newer|greater|above|higher)(?: versions?)?)?"
    r"(?P<only> only)?(?: (?:agpl|lgpl|gfdl|gpl) ?v?[\d.]*\+?)?"
)

# The first version of each family: a name without a version means any.
_FIRST = {"AGPL": "1.0", "LGPL": "2.0", "GFDL": "1.1", "GPL": "1.0"}

# What "greater than this version" begins with, as R's `GPL (> 2)`.
_NEXT = {
    "LGPL": {"2": "2.1", "2.0": "2.1", "2.1": "3.0"},
    "AGPL": {"1": "3.0", "1.0": "3.0"},
    "GPL": {"1": "2.0", "1.0": "2.0", "2": "3.0", "2.0": "3.0"},
}

_TABLE: dict[str, str] = {
    "0bsd": "0BSD",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "artistic": "Artistic-1.0",
    "artistic 2": "Artistic-2.0",
    "bsd 2 clause": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "bsd 3 clause license": "BSD-3-Clause",
    "3 clause bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "bsd 4 clause": "BSD-4-Clause",
    "boost": "BSL-1.0",
    "boost software license 1.0": "BSL-1.0",
    "cc0": "CC0-1.0",
    "expat": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "x11 mit": "MIT",
    # "GNU" alone is how people name the General Public License; the others carry their adjective.
    "gnu v2": "GPL-2.0-only",
    "gnu v3": "GPL-3.0-only",
    "isc license": "ISC",
    "isc license iscl": "ISC",
    "mpl 2.0": "MPL-2.0",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license 2.0 mpl 2.0": "MPL-2.0",
    "psf": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "public domain": "LicenseRef-scancode-public-domain",
    "pd": "LicenseRef-scancode-public-domain",
    "the unlicense": "Unlicense",
    "zlib/libpng license": "Zlib",
    "zlib libpng": "Zlib",
    "zpl 2.1": "ZPL-2.1",
}

# Exceptions as debian/copyright and R write them: "GPL-2+ with OpenSSL exception".
_EXCEPTIONS: dict[str, str] = {
    "autoconf": "Autoconf-exception-generic",
    "bison": "Bison-exception-2.2",
    "classpath": "Classpath-exception-2.0",
    "font": "Font-exception-2.0",
    "gcc": "GCC-exception-3.1",
    "libtool": "Libtool-exception",
    "openssl": "LicenseRef-scancode-openssl-exception-gpl-2.0",
    "texinfo": "Texinfo-exception",
}


@lru_cache(maxsize=4096)
def from_name(text: str) -> str:
    """The SPDX expression that a name, a list of names or an expression means; "" when uncertain."""
    text = " ".join(text.split())
    if not text or len(text) > MAX_NAME:
        return ""
    return parse_spdx(text) or _one(text) or _with(text) or _list(text)


def _one(name: str) -> str:
    if (found := _gnu(name)) or (found := parse_spdx(name) or ""):
        return found
    plain = re.sub(r"[^a-z0-9./]+", " ", name.lower()).strip()
    return _TABLE.get(plain, "") or _TABLE.get(plain.removesuffix(" license"), "")


def _gnu(name: str) -> str:
    found = _GNU_NAME.fullmatch(re.sub(r"[\s,()\-]+", " ", name.lower()).strip())
    if found is None:
        return ""
    family, first = next(known for known in _FIRST.items() if found[known[0].lower()])
    version = found["version"]
    if found["above"]:
        version = _NEXT.get(family, {}).get(version or "")
        if version is None:
            return ""
    later = bool(found["later"] or found["least"] or found["above"] or not version) and not found["only"]
    number = version or first
    number = number if "." in number else f"{number}.0"
    variant = "-no-invariants" if found["niv"] else ""
    return parse_spdx(f"{family}-{number}{variant}-{'or-later' if later else 'only'}") or ""


def _with(text: str) -> str:
    """`<licence> with <name> exception`."""
    found = re.fullmatch(r"(.+?)\s+with[\s-]+(.+?)[\s-]+(?:linking[\s-]+)?exceptions?", text, re.IGNORECASE)
    if found is None:
        return ""
    base = _one(found[1])
    exception = _EXCEPTIONS.get(found[2].lower())
    if not base or " " in base or exception is None:
        return base
    return parse_spdx(f"{base} WITH {exception}") or base


def _list(text: str) -> str:
    """`A | B`, `A or B`, `A and B`, `A / B`, `A, and B or C` (DEP-5: a comma binds loosest)."""
    for separator, operator in (
        (r"\s*,\s*and\s+", "AND"),
        (r"\s*,\s*or\s+", "OR"),
        (r"\s*\|\s*|\s+or\s+(?!\(?(?:any|later|newer|greater|above|at your))", "OR"),
        (r"\s+and\s+(?!later)|\s*&\s*|\s+\+\s+|\s*;\s*", "AND"),
        (r"\s*/\s*", "OR"),
        (r"\s*,\s*", "AND"),
    ):
        parts = re.split(separator, text, flags=re.IGNORECASE)
        if len(parts) > 1:
            known = [from_name(part.strip(" ()")) for part in parts]
            return combine(known, operator) if all(known) else ""
    return ""
