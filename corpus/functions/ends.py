"""Functions of the languages that close blocks with words: Julia, Lua, GAP, MATLAB and Octave, and Ruby.

Linear. Called by corpus.units.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from corpus.functions.brackets import TURNS
from corpus.functions.source import Source, Span
from corpus.functions.texts import Roles, Spans, Texts, role_table

_LEFT, _EQUALS, _COLON, _DOT, _COMMA, _SEMICOLON, _SQUARE_RIGHT = b"(=:.,;]"


_NESTED = 3  # so deep are most brackets
_MAX_HEAD = 40  # tokens between a keyword and its parameters
_TYPE_KINDS = (b"abstract", b"primitive")  # before Julia's `type`


@dataclass(frozen=True, slots=True)
class Grammar:
    """The words of a language that closes blocks with words.

    functions: that begin one. openers: that begin another block. closers: that end any.
    not_in_brackets: openers that mean something else directly inside brackets (generators, indices).
    line_first: openers that are such only at the beginning of a line.
    endless: files whose functions have no end word exist.
    """

    functions: frozenset[bytes]
    openers: frozenset[bytes]
    closers: frozenset[bytes]
    not_in_brackets: frozenset[bytes] = frozenset()
    line_first: frozenset[bytes] = frozenset()
    endless: bool = False


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


JULIA = Grammar(
    functions=_words("function macro"),
    openers=_words("if for while begin let do try quote struct module baremodule type"),
    closers=_words("end"),
    not_in_brackets=_words("if for begin"),
)
LUA = Grammar(_words("function"), _words("if do repeat"), _words("end until"))
GAP = Grammar(_words("function"), frozenset(), _words("end"))
MATLAB = Grammar(
    functions=_words("function"),
    openers=_words(
        "if for parfor while switch try do unwind_protect spmd classdef methods properties events enumeration"
        " arguments"
    ),
    closers=_words(
        "end endif endfor endparfor endwhile endswitch end_try_catch end_unwind_protect endfunction"
        " endclassdef endmethods endproperties endevents endenumeration endspmd until"
    ),
    not_in_brackets=_words("if for while"),
    line_first=_words("do classdef methods properties events enumeration arguments"),
    endless=True,
)


def find_functions(source: Source, grammar: Grammar) -> list[Span]:
    """Outermost functions, in order."""
    words = source.find(grammar.functions | grammar.openers | grammar.closers)
    heads = [token for token, word in words.items() if word in grammar.functions and _is_word(source, token)]
    found, open_at_end = _pair_blocks(source, grammar, words)
    if open_at_end and grammar.endless:
        first = open_at_end[0]
        heads = [token for token in heads if token >= first]
        ends = [*heads[1:], source.size]
        found = [pair for pair in found if pair[0] < first] + list(zip(heads, ends, strict=True))
    elif open_at_end:
        found.append((open_at_end[0], source.size))
    spans: list[Span] = []
    before = 0  # where the function before ends: it may end in the same line
    for head, last in found:
        spans.append(Span("function", _name(source, head), max(source.line_lead(head), before), last))
        before = last
    return spans


def function_spans(texts: Texts, grammar: Grammar) -> Spans:
    """The same of many texts, by machine code."""
    from corpus.functions.ends_compiled import end_rows

    scan = texts.scan
    code, role = texts.read(_roles(grammar))
    found: Spans = end_rows(
        texts.token_ends, scan.start, scan.end, code, role, scan.fresh, scan.indent, grammar.endless
    )
    return found


@lru_cache(maxsize=8)
def _roles(grammar: Grammar) -> Roles:
    """What words are to the machine code."""
    from corpus.functions import ends_compiled as bits

    return role_table(
        (grammar.functions, bits.FUNCTION), (grammar.openers, bits.OPENER), (grammar.closers, bits.CLOSER),
        (grammar.not_in_brackets, bits.NOT_IN_BRACKETS), (grammar.line_first, bits.LINE_FIRST),
        ((b"type",), bits.TYPE), (_TYPE_KINDS, bits.ABSTRACT), ((b":=",), bits.ASSIGN),
    )  # fmt: skip


def _pair_blocks(
    source: Source, grammar: Grammar, words: dict[int, bytes]
) -> tuple[list[tuple[int, int]], list[int]]:
    """(head, end) of the outermost functions, and the heads of functions that are still open at the end."""
    found: list[tuple[int, int]] = []
    stack: list[tuple[int, bytes]] = []  # of brackets, whose word is empty, and blocks
    functions = 0
    for token in _places(source, words):
        word = words.get(token, b"")
        top = stack[-1][1] if stack else None
        if not word:
            if source.code[token] in b"([{":
                stack.append((token, b""))
            elif top == b"":
                stack.pop()
        elif not _is_word(source, token):
            continue
        elif word in grammar.closers:
            if top == b"" and source.leads[token] and source.indent[token] == 0:
                while (
                    stack and not stack[-1][1]
                ):  # an unclosed bracket does not reach a block's end at the margin
                    stack.pop()
            if stack and stack[-1][1]:
                start, opener = stack.pop()
                if opener in grammar.functions:
                    functions -= 1
                    if functions == 0:
                        found.append((start, token + 1))
        elif _opens(source, grammar, token, word, in_bracket=top == b""):
            stack.append((token, word))
            functions += word in grammar.functions
    return found, [token for token, word in stack if word in grammar.functions]


def _places(source: Source, words: Collection[int]) -> list[int]:
    """Words and brackets in order, but for most pairs of brackets with nothing of both between them."""
    turns = TURNS[np.frombuffer(source.code, np.uint8)]
    turns[list(words)] = 0
    worded = np.zeros(source.size, bool)
    worded[list(words)] = True
    places = np.flatnonzero((turns != 0) | worded)
    for _ in range(_NESTED):
        own = turns[places]
        opens = np.flatnonzero((own[:-1] > 0) & (own[1:] < 0))
        places = np.delete(places, np.concatenate((opens, opens + 1)))
    found: list[int] = places.tolist()
    return found


def _opens(source: Source, grammar: Grammar, token: int, word: bytes, in_bracket: bool) -> bool:
    if in_bracket and word in grammar.not_in_brackets:
        return False
    if word in grammar.line_first and not source.leads[token]:
        return False
    if word == b"type":
        return token > 0 and source.word(token - 1) in _TYPE_KINDS
    return True


def _is_word(source: Source, token: int) -> bool:
    """Whether the word is no field (`x.end`), symbol (`:end`) or argument's name (`end = 1`)."""
    code = source.code
    if token and code[token - 1] in (_DOT, _COLON) and source.end[token - 1] == source.start[token]:
        return False
    return not (token + 1 < source.size and code[token + 1] == _EQUALS)


