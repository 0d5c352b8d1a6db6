"""Patches of tags and notices: `git apply` takes them, they only add lines, and tags stand where they may."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from debian_inspector.copyright import DebianCopyright
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.attribution import dep5
from app.attribution.notice import Notice, copyright_lines
from app.attribution.patch import FileLines, make
from app.attribution.snippet import comment_signs, tags
from app.attribution.texts import license_text
from app.policy.credits import credit_in
from corpus.languages import LANGUAGES

PURL = "pkg:pypi/almanac@1.0"


def notice(path: str, start: int, end: int, holders: tuple[str, ...] = ("2019 Ada Example",)) -> Notice:
    return Notice(path, start, end, "MIT", holders, PURL, "grid.py", (7, 21), "https://code.example/almanac")


def applied(folder: Path, patch: bytes) -> None:
    """Apply in an empty repository; raises where git refuses."""
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / ".patch").write_bytes(patch)
    done = subprocess.run(["git", "apply", ".patch"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + patch.decode("utf-8", "replace")
    (folder / ".patch").unlink()


lines = st.lists(
    st.sampled_from(["x = 1", "    y = 2", "", "# note", "def f():", "\tz", "é = 3"]), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines, st.data(), st.booleans(), st.booleans())
def test_git_applies_it_and_it_only_adds_tags(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    data: st.DataObject,
    crlf: bool,
    newline: bool,
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    ending = "\r\n" if crlf else "\n"
    before = (ending.join(lines) + (ending if newline else "")).encode()
    assume(before)
    newline = before.endswith(b"\n")
    (folder / "a b.py").write_bytes(before)
    existing = data.draw(st.sampled_from([None, b"", b"Ours\n", b"Ours, open end"]))
    if existing is not None:
        (folder / "NOTICE").write_bytes(existing)
    file = FileLines.of(before)
    numbers = st.integers(1, max(file.lines))
    wanted = sorted(
        (min(pair), max(pair))
        for pair in data.draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
    )
    made = make([notice("a b.py", a, b) for a, b in wanted], {"a b.py": file}, "NOTICE", existing)
    applied(folder, made.text)
    after = (folder / "a b.py").read_bytes()
    kept = [line for line in after.split(b"\n") if b"SPDX-" not in line]
    original = before.split(b"\n")
    if not newline and after.endswith(b"\n"):
        kept = kept[:-1]  # a tag after an open last line closes it
    assert kept == original
    assert (
        after.count(b"SPDX-SnippetBegin")
        == after.count(b"SPDX-SnippetEnd")
        == len(wanted) - len(made.left_out)
    )
    assert (folder / "NOTICE").read_bytes().startswith(existing or b"Format: ")


SOURCE = '''import math
TEXT = """one
two
three"""
def first(a, b):
    total = a + \\
        b
    return total
def second():
    """Say
    more."""
    return 2
'''


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (5, 8, 5, 8),
        (3, 8, 2, 8),
        (4, 4, 2, 4),
        (7, 8, 6, 8),
        (5, 6, 5, 7),
        (9, 10, 9, 11),
        (11, 12, 10, 12),
        (1, 12, 1, 12),
    ],
)
def test_a_tag_never_cuts_what_spans_lines(
    tmp_path: Path, start: int, end: int, first: int, last: int
) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    made = make([notice("a.py", start, end)], {"a.py": FileLines.of(SOURCE.encode())}, "NOTICE", None)
    applied(tmp_path, made.text)
    after = (tmp_path / "a.py").read_text()
    original = SOURCE.split("\n")
    begun = after[: after.index("# SPDX-SnippetBegin")].rstrip(" ").count("\n") + 1
    assert begun == first
    ended = [
        line for line in after[: after.index("# SPDX-SnippetEnd")].split("\n")[:-1] if "SPDX-" not in line
    ]
    assert len(ended) == last
    assert ended == original[:last]
    spaces: dict[str, object] = {}
    exec(compile(after, "a.py", "exec"), spaces)  # still the same program
    assert spaces["TEXT"] == "one\ntwo\nthree"


def test_a_diff_alone_is_enough_where_the_lines_are_in_it(tmp_path: Path) -> None:
    text = "".join(f"line{n}()\n" for n in range(1, 41))
    (tmp_path / "a.py").write_text(text)
    known = {n: f"line{n}()".encode() for n in range(17, 31)}
    made = make([notice("a.py", 20, 27)], {"a.py": FileLines(known, whole=False)}, "NOTICE", None)
    applied(tmp_path, made.text)
    after = (tmp_path / "a.py").read_text().splitlines()
    assert after[19] == "# SPDX-SnippetBegin"
    assert after[after.index("# SPDX-SnippetEnd") - 1] == "line27()"


def test_what_cannot_be_tagged_is_told_and_still_gets_its_notice() -> None:
    file = FileLines.of(b"a()\nb()\nc()\n")
    made = make(
        [
            notice("a.py", 1, 2),
            notice("a.py", 2, 3),
            notice("gone.py", 1, 1),
            notice("../up.py", 1, 1),
            notice("a.py", 9, 9),
        ],
        {"a.py": file, "../up.py": file},
        "NOTICE",
        None,
    )
    assert len(made.left_out) == 4
    assert made.text.count(b"+Files: ") == 3
    assert b"+++ b/../up.py" not in made.text


def test_a_notice_that_is_there_is_not_repeated(tmp_path: Path) -> None:
    first = make([notice("a.py", 1, 1)], {}, "NOTICE", None)
    applied(tmp_path, first.text)
    held = (tmp_path / "NOTICE").read_bytes()
    assert make([notice("a.py", 1, 1)], {}, "NOTICE", held).text == b""
    more = make([notice("b.py", 1, 1)], {}, "NOTICE", held)
    applied(tmp_path, more.text)
    assert (tmp_path / "NOTICE").read_text().count("Permission is hereby granted") == 1


def test_debian_tools_read_the_stanzas() -> None:
    wanted = [
        notice("src/a.py", 1, 9, ("2019 Ada Example", "2021, The Grid Authors")),
        notice("my file*.c", 3, 4, ()),
    ]
    parsed = DebianCopyright.from_text(dep5.render(wanted))
    header, one, two, license = parsed.paragraphs
    assert header.format.value.startswith("https://www.debian.org/doc/packaging-manuals/copyright-format/1.0")
    assert one.files.values == ["src/a.py"]
    assert one.copyright.statements[0].holder == "Ada Example"
    assert one.license.name == "MIT"
    assert two.files.values == ["my?file\\*.c"]
    assert license.license.name == "MIT"
    assert "Permission is hereby granted" in license.license.text


def test_every_licence_of_an_expression_has_its_text() -> None:
    both = Notice("a.py", 1, 2, "Apache-2.0 OR (MIT AND LicenseRef-ours)", (), PURL, "g.py", (1, 2), "")
    text = dep5.render([both])
    assert "License: Apache-2.0 OR (MIT AND LicenseRef-ours)\n" in text
    assert "License: Apache-2.0\n" in text
    assert "License: LicenseRef-ours\n The text of this licence stands in the release" in text
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION" in text
    assert (
        license_text("No-Such-1.0") == "The text of this licence: https://spdx.org/licenses/No-Such-1.0.html"
    )


@pytest.mark.parametrize(
    "path", ["a.c", "a.py", "a.f90", "a.js", "a.rs", "a.m", "a.ml", "a.lua", "a.sql", "a.pl", "a.xyz"]
)
def test_tags_are_comments_and_are_read_back_as_a_credit(path: str) -> None:
    before, after = tags(notice(path, 2, 3))
    text = [*before, "code", "code", *after]
    credit = credit_in(text, len(before) + 1, len(before) + 2, ())
    assert credit is not None
    assert (credit.by, credit.license) == ("snippet", "MIT")
    opener, closer = comment_signs(path)
    assert all(line.startswith(opener) and line.endswith(closer) for line in (*before, *after))


def test_every_language_has_a_comment_of_one_line() -> None:
    assert all(language.remarks for language in LANGUAGES.values())


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"# Copyright (C) 2019 Ada Example <ada@example.org>", ("2019 Ada Example <ada@example.org>",)),
        (b" * Copyright 2021, The Grid Authors. All rights reserved. */", ("2021, The Grid Authors",)),
        (b"// SPDX-FileCopyrightText: 2020 Bo", ("2020 Bo",)),
        (b"/* (c) 1999-2003 by Cy Maker */", ("1999-2003 by Cy Maker",)),
        ("! © 2011 Dé Sample".encode(), ("2011 Dé Sample",)),
        (b"# Copyright Ada Example", ("Ada Example",)),
        (b"# The above copyright notice and this permission notice shall be included", ()),
        (b"# COPYRIGHT HOLDERS AND CONTRIBUTORS BE LIABLE", ()),
        (b"# Redistributions must retain the above copyright", ()),
        (b"x = 1", ()),
        (b"# Copyright 2020 \x1b[31mRed", ("2020 \\x1b[31mRed",)),
    ],
)
def test_holders_in_a_header(header: bytes, found: tuple[str, ...]) -> None:
    assert copyright_lines(header + b"\ncode\n") == found
    assert copyright_lines(b"\n" * 200 + header) == ()
