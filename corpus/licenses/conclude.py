"""Which of the statements about a file is its licence.

In order of precedence: the notice in the file's header, its SPDX tag, its stanza of debian/copyright, the
nearest licence file upward, the metadata of the package. What disagrees with the decision is kept as a
conflict, in that order. A notice that could not be read makes the file unknown, with the reason: what
ranks lower must not speak for it. Called by the ingest pipeline.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from corpus.licenses import expression, families
from corpus.licenses.declared import (
    Dep5,
    Stanza,
    governed_folder,
    is_license_file,
    is_metadata_file,
    metadata_expression,
    read_dep5,
)
from corpus.licenses.detector import NOTHING, Detection, Detector, Progress
from corpus.licenses.header import Header, read_header
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
# What a GNU family is called when its version is not said.
UNVERSIONED = frozenset({"GPL-1.0-or-later", "LGPL-2.0-or-later", "AGPL-1.0-or-later"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about a file. bare: a GNU licence text, which names a version and no more."""

    by: EstablishedBy
    expression: str
    confidence: float
    bare: bool = False


def conclude(
    files: Mapping[str, bytes],
    tree: Mapping[str, bytes],
    declared: str,
    debian_copyright: bytes | None,
    detector: Detector,
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

    package = _Package(
        {path: detected[text] for path, text in texts.items()},
        {path: metadata_expression(path, text) for path, text in tree.items() if is_metadata_file(path)},
        declared,
        dep5,
    )
    return {
        path: _decide(
            _of_header(header, detected.get(header.notice, NOTHING)),
            [*_of_stanza(stanzas.get(path), detected), *package.statements(path)],
            detected.get(header.notice, NOTHING).reason,
        )
        for path, header in headers.items()
    }


def _of_header(header: Header, found: Detection) -> list[Statement]:
    """The notice and the tag of a file, the deciding one first."""
    tagged = expression.combine([expression.parse_spdx(tag) or from_name(tag) for tag in header.tags])
    tag = [Statement("spdx-tag", tagged, TRUST["spdx-tag"])] if expression.is_stated(tagged) else []
    if not expression.is_stated(found.expression):
        return tag
    notice = [Statement("header", found.expression, found.score * TRUST["header"])]
    weak = found.score < SURE or _agree(found.expression, tagged)
    return tag + notice if weak else notice + tag


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
    """What licence files and metadata say about the folders of one release."""

    def __init__(
        self, texts: Mapping[str, Detection], stated: Mapping[str, str], declared: str, dep5: Dep5 | None
    ) -> None:
        whole = dep5.whole if dep5 else ""
        self._whole = [text for text in dict.fromkeys([from_name(declared), whole]) if text]
        self._stated = _by_folder(stated, [path for path, text in stated.items() if text])
        self._texts = _by_folder(
            texts, [path for path, d in texts.items() if expression.is_stated(d.expression)]
        )
        self._known: dict[str, list[Statement]] = {}

    def statements(self, path: str) -> list[Statement]:
        folder = posixpath.dirname(path)
        if folder not in self._known:
            self._known[folder] = self._for_folder(folder)
        return self._known[folder]

    def _for_folder(self, folder: str) -> list[Statement]:
        upward = list(_upward(folder))
        metadata = next((self._stated[at] for at in upward if at in self._stated), []) + self._whole
        texts = next((self._texts[at] for at in upward if at in self._texts), [])
        statements = [Statement("metadata", text, TRUST["metadata"]) for text in dict.fromkeys(metadata)]
        if not texts:
            return statements
        of_file = _of_texts(texts)
        deciding = [s for s in statements if of_file.bare and _agree(s.expression, of_file.expression, True)]
        # Only or or-later: the licence text cannot say, metadata that names the same licence can.
        return deciding[:1] + [of_file] + [s for s in statements if s not in deciding[:1]]


def _of_texts(texts: list[Detection]) -> Statement:
    """The licence texts of one folder as one statement.

    A text that applies a licence ("… or any later version") outranks bare ones that it names. LGPL-3.0 is
    GPL-3.0 with permissions, so those two texts together are the LGPL. All others must hold together.
    """
    applied = [d for d in texts if not d.bare]
    bare = [d for d in texts if d.bare]
    named = {name for d in applied for name in expression.licenses_of(d.expression)}
    bare = [d for d in bare if not any(families.same_version(d.expression, name) for name in named)]
    if any(d.expression == "LGPL-3.0-only" for d in bare):
        bare = [d for d in bare if d.expression != "GPL-3.0-only"]
    kept = applied + bare
    only_bare = bool(bare) and not applied
    score = min(d.score for d in kept) * TRUST["license-file"] / len(kept) ** 0.5
    gnu = only_bare and any(families.gnu(name) for d in bare for name in expression.licenses_of(d.expression))
    return Statement(
        "license-file",
        expression.combine([d.expression for d in kept]),
        score * (BARE if gnu else 1.0),
        only_bare,
    )


def _decide(own: list[Statement], others: list[Statement], failure: str) -> LicenseConclusion:
    statements = own + others
    if failure:
        conflicts = tuple((s.by, s.expression) for s in statements)
        return LicenseConclusion("", "Unknown", "unknown", 0.0, conflicts, failure)
    if not statements:
        return UNKNOWN_LICENSE
    first, *rest = statements
    conflicts = tuple(
        dict.fromkeys(
            (s.by, s.expression)
            for s in rest
            if not _agree(first.expression, s.expression, first.bare or s.bare)
        )
    )
    return LicenseConclusion(
        first.expression,
        expression.category(first.expression),
        first.by,
        round(first.confidence, 3),
        conflicts,
    )


def _agree(one: str, other: str, bare: bool = False) -> bool:
    """Whether two expressions do not contradict each other.

    They are equal; or name the same licences where one of them is a bare text (`bare`); or one names a
    GNU family without its version.
    """
    if not one or not other:
        return False
    if expression.equivalent(one, other):
        return True
    left, right = set(expression.licenses_of(one)), set(expression.licenses_of(other))
    if bare:
        return _covered(left, right) and _covered(right, left)
    if len(left) == len(right) == 1:
        (a,), (b,) = left, right
        return any(general in UNVERSIONED and families.refines(x, general) for x, general in ((a, b), (b, a)))
    return False


def _covered(names: Iterable[str], by: Iterable[str]) -> bool:
    return all(any(families.same_version(name, known) for known in by) for name in names)


def _upward(folder: str) -> Iterable[str]:
    while folder:
        yield folder
        folder = posixpath.dirname(folder)
    yield ""


def _by_folder(entries: Mapping[str, T], kept: list[str]) -> dict[str, list[T]]:
    folders: dict[str, list[T]] = {}
    for path in sorted(kept):
        folders.setdefault(governed_folder(path), []).append(entries[path])
    return folders