def _name(source: Source, head: int) -> str:
    """The name after the keyword, `function [a, b] = name(…)` included, or the one that it is assigned to."""
    code, at = source.code, head + 1
    stop = at
    while (
        stop < min(source.size, at + _MAX_HEAD)
        and not source.leads[stop]
        and code[stop] not in (_LEFT, _SEMICOLON)
    ):
        stop += 1
    equals = next((place for place in range(at, stop) if code[place] == _EQUALS), -1)
    if equals >= 0:
        at = equals + 1
    if at < stop and source.is_word(at):
        last = at
        while last + 2 < stop and code[last + 1] in (_DOT, _COLON) and source.is_word(last + 2):
            last += 2
        return source.text[source.start[at] : source.end[last]].decode("utf-8", "replace")
    assigned = source.word(head - 1) in (b"=", b":=") if head > 1 else False
    return source.name(head - 2) if assigned and source.is_word(head - 2) else ""


# Ruby: its modifiers (`x if y`) make counting words a guess, its indentation does not lie.

_RUBY_MIDDLE = frozenset((b"rescue", b"ensure", b"else", b"elsif", b"when", b"in"))
_RUBY_BEFORE = frozenset(
    (b"private", b"protected", b"public", b"private_class_method", b"module_function", b"memoize")
)


def ruby(source: Source) -> list[Span]:
    """Outermost `def`s: up to the `end` with the same indentation."""
    heads = source.find((b"def",))
    leads: list[int] = np.flatnonzero(source.fresh).tolist()
    spans: list[Span] = []
    last = -1
    for index, lead in enumerate(leads):
        if lead < last:
            continue
        head = lead + 1 if lead + 1 in heads and source.word(lead) in _RUBY_BEFORE else lead
        if head not in heads:
            continue
        last = _ruby_end(source, leads, index)
        at = head + 1
        if at + 2 < last and source.code[at + 1] == _DOT:
            at += 2
        spans.append(Span("function", source.name(at) if at < source.size else "", lead, last))
    return spans


def ruby_spans(texts: Texts) -> Spans:
    """The same of many texts, by machine code."""
    from corpus.functions.ends_compiled import ruby_rows

    code, role = texts.read(_ruby_roles())
    found: Spans = ruby_rows(texts.token_ends, code, role, texts.scan.fresh, texts.scan.indent)
    return found


@lru_cache(maxsize=1)
def _ruby_roles() -> Roles:
    from corpus.functions import ends_compiled as bits

    return role_table(
        ((b"def",), bits.DEF), (_RUBY_BEFORE, bits.BEFORE), ((b"end",), bits.END), (_RUBY_MIDDLE, bits.MIDDLE)
    )


def _ruby_end(source: Source, leads: list[int], index: int) -> int:
    indent = source.indent[leads[index]]
    for lead in leads[index + 1 :]:
        if source.indent[lead] > indent:
            continue
        word = source.word(lead)
        if word == b"end" and source.indent[lead] == indent:
            return lead + 1
        if word not in _RUBY_MIDDLE and source.code[lead] not in b")]}":
            return lead
    return source.size
