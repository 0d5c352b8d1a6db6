"""Program units of Fortran, in either form of source. Linear. Called by corpus.units."""

from __future__ import annotations

from functools import lru_cache

from corpus.functions.source import Source, Span
from corpus.functions.texts import Roles, Spans, Texts, role_table

_OPENERS, _CLOSERS = b"([", b")]"
_LEFT, _EQUALS, _COLON, _SEMICOLON = b"(=:;"

_MAX_PREFIX = 40  # tokens of a result type and attributes before the keyword
_UNITS = (b"subroutine", b"function", b"program", b"procedure")
_UNIT_ENDS = (b"end", *(b"end" + word for word in _UNITS))


def find_functions(source: Source) -> list[Span]:
    """Outermost subroutines, functions and main programs; module procedures one by one."""
    words = source.find((*_UNITS, *_UNIT_ENDS), fold=True)
    spans: list[Span] = []
    opened: list[tuple[int, str]] = []
    for token, word in words.items():
        lead = source.line_lead(token)
        if word in _UNITS:
            if _begins_fortran_unit(source, lead, token, word):
                opened.append((lead, source.name(token + 1)))
        elif _ends_fortran_unit(source, lead, token, word, words) and opened:
            first, name = opened.pop()
            if not opened:
                spans.append(Span("function", name, first, source.line_stop(token)))
    if opened:
        spans.append(Span("function", opened[0][1], opened[0][0], source.size))
    return spans


def function_spans(texts: Texts) -> Spans:
    """The same of many texts, by machine code."""
    from corpus.functions.fortran_compiled import fortran_rows

    scan = texts.scan
    code, role = texts.read(_roles())
    found: Spans = fortran_rows(
        texts.data, texts.ends, texts.token_ends, scan.start, scan.end, code, role, scan.fresh
    )
    return found


@lru_cache(maxsize=1)
def _roles() -> Roles:
    """Their hashes are those of small letters, as the scanner makes them where case does not count."""
    from corpus.functions import fortran_compiled as bits

    return role_table(
        (_UNITS, bits.UNIT), ((b"program",), bits.PROGRAM), ((b"procedure",), bits.PROCEDURE),
        ((b"end",), bits.END), (_UNIT_ENDS, bits.UNIT_END), ((b"module",), bits.MODULE),
    )  # fmt: skip


def _begins_fortran_unit(source: Source, lead: int, token: int, word: bytes) -> bool:
    if token + 1 >= source.size or not source.is_word(token + 1) or source.leads[token + 1]:
        return False
    if token - lead > _MAX_PREFIX:
        return False
    before = [source.word(at).lower() for at in range(lead, token) if source.is_word(at)]
    if before and before[0].startswith(b"end"):
        return False
    if any(
        source.code[at] in (_EQUALS, _COLON) and source.code[at + 1] == _COLON for at in range(lead, token)
    ):
        return False
    if word == b"procedure":
        return before == [b"module"] and source.code[token + 1] != _LEFT
    if word == b"program":
        return token == lead
    depth = 0
    for at in range(lead, token):
        sign = source.code[at]
        depth += (sign in _OPENERS) - (sign in _CLOSERS)
        if sign == _EQUALS and depth == 0:
            return False
    return depth == 0


def _ends_fortran_unit(source: Source, lead: int, token: int, word: bytes, words: dict[int, bytes]) -> bool:
    if token != lead and not (token == lead + 1 and source.code[lead] == 0):  # a label may stand before
        return False
    if word != b"end":
        return True
    after = token + 1
    if after >= source.size or source.leads[after] or source.code[after] == _SEMICOLON:
        return True
    return words.get(after) in _UNITS
