"""Where a number, a quoted string or a comment ends: the parts of the kernel that all languages share.

Restricted Python, see `corpus.languages.kernel`: runs as it stands, and compiled. All functions are total on
any bytes and look at each byte a bounded number of times.
"""

# The compiler wants plain globals and plain conditions.
# ruff: noqa: F403, F405, SIM102, SIM109, SIM110

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpus.languages.layout import *

jit: Callable[[Any], Any] = globals().get("jit", lambda function: function)

TAB, LF, CR, BLANK = 9, 10, 13, 32


@jit
def line_end(text, i, n):  # type: ignore[no-untyped-def]
    """Position of the line break at or after i, or n."""
    while i < n and (text[i] > CR or (text[i] != LF and text[i] != CR)):
        i += 1
    return i


@jit
def is_digit(c):  # type: ignore[no-untyped-def]
    return 48 <= c <= 57


@jit
def is_letter(c):  # type: ignore[no-untyped-def]
    return 97 <= c <= 122 or 65 <= c <= 90


@jit
def has(text, i, n, pool, offset, length):  # type: ignore[no-untyped-def]
    """Whether pool[offset : offset + length] stands at i."""
    if i + length > n:
        return False
    for k in range(length):
        if text[i + k] != pool[offset + k]:
            return False
    return True


@jit
def alone(text, start, end, n):  # type: ignore[no-untyped-def]
    """Whether nothing but blanks shares the line with text[start:end]."""
    i = start - 1
    while i >= 0 and (text[i] == BLANK or text[i] == TAB):
        i -= 1
    if i >= 0 and text[i] != LF and text[i] != CR:
        return False
    i = end
    while i < n and (text[i] == BLANK or text[i] == TAB):
        i += 1
    return i >= n or text[i] == LF or text[i] == CR


@jit
def in_words(text, start, end, pool, offset, stop):  # type: ignore[no-untyped-def]
    """Whether text[start:end] is one of the words in pool[offset:stop], which are ended by zero bytes."""
    length = end - start
    i = offset
    while i < stop:
        k = 0
        while k < length and pool[i + k] == text[start + k]:
            k += 1
        if k == length and pool[i + k] == 0:
            return True
        while pool[i] != 0:
            i += 1
        i += 1
    return False


@jit
def opens_heredoc(text, i, n, operand, adjacent):  # type: ignore[no-untyped-def]
    """`<<EOT`, `<<"EOT"`, `<<~EOT`, `<<-EOT`, but not a shift such as `a<<b`."""
    if operand and adjacent:
        return False
    i += 2
    if i < n and (text[i] == 126 or text[i] == 45):
        i += 1
    return i < n and (text[i] == 34 or text[i] == 39 or text[i] == 95 or is_letter(text[i]))


@jit
def holds(text, i, n, length, where, operand, adjacent, fresh):  # type: ignore[no-untyped-def]
    """Whether a rule that matches at i may apply there."""
    if where == ANYWHERE:
        return True
    if where == COLUMN0:
        return i == 0 or text[i - 1] == LF or text[i - 1] == CR
    if where == LINE_START:
        return fresh == 1
    if where == ALONE:
        return fresh == 1 and alone(text, i, i + length, n)
    if where == NOT_OPERAND:
        return operand == 0
    if where == NOT_ADJACENT:
        return operand == 0 or adjacent == 0
    if where == AFTER_SPACE:
        return i == 0 or text[i - 1] <= BLANK or text[i - 1] == 59 or text[i - 1] == 40
    if where == HEREDOC_START:
        return opens_heredoc(text, i, n, operand, adjacent)
    # POD_START: an equals sign in the first column before a letter.
    return (i == 0 or text[i - 1] == LF or text[i - 1] == CR) and i + 1 < n and is_letter(text[i + 1])


