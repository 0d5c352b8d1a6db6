"""Which terms a copyleft licence reaches, and which permissive ones the GNU licences exclude.

A licence is a set of *terms* (atoms such as `GPL-3`, or its own SPDX id). `offers(outbound)` are the terms
that a project promises; `reaches(inbound)` those under which copied text may be passed on. Then

    offers ⊆ reaches             the text fits all that the project promises
    offers ∩ reaches only        it fits, but narrows the promise (GPL-2.0-only in GPL-2.0-or-later)
    offers ∩ reaches = ∅         it does not fit

which gives the published matrix for the GNU licences (GPL FAQ, "How are the various GNU licenses compatible
with each other?"). Sources of the other rows stand beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

_VERSIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "GPL": ("1.0", "2.0", "3.0", "later"),
        "LGPL": ("2.0", "2.1", "3.0", "later"),
        "AGPL": ("1.0", "3.0", "later"),
    }
)
_GNU = re.compile(r"(A?GPL|LGPL)-(\d\.\d)-(only|or-later)")

# A licence → the licences that its own text, or its steward, names for passing copies on.
PASSES_ON: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # MPL 2.0, sections 1.12, 3.3 and 10.2; Mozilla's MPL 2.0 FAQ.
        "MPL-2.0": ("GPL-2.0-or-later", "LGPL-2.1-or-later", "AGPL-3.0-or-later"),
        # MPL 1.1, section 6.2: any later version; that gives no secondary licences (MPL 2.0, 1.5).
        "MPL-1.0": ("MPL-1.1", "MPL-2.0", "MPL-2.0-no-copyleft-exception"),
        "MPL-1.1": ("MPL-2.0", "MPL-2.0-no-copyleft-exception"),
        # EPL, section 7: later versions; Eclipse Foundation: CPL 1.0 is superseded by EPL 1.0.
        "EPL-1.0": ("EPL-2.0",),
        "CPL-1.0": ("EPL-1.0", "EPL-2.0"),
        # CDDL 1.0, section 4.2.
        "CDDL-1.0": ("CDDL-1.1",),
        # EUPL, article 5 and appendix "Compatible Licences".
        "EUPL-1.0": ("EUPL-1.1", "EUPL-1.2", "GPL-2.0-only", "OSL-2.1", "OSL-3.0", "CPL-1.0", "EPL-1.0"),
        "EUPL-1.1": ("EUPL-1.2", "GPL-2.0-only", "OSL-2.1", "OSL-3.0", "CPL-1.0", "EPL-1.0", "CECILL-2.0"),
        "EUPL-1.2": (
            *("GPL-2.0-only", "GPL-3.0-only", "AGPL-3.0-only", "LGPL-2.1-only", "LGPL-3.0-only", "MPL-2.0"),
            *("OSL-2.1", "OSL-3.0", "EPL-1.0", "CECILL-2.0", "CECILL-2.1", "LiLiQ-R-1.1", "LiLiQ-Rplus-1.1"),
        ),
        # CeCILL, article 5.3.4.
        "CECILL-1.0": ("GPL-2.0-or-later",),
        "CECILL-1.1": ("GPL-2.0-or-later",),
        "CECILL-2.0": ("GPL-2.0-or-later", "CECILL-2.1"),
        "CECILL-2.1": ("GPL-2.0-or-later", "AGPL-3.0-or-later", "EUPL-1.1", "EUPL-1.2"),
        # Creative Commons, "ShareAlike compatibility": BY-SA 4.0 to GPLv3, one way, version 3 alone.
        "CC-BY-SA-2.0": ("CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        "CC-BY-SA-2.5": ("CC-BY-SA-3.0", "CC-BY-SA-4.0"),
        "CC-BY-SA-3.0": ("CC-BY-SA-4.0",),
        "CC-BY-SA-4.0": ("GPL-3.0-only",),
        # FSF, "Various Licenses and Comments about Them": compatible by a clause of their own.
        "Artistic-2.0": ("GPL-1.0-or-later", "LGPL-2.0-or-later", "AGPL-3.0-or-later"),
        "ClArtistic": ("GPL-1.0-or-later",),
        "Imlib2": ("GPL-2.0-or-later",),
        "Ruby": ("GPL-1.0-or-later",),
        "Sleepycat": ("GPL-1.0-or-later", "LGPL-2.0-or-later", "AGPL-3.0-or-later"),
        "Vim": ("GPL-1.0-or-later",),
    }
)


def _range(family: str, version: str, or_later: bool) -> frozenset[str]:
    versions = _VERSIONS[family]
    if version not in versions:
        return frozenset({f"{family}-{version}"})
    first = versions.index(version)
    return frozenset(f"{family}-{v}" for v in (versions[first:] if or_later else versions[first : first + 1]))


GNU_TERMS = frozenset(f"{family}-{v}" for family, versions in _VERSIONS.items() for v in versions)
# The terms written before version 3: no patent retaliation, no further restriction of any kind.
GNU_BEFORE_3 = frozenset({"GPL-1.0", "GPL-2.0", "LGPL-2.0", "LGPL-2.1", "AGPL-1.0"})

# Permissive licences whose conditions the GNU licences count as a further restriction.
# FSF, "Various Licenses and Comments about Them", sections GPL-compatible and GPL-incompatible.
EXCLUDED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        **dict.fromkeys(("Apache-2.0", "ECL-2.0", "FTL", "XFree86-1.1"), GNU_BEFORE_3),
        **dict.fromkeys(
            (
                *("AFL-1.1", "AFL-1.2", "AFL-2.0", "AFL-2.1", "AFL-3.0", "Apache-1.0", "Apache-1.1"),
                *("BSD-4-Clause", "CNRI-Python", "Condor-1.1", "JSON", "MS-LPL", "MS-PL", "OLDAP-2.3"),
                *("OpenSSL", "OpenSSL-standalone", "SSLeay-standalone", "PHP-3.0", "PHP-3.01"),
                *("Zend-2.0", "ZPL-1.1"),
                # As Apache-1.1: an acknowledgement in the documentation is a condition.
                *("Minpack", "zlib-acknowledgement"),
            ),
            GNU_TERMS,
        ),
    }
)
# Where the id alone does not settle it for the GNU licences: Python-2.0 names texts on both sides of FSF's
# ruling (1.6b1 to 2.1 do not fit, 2.0.1 and 2.1.1 onward do); the University of California withdrew the
# advertising clause of its BSD texts in 1999, but copies still carry it.
UNCLEAR = frozenset({"Python-2.0", "BSD-4-Clause-UC"})
# Exceptions that lift such a condition for copied text too.
LIFTED: Mapping[str, frozenset[str]] = MappingProxyType({"LLVM-exception": GNU_BEFORE_3})


@lru_cache(maxsize=4096)
def offers(license_id: str) -> frozenset[str]:
    """The terms that code under this licence is offered under."""
    gnu = _GNU.fullmatch(license_id)
    if gnu:
        return _range(gnu[1], gnu[2], gnu[3] == "or-later")
    return frozenset({license_id})


@lru_cache(maxsize=4096)
def reaches(license_id: str) -> frozenset[str]:
    """The terms under which a copy of the text may be passed on."""
    terms = set(offers(license_id))
    if terms & {"LGPL-2.0", "LGPL-2.1"}:  # LGPL 2.1, section 3: the GPL, version 2 or any later
        terms |= _range("GPL", "2.0", or_later=True)
    if "LGPL-3.0" in terms:  # LGPL 3: the GPL 3 with permissions that may be dropped
        terms.add("GPL-3.0")
    if "LGPL-later" in terms:
        terms.add("GPL-later")
    for other in PASSES_ON.get(license_id, ()):
        terms |= offers(other)
    if "GPL-3.0" in terms:  # GPL 3, section 13: may be combined with code under the AGPL 3
        terms.add("AGPL-3.0")
    if "GPL-later" in terms:
        terms.add("AGPL-later")
    return frozenset(terms)


def excluded(license_id: str, exception: str = "") -> frozenset[str]:
    """The terms that a permissive licence cannot be combined with."""
    return EXCLUDED.get(license_id, frozenset()) - LIFTED.get(exception, frozenset())
