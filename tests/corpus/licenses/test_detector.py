"""Detection in children: what notices mean, what is none, the cache, the limits."""

import random
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from corpus.licenses import expression
from corpus.licenses.conclude import conclude
from corpus.licenses.detector import MEMORY, PATIENCE, SECONDS, Detection, Detector
from corpus.licenses.header import notice_key, read_header
from corpus.sandbox import Limits, Pool

pytestmark = pytest.mark.slow

GRANT = (
    "{what} is free software; you can redistribute it and/or modify it under the terms of the GNU {family}"
    "General Public License as published by the Free Software Foundation; {version}.\n\n"
    "{what} is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the "
    "implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU {other}General "
    "Public License for more details.\n\n"
    "You should have received a copy of the GNU {family}General Public License along with this program; if "
    "not, write to the Free Software Foundation, Inc., 51 Franklin Street, Boston, MA 02110-1301, USA."
)


def grant(version: str, family: str = "", what: str = "This program", other: str | None = None) -> str:
    return GRANT.format(version=version, family=family, what=what, other=family if other is None else other)


LATER = "either version {} of the License, or (at your option) any later version"
DUAL = (
    "GNU Example is free software: you can redistribute it and/or modify it under the terms of either:\n\n"
    "  * the GNU Lesser General Public License as published by the Free Software Foundation; "
    + LATER.format(3)
    + ".\n\nor\n\n  * the GNU General Public License as published by the Free Software Foundation; "
    + LATER.format(2)
    + ".\n\nor both in parallel, as here.\n"
)
NOTICES = {
    grant(LATER.format(2)): "GPL-2.0-or-later",
    grant(LATER.format(3)): "GPL-3.0-or-later",
    grant("version 2 of the License"): "GPL-2.0-only",
    grant(LATER.format("2.1"), "Lesser ", "This library"): "LGPL-2.1-or-later",
    grant(LATER.format(3), "Lesser "): "LGPL-3.0-or-later",
    grant(LATER.format(3), "Affero "): "AGPL-3.0-or-later",
    # one notice whose warranty paragraph names another licence by mistake
    grant(LATER.format(3), other="Lesser "): "GPL-3.0-or-later",
    DUAL: "GPL-2.0-or-later OR LGPL-3.0-or-later",
    DUAL
    + "\nThe first version of this file was written elsewhere.\n": "GPL-2.0-or-later OR LGPL-3.0-or-later",
    "Licensed under the Apache License, Version 2.0": "Apache-2.0",
    "This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the "
    "MPL was not distributed with this file, You can obtain one at http://mozilla.org/MPL/2.0/.": "MPL-2.0",
    "Distributed under the MIT license.": "MIT",
    "License: MIT": "MIT",
    "License: GPL v3": "GPL-3.0-only",
    "This code is in the public domain.": "LicenseRef-scancode-public-domain",
}
NO_NOTICES = [
    "Channels: gpl 30, rgb 24, cmyk 12",
    "gpl(); return gpl;",
    "GPL",
    "see the GPL",
    "Use the BSD license",
    "the apache license",
    "permission notice shall be included in all copies or substantial portions",
    "THE SOFTWARE IS PROVIDED AS IS, WITHOUT WARRANTY",
    "MIT Apache-2.0 GPL-2.0-only BSD-3-Clause ISC MPL-2.0 LGPL-2.1-only Zlib 0BSD AGPL-3.0-only".replace(
        " ", "\n"
    ),
    'licenses = ["MIT", "Apache-2.0", "GPL-2.0-only", "BSD-3-Clause", "ISC", "MPL-2.0", "LGPL-2.1-only"]',
    "Unlike the GPL version of this library, ours does not need a license key.",
    "Returns whether the permission bits are permitted for this user.",
    "See the file LICENSE for terms",
]


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detector]:
    with Detector(tmp_path_factory.mktemp("licenses"), processes=1) as detector:
        yield detector


