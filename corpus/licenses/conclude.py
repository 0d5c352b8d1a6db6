"""Which of the statements about a file is its licence.

In order of precedence: the notice in the file's header, its SPDX tag, its stanza of debian/copyright, the
nearest licence file upward, the metadata of the package. What disagrees with the decision is kept as a
conflict, in that order. A notice that could not be read makes the file unknown, with the reason: what
ranks lower must not speak for it. Called by the ingest pipeline.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from corpus.licenses import expression, families
from corpus.licenses.declared import (
    Stanza,
    governed_folder,
    is_license_file,
    is_metadata_file,
    metadata_expression,
    read_dep5,
)
from corpus.licenses.detector import NOTHING, Detection, Progress, TextDetector
from corpus.licenses.header import Header, license_name_in, read_header
from corpus.licenses.names import from_name
from corpus.model import UNKNOWN_LICENSE, EstablishedBy, LicenseConclusion

__all__ = ["conclude", "is_license_file", "is_metadata_file"]

# A notice read worse than that yields to the file's own SPDX tag.
SURE = 0.8
# How far a statement of each kind can be trusted when it was read perfectly.
TRUST: dict[EstablishedBy, float] = {
    "header": 1.0,
    "spdx-tag": 1.0,
    "dep5": 0.9,
    "license-file": 0.8,
    "metadata": 0.7,
    "unknown": 0.0,
}
# A licence text alone does not say whether later versions are allowed.
BARE = 0.7
# A notice that is no more than a name.
NAMED = 0.9
# A share of the headers that names a habit of the release.
NEARLY_ALL = 0.9
# Licences in the texts of one folder from which they are a gathering of what the release bundles.
GATHERED = 4
# What a GNU family is called when its version is not said.
UNVERSIONED = frozenset({"GPL-1.0-or-later", "LGPL-2.0-or-later", "AGPL-1.0-or-later"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about a file. texts: the licences whose bare texts are all that it consists of."""

    by: EstablishedBy
    expression: str
    confidence: float
    texts: frozenset[str] = frozenset()


def conclude(
    files: Mapping[str, bytes],
    tree: Mapping[str, bytes],
    declared: str,
    debian_copyright: bytes | None,
    detector: TextDetector,
    progress: Progress | None = None,
) -> dict[str, LicenseConclusion]:
    """One conclusion for each of `files` (path -> text).

    tree: licence and metadata files of the release, path -> text. declared: the licence in the registry's
    metadata (SPDX or free text) or "". debian_copyright: the text of debian/copyright.
    """
    headers = {path: read_header(text) for path, text in files.items()}
    texts = {path: text.decode("utf-8", "replace") for path, text in tree.items() if is_license_file(path)}
    dep5 = read_dep5(debian_copyright) if debian_copyright is not None else None
    stanzas = {path: dep5.stanza(path) for path in files} if dep5 else {}
    unnamed = {s.text for s in stanzas.values() if s is not None and s.text and not s.expression}

    wanted = [header.notice for header in headers.values()] + list(texts.values()) + sorted(unnamed)
    distinct = list(dict.fromkeys(wanted))
    detected = dict(zip(distinct, detector.detect(distinct, progress), strict=True))

    own = {path: _of_header(header, detected[header.notice]) for path, header in headers.items()}
    package = _Package(
        {path: detected[text] for path, text in texts.items()},
        {path: metadata_expression(path, text) for path, text in tree.items() if is_metadata_file(path)},
        [from_name(declared), dep5.whole if dep5 else ""],
        [statements[0].expression for statements in own.values() if statements],
    )
    return {
        path: _decide(
            own[path],
            [*_of_stanza(stanzas.get(path), detected), *package.statements(path)],
            _failure(header, detected[header.notice]),
        )
        for path, header in headers.items()
    }


def _of_header(header: Header, found: Detection) -> list[Statement]:
    """The notice and the tag of a file, the deciding one first."""
    tagged = expression.combine([_of_tag(tag) for tag in header.tags])
    tag = [Statement("spdx-tag", tagged, TRUST["spdx-tag"])] if tagged else []
    stated, score = found.expression, found.score
    if not expression.is_stated(stated) and not found.reason:
        # Short of what scancode takes for a statement. Only GNU names: others are names of places as well.
        stated, score = from_name(license_name_in(header.notice)), NAMED
        known = families.gnu(stated)
        if known is None or stated in UNVERSIONED:
            return tag
    if not expression.is_stated(stated):
        return tag
    notice = [Statement("header", stated, score * TRUST["header"])]
    yields = score < SURE or (tag and _agree(notice[0], tag[0]))
    return tag + notice if yields else notice + tag


def _of_tag(tag: str) -> str:
    return expression.parse_spdx(tag) or from_name(tag)


def _failure(header: Header, found: Detection) -> str:
    """Why what the file itself says could not be read; "" when it was, or says nothing."""
    if found.reason or expression.is_stated(found.expression):
        return found.reason
    return "unreadable tag" if not all(_of_tag(tag) for tag in header.tags) else ""


def _of_stanza(stanza: Stanza | None, detected: Mapping[str, Detection]) -> list[Statement]:
    if stanza is None:
        return []
    if stanza.expression:
        return [Statement("dep5", stanza.expression, TRUST["dep5"])]
    found = detected.get(stanza.text, NOTHING)
    if not expression.is_stated(found.expression):
        return []
    return [Statement("dep5", found.expression, found.score * TRUST["dep5"])]


