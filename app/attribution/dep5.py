"""Notices as stanzas of a NOTICE file in the form of Debian's machine-readable copyright file (DEP-5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.attribution.notice import Notice
from app.attribution.texts import license_text
from app.report.escape import visible

FORMAT = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"


def render(notices: Sequence[Notice], existing: str = "") -> str:
    """The stanzas to add to `existing`, with the text of each licence once; the whole file where it is "".

    "" when there is nothing to add.
    """
    if not notices:
        return ""
    ids = dict.fromkeys(license_id for notice in notices for license_id in notice.license_ids)
    missing = [i for i in ids if not re.search(rf"(?m)^License: {re.escape(i)}\n ", existing)]
    stanzas = [_files(notice) for notice in notices]
    stanzas = [stanza for stanza in dict.fromkeys(stanzas) if stanza not in existing]
    stanzas += [f"License: {license_id}\n{_indented(license_text(license_id))}" for license_id in missing]
    if not stanzas:
        return ""
    return "\n".join([*([] if existing else [f"{FORMAT}\n"]), *stanzas])


def _files(notice: Notice) -> str:
    holders = notice.holders or (
        f"see {notice.url}" if notice.url.isprintable() and notice.url else "unknown",
    )
    indent = "\n" + " " * len("Copyright: ")
    return (
        f"Files: {_pattern(notice.path)}\n"
        f"Copyright: {indent.join(holders)}\n"
        f"License: {notice.license}\n"
        f"Comment: Holds code that is similar to {notice.similar_to}.\n"
    )


def _pattern(path: str) -> str:
    """A path as DEP-5 writes it: patterns are parted by blanks, so that one in a name becomes `?`."""
    escaped = re.sub(r"([\\*?])", r"\\\1", visible(path, 1000))
    return escaped.replace(" ", "?")


def _indented(text: str) -> str:
    lines = [line.rstrip() for line in text.expandtabs(4).splitlines()]
    return "".join(f" {line or '.'}\n" for line in lines)
