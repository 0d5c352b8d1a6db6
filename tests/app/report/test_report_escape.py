"""Theorems of the escapes: whatever the text, nothing in it acts; and what is harmless stays readable."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.report.escape import ascii_only, code, fenced, package_uri, prose, uri_path, visible, web_address
from app.report.wording import chance_words, percent

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Mostly what Markdown and HTML give a meaning to, some of everything else.
texts = st.text(
    st.sampled_from("`|\\*_[]()<>!@#:/&;~=+-.\n\t\r 1aw\u202e\x1b\x00") | st.characters(), max_size=40
)
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def inline(source: str) -> list[tuple[str, str]]:
    (paragraph,) = [token for token in PARSER.parse(source) if token.type == "inline"]
    return [(child.type, child.content) for child in paragraph.children or []]


@given(texts)
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(each) in HIDDEN for each in shown)
    assert visible(shown) == shown
    assert ascii_only(shown).isascii()


@given(texts, st.integers(40, 60))
def test_a_limit_holds(text: str, limit: int) -> None:
    assert len(visible(text * 5, limit)) <= limit


@given(texts)
def test_code_is_one_code_span(text: str) -> None:
    children = inline(f"x {code(text)} y")
    assert [kind for kind, _ in children] == ["text", "code_inline", "text"]


@given(texts)
def test_code_stays_in_its_cell(text: str) -> None:
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n| {code(text)} | end |\n")
    cells = [token.content for token in tokens if token.type == "inline"]
    assert len(cells) == 4
    assert cells[3] == "end"


@given(texts)
def test_prose_is_text_and_code_only(text: str) -> None:
    for kind, content in inline(f"- **x**: {prose(text)} end"):
        assert kind in ("text", "code_inline", "strong_open", "strong_close")
        if kind == "text":
            assert not re.search(r"[@#<>`*\[\]|~\\]|://|www\.", content)


@given(st.lists(texts, max_size=5))
def test_a_block_ends_where_it_should(lines: list[str]) -> None:
    tokens = PARSER.parse("\n".join([*fenced(lines), "", "after"]))
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content.count("\n") == len(lines)


@given(texts)
def test_a_web_address_is_one_or_nothing(text: str) -> None:
    for url in (text, f"https://code.example/{text}", f"https://{text}"):
        address = web_address(url)
        assert re.fullmatch(r"(?:https?://[!-~]+)?", address)
        assert not re.search(r"[\s<>\"'()`\\|\[\]]", address)


@given(texts)
def test_a_path_is_a_relative_reference(text: str) -> None:
    parts = urlsplit(uri_path(text))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", uri_path(text))


def test_a_package_url_stays_one() -> None:
    purl = "pkg:deb/debian/gsl@2.7.1%2Bdfsg-5?arch=source"
    assert package_uri(purl) == purl
    assert package_uri("pkg:pypi/a b#<x>") == "pkg:pypi/a%20b%23%3Cx%3E"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://user@code.example/",
        "https://",
        "//code.example",
        "ftp://code.example/x",
        "https://[",
    ],
)
def test_other_addresses_are_left_out(url: str) -> None:
    assert web_address(url) == ""


def test_harmless_prose_stays_as_it_is() -> None:
    sentence = "GPL-3.0-or-later against BSD-3-Clause (the project's license); ask the authors, e.g. by mail."
    assert prose(sentence) == sentence
    assert prose("see https://x.example or @octo") == "see `https://x.example` or `@octo`"


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "less than 1 in 10^15"),
        (1e-300, "less than 1 in 10^15"),
        (1e-6, "about 1 in 10^6"),
        (3.2e-7, "about 1 in 10^6"),
        (0.0031, "about 1 in 300"),
        (0.2, "about 1 in 5"),
        (0.5, "about 1 in 2"),
        (1.0, "about 1 unrelated piece of this index would agree as well"),
        (12.3, "about 12 unrelated pieces of this index would agree as well"),
        (2e7, "about 10^7 unrelated pieces of this index would agree as well"),
    ],
)
def test_chance_in_words(chance: float, words: str) -> None:
    assert chance_words(chance) == words


@given(st.floats(0, 1e308))
def test_chance_never_fails(chance: float) -> None:
    assert re.match(r"about 1 in \d|about [\d,^]+ unrelated|less than", chance_words(chance))


def test_a_percentage_is_never_rounded_up_to_all() -> None:
    assert (percent(0.999), percent(1.0), percent(0.83), percent(0.0)) == ("99%", "100%", "83%", "0%")