class _Package:
    """What licence files, metadata and, as a whole, the headers say about the folders of one release."""

    def __init__(
        self,
        texts: Mapping[str, Detection],
        stated: Mapping[str, str],
        whole: Iterable[str],
        notices: Iterable[str],
    ) -> None:
        self._whole = [text for text in dict.fromkeys(whole) if text]
        self._stated = _by_folder(stated, [path for path, text in stated.items() if text])
        self._texts = _by_folder(
            texts, [path for path, found in texts.items() if expression.is_stated(found.expression)]
        )
        self._applied = Counter(notices)
        self._known: dict[str, list[Statement]] = {}

    def statements(self, path: str) -> list[Statement]:
        folder = posixpath.dirname(path)
        if folder not in self._known:
            self._known[folder] = self._for_folder(folder)
        return self._known[folder]

    def _for_folder(self, folder: str) -> list[Statement]:
        upward = list(_upward(folder))
        stated = next((self._stated[at] for at in upward if at in self._stated), []) + self._whole
        texts = next((self._texts[at] for at in upward if at in self._texts), [])
        metadata = [Statement("metadata", text, TRUST["metadata"]) for text in dict.fromkeys(stated)]
        if not texts:
            return metadata
        text = _of_texts(texts)
        # Only or or-later: a licence text cannot say; metadata that names the same licence can.
        deciding = [one for one in metadata if text.texts and _same_licenses(one.expression, text.expression)]
        if not deciding:
            deciding = [one for one in metadata if _gathers(text.expression, one.expression)]
        if not deciding and text.texts:
            text = self._as_applied(text)
        return deciding[:1] + [text] + [one for one in metadata if one not in deciding[:1]]

    def _as_applied(self, text: Statement) -> Statement:
        """A bare text as the headers of the release apply it, when nearly all of them do so alike."""
        alike = Counter({e: n for e, n in self._applied.items() if _same_licenses(e, text.expression)})
        for applied, count in alike.most_common(1):
            if count >= NEARLY_ALL * alike.total():
                return Statement("license-file", applied, text.confidence, text.texts)
        return text


def _of_texts(found: list[Detection]) -> Statement:
    """The licence texts of one folder as one statement.

    A text that applies a licence ("… or any later version") outranks bare ones that it names. LGPL-3.0 is
    GPL-3.0 with permissions, so those two texts together are the LGPL. All others must hold together.
    """
    applied = [one for one in found if not one.bare]
    named = {name for one in applied for name in expression.licenses_of(one.expression)}
    bare = [
        one
        for one in found
        if one.bare and not any(families.same_version(one.expression, name) for name in named)
    ]
    texts = frozenset(name for one in bare for name in expression.licenses_of(one.expression))
    if "LGPL-3.0-only" in texts:
        bare = [one for one in bare if one.expression != "GPL-3.0-only"]
    kept = applied + bare
    confidence = TRUST["license-file"] * min(one.score for one in kept) / len(kept) ** 0.5
    if any(families.gnu(name) for name in texts):
        confidence *= BARE
    together = expression.combine([one.expression for one in kept])
    return Statement("license-file", together, confidence, frozenset() if applied else texts)


def _decide(own: list[Statement], others: list[Statement], failure: str) -> LicenseConclusion:
    statements = own + others
    if failure:
        found = tuple((one.by, one.expression) for one in statements)
        return LicenseConclusion("", "Unknown", "unknown", 0.0, found, failure)
    if not statements:
        return UNKNOWN_LICENSE
    first, *rest = statements
    conflicts = dict.fromkeys((one.by, one.expression) for one in rest if not _agree(first, one))
    return LicenseConclusion(
        first.expression,
        expression.category(first.expression),
        first.by,
        round(first.confidence, 3),
        tuple(conflicts),
    )


def _agree(one: Statement, other: Statement) -> bool:
    """Whether two statements do not contradict each other.

    They are equal; or one is made of bare texts, among them those of all that the other names; or one
    names a GNU family without a version.
    """
    if expression.equivalent(one.expression, other.expression):
        return True
    for general, specific in ((one, other), (other, one)):
        names = expression.licenses_of(specific.expression)
        if general.texts and _named_by(names, general.texts):
            return True
        if general.expression in UNVERSIONED and all(
            families.refines(name, general.expression) for name in names
        ):
            return True
    return False


def _same_licenses(one: str, other: str) -> bool:
    """Whether two expressions name the same families and versions."""
    left, right = expression.licenses_of(one), expression.licenses_of(other)
    return _named_by(left, right) and _named_by(right, left)


def _gathers(texts: str, own: str) -> bool:
    """Whether texts name a package's own licence among those of much else: no file is under all of them."""
    gathered, named = expression.licenses_of(texts), expression.licenses_of(own)
    return len(gathered) >= max(GATHERED, 2 * len(named)) and _named_by(named, gathered)


def _named_by(names: Iterable[str], known: Iterable[str]) -> bool:
    known = list(known)
    return all(any(families.same_version(name, one) for one in known) for name in names)


def _upward(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _by_folder(entries: Mapping[str, T], kept: list[str]) -> dict[str, list[T]]:
    folders: dict[str, list[T]] = {}
    for path in sorted(kept):
        folders.setdefault(governed_folder(path), []).append(entries[path])
    return folders