def test_what_notices_mean(detector: Detector) -> None:
    found = detector.detect(list(NOTICES))
    assert dict(zip(NOTICES, [one.expression for one in found], strict=True)) == NOTICES
    assert all(0.8 <= one.score <= 1.0 and one.matched_lines and not one.reason for one in found)


def test_what_is_no_notice(detector: Detector) -> None:
    found = detector.detect(NO_NOTICES)
    stated = {
        text: one for text, one in zip(NO_NOTICES, found, strict=True) if expression.is_stated(one.expression)
    }
    assert stated == {}


def test_a_doubtful_permissive_reading_of_a_text_that_names_the_gpl_is_unknown(detector: Detector) -> None:
    text = b"/* compatible with GPL 2.0 and Apache 2.0 licensed code */\nint x;\n"
    found = conclude({"a.c": text}, {}, "MIT", None, detector)["a.c"]
    assert (found.expression, found.reason) == ("", "ambiguous")
    assert found.conflicts == (("metadata", "MIT"),)


def test_license_texts_are_bare_and_metadata_decides(detector: Detector) -> None:
    texts = {key: _data("licenses", f"{key}.LICENSE") for key in ("gpl-2.0", "gpl-3.0", "lgpl-2.1", "mit")}
    found = dict(zip(texts, detector.detect(list(texts.values())), strict=True))
    assert {key: one.expression for key, one in found.items()} == {
        "gpl-2.0": "GPL-2.0-only",
        "gpl-3.0": "GPL-3.0-only",
        "lgpl-2.1": "LGPL-2.1-only",
        "mit": "MIT",
    }
    assert all(one.bare for one in found.values())
    tree = {"COPYING": texts["gpl-3.0"].encode(), "PKG-INFO": b"Name: a\nLicense: GPLv3+\n"}
    assert conclude({"a.py": b"x = 1\n"}, tree, "", None, detector)["a.py"].expression == "GPL-3.0-or-later"


def test_a_stanza_without_a_known_name_is_read_by_its_text(detector: Detector) -> None:
    dep5 = (
        b"Format: x\n\nFiles: *\nCopyright: x\nLicense: own\n Copying and distribution of this file, with\n"
        b" or without modification, are permitted in any medium without royalty provided the copyright\n"
        b" notice and this notice are preserved.\n"
    )
    found = conclude({"a.c": b"int x;\n"}, {}, "", dep5, detector)["a.c"]
    assert (found.expression, found.established_by) == ("FSFAP-no-warranty-disclaimer", "dep5")


def test_copyleft_is_never_read_as_permissive(detector: Detector) -> None:
    """200 of scancode's own copyleft notices, each inside a comment of a source file."""
    wanted = _copyleft_notices(200)
    headers = [read_header(_source(text)) for _key, text in wanted]
    found = detector.detect([header.notice for header in headers])
    names = {
        key: one.expression
        for (key, _text), one in zip(wanted, found, strict=True)
        if one.expression and "Copyleft" not in expression.category(one.expression)
    }
    assert names == {}
    unread = [key for (key, _text), one in zip(wanted, found, strict=True) if not one.expression]
    assert len(unread) <= 0.02 * len(wanted), unread


def test_the_shortlist_of_rules_changes_no_answer() -> None:
    """scancode's own notices, whole and with words left out, so that most are matched approximately."""
    random_words = random.Random(11)
    texts = [text for _key, text in _copyleft_notices(16)] + list(NOTICES)
    texts += [" ".join(w for w in text.split() if random_words.random() > 0.1) for text in texts]
    texts.append(_data("licenses", "lgpl-2.1.LICENSE")[300:9000])
    with Pool(1, Limits(memory=MEMORY, seconds=SECONDS), patience=PATIENCE) as pool:
        answers = [
            [pool.run(f"corpus.licenses.detect:{how}", text) for text in texts]
            for how in ("detect_text", "detect_by_all_rules")
        ]
    assert answers[0] == answers[1]
    assert sum(answer["path"] == "full" for answer in answers[0]) > len(texts) / 4


