"""The nouns that the stages hand to each other. Values only, no behaviour that reads or writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

EstablishedBy = Literal["header", "spdx-tag", "dep5", "license-file", "metadata", "unknown"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """One downloaded file of a release.

    path: where it lies in the cache. sha256: hex digest of its bytes.
    role: `upstream` (indexed as the upstream tree), `packaging` (Debian's debian/ tarball).
    folder: where in the upstream tree it is unpacked: "" is the top, `foo` for Debian's orig-foo tarball.
    """

    name: str
    path: Path
    sha256: str
    role: Literal["upstream", "packaging"] = "upstream"
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source brought for one release.

    purl: canonical. missing: parts that the registry no longer has, as sentences.
    declared: the licence as the registry's metadata states it (SPDX expression or free text), or "".
    url: where a person can look at the release, or "".
    """

    purl: str
    artifacts: tuple[Artifact, ...]
    missing: tuple[str, ...] = ()
    declared: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Skip:
    """A file, member or region that was not searched or indexed, with a named reason.

    partial: text that should have been searched was not (a limit, an error, a timeout).
    """

    path: str
    reason: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A kept file of an unpacked release.

    path: inside the tree, without its top folder. text: its bytes, UTF-8 (or Latin-1 re-encoded).
    sha1: git's blob id of the original bytes, i.e. its SWHID without the prefix.
    labels: `generated`, `vendored`, `test`, …: kept, but said with a finding.
    """

    path: str
    language: str
    text: bytes
    sha1: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LicenseConclusion:
    """One licence for one file.

    expression: SPDX; `LicenseRef-scancode-…` where SPDX has no id; "" when nothing was found.
    category: scancode's name (`Copyleft`, `Copyleft Limited`, `Permissive`, `Public Domain`, …).
    confidence: 0..1. conflicts: other expressions found for the file, each with where it stood.
    reason: why there is no conclusion although there may be a notice (`timeout`, `crash`, …), or "".
    """

    expression: str
    category: str
    established_by: EstablishedBy
    confidence: float
    conflicts: tuple[tuple[EstablishedBy, str], ...] = ()
    reason: str = ""


UNKNOWN_LICENSE = LicenseConclusion("", "Unknown", "unknown", 0.0)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The significant tokens of one text as parallel arrays of length n, in order of appearance.

    kind: uint8, a `Kind` of corpus.languages. start, end: int32 byte offsets into the text.
    line: int32, 1-based line of the first byte.
    raw: uint64 hash of the spelling (case-folded where the language is case-insensitive): literal layer.
    renamed: uint64 hash with identifiers made equal, numbers by value: renamed layer.
    Comments, layout, braces and statement separators are in none of the layers.
    """

    kind: NDArray[np.uint8]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    line: NDArray[np.int32]
    raw: NDArray[np.uint64]
    renamed: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Unit:
    """A code unit: a half-open range of tokens of one text, and its lines (1-based, inclusive).

    kind: `function`, `class`, `window` or `rest` (what stands outside all functions).
    """

    kind: Literal["function", "class", "window", "rest"]
    name: str
    first: int
    last: int
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Region:
    """Lines of one file that a diff adds or carries as context.

    first_line: number of the first of `lines` in the new file. added: one flag a line.
    """

    first_line: int
    lines: tuple[bytes, ...]
    added: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One text file of a diff: its path after the change and its regions in ascending order."""

    path: str
    regions: tuple[Region, ...] = field(default=())
