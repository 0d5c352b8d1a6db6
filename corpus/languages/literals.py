"""Where the odder literals end: here-documents, raw strings, regular expressions, lifetimes, Perl's quotes
and sigils.

Restricted Python, see `corpus.languages.kernel`: runs as it stands, and compiled. Total on any bytes, linear.
"""

# The compiler wants plain globals and plain conditions.
# ruff: noqa: SIM102

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpus.languages import lexemes as plain_lexemes

# The compiled twin of this module is given compiled lexemes.
lexemes = globals().get("lexemes", plain_lexemes)
jit: Callable[[Any], Any] = globals().get("jit", lambda function: function)

TAB, LF, CR, BLANK = 9, 10, 13, 32


@jit
def heredoc_end(text, i, n, tag, tag_end):  # type: ignore[no-untyped-def]
    """(end, end of content) of the here-document that begins with the line at i and ends with the tag's
    line."""
    length = tag_end - tag
    while i < n:
        stop = lexemes.line_end(text, i, n)
        j = i
        while j < stop and (text[j] == BLANK or text[j] == TAB):
            j += 1
        if stop - j == length and lexemes.has(text, j, n, text, tag, length):
            return stop, i
        i = stop + 1
    return n, n


@jit
def raw_end(text, i, n, rust):  # type: ignore[no-untyped-def]
    """(end, content start, content end) of `#"…"#` at i (Rust) or `"tag(…)tag"` (C++, R); end is i if
    neither."""
    j = i
    if rust:
        while j < n and text[j] == 35:
            j += 1
        hashes = j - i
        if j >= n or text[j] != 34:
            return i, i, i
        inner = j + 1
        for k in range(inner, n):
            if text[k] == 34:
                j = k + 1
                while j < n and text[j] == 35 and j - k <= hashes:
                    j += 1
                if j - k - 1 == hashes:
                    return j, inner, k
        return n, inner, n
    inner = i + 1
    while inner < n and inner - i <= 17 and text[inner] > BLANK and text[inner] != 40:
        inner += 1
    if inner >= n or text[inner] != 40:
        return i, i, i
    length = inner - i - 1
    inner += 1
    for k in range(inner, n):
        if text[k] == 41 and lexemes.has(text, k + 1, n, text, i + 1, length):
            if k + 1 + length < n and text[k + 1 + length] == 34:
                return k + 2 + length, inner, k
    return n, inner, n


@jit
def regex_end(text, i, n):  # type: ignore[no-untyped-def]
    """(end, i) of the regular expression whose content begins at i, flags included; (i - 1, p) when the line
    ends at p before it does."""
    in_class = 0
    j = i
    while j < n and text[j] != LF and text[j] != CR:
        c = text[j]
        if c == 92 and j + 1 < n and text[j + 1] != LF and text[j + 1] != CR:
            j += 1
        elif c == 91:
            in_class = 1
        elif c == 93:
            in_class = 0
        elif c == 47 and in_class == 0:
            j += 1
            while j < n and lexemes.is_letter(text[j]):
                j += 1
            return j, i
        j += 1
    return i - 1, j


@jit
def char_end(text, i, n):  # type: ignore[no-untyped-def]
    """End of the character literal whose apostrophe is at i, or i when it is a lifetime, type variable or
    label."""
    if i + 1 >= n:
        return i
    if text[i + 1] == 92:
        for j in range(i + 3, min(n, i + 14)):
            if text[j] == 39:
                return j + 1
        return i
    j = i + 2
    while j < n and j < i + 5 and text[j] & 0xC0 == 0x80:
        j += 1
    return j + 1 if j < n and text[j] == 39 and text[i + 1] != 39 else i


@jit
def perl_part_end(text, i, n):  # type: ignore[no-untyped-def]
    """Position of the delimiter that closes the one at i, brackets counted; n when there is none."""
    opener = text[i]
    closer = opener
    if opener == 40:
        closer = opener + 1
    elif opener == 60 or opener == 91 or opener == 123:
        closer = opener + 2
    depth = 1
    i += 1
    while i < n:
        c = text[i]
        if c == 92:
            i += 1
        elif c == closer:
            depth -= 1
            if depth == 0:
                return i
        elif c == opener:
            depth += 1
        i += 1
    return n


@jit
def perl_quote_end(text, i, n, two_parts):  # type: ignore[no-untyped-def]
    """(end, content start, content end) of what follows q, qq, qw, m, s, tr …; i is just behind that word."""
    while i < n and (text[i] == BLANK or text[i] == TAB):
        i += 1
    inner = i + 1
    if inner >= n:
        return n, n, n
    stop = perl_part_end(text, i, n)
    end = stop + 1
    if two_parts and stop < n:
        j = stop
        if text[stop] != text[i]:
            j = stop + 1
            while j < n and text[j] <= BLANK:
                j += 1
        stop = perl_part_end(text, j, n) if j < n else n
        end = stop + 1
    while end < n and lexemes.is_letter(text[end]):
        end += 1
    return min(end, n), inner, stop


@jit
def sigil_end(text, i, n, ident):  # type: ignore[no-untyped-def]
    """End of the Perl variable whose sigil is at i; i + 1 when the sigil stands alone (`@{`, `$$x`)."""
    j = i + 1
    if (
        j < n
        and text[j] == 35
        and text[i] == 36
        and j + 1 < n
        and (ident[text[j + 1]] or text[j + 1] == 123 or text[j + 1] == 36)
    ):
        j += 1
    start = j
    while j < n and (
        ident[text[j]] or (text[j] == 58 and j + 2 < n and text[j + 1] == 58 and ident[text[j + 2]])
    ):
        j += 2 if text[j] == 58 else 1
    if j == start == i + 1 and text[i] == 36 and j < n and BLANK < text[j] < 127:
        if text[j] != 123 and text[j] != 36 and text[j] != 40 and text[j] != 41:
            j += 1
    return j


@jit
def dotted_end(text, i, n, percent):  # type: ignore[no-untyped-def]
    """End of `.word.` (Fortran) or `%word%` (R) at i, or i when it is not one."""
    j = i + 1
    while (
        j < n
        and j - i < 64
        and (lexemes.is_letter(text[j]) or (percent and text[j] > BLANK and text[j] != 37))
    ):
        j += 1
    return j + 1 if j < n and text[j] == text[i] and (percent or j > i + 1) else i