@jit
def find_rule(text, i, n, word, first, pool, rules, operand, adjacent, fresh):  # type: ignore[no-untyped-def]
    """Index of the longest rule that applies at i, or -1. word: length of the identifier at i, 0 for none."""
    c = text[i]
    for rule in range(first[c], first[c + 1]):
        base = rule * WIDTH
        length = rules[base + LENGTH]
        if word > 0 and rules[base + FLAGS] & EXACT and length != word:
            continue
        if has(text, i, n, pool, rules[base + PATTERN], length) and holds(
            text, i, n, length, rules[base + WHERE], operand, adjacent, fresh
        ):
            return base
    return -1


@jit
def exponent_end(text, i, n):  # type: ignore[no-untyped-def]
    """End of an optional sign and digits at i, or -1 when there is no digit."""
    if i < n and (text[i] == 43 or text[i] == 45):
        i += 1
    if i >= n or not is_digit(text[i]):
        return -1
    while i < n and is_digit(text[i]):
        i += 1
    return i


@jit
def radix_end(text, i, n, ident, style):  # type: ignore[no-untyped-def]
    """End of a number that begins with 0x, 0o or 0b at i."""
    j = i + 2
    while j < n:
        c = text[j]
        if (
            c == 46
            and style & HEX_FLOAT
            and j + 1 < n
            and (is_digit(text[j + 1]) or 97 <= text[j + 1] | 32 <= 102)
        ) or (c == 39 and style & QUOTE_SEPARATOR and j + 1 < n and ident[text[j + 1]]):
            j += 2
        elif (
            (
                (c == 43 or c == 45)
                and style & HEX_FLOAT
                and text[j - 1] | 32 == 112
                and text[i + 1] | 32 == 120
            )
            or is_digit(c)
            or is_letter(c)
            or c == 95
        ):
            j += 1
        else:
            break
    return j


@jit
def point_end(text, i, n, ident, style):  # type: ignore[no-untyped-def]
    """End of a decimal point at i that belongs to the number before it, or i when it does not."""
    d = text[i + 1] if i + 1 < n else 32
    if is_digit(d):
        return i + 2
    low = d | 32
    if is_letter(d):
        if (low == 101 or (low == 100 and style & D_EXPONENT)) and exponent_end(text, i + 2, n) > 0:
            return i + 1
        suffix = low == 102 or low == 108 or low == 106 or low == 105 or low == 100
        if suffix and not style & STRICT_SUFFIX and not (i + 2 < n and ident[text[i + 2]]):
            return i + 2
        return i
    if d == 46 or (d == 95 and not style & KIND_SUFFIX):
        return i
    if style & DOT_OPERATORS and (d == 42 or d == 47 or d == 92 or d == 94 or d == 39 or d == 43 or d == 45):
        return i
    return i + 1


@jit
def number_end(text, i, n, ident, style, after_dot):  # type: ignore[no-untyped-def]
    """End of the number at i. after_dot: a point stands before, so that none can follow (`pair.0.1`)."""
    if text[i] == 48 and i + 1 < n:
        radix = text[i + 1] | 32
        if radix == 120 or ((radix == 98 or radix == 111) and i + 2 < n and is_digit(text[i + 2])):
            return radix_end(text, i, n, ident, style)
    j = i
    pointed = after_dot
    if text[i] == 46:  # the number begins with its point, whatever stands before
        j = i + 1
        pointed = 1
    while j < n:
        c = text[j]
        low = c | 32
        if is_digit(c):
            j += 1
        elif c == 46 and pointed == 0:
            k = point_end(text, j, n, ident, style)
            if k == j:
                break
            pointed = 1
            j = k
        elif c == 95:
            j += 1
            if style & KIND_SUFFIX:
                while j < n and ident[text[j]]:
                    j += 1
                break
        elif c == 39 and style & QUOTE_SEPARATOR and j + 1 < n and is_digit(text[j + 1]):
            j += 2
        elif is_letter(c):
            exponent = (
                low == 101 or (low == 100 and style & D_EXPONENT) or (low == 102 and style & F_EXPONENT)
            )
            k = exponent_end(text, j + 1, n) if exponent else -1
            if k > 0:
                pointed = 1
                j = k
            elif style & STRICT_SUFFIX:
                break
            else:
                j += 1
        else:
            break
    return j


