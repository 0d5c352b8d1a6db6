"""The layers: hashes against a naive loop, numbers by value, the neutral alphabet, what is significant."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.languages import LANGUAGES, language_of, scan, significant, spelling
from corpus.languages.neutral import SPECIAL, Symbol
from tests.corpus.languages.scan_checks import ALL

MASK = (1 << 64) - 1


def naive_hash(text: bytes, seed: int) -> int:
    """The definition of the spelling hash, byte by byte."""
    total = 0
    for position, byte in enumerate(text):
        value = (byte + 1) * 0x9E3779B97F4A7C15 & MASK
        total += spelling.mix(value) * pow(spelling.BASE, position, 1 << 64)
    return spelling.mix((total + len(text) * spelling.LENGTH_STEP + seed) & MASK)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120), st.lists(st.integers(0, 120), max_size=20), st.booleans(), st.booleans())
def test_hashes_of_all_spans_are_those_of_a_naive_loop(
    text: bytes, cuts: list[int], caseless: bool, compiled: bool
) -> None:
    places = sorted({min(cut, len(text)) for cut in cuts})
    starts, ends = np.array(places[:-1], np.int32), np.array(places[1:], np.int32)
    seeds = np.full(len(starts), spelling.WORD_SEED, np.uint64)
    got = spelling.hash_spans(text, starts, ends, seeds, caseless=caseless, compiled=compiled)
    spans = [text[a:b].lower() if caseless else text[a:b] for a, b in zip(starts, ends, strict=True)]
    assert got.tolist() == [naive_hash(span, spelling.WORD_SEED) for span in spans]
    assert got.tolist() == [spelling.hash_spelling(span) for span in spans]


def test_hashes_do_not_depend_on_where_blocks_of_prefix_sums_end() -> None:
    text = b"ab " * 40_000 + b'"' + b"x" * (3 * spelling.BLOCK) + b'" ab'
    plain, fast = scan(text, "c"), scan(text, "c", compiled=True)
    np.testing.assert_array_equal(plain.raw, fast.raw)
    words = np.delete(plain.raw, -2)
    assert set(words.tolist()) == {spelling.hash_spelling(b"ab")}


def renamed(text: str, language: str) -> int:
    _, _, value = scan(f"      x = {text}".encode(), language).renamed.tolist()
    return int(value)


@pytest.mark.parametrize(
    ("spellings", "language"),
    [
        ("0.001 1.0e-3 1E-3 1.e-3 .001 .1e-2 1.0e-3f 1e-3L", "c"),
        ("16 0x10 0X10 16u 0x10UL 16. 1.6e1 0b10000 1'6", "cpp"),
        ("0.001 1d-3 1.0D-3 1.E-3 1.0e-3_dp .001_8", "fortran"),
        ("1000000 1_000_000 1e6 0xF4240 0o3641100", "python"),
        ("2.0 2 2u32 2.0_f64 0x2", "rust"),
        ("2i 2.0i", "r"),
    ],
)
def test_numbers_are_renamed_by_value(spellings: str, language: str) -> None:
    assert len({renamed(one, language) for one in spellings.split()}) == 1


@pytest.mark.parametrize(
    "spellings", ["1 2", "1 1j", "0.1 0.01", "1e3 1e4", "10 0x10", f"{'9' * 5000} {'8' * 5000}"]
)
def test_other_numbers_stay_apart(spellings: str) -> None:
    one, other = spellings.split()
    assert renamed(one, "python") != renamed(other, "python")


def test_names_are_equal_and_strings_keep_their_content() -> None:
    assert renamed("alpha", "c") == renamed("beta", "c")
    assert renamed("'a'", "python") == renamed('"a"', "python") == renamed('r"""a"""', "python")
    assert renamed("'a'", "python") != renamed("'b'", "python")


def neutral(text: str, language: str) -> list[Symbol]:
    found = scan(text.encode(), language)
    return [Symbol(int(one)) for one in found.neutral[found.keep]]


@pytest.mark.parametrize(
    "versions",
    [
        {
            "c": "if (a && !b)",
            "python": "if (a and not b)",
            "fortran": "      IF (A .AND. .NOT. B)",
            "lua": "if (a and not b)",
        },
        {
            "python": "x = a ** 2",
            "fortran": "x = a ** 2",
            "matlab": "x = a ^ 2",
            "r": "x <- a ^ 2",
            "julia": "x = a ^ 2",
            "pascal": "x := a ** 2",
        },
        {
            "c": "a != b",
            "fortran": "a /= b",
            "fortran-fixed": "      A .NE. B",
            "matlab": "a ~= b",
            "lua": "a ~= b",
            "pascal": "a <> b",
            "haskell": "a /= b",
        },
        {"c": "return f(x[1]) + 2", "javascript": "return f(x[1]) + 2", "go": "return f(x[1]) + 2"},
        {
            "c": "while (1) { break; continue; }",
            "fortran": "do (1)\nexit\ncycle\nend do",
            "r": "while (1) { break; next }",
        },
    ],
)
def test_languages_say_the_same_with_the_same_symbols(versions: dict[str, str]) -> None:
    assert len({tuple(neutral(text, language)) for language, text in versions.items()}) == 1


def test_special_meanings_belong_to_languages_of_the_table() -> None:
    assert set(SPECIAL) <= set(LANGUAGES)
    assert len({int(symbol) for symbol in Symbol}) == len(Symbol)


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [
        ("c", '#include <a.h>\nint f(void) { return 1; }\n#include "b.h"\n', "int f ( void ) return 1"),
        ("python", "from a import (b,\n c)\nimport d; x = 1\n", "x = 1"),
        ("go", 'package main\nimport (\n "fmt"\n)\nx := 1\n', "x := 1"),
        ("rust", "use a::{\n b,\n c,\n};\nlet x = 1;", "let x = 1"),
        ("javascript", "import {\n a\n} from 'b'\nx = 1", "x = 1"),
        (
            "fortran",
            "use a, only: b, &\n c\nif (x) then\ny = 1\nend if\nend subroutine f\n",
            "if ( x ) then y = 1",
        ),
        ("fortran", "endif\nx = y &\n  + end_value\n", "x = y + end_value"),
        ("julia", "using A: b\nbegin\nx = 1\nend\n", "x = 1"),
        ("matlab", "if x, y = 1; endif\n", "if x , y = 1"),
        ("pascal", "uses a, b; begin x := 1 end", "x := 1"),
    ],
)
def test_significant_tokens(language: str, text: str, kept: str) -> None:
    found = scan(text.encode(), language)
    tokens, index = significant(found)
    assert " ".join(text[a:b] for a, b in zip(tokens.start, tokens.end, strict=True)) == kept
    np.testing.assert_array_equal(found.raw[index], tokens.raw)


@pytest.mark.parametrize(
    ("language", "text", "kept"),
    [
        ("c", " * don't do this\n */\nint a;", "int a"),
        ("c", "a = b; /* x */ c", "a = b c"),
        ("javascript", "s.replace(/a*/, '')", "s . replace ( /a*/ , '' )"),
        ("javascript", "x = '*/'", "x = '*/'"),
        ("python", 'the value of this.\n    """\n    return x + 1\n', "return x + 1"),
        (
            "python",
            'the value.\n    """\n    return f(x) + 1\n\ndef g(a):\n    """Some prose about it',
            "return f ( x ) + 1 def g ( a ) :",
        ),
        ("python", 'x = 1\ndef g(a):\n    """Some prose about this\n', "x = 1 def g ( a ) :"),
        (
            "python",
            'def g(a):\n    """Prose, a = 2."""\n    return a + f(1)\n',
            "def g ( a ) : return a + f ( 1 )",
        ),
        (
            "python",
            'c = 2\n\ndef g(a):\n    """Of ``a**2 / (a + b * c) - (a - b) * (a + b)``."""\n    return a\n',
            "c = 2 def g ( a ) : return a",
        ),
        (
            "python",
            'where ``(x - y) * (x + y) < (a / b) ** 2 + c``.\n    """\n    return x\n\n'
            'def g(a):\n    """Half of ``(a * a)``."""\n    return a\n',
            "return x def g ( a ) : return a",
        ),
        ("perl", "prose = it's\n=cut\nmy $x = 1;", "my $x = 1"),
        ("julia", "prose\n=#\nx = 1", "x = 1"),
        ("matlab", "prose\n%}\nx = 1", "x = 1"),
    ],
)
def test_fragments_may_begin_inside_a_comment(language: str, text: str, kept: str) -> None:
    tokens, _ = significant(scan(text.encode(), language, fragment=True))
    assert " ".join(text[a:b] for a, b in zip(tokens.start, tokens.end, strict=True)) == kept


