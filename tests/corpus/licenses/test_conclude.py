"""Which statement decides. No notice here needs scancode: the detector must not start a child."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.licenses.conclude import conclude
from corpus.licenses.detector import Detection, Detector
from corpus.licenses.header import notice_key, read_header
from corpus.model import UNKNOWN_LICENSE, LicenseConclusion

NOTICE = b"""/* This program is free software under the terms of the Example License,
 * version 2. */
int x;
"""
GPL_TEXT = "The text of the GNU General Public License, version 3, stands here."
MIT_TEXT = "The text of the MIT license stands here."
GATHERED_TEXT = "The licence of this project, and then those of what it bundles, stand here."


@pytest.fixture
def detector(tmp_path: Path) -> Iterator[Detector]:
    """A detector whose cache holds what these tests ask for, as an earlier release left it."""
    known = {
        read_header(NOTICE).notice: Detection("GPL-2.0-or-later", 1.0, (1, 2)),
        GPL_TEXT: Detection("GPL-3.0-only", 1.0, (1, 1), bare=True),
        MIT_TEXT: Detection("MIT", 1.0, (1, 1), bare=True),
        GATHERED_TEXT: Detection("BSD-3-Clause AND MIT AND Zlib AND GPL-2.0-or-later", 1.0, (1, 1)),
    }
    with Detector(tmp_path) as earlier:
        for text, found in known.items():
            earlier._cache.keep(notice_key(text), found)
    with Detector(tmp_path) as detector:
        yield detector
        assert not detector.started


def one(
    text: bytes,
    detector: Detector,
    tree: dict[str, bytes] | None = None,
    declared: str = "",
    dep5: bytes | None = None,
    path: str = "src/a.c",
) -> LicenseConclusion:
    return conclude({path: text}, tree or {}, declared, dep5, detector)[path]


DEP5 = b"Format: x\n\nFiles: *\nCopyright: x\nLicense: GPL-3+\n\nFiles: lib/*\nCopyright: x\nLicense: ISC\n"
EVERYTHING = {"COPYING": GPL_TEXT.encode(), "package.json": b'{"license": "ISC"}'}


def test_nothing_known(detector: Detector) -> None:
    assert one(b"int x;\n", detector) == UNKNOWN_LICENSE


def test_precedence_and_the_order_of_conflicts(detector: Detector) -> None:
    tagged = b"// SPDX-License-Identifier: MIT\n" + NOTICE
    found = one(tagged, detector, EVERYTHING, "Apache-2.0", DEP5)
    assert (found.expression, found.established_by, found.category) == (
        "GPL-2.0-or-later",
        "header",
        "Copyleft",
    )
    assert found.conflicts == (
        ("spdx-tag", "MIT"),
        ("dep5", "GPL-3.0-or-later"),
        ("license-file", "GPL-3.0-only"),
        ("metadata", "ISC"),
        ("metadata", "Apache-2.0"),
    )
    without_header = one(b"// SPDX-License-Identifier: MIT\n", detector, EVERYTHING, "", DEP5)
    assert (without_header.expression, without_header.established_by) == ("MIT", "spdx-tag")
    packaged = one(b"int x;\n", detector, EVERYTHING, "", DEP5)
    assert (packaged.expression, packaged.established_by) == ("GPL-3.0-or-later", "dep5")
    assert packaged.conflicts == (("metadata", "ISC"),)  # the bare text does not contradict or-later
    assert one(b"int x;\n", detector, EVERYTHING).established_by == "license-file"
    assert one(b"int x;\n", detector, {}, "GPLv3+").expression == "GPL-3.0-or-later"


def test_a_tag_that_says_what_the_notice_says_is_the_better_evidence(detector: Detector) -> None:
    found = one(b"// SPDX-License-Identifier: GPL-2.0-or-later\n" + NOTICE, detector)
    assert (found.established_by, found.conflicts) == ("spdx-tag", ())


def test_a_license_of_nobody_else_stands(detector: Detector) -> None:
    found = one(b"// SPDX-License-Identifier: LicenseRef-Ours\n", detector, EVERYTHING)
    assert (found.expression, found.category, found.established_by) == (
        "LicenseRef-Ours",
        "Unknown",
        "spdx-tag",
    )


def test_an_unreadable_tag_is_never_replaced_by_the_package(detector: Detector) -> None:
    found = one(b"// SPDX-License-Identifier: Our own terms, see below\n", detector, EVERYTHING, "MIT")
    assert (found.expression, found.established_by, found.reason) == ("", "unknown", "unreadable tag")
    assert ("license-file", "GPL-3.0-only") in found.conflicts


def test_the_nearest_license_file_upward(detector: Detector) -> None:
    tree = {"COPYING": GPL_TEXT.encode(), "src/vendored/LICENSE": MIT_TEXT.encode()}
    assert one(b"int x;\n", detector, tree, path="src/vendored/deep/a.c").expression == "MIT"
    assert one(b"int x;\n", detector, tree, path="src/other/a.c").expression == "GPL-3.0-only"


@pytest.mark.parametrize(
    ("metadata", "expression", "by"),
    [
        ("GPL-3.0-or-later", "GPL-3.0-or-later", "metadata"),
        ("GPLv3", "GPL-3.0-only", "metadata"),
        ("GPL-2.0-or-later", "GPL-3.0-only", "license-file"),  # another version: the text stands
        ("LGPL-3.0-or-later", "GPL-3.0-only", "license-file"),  # another family
        ("", "GPL-3.0-only", "license-file"),
    ],
)
def test_a_bare_text_names_the_license_and_metadata_says_or_later(
    metadata: str, expression: str, by: str, detector: Detector
) -> None:
    found = one(b"int x;\n", detector, {"COPYING": GPL_TEXT.encode()}, metadata)
    assert (found.expression, found.established_by) == (expression, by)
    assert bool(found.conflicts) == (bool(metadata) and by == "license-file")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("https://example.org - GPLv3", "GPL-3.0-only"),
        ("Spline Tools -- GPLv2+", "GPL-2.0-or-later"),
        ("Released under the GNU GPL v2 or later.", "GPL-2.0-or-later"),
        ("License: LGPLv2.1", "LGPL-2.1-only"),
        ("(C) by the team, AGPLv3", "AGPL-3.0-only"),
        ("https://example.org - GPL", ""),
        ("Not for use in GPLv3 programs", ""),
        ("This file works with code under GPLv3", ""),
        ("Compatible with: GPLv3", ""),
        ("Formerly released under GPLv2", ""),
        ("Some parts are licensed under GPLv3", ""),
        ("Ann Lee - MIT", ""),
        ("http://example.org/GPLv3", ""),
    ],
)
def test_a_line_that_is_a_title_and_a_name_states_a_license(tmp_path: Path, line: str, expected: str) -> None:
    source = f"# {line}\nx = 1\n".encode()
    with Detector(tmp_path) as detector:
        detector._cache.keep(notice_key(read_header(source).notice), Detection(""))
        metadata = {"pyproject.toml": b"[project]\nlicense = {text = 'GPL-3.0-or-later'}\n"}
        found = one(source, detector, metadata)
        assert not detector.started
    if not expected:
        assert (found.expression, found.established_by) == ("GPL-3.0-or-later", "metadata")
        return
    assert (found.expression, found.established_by, found.confidence) == (expected, "header", 0.9)
    assert found.conflicts == (("metadata", "GPL-3.0-or-later"),)


def test_a_bare_text_is_read_as_the_headers_apply_it(detector: Detector) -> None:
    applied = b"// SPDX-License-Identifier: GPL-3.0-or-later\n"
    files = {f"{n}.c": applied for n in range(10)} | {"plain.c": b"int x;\n"}
    found = conclude(files, {"COPYING": GPL_TEXT.encode()}, "", None, detector)["plain.c"]
    assert (found.expression, found.established_by) == ("GPL-3.0-or-later", "license-file")
    mixed = dict.fromkeys(("x.c", "y.c"), b"// SPDX-License-Identifier: GPL-3.0-only\n")
    undecided = conclude(files | mixed, {"COPYING": GPL_TEXT.encode()}, "", None, detector)["plain.c"]
    assert undecided.expression == "GPL-3.0-only"


def test_two_license_texts_hold_together(detector: Detector) -> None:
    tree = {"COPYING": GPL_TEXT.encode(), "LICENSE.MIT": MIT_TEXT.encode()}
    found = one(b"int x;\n", detector, tree)
    assert (found.expression, found.category) == ("GPL-3.0-only AND MIT", "Copyleft")
    chosen = one(b"int x;\n", detector, tree, "MIT OR GPL-3.0-or-later")
    assert (chosen.expression, chosen.established_by) == ("GPL-3.0-or-later OR MIT", "metadata")


def test_licences_gathered_from_bundled_code_are_not_those_of_each_file(detector: Detector) -> None:
    tree = {"LICENSE": GATHERED_TEXT.encode()}
    found = one(b"int x;\n", detector, tree, "BSD-3-Clause")
    assert (found.expression, found.established_by) == ("BSD-3-Clause", "metadata")
    assert found.conflicts == (("license-file", "BSD-3-Clause AND MIT AND Zlib AND GPL-2.0-or-later"),)
    # Metadata that names something else, or nothing, settles nothing.
    for declared in ("ISC", ""):
        assert one(b"int x;\n", detector, tree, declared).established_by == "license-file"
    both = {"COPYING": GPL_TEXT.encode(), "LICENSE.MIT": MIT_TEXT.encode()}
    assert one(b"int x;\n", detector, both, "MIT").expression == "GPL-3.0-only AND MIT"


def test_an_unversioned_name_contradicts_nothing(detector: Detector) -> None:
    assert one(NOTICE, detector, {}, "GPL").conflicts == ()
    assert one(NOTICE, detector, {}, "LGPL").conflicts == (("metadata", "LGPL-2.0-or-later"),)


def test_the_metadata_nearest_to_the_file(detector: Detector) -> None:
    tree = {"package.json": b'{"license": "MIT"}', "sub/package.json": b'{"license": "ISC"}'}
    assert one(b"x\n", detector, tree, path="sub/a.js").expression == "ISC"
    assert one(b"x\n", detector, tree, path="a.js").expression == "MIT"


def test_many_files_keep_their_order(detector: Detector) -> None:
    files = {f"{n}/a.c": NOTICE for n in range(500)}
    found = conclude(files, EVERYTHING, "", DEP5, detector)
    assert list(found) == list(files)
    assert {c.expression for c in found.values()} == {"GPL-2.0-or-later"}
