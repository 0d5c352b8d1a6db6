"""The notice at the top of a file: found in any comment syntax, named by one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.licenses import header
from corpus.licenses.header import HEADER_BYTES, notice_key, read_header
from tests.pace import within

NOTICE = (
    "This program is free software; you can redistribute it and/or modify",
    "it under the terms of the GNU General Public License as published by",
    "the Free Software Foundation; either version 2 of the License, or",
    "(at your option) any later version.",
)


def commented(first: str, sign: str, last: str, lines: tuple[str, ...] = NOTICE) -> bytes:
    return "\n".join([first, *(sign + line for line in lines), last, "int main = 1;", ""]).encode()


SYNTAXES = {
    "c": commented("/*", " * ", " */"),
    "c without asterisks": commented("/* example.c", "   ", "*/"),
    "c++": commented("// example", "// ", "//"),
    "shell": commented("#!/bin/sh", "# ", "#"),
    "lisp": commented(";;; example.el", ";;; ", ";;"),
    "tex": commented("%% example", "%% ", "%%"),
    "fortran 77": commented("C example", "C     ", "C"),
    "fortran 90": commented("! example", "! ", "!"),
    "ada": commented("-- example", "--  ", "--"),
    "python": commented('"""Example.', "", '"""'),
    "ocaml": commented("(* example", "   ", "*)"),
    "haskell": commented("{- example", "   ", "-}"),
    "html": commented("<!-- example", "  ", "-->"),
    "m4": commented("dnl example", "dnl ", "dnl"),
    "julia": commented("#= example", "", "=#"),
    "octave": commented("## Copyright (C) 2011 A", "## ", "##"),
    "no comment at all": commented("ifelse(`", "   ", "')"),
    "after code": b"#ifndef EXAMPLE_H\n#define EXAMPLE_H\n" + commented("/*", " * ", " */"),
}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_one_notice_has_one_key_in_every_syntax(syntax: str) -> None:
    header = read_header(SYNTAXES[syntax])
    assert notice_key(header.notice) == notice_key("\n".join(NOTICE))


def test_names_years_and_descriptions_are_left_out() -> None:
    one = b"/* a.c\n *\n * Copyright (C) 1999, 2004 Jane Roe <jane@example.org>\n *\n"
    other = b"/* Sorting.\n *\n * (c) 2020-2022 The Other Project\n *\n"
    rest = "".join(f" * {line}\n" for line in NOTICE).encode() + b" */\n"
    assert read_header(one + rest).notice == read_header(other + rest).notice == "\n".join(NOTICE)


def test_the_list_after_the_last_sentence_belongs_to_the_notice() -> None:
    text = b"""/* Permission is granted to anyone to use this software for any purpose,
 * subject to the following restrictions:
 *
 * 1. The origin must be stated.
 * 2. Altered versions must be marked.
 *
 * The algorithm is that of the second edition.
 */
