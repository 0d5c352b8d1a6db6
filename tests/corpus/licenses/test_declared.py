"""What packages declare: names, metadata files, debian/copyright."""

import pytest

from corpus.licenses.declared import (
    governed_folder,
    is_license_file,
    is_metadata_file,
    metadata_expression,
    read_dep5,
)
from corpus.licenses.names import MAX_NAME, from_name
from tests.pace import within


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GNU v3", "GPL-3.0-only"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL (>= 2)", "GPL-2.0-or-later"),
        ("GPL (> 2)", "GPL-3.0-or-later"),
        ("LGPL (> 2.1)", "LGPL-3.0-or-later"),
        ("GPL (> 3)", ""),
        ("GPL-2 | GPL-3", "GPL-2.0-only OR GPL-3.0-only"),
        ("LGPL (>= 2.1)", "LGPL-2.1-or-later"),
        ("GPL", "GPL-1.0-or-later"),
        ("GNU General Public License v2 or later (GPLv2+)", "GPL-2.0-or-later"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("GNU General Public License, version 2", "GPL-2.0-only"),
        ("GNU Lesser General Public License v2 or later (LGPLv2+)", "LGPL-2.0-or-later"),
        ("GNU Affero General Public License v3 or later (AGPLv3+)", "AGPL-3.0-or-later"),
        ("GNU Library or Lesser General Public License (LGPL)", "LGPL-2.0-or-later"),
        ("LGPL-3+ or GPL-2+", "GPL-2.0-or-later OR LGPL-3.0-or-later"),
        ("GPL-2+, and MIT or ISC", "GPL-2.0-or-later AND (ISC OR MIT)"),
        ("GPL-3+ with Bison exception", "GPL-3.0-or-later WITH Bison-exception-2.2"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("Expat", "MIT"),
        ("MIT/Apache-2.0", "Apache-2.0 OR MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("public-domain", "LicenseRef-scancode-public-domain"),
        # not certain: no licence rather than a guess
        ("BSD", ""),
        ("BSD License", ""),
        ("gpl 30", ""),
        ("License", ""),
        ("MIT, and something else", ""),
        ("file LICENSE", ""),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert from_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "gpl" + "-" * 290,
        "gpl " + "( " * 140,
        "gpl or " * 40,
        "a/" * 140,
        "GPL-2+ with " * 20,
        "x" * MAX_NAME * 9,
    ],
)
def test_hostile_names_are_quick(name: str) -> None:
    assert within(lambda: from_name(name), 1)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "PKG-INFO",
            "Metadata-Version: 2.4\nName: a\nLicense-Expression: GPL-2.0-or-later\n",
            "GPL-2.0-or-later",
        ),
        (
            "PKG-INFO",
            "Name: a\nLicense: LGPLv3+\nClassifier: License :: OSI Approved :: MIT License\n",
            "LGPL-3.0-or-later",
        ),
        (
            "PKG-INFO",
            "Name: a\nLicense: UNKNOWN\nClassifier: License :: OSI Approved\n"
            "Classifier: License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)\n",
            "GPL-3.0-or-later",
        ),
        ("PKG-INFO", "Name: a\nClassifier: License :: OSI Approved :: BSD License\n", ""),
        ("package.json", '{"license": "GPL-3.0"}', "GPL-3.0-only"),
        ("package.json", '{"license": {"type": "MIT"}}', "MIT"),
        ("package.json", '{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}', "GPL-2.0-only OR MIT"),
        ("package.json", '{"license": "SEE LICENSE IN LICENSE.md"}', ""),
        ("package.json", '["not", "an", "object"]', ""),
        ("package.json", "[" * 100_000, ""),
        ("Cargo.toml", '[package]\nlicense = "MIT/Apache-2.0"\n', "Apache-2.0 OR MIT"),
        ("Cargo.toml", 'package = "text"\n', ""),
        ("pyproject.toml", '[project]\nlicense = "LGPL-2.1-or-later"\n', "LGPL-2.1-or-later"),
        ("pyproject.toml", '[project]\nlicense = {text = "GPLv3"}\n', "GPL-3.0-only"),
        ("pyproject.toml", '[tool.poetry]\nlicense = "MIT"\n', "MIT"),
        ("pyproject.toml", "[project\n", ""),
        ("DESCRIPTION", "Package: a\nLicense: GPL (>= 2)\n", "GPL-2.0-or-later"),
        ("DESCRIPTION", "Package: a\nLicense: GPL-2 | GPL-3\n", "GPL-2.0-only OR GPL-3.0-only"),
        ("DESCRIPTION", "Package: a\nLicense: MIT + file LICENSE\n", "MIT"),
        ("DESCRIPTION", "Package: a\nLicense: file LICENSE\n", ""),
        ("DESCRIPTION", "Name: signal\nVersion: 1.4\nLicense: GPLv3+\n", "GPL-3.0-or-later"),
    ],
)
def test_metadata_files(path: str, text: str, expected: str) -> None:
    assert is_metadata_file(f"folder/{path}")
    assert metadata_expression(path, text.encode()) == expected