@jit
def quoted_end(text, i, n, pool, rules, base):  # type: ignore[no-untyped-def]
    """(end of string, end of content) for the string whose content begins at i; an unterminated one ends at
    the end of its line, or of the text when it may span lines."""
    closer = rules[base + CLOSER]
    length = rules[base + CLOSER_LENGTH]
    escape = rules[base + ESCAPE]
    flags = rules[base + FLAGS]
    quote = pool[closer]
    while i < n:
        c = text[i]
        if c == 92 and escape == BACKSLASH:
            i += 3 if i + 2 < n and text[i + 1] == CR and text[i + 2] == LF else 2
        elif c == quote and has(text, i, n, pool, closer, length):
            if escape == DOUBLED and i + length < n and text[i + length] == quote:
                i += 2
            else:
                return i + length, i
        elif (c == LF or c == CR) and not flags & MULTILINE:
            k = i - 1
            while flags & AMPERSAND and k > 0 and (text[k] == BLANK or text[k] == TAB):
                k -= 1
            if not flags & AMPERSAND or k < 0 or text[k] != 38:
                return i, i
            i += 1
            if c == CR and i < n and text[i] == LF:
                i += 1
        else:
            i += 1
    return n, n


@jit
def template_end(text, i, n):  # type: ignore[no-untyped-def]
    """(end, end of content, whether an interpolation opens) of the piece of a template whose content begins
    at i."""
    while i < n:
        c = text[i]
        if c == 92:
            i += 1
        elif c == 96:
            return i + 1, i, False
        elif c == 36 and i + 1 < n and text[i + 1] == 123:
            return i + 2, i, True
        i += 1
    return n, n, False


@jit
def comment_end(text, i, n, pool, rules, base):  # type: ignore[no-untyped-def]
    """End of the comment that rule `base` opens at i."""
    flags = rules[base + FLAGS]
    opener = rules[base + PATTERN]
    opener_length = rules[base + LENGTH]
    j = i + opener_length
    if rules[base + ACTION] == LINE_COMMENT:
        j = line_end(text, j, n)
        while flags & SPLICED and j < n and text[j - 1] == 92:
            j = line_end(text, j + (2 if text[j] == CR and j + 1 < n and text[j + 1] == LF else 1), n)
        return j
    closer = rules[base + CLOSER]
    length = rules[base + CLOSER_LENGTH]
    last = pool[closer]
    head = pool[opener] if flags & NESTED else last
    depth = 1
    while j < n:
        c = text[j]
        if c != last and c != head:
            j += 1
            continue
        if c == last and has(text, j, n, pool, closer, length):
            at_column0 = text[j - 1] == LF or text[j - 1] == CR
            if (not flags & CLOSE_COLUMN0 or at_column0) and (
                not flags & CLOSE_ALONE or alone(text, j, j + length, n)
            ):
                depth -= 1
                j += length
                if depth == 0:
                    return line_end(text, j, n) if flags & TO_LINE_END else j
                continue
        if flags & NESTED and c == head and has(text, j, n, pool, opener, opener_length):
            if not flags & CLOSE_ALONE or alone(text, j, j + opener_length, n):
                depth += 1
                j += opener_length
                continue
        j += 1
    return n


@jit
def columns(text, i, n):  # type: ignore[no-untyped-def]
    """(end, width) of the white space at i, tabs to multiples of 8."""
    width = 0
    while i < n:
        if text[i] == BLANK:
            width += 1
        elif text[i] == TAB:
            width += 8 - width % 8
        elif text[i] != 12 and text[i] != 11:
            break
        i += 1
    return i, width


@jit
def newlines(text, start, end, n):  # type: ignore[no-untyped-def]
    """(number of line breaks in text[start:end], start of the last line, or -1)."""
    count = 0
    last = -1
    for k in range(start, end):
        c = text[k]
        if c <= CR and (c == LF or (c == CR and not (k + 1 < n and text[k + 1] == LF))):
            count += 1
            last = k + 1
    return count, last
