"""What a row of the table of languages can say, and its translation into the kernel's rules.

A `Language` is a literal; `compile_rules` turns it into flat sequences once (cached). Called by
`corpus.languages.scan`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from corpus.languages import layout as k


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment: to the end of the line when `closer` is empty.

    where: a place constant of the layout. flags: NESTED, CLOSE_COLUMN0, CLOSE_ALONE, TO_LINE_END, SPLICED,
    JOINS.
    """

    opener: str
    closer: str = ""
    where: int = k.ANYWHERE
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Quote:
    """A string, character or regular-expression literal. prefixes: words that may stand directly before the
    opener."""

    opener: str
    closer: str = ""
    escape: int = k.BACKSLASH
    flags: int = 0
    where: int = k.ANYWHERE
    action: int = k.QUOTED
    prefixes: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """One row of the table.

    operators, keywords: separated by blanks. starts, continues: ASCII signs that begin, or go on with, an
    identifier (letters, `_` and all bytes above 127 always do; digits go on). numbers: bits of the number
    style. imports: words that begin an import statement. closers: words that only close a block.
    end_statements: words that begin a statement which only closes a block (Fortran). waiting: words after
    which a value is expected. docstrings: a string that is a whole statement is a comment.
    """

    name: str
    remarks: tuple[Remark, ...]
    quotes: tuple[Quote, ...]
    operators: str
    keywords: str
    starts: str = ""
    continues: str = ""
    numbers: int = 0
    caseless: bool = False
    imports: str = ""
    closers: str = ""
    end_statements: str = ""
    waiting: str = ""
    hot: str = "\"'"
    docstrings: bool = False
    backslash_joins: bool = False
    brace_is_operand: bool = False
    form: int = k.ANY_FORM
    prefix_rules: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """A language as the kernel reads it: immutable sequences, in the order of the kernel's arguments."""

    klass: bytes
    ident: bytes
    hot: bytes
    signs: bytes
    first: tuple[int, ...]
    pool: bytes
    rules: tuple[int, ...]
    options: tuple[int, ...]


def _rows(language: Language) -> list[tuple[Any, ...]]:
    """(pattern, where, action, closer, escape, flags) of every rule, most important first among equal
    patterns."""
    rows: list[tuple[Any, ...]] = []
    for remark in language.remarks:
        action = k.BLOCK_COMMENT if remark.closer else k.LINE_COMMENT
        rows.append((remark.opener, remark.where, action, remark.closer, k.NO_ESCAPE, remark.flags))
    for quote in (*language.prefix_rules, *language.quotes):
        closer = quote.closer or quote.opener
        for prefix in ("", *quote.prefixes.split()):
            opener = prefix + quote.opener
            flags = quote.flags
            rows.append((opener, quote.where, quote.action, closer, quote.escape, flags))
    rows += [(sign, k.ANYWHERE, k.OP, "", k.NO_ESCAPE, 0) for sign in language.operators.split()]
    return rows


def _signs(rows: list[tuple[Any, ...]], brace_is_operand: bool) -> bytes:
    """What each pair of bytes says of the operator that the first begins: see the layout. The rules are asked
    about it where a comment or literal may begin, or a longer operator."""
    values = b")]'}" if brace_is_operand else b")]'"
    asked = b"\\{}" if any(action == k.TEMPLATE for _, _, action, *_ in rows) else b"\\"
    own: dict[int, list[tuple[bytes, bool]]] = {}
    for pattern, _, action, *_ in rows:
        sign = pattern.encode()
        own.setdefault(sign[0], []).append((sign, action == k.OP))

    def said(one: int, two: int | None) -> int:
        begun = own.get(one, [])
        fit = [(sign, plain) for sign, plain in begun if len(sign) == 1 or sign[1] == two]
        sign, plain = fit[0] if fit else (bytes([one]), bool(begun) or one not in asked)
        if not plain or len(sign) > 2:
            return 0
        if sign in (b"++", b"--"):
            return len(sign) | k.SIGN_SAME
        return len(sign) | (k.SIGN_VALUE if sign[-1] in values else 0)

    signs = bytearray()
    for one in range(256):
        row = bytearray([said(one, None)]) * 256
        for two in {sign[1] for sign, _ in own.get(one, []) if len(sign) > 1}:
            row[two] = said(one, two)
        if one == 46:  # the point of a number
            row[48:58] = bytes(10)
        signs += row
    return bytes(signs)


@lru_cache(maxsize=128)
def compile_rules(language: Language) -> Rules:
    """The kernel's view of a language."""
    rows = sorted(_rows(language), key=lambda row: (row[0].encode()[0], -len(row[0].encode())))
    pool = bytearray()
    flat: list[int] = []
    counts = [0] * 257
    for pattern, where, action, closer, escape, flags in rows:
        opener, end = pattern.encode(), closer.encode()
        counts[opener[0] + 1] += 1
        flat += [len(pool), len(opener), where, action, len(pool) + len(opener), len(end), escape, flags]
        pool += opener + end
    words = len(pool)
    for word in language.waiting.split():
        pool += word.encode() + b"\0"
    klass = bytearray(256)
    ident = bytearray(256)
    for byte in range(256):
        sign = chr(byte)
        letter = byte > 127 or sign == "_" or (sign.isascii() and sign.isalpha())
        starts = letter or sign in language.starts
        ident[byte] = starts or (sign.isascii() and sign.isdigit()) or sign in language.continues
        if starts:
            klass[byte] = k.IDENT
        elif sign.isascii() and sign.isdigit():
            klass[byte] = k.DIGIT
        elif sign in "\n\r":
            klass[byte] = k.NEWLINE
        elif byte <= 32:
            klass[byte] = k.SPACE
    prefixes = [len(prefix) for quote in language.quotes for prefix in quote.prefixes.split()]
    prefixes += [len(quote.opener) for quote in language.prefix_rules]
    hot = bytes(prefixes != [] and chr(byte) in language.hot for byte in range(256))
    first = [sum(counts[: byte + 1]) for byte in range(257)]
    options = [0] * 8
    options[k.FORM] = language.form
    options[k.BACKSLASH_JOINS] = int(language.backslash_joins)
    options[k.LONGEST_PREFIX] = max(prefixes, default=0)
    options[k.NUMBER_STYLE] = language.numbers
    options[k.WORDS], options[k.WORDS_END] = words, len(pool)
    options[k.BRACE_IS_OPERAND] = int(language.brace_is_operand)
    signs = _signs(rows, language.brace_is_operand)
    return Rules(
        bytes(klass), bytes(ident), hot, signs, tuple(first), bytes(pool), tuple(flat), tuple(options)
    )  # fmt: skip