"""
    notice = read_header(text).notice
    assert notice.endswith("2. Altered versions must be marked.")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n\n",
        b"/* Sorts numbers. */\nint f(void);\n",
        b"/* Copyright (C) 2011 Free Software Foundation, Inc. */\nint f(void);\n",
        b"#include <gsl/gsl_math.h>\n",
        b"int x;\n" * 500 + b"/* This is free software under the GPL. */\n",  # not a header
        bytes(range(256)),
    ],
)
def test_files_without_a_notice(text: bytes) -> None:
    assert read_header(text).notice == ""
    assert read_header(text).tags == ()


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (b"// SPDX-License-Identifier: GPL-2.0-or-later\n", ("GPL-2.0-or-later",)),
        (b"/* SPDX-License-Identifier: MIT OR Apache-2.0 */\n", ("MIT OR Apache-2.0",)),
        (b"#!/bin/sh\n# spdx-license-identifier:   LGPL-2.1+\r\n", ("LGPL-2.1+",)),
        (b"<!-- SPDX-License-Identifier: CC0-1.0 -->\n", ("CC0-1.0",)),
        (b"# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: ISC\n", ("MIT", "ISC")),
        (b'tag = "SPDX-License-Identifier: MIT"\n', ()),
        (b"# looks for a line such as SPDX-License-Identifier: MIT\n", ()),
        (b"# SPDX-License-Identifier:\n", ()),
    ],
)
def test_spdx_tags(text: bytes, tags: tuple[str, ...]) -> None:
    header = read_header(text)
    assert header.tags == tags


def test_tags_are_no_part_of_the_notice() -> None:
    text = (
        b"# SPDX-License-Identifier: MIT\n# SPDX-FileCopyrightText: 2020\n# Licensed under the terms of X.\n"
    )
    assert read_header(text).notice == "Licensed under the terms of X."


HOSTILE = {
    "one line": b"/* license " * 100_000,
    "stars": b"/*" + b"*" * 1_000_000,
    "stars between letters": b"/*" + (b"*" * 900 + b"x") * 1_100,
    "letters": b"# " + b"a" * 1_000_000,
    "words": b"# " + b"license " * 130_000,
    "copyrights": (b"# " + b"copyright (c) " * 140 + b"\n") * 500,
    "open comments": b"/* license\n" * 100_000,
    "list": b"# license:\n" + b"#\n# 1. x\n" * 100_000,
    "spaces": b"# SPDX-License-Identifier: " + b" " * 1_000_000 + b"MIT",
    "invalid utf-8": b"# license \xff\xfe" * 60_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_is_bounded(name: str) -> None:
    assert within(lambda: read_header(HOSTILE[name]), 3)
    header = read_header(HOSTILE[name])
    assert len(header.notice) <= HEADER_BYTES


@given(st.binary(max_size=400))
def test_any_bytes_are_read(text: bytes) -> None:
    header = read_header(text)
    assert isinstance(header.notice, str)


@given(st.text(alphabet=st.sampled_from("abc licenseGPL2+.,\n"), max_size=80), st.integers(0, 3))
def test_the_key_ignores_layout_and_case(text: str, spaces: int) -> None:
    relaid = text.replace(" ", " " * (spaces + 1)).replace("\n", " \n").upper()
    assert notice_key(relaid) == notice_key(text)


_PIECES = st.sampled_from(
    ["/* ", " */\n", "# ", "\n", "_", " ", "gpl", "GPLv2", "licen", "ce", "free software", "SPDX-", "x = 1;",
     "SPDX-License-Identifier: MIT", "public domain", "COPYING", "(c) 2020 ", "\"\"\"", "terms", " of", "--",
     "under the MIT", "dnl ", "=", "All rights", "warranty", "\u00e9", "licen\u017fe", "\u2029", "\t"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_a_text_that_is_passed_over_holds_nothing(text: str) -> None:
    found = read_header(text.encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(header, "_marks_in", lambda lines, marks: marks)  # nothing is passed over
        assert read_header(text.encode()) == found


_SAID = """
licence LICENSED copyleft AGPL general_public free_software_of_ours redistribute permission
permitted public_domain public-domain warranty warranties creative_commons proprietary confidential
trade_secret disclaim without_restriction no_restriction freely special_exception commercial_use
noncommercial non-commercial CeCILL this_notice copyright_notice misrepresented
following_conditions_are terms_of terms_and may_be_used may_be_copied may_be_distributed see_COPYING
distributed_under released_under available_under provided_under published_under under_the_MIT
under_new_BSD under_the_3-clause_BSD
"""


@pytest.mark.parametrize("said", [words.replace("_", " ") for words in _SAID.split()])
def test_no_text_that_speaks_is_passed_over_unread(said: str) -> None:
    assert header._SPEAKS.search(said)
    assert header.speaks_of_licensing(said)
    assert header.speaks_of_licensing(f"\u00e9 {said}")


_NEARLY_SAID = st.sampled_from(
    [*_SAID.lower().replace("_", " ").split(), *_SAID.replace("_", " ").split("\n"), "COPYING", "xCOPYING",
     "in", "terms", "of", "under", "mit", "3.clause", "bsd", "free software", " foundation", "warrants",
     "may be ", "\n", " ", " ", "-", "_"]
)  # fmt: skip


@given(
    st.text(st.sampled_from("abcdefgilmnoprstuvwy -"), max_size=60)
    | st.lists(_NEARLY_SAID, max_size=12).map("".join)
)
def test_plain_search_never_contradicts_the_pattern(text: str) -> None:
    assert header.speaks_of_licensing(text) == (header._SPEAKS.search(text) is not None)