def test_license_files_by_name() -> None:
    yes = (
        "COPYING a/LICENSE.txt COPYING.LESSERv3 COPYINGv2 LICENSE-MIT MIT-LICENSE.txt LICENCE.md lgpl-2.1.txt"
    )
    no = "license.py licenses.c README copying.h licensing.rst src/license_test.js debian/copyright"
    assert all(is_license_file(path) for path in [*yes.split(), "LICENSES/MIT.txt"])
    assert not any(is_license_file(path) for path in no.split())


def test_the_folder_a_file_speaks_for() -> None:
    assert governed_folder("COPYING") == ""
    assert governed_folder("src/amd/COPYING") == "src/amd"
    assert governed_folder("sub/LICENSES/MIT.txt") == "sub"
    assert governed_folder("src/thing.egg-info/PKG-INFO") == ""


DEP5 = b"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: example
License: GPL-2+ or LGPL-3+

Files: *
Copyright: 2001 A
License: GPL-2+ or LGPL-3+

Files: lib/*.c
 doc?/[ab].tex
Copyright: 2002 B
License: MIT

Files: lib/special.c
 odd\\*name.c
Copyright: 2003 C
License: GPL-3+

Files: debian/*
Copyright: 2004 D
License: own-terms

License: own-terms
 Copying and distribution of this file are permitted in any medium.
"""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("main.c", "GPL-2+ or LGPL-3+"),
        ("lib/a.c", "MIT"),
        ("lib/deep/er/a.c", "MIT"),  # the asterisk crosses folders
        ("lib/special.c", "GPL-3+"),  # the last stanza wins
        ("sub/lib/a.c", "GPL-2+ or LGPL-3+"),  # patterns start at the root
        ("docs/a.tex", "MIT"),
        ("doc/a.tex", "GPL-2+ or LGPL-3+"),  # a question mark is one character
        ("docs/c.tex", "GPL-2+ or LGPL-3+"),
        ("docs/[ab].tex", "GPL-2+ or LGPL-3+"),
        ("odd*name.c", "GPL-3+"),
        ("oddXname.c", "GPL-2+ or LGPL-3+"),  # an escaped asterisk is one
        (".hidden", "GPL-2+ or LGPL-3+"),
        ("debian/rules", "own-terms"),
    ],
)
def test_the_last_matching_stanza_wins(path: str, name: str) -> None:
    dep5 = read_dep5(DEP5)
    assert dep5 is not None
    stanza = dep5.stanza(path)
    assert stanza is not None
    assert stanza.name == name


def test_the_text_of_a_license_paragraph_reaches_its_stanzas() -> None:
    dep5 = read_dep5(DEP5)
    assert dep5 is not None
    stanza = dep5.stanza("debian/rules")
    assert stanza is not None
    assert stanza.expression == ""
    assert stanza.text.startswith("Copying and distribution")
    assert dep5.whole == "GPL-2.0-or-later OR LGPL-3.0-or-later"


@pytest.mark.parametrize(
    "text", [b"", b"This package was debianized by A.\nLicense: GPL\n", b"\xff\xfe\x00", b"Format: x\n" * 9]
)
def test_free_prose_states_nothing_by_file(text: bytes) -> None:
    dep5 = read_dep5(text)
    assert dep5 is None or dep5.stanza("a.c") is None


def test_many_wildcards_are_linear() -> None:
    hostile = b"Format: x\n\nFiles: " + b"a*" * 2_000 + b"b\nCopyright: x\nLicense: MIT\n"
    dep5 = read_dep5(hostile)
    assert dep5 is not None
    assert within(lambda: dep5.stanza("a" * 4_000), 2)
    assert dep5.stanza("a" * 4_000) is None
