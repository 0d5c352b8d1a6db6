"""The GNU notice in the words that the Free Software Foundation recommends: read without scancode.

Most notices of copyleft code differ in nothing but the name of the program and the foundation's address, and
each costs scancode half a second. A notice is read here only when all of its words are accounted for: who is
meant, the grant, the warranty sentence, where the copy is. One word more, and scancode decides.
Called by detector.
"""

from __future__ import annotations

import re

from corpus.licenses import families

LONGEST = 4000  # characters of a notice that may be this one

_WORD = re.compile(r"\w+\+?")
# Names may not hold what could change the terms.
_NO_NAME = (
    r"(?!(?:licen|[al]?gpl|version|warrant|redistrib|distrib|permi|copyright|except|public|patent|terms"
    r"|free\b|only\b|not\b|dual|or\b|either|mit\b|bsd|under|subject|condition|addition|commercial|proprietary|modif"
    r"|use\b|link))"
)
_NAME = rf"(?:{_NO_NAME}[\w+]+ ){{1,10}}?"
_GNU = r"gnu (?:lesser |library |affero )?general public licen[cs]e "
_PART = rf"(?:{_NAME}(?:is|are) (?:a )?part of {_NAME})?"
_GRANT = (
    rf"{_NAME}(?:is|are) free software (?:and )?(?:you (?:can|may) )redistribute (?:it|them) and or modify "
    r"(?:it|them) under (?:the )?terms of (?:the )?gnu (?P<family>lesser |library |affero )?general public "
    r"licen[cs]e (?:[al]?gpl )?as published by the free software foundation (?:either )?"
    r"version (?P<version>\d(?: \d)?) (?:of the licen[cs]e )?"
    r"(?P<later>or (?:at your option )?any later version )?"
)
_WARRANTY = (
    rf"(?:{_NAME}(?:is|are) distributed in the hope that (?:it|they) (?:will be|is|are) "
    r"useful but without any warranty (?:without even the implied warranty of merchantability or fitness for "
    rf"a particular purpose )?(?:see the {_GNU}for more details )?)?"
)
_COPY = (
    rf"(?:you should have received a copy of the {_GNU}(?:[al]?gpl )?along with {_NAME}"
    r"(?:if not (?:please )?(?:see (?:https? )?(?:www )?(?:gnu|fsf) org (?:licenses )?"
    rf"|write to the free software foundation (?:inc )?(?:{_NO_NAME}[\w+]+ ){{0,20}}?))?)?"
)
_NOTICE = re.compile(_PART + _GRANT + _WARRANTY + _COPY)
_FAMILY = {"": "GPL", "lesser": "LGPL", "library": "LGPL", "affero": "AGPL"}


def read_standard(notice: str) -> str:
    """The SPDX id that a notice grants, when it is the recommended one and nothing else; otherwise ""."""
    if len(notice) > LONGEST or "ree software" not in notice:
        return ""
    found = _NOTICE.fullmatch(" ".join(_WORD.findall(notice.lower())) + " ")
    if found is None:
        return ""
    version = found["version"].replace(" ", ".")
    version = version if "." in version else f"{version}.0"
    family = _FAMILY[(found["family"] or "").strip()]
    name = families.Gnu(family, version, "or-later" if found["later"] else "only").spdx
    return name if families.gnu(name) is not None and name in _PUBLISHED else ""


_PUBLISHED = frozenset(
    f"{family}-{version}-{more}"
    for family, versions in (("GPL", "1.0 2.0 3.0"), ("LGPL", "2.0 2.1 3.0"), ("AGPL", "3.0"))
    for version in versions.split()
    for more in ("only", "or-later")
)