def test_each_notice_is_detected_once_ever(tmp_path: Path) -> None:
    # In words that are not the recommended ones: those are read without scancode.
    text = "You may use and share this file under the GNU General Public License, version 2 or later."
    counted: list[tuple[int, int]] = []
    with Detector(tmp_path, processes=1) as first:
        before = first.detect(
            [text, text.upper(), "", text], lambda done, total: counted.append((done, total))
        )
        assert first.started
    assert counted == [(1, 1)]
    assert [one.expression for one in before] == [
        "GPL-2.0-or-later",
        "GPL-2.0-or-later",
        "",
        "GPL-2.0-or-later",
    ]
    with Detector(tmp_path) as second:
        assert second.detect([text, text.upper(), "", text]) == before
        assert not second.started


def test_hostile_texts_are_bounded_and_say_why(detector: Detector, tmp_path: Path) -> None:
    too_long = "GNU General Public License\n" * 50_000
    endless = "".join(
        f"GNU General Public License version {number % 7} or later, see COPYING {number}\n"
        for number in range(15_000)
    )
    found = detector.detect([too_long, endless])
    assert found[0] == Detection("", reason="too long")
    assert found[1].expression == ""
    assert found[1].reason in {"timeout", "memory", "crash"}
    assert detector.detect(["License: MIT"])[0].expression == "MIT"  # the next one is not affected
    found_file = conclude({"a.c": b"int x;\n"}, {"LICENSE": too_long.encode()}, "", None, detector)["a.c"]
    assert found_file.expression == ""


def _data(folder: str, name: str) -> str:
    """The text of one of scancode's licence or rule files, without its front matter."""
    spec = find_spec("licensedcode")
    assert spec is not None
    assert spec.origin is not None
    return (
        (Path(spec.origin).parent / "data" / folder / name)
        .read_text(encoding="utf-8")
        .split("---", 2)[2]
        .strip()
    )


def _copyleft_notices(count: int) -> list[tuple[str, str]]:
    spec = find_spec("licensedcode")
    assert spec is not None
    assert spec.origin is not None
    paths = sorted((Path(spec.origin).parent / "data" / "rules").glob("*.RULE"))
    random.Random(7).shuffle(paths)
    chosen: list[tuple[str, str]] = []
    for path in paths:
        matter, text = path.read_text(encoding="utf-8").split("---", 2)[1:]
        fields = dict(line.split(": ", 1) for line in matter.splitlines() if ": " in line and line[0] != " ")
        stated = expression.from_scancode(fields.get("license_expression", ""))
        whole = (
            "is_license_notice" in fields
            and not {"language", "is_deprecated", "is_required_phrase"} & fields.keys()
        )
        if (
            whole
            and "Copyleft" in expression.category(stated)
            and len(text.split()) >= 12
            and "SPDX" not in text
        ):
            chosen.append((path.name, text.replace("{{", "").replace("}}", "").strip()))
        if len(chosen) == count:
            break
    return chosen


def _source(notice: str) -> bytes:
    lines = "".join(f" * {line}\n" for line in notice.splitlines())
    return f"/* example.c\n *\n * Copyright (C) 2011 Some Body\n *\n{lines} */\nint x;\n".encode()


def test_a_damaged_row_of_the_cache_is_detected_again(detector: Detector, tmp_path: Path) -> None:
    with Detector(tmp_path, processes=1) as damaged:
        damaged._cache.keep(notice_key("License: MIT"), Detection("MIT", 1.0))
        with sqlite3.connect(tmp_path / "licenses.sqlite") as database:
            database.execute("UPDATE detections SET answer = '{'")
    with Detector(tmp_path, processes=1) as again:
        assert again.detect(["License: MIT"])[0].expression == "MIT"
        assert again.started
