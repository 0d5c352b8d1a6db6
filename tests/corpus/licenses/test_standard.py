"""The recommended GNU notice is read without scancode; a word that could change its terms leaves it alone."""

import pytest

from corpus.licenses.detector import Detector
from corpus.licenses.standard import read_standard
from tests.pace import within

GRANT = (
    "{name} is free software; you can redistribute it and/or modify it under the terms of the GNU {family}"
    "General Public License as published by the Free Software Foundation; {version}"
)
WARRANTY = (
    "{name} is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the"
    " implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU {family}General"
    " Public License for more details."
)
COPY = "You should have received a copy of the GNU {family}General Public License along with {name}. "
TAILS = (
    "If not, see <https://www.gnu.org/licenses/>.",
    "If not, write to the Free Software Foundation, Inc., 51 Franklin Street, Boston, MA 02110-1301 USA",
    "",
)
NAMES = ("This program", "The GNU Scientific Library", "Reef", "this file")
LATER = {
    "GPL-2.0-or-later": ("", "either version 2 of the License, or (at your option) any later version."),
    "GPL-3.0-or-later": ("", "either version 3 of the License, or any later version."),
    "GPL-2.0-only": ("", "version 2 of the License."),
    "LGPL-2.1-or-later": (
        "Lesser ",
        "either version 2.1 of the License, or (at your option) any later version.",
    ),
    "LGPL-2.0-or-later": (
        "Library ",
        "either version 2 of the License, or (at your option) any later version.",
    ),
    "AGPL-3.0-or-later": (
        "Affero ",
        "either version 3 of the License, or (at your option) any later version.",
    ),
}


def notice(expected: str, name: str = "This program", tail: str = TAILS[0]) -> str:
    family, version = LATER[expected]
    parts = (GRANT, WARRANTY, COPY + tail)
    return "\n".join(part.format(name=name, family=family, version=version) for part in parts)


@pytest.mark.parametrize("expected", LATER)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tail", TAILS)
def test_the_recommended_words_name_the_licence(expected, name, tail):
    text = notice(expected, name, tail)
    assert read_standard(text) == expected
    assert read_standard(f"This file is part of {name}.\n{text}") == expected
    assert read_standard(text.splitlines()[0]) == expected
    assert read_standard(text.upper().replace("FREE SOFTWARE", "free software")) == expected


@pytest.mark.parametrize(
    "added",
    ["As a special exception, you may link it with anything.", "The documentation is under the FDL.", "MIT",
     "Dual licensed.", "Not for commercial use.", "Portions Copyright 2010 Ada, BSD.", "version 3 only",
     "Alternatively, the contents may be used under the terms of the MPL.", "See COPYING for exceptions."],
)  # fmt: skip
def test_one_more_word_is_not_passed_over(added):
    text = notice("GPL-2.0-or-later")
    lines = text.splitlines()
    for at in range(len(lines) + 1):
        assert read_standard("\n".join([*lines[:at], added, *lines[at:]])) == ""
    assert read_standard(notice("GPL-2.0-or-later", name=f"This program {added}")) == ""


@pytest.mark.parametrize("version", ["version 4 of the License", "version 2.1 of the License", "version 7.9"])
def test_a_version_that_was_never_published_is_not_believed(version):
    assert read_standard(GRANT.format(name="Reef", family="", version=version)) == ""


def test_long_texts_take_no_time():
    for text in ("a " * 1900 + "free software", "is free software " * 230, notice("GPL-2.0-only") * 5):
        assert within(lambda: read_standard(text), 1)  # noqa: B023 - run at once
        assert read_standard(text) == ""


def test_the_detector_needs_no_children_for_it(tmp_path):
    with Detector(tmp_path, 1) as detector:
        texts = [notice(expected, name) for expected in LATER for name in NAMES]
        found = detector.detect(texts)
        assert [one.expression for one in found] == [expected for expected in LATER for _ in NAMES]
        assert all(one.score == 1.0 and not one.bare and one.matched_lines == (1, 3) for one in found)
        assert not detector.started
