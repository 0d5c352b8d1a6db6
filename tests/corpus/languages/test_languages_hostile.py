"""Any bytes: the same tokens compiled or plain, no exception, linear time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.languages import scan
from tests.corpus.languages.scan_checks import ALL, MAIN, SAMPLES, assert_same, assert_sound
from tests.pace import seconds, within

SNIPPETS = [
    b"'",
    b'"',
    b'"""',
    b"'''",
    b"`",
    b"${",
    b"}",
    b"/*",
    b"*/",
    b"//",
    b"#",
    b"#=",
    b"=#",
    b"%{",
    b"\n%{\n",
    b"\n%}\n",
    b'r#"',
    b'"#',
    b'R"x(',
    b')x"',
    b"\\",
    b"\\\n",
    b"\r",
    b"\r\n",
    b"\n",
    b"\t",
    b"=pod\n",
    b"\n=cut\n",
    b"<<EOT\n",
    b"\nEOT\n",
    b"q{",
    b"s/a/",
    b"tr(",
    b"$#",
    b"@{",
    b"0x1p",
    b"1.e",
    b"1d-3",
    b"1_0.",
    b".5",
    b"..",
    b"&\n",
    b"\n     1",
    b"\nC ",
    b".and.",
    b"%in%",
    b"--[[",
    b"]]",
    b"(*",
    b"*)",
    b"\x00",
    b"\xff\xfe",
    b"\xe2\x89\xa4",
    b" ",
    b"ab",
    b"end",
    b"import",
    b"#include",
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b";",
    b",",
    b"'a",
    b"'\\n'",
    b"/[/",
    b"!",
    b"!=",
    b"::",
    b"return",
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(ALL),
    st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(SNIPPETS), max_size=60).map(b"".join)),
    st.booleans(),
)
@example("c", b"..0", False)
def test_compiled_equals_plain_on_any_bytes(language: str, text: bytes, fragment: bool) -> None:
    plain = scan(text, language, fragment=fragment)
    assert_sound(text, plain)
    assert_same(plain, scan(text, language, compiled=True, fragment=fragment))


@pytest.mark.parametrize("language", MAIN)
def test_compiled_equals_plain_on_the_samples(language: str) -> None:
    for other in MAIN:
        text = SAMPLES[other]
        for form in (
            text,
            text.replace(b"\n", b"\r\n"),
            text.replace(b"\n", b"\r"),
            text.replace(b"\n", b" "),
        ):
            assert_same(scan(form, language), scan(form, language, compiled=True))


def hostile_texts(scale: float = 1.0) -> dict[str, bytes]:
    """Texts of up to 5 MB times `scale`."""

    def times(count: int) -> int:
        return int(count * scale)

    noise = np.random.default_rng(7).integers(0, 256, times(1_000_000), np.uint8).tobytes()
    half = times(50_000)
    return {
        "nested": b"(" * half + b"[" * half + b"]" * half + b")" * half,
        "open": b"([{" * times(333_333),
        "noise": noise,
        "one line": b"x = f(a1, 'b') + 2.5 * y[i]; " * times(180_000),
        "unterminated": b'x = "' + b"a\\" * times(1_000_000),
        "quotes": b"'\"`" * times(300_000),
        "openers": b'/*(*{-#=#|--[[%{<<E r#" R"(' * times(40_000),
        "regexes": b"= /[ " * times(200_000),
        "hashes": b"r" + b"#" * times(500_000) + b'r#"' * times(100_000),
        "imports": b"import (\n" * times(100_000),
        "directives": b"#include <a>\n" * times(80_000),
        "numbers": b"".join(b"%d.5e-3 " % number for number in range(times(100_000))),
    }


@pytest.mark.slow
@pytest.mark.parametrize("language", ALL)
def test_hostile_texts_take_five_seconds_at_most(language: str) -> None:
    scan(b"x", language, compiled=True)
    for name, text in hostile_texts().items():
        assert within(lambda: scan(text, language, compiled=True), 5, readings=3), name  # noqa: B023
        found = scan(text, language, compiled=True)
        if name in ("nested", "noise", "openers"):
            assert_sound(text, found)


@pytest.mark.parametrize("language", ["c", "python", "perl"])
def test_hostile_texts_of_the_plain_kernel(language: str) -> None:
    for name, text in hostile_texts().items():
        assert within(lambda: scan(text[:20_000], language), 3), name  # noqa: B023 - run at once


@pytest.mark.slow
@pytest.mark.parametrize("language", MAIN)
def test_time_grows_linearly(language: str) -> None:
    text = SAMPLES[language] * (1_000_000 // len(SAMPLES[language]))
    once = seconds(lambda: scan(text, language, compiled=True), at_most=0)
    assert within(lambda: scan(text * 2, language, compiled=True), 2.5 * once)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(hostile_texts()))
def test_time_grows_linearly_on_hostile_texts(name: str) -> None:
    half, whole = hostile_texts(0.4)[name], hostile_texts(0.8)[name]
    for language in ("c", "javascript", "perl", "rust", "matlab"):
        assert seconds(whole, language) <= 2.5 * seconds(half, language) + 0.1, language