@pytest.mark.parametrize(
    ("path", "head", "language"),
    [
        ("src/a.c", b"", "c"),
        ("a.h", b"", "c"),
        ("a.h", b'#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n', "c"),
        ("a.h", b"namespace x { class A {}; }\n", "cpp"),
        ("a.h", b"@interface A : B\n@end\n", "objc"),
        ("a.m", b"function y = f(x)\n", "matlab"),
        ("a.m", b"#import <Foundation/Foundation.h>\n@implementation A\n", "objc"),
        ("a.f", b"C comment\n      SUBROUTINE A\n     1 + 2\n", "fortran-fixed"),
        ("a.f", b"module a\nimplicit none\ncontains\nend module\n", "fortran"),
        ("a.F90", b"", "fortran"),
        ("a.pyf", b"", "fortran"),
        ("a.pyx.in", b"", "cython"),
        ("config.h.in", b"", "c"),
        ("a.sage", b"", "python"),
        ("a.S", b"", "asm"),
        ("a.R", b"", "r"),
        ("bin/tool", b"#!/usr/bin/env -S python3 -u\n", "python"),
        ("bin/tool", b"#! /bin/bash\n", "shell"),
        ("Makefile", b"", "shell"),
        ("a.ts", b"import { a } from 'b';\n", "typescript"),
        ("a.ts", b'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n', None),
        ("a.d", b"", "swift"),
        ("a.d", b"// A licence\n\nmodule a.b;\nint f() { return 1; }\n", "swift"),
        ("a.d", b"// A licence, cut off\n", "swift"),
        ("a.d", b"#objdump: -d\n#name: a test\n\n.*: +file format .*\n 0: 00000000 \tnop\n", None),
        ("a.d", b"#name: a test\n#error_output: a.l\n", None),
        ("a.d", b"/* -*- Mode: C -*- */\n#include <a.h>\n", "c"),
        ("a.d", b"a.o: a.c a.h\n", None),
        ("a.l", b"/* A lexer */\n%{\n#include <a.h>\n%}\n%%\n", "c"),
        ("a.l", b".*: Assembler messages:\n.*:3: Error: no such instruction\n", None),
        ("a.r", b"# Sums\nf <- function(x) sum(x)\n", "r"),
        ("a.r", b"subroutine f(x)\ninteger x\n", "text"),
        ("a.r", b"#...\nDisplaying notes found in: .note\n", None),
        ("a.R", b"stop('no assignment here')\n", "r"),
        ("a.cl", b"// Sums\n__kernel void f(__global float *a)\n{\n}\n", "c"),
        ("a.cl", b";;; Sums\n(defun f (x) (+ x 1))\n", "lisp"),
        ("a.fs", b"module A\nlet f x = x + 1\n", "ocaml"),
        ("a.fs", b"\\ squares\n: square dup * ;\n", "text"),
        ("a.sc", b"cat <<EOF\nSECTIONS { .text : { *(.text) } }\nEOF\n", "shell"),
        ("a.sc", b"object A { def f(x: Int) = x + 1 }\n", "kotlin"),
        ("a.g", b"f := function(x) return x; end;\n", "gap"),
        ("a.gd", b"\n.*\nContents of section .data:\n", None),
        ("a.tst", b"gap> 1 + 1;\n2\n", "gap"),
        ("a.tst", b"(progn (defun f (x) x))\n", None),
        ("a.gp", b"f(x) = x^2 + 1;\n", "pari"),
        ("a.gp", b"set terminal png\nplot sin(x)\n", "text"),
        ("a.t", b"#!/bin/sh\necho 1\n", "shell"),
        ("a.t", b"use Test::More;\n", "perl"),
        ("a.t", b"SECTIONS { }\n", "text"),
        ("a.pl", b"parent(X, Y) :- child(Y, X).\n", "text"),
        ("a.pl", b"print 1;\n", "perl"),
        ("README.md", b"", None),
        ("a.png", b"", None),
        ("LICENSE", b"Copyright", None),
        (".gitignore", b"", None),
    ],
)
def test_language_of_a_path(path: str, head: bytes, language: str | None) -> None:
    assert language_of(path, head) == language


def test_every_name_leads_to_a_row() -> None:
    from corpus.languages import names

    rows = {*names._BY_EXTENSION.values(), *names._BY_NAME.values(), *(row for _, row in names._INTERPRETERS)}
    assert rows == set(ALL)


def test_a_small_text_does_not_load_the_compiler() -> None:
    code = (
        "import sys; from corpus.languages import scan; scan(b'a = 1', 'c'); sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
