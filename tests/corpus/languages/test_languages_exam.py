"""One exam for every language of the table: its sample, and what its row promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.languages import LANGUAGES, Kind, Scan, scan, significant
from corpus.languages import layout as k
from tests.corpus.languages.scan_checks import ALL, HERE, MAIN, SAMPLES, assert_same, assert_sound, spellings


def test_the_main_languages_have_samples() -> None:
    assert set(MAIN) >= {
        "c",
        "cpp",
        "cython",
        "fortran",
        "fortran-fixed",
        "go",
        "java",
        "javascript",
        "julia",
        "matlab",
        "perl",
        "python",
        "r",
        "rust",
        "text",
        "typescript",
    }


@pytest.mark.parametrize("language", MAIN)
def test_every_kind_of_token_occurs(language: str) -> None:
    found = scan(SAMPLES[language], language)
    assert set(found.kind.tolist()) == {int(kind) for kind in Kind}
    assert len(found.comments) >= 2
    assert found.keep.any()
    assert not found.keep.all()


@pytest.mark.parametrize("language", MAIN)
def test_tokens_are_what_a_reader_expects(language: str, golden: Callable[[Path, str], None]) -> None:
    text = SAMPLES[language]
    found = scan(text, language)
    assert_sound(text, found)
    rows = []
    for at, word in enumerate(spellings(text, found)):
        mark = " " if found.keep[at] else "-"
        place = f"{found.line[at]:3d} {found.indent[at]:2d} {'^' if found.fresh[at] else ' '}"
        rows.append(f"{place} {mark} {Kind(int(found.kind[at])).name:8s} {word!r}")
    rows += [
        f"{line:3d} comment {text[start:end].decode()!r}" for start, end, line in found.comments.tolist()
    ]
    golden(HERE / "golden" / f"{language}.txt", "\n".join(rows) + "\n")


def renamed_copy(text: bytes, language: str, found: Scan) -> bytes:
    """The text with every identifier renamed."""
    row = LANGUAGES[language]
    fixed = {*row.imports.replace("#", "").split(), *row.waiting.split()}
    parts, done = [], 0
    for kind, start, end in zip(found.kind.tolist(), found.start.tolist(), found.end.tolist(), strict=True):
        if kind == Kind.NAME and text[start:end].decode() not in fixed:
            sigil = re.match(rb"[$@%&'#]*", text[start:end])
            assert sigil is not None
            parts += [text[done : start + sigil.end()], b"zq", text[start + sigil.end() : end]]
            done = end
    return b"".join([*parts, text[done:]])


@pytest.mark.parametrize("language", MAIN)
def test_renaming_identifiers_changes_the_raw_layer_only(language: str) -> None:
    text = SAMPLES[language]
    before = scan(text, language)
    after = scan(renamed_copy(text, language, before), language)
    np.testing.assert_array_equal(before.renamed, after.renamed)
    np.testing.assert_array_equal(before.neutral, after.neutral)
    assert (before.raw != after.raw).sum() > 10


def laid_out_anew(text: bytes, language: str, found: Scan) -> bytes:
    """The text without comments, with blank lines, other indents, line breaks after brackets and commas."""
    keeps_columns = language in {"python", "cython", "fortran-fixed"}
    bare = bytearray(text)
    for start, end, _ in found.comments.tolist():
        bare[start:end] = bytes(byte if byte in b"\r\n" else 32 for byte in bare[start:end])
    parts, done, depth = [], 0, 0
    for kind, start, end in zip(found.kind.tolist(), found.start.tolist(), found.end.tolist(), strict=True):
        gap, word = bytes(bare[done:start]), text[start:end]
        joined = b"\\" in gap or (parts and parts[-1] == b"&")
        if b"\n" in gap and kind != Kind.STRING and not joined:
            gap = b"\n\n" + (gap[gap.rindex(b"\n") + 1 :] if keeps_columns else b"\t ")
        parts += [gap, word]
        depth += (word in (b"(", b"[")) - (word in (b")", b"]"))
        if depth > 0 and word in (b"(", b",") and language != "fortran-fixed":
            parts.append(b"\n  ")
        done = end
    return b"".join([*parts, bytes(bare[done:])])


@pytest.mark.parametrize("language", MAIN)
def test_layout_and_comments_change_no_significant_token(language: str) -> None:
    text = SAMPLES[language]
    found = scan(text, language)
    changed = laid_out_anew(text, language, found)
    assert changed != text
    before, after = significant(found)[0], significant(scan(changed, language))[0]
    np.testing.assert_array_equal(before.raw, after.raw)
    np.testing.assert_array_equal(before.renamed, after.renamed)


@pytest.mark.parametrize("language", MAIN)
def test_truncated_code_tokenises(language: str) -> None:
    text = SAMPLES[language]
    for cut in range(0, len(text), 11):
        for piece in (text[:cut], text[cut:]):
            found = scan(piece, language, compiled=True, fragment=cut % 2 == 0)
            assert_sound(piece, found)
            if cut % 5 == 0:
                assert_same(found, scan(piece, language, fragment=cut % 2 == 0))


@pytest.mark.parametrize("language", ALL)
def test_comments_of_the_row_hide_words(language: str) -> None:
    row = LANGUAGES[language]
    assert row.remarks
    for remark in row.remarks:
        head = remark.opener + ("begin" if remark.where == k.POD_START else "")
        lines = ["", head, " zz ", remark.closer, ""] if remark.closer else ["", head + " zz", ""]
        text = b"      aa\n" + "\n".join(lines).encode() + b"\n      bb\n"
        found = scan(text, language)
        assert spellings(text, found) == ["aa", "bb"], remark
        assert len(found.comments) == 1


@pytest.mark.parametrize("language", ALL)
def test_strings_of_the_row_hide_words(language: str) -> None:
    for quote in LANGUAGES[language].quotes:
        if quote.action not in (k.QUOTED, k.TEMPLATE):
            continue
        for prefix in ("", *quote.prefixes.split()):
            literal = prefix + quote.opener + "zz" + (quote.closer or quote.opener)
            text = f"      aa = {literal} + bb".encode()
            found = scan(text, language)
            assert spellings(text, found)[2] == literal
            assert found.kind[2] == Kind.STRING
            bare = scan(text.replace(literal.encode(), b"zz"), language)
            assert bare.raw[2] != found.raw[2], "a word is not the string of the same spelling"


@pytest.mark.parametrize("language", ALL)
def test_operators_and_keywords_of_the_row_are_tokens(language: str) -> None:
    row = LANGUAGES[language]
    for sign in row.operators.split():
        text = f"      (aa) {sign} bb".encode()
        assert spellings(text, scan(text, language))[3] == sign
    for word in row.keywords.split():
        text = f"      aa {word} bb".encode()
        found = scan(text, language)
        at = spellings(text, found).index(word)
        assert found.kind[at] == Kind.KEYWORD, word
        if row.caseless:
            assert scan(text.upper(), language).raw.tolist() == found.raw.tolist()
