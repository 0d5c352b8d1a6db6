"""Functions of the languages that write blocks in braces.

Two ways lead to a function: a keyword (`fn`, `func`, `function`, `sub`) forward to its brace, and an opening
brace back over its head to `name(…)`. The first serves languages with such a keyword, the second C and its
kin; JavaScript has both. Linear: no token is walked over more than a bounded number of times.
Called by corpus.units.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from corpus.functions.brackets import CONTROL, DIRECTIVES, TURNS, Brackets
from corpus.functions.dialects import ACCESS, INLINE_TYPES, QUALIFIERS, SPACES, TYPES, Dialect, roles
from corpus.functions.source import ARROW, ASSIGN_LEFT, Source, Span
from corpus.functions.texts import Spans, Texts

_LEFT, _RIGHT, _SQUARE_LEFT, _SQUARE_RIGHT, _OPEN, _CLOSE = b"()[]{}"
_SEMICOLON, _COMMA, _COLON, _EQUALS, _LESS, _MORE, _STAR = b";,:=<>*"
_MAX_OLD_STYLE = 256
_MAX_NESTING = 3  # bounds how often a token can be in units


def find_functions(source: Source, dialect: Dialect, long: int) -> list[Span]:
    """Outermost functions in order; if the dialect says so, also nested ones in those over `long` tokens."""
    brackets = Brackets(source, dialect.preprocessor)
    found = _from_keywords(source, brackets, dialect) if dialect.keywords else {}
    spans: list[Span] = []
    around: list[int] = []  # ends of the long functions around
    end = -1
    types = source.find(TYPES if dialect.types_first else SPACES) if dialect.heads else {}
    at = 0
    while (at := bisect_left(brackets.braces, end, at)) < len(brackets.braces):
        brace = brackets.braces[at]
        at += 1
        span = found.get(brace)
        if span is None and dialect.heads:
            span = _from_head(source, brackets, dialect, types, brace)
        if span is None:
            if dialect.heads and not dialect.nested and brace and source.code[brace - 1] == _EQUALS:
                end = brackets.close[brace]  # an initialiser
            continue
        spans.append(span)
        while around and around[-1] <= span.first:
            around.pop()
        if dialect.nested and span.last - span.first > long and len(around) < _MAX_NESTING:
            around.append(span.last)
        else:
            end = span.last
    return spans


def function_spans(texts: Texts, dialect: Dialect, long: int) -> Spans:
    """The same of many texts, by machine code."""
    from corpus.functions.braces_compiled import CONTROL as control
    from corpus.functions.braces_compiled import brace_rows
    from corpus.functions.brackets_compiled import brackets

    scan = texts.scan
    code, role = texts.read(roles(dialect))
    partner = brackets(
        texts.data, texts.ends, texts.token_ends, scan.start, code, role, scan.fresh, scan.indent, scan.line,
        control, TURNS, DIRECTIVES, dialect.preprocessor,
    )  # fmt: skip
    options = (
        bool(dialect.keywords), dialect.heads, dialect.preprocessor, dialect.anonymous, dialect.nested,
        dialect.commas,
    )  # fmt: skip
    found: Spans = brace_rows(code, role, scan.fresh, partner, texts.token_ends, options, long)
    return found


def _last(source: Source, brackets: Brackets, brace: int) -> int:
    """The end of the block: after its closing brace, or where it must have ended."""
    close = brackets.close[brace]
    return min(close if brace in brackets.lost else close + 1, source.size)


# By keyword.


def _from_keywords(source: Source, brackets: Brackets, dialect: Dialect) -> dict[int, Span]:
    """Functions that a keyword begins, by their opening brace."""
    found: dict[int, Span] = {}
    keywords = source.find(dialect.keywords)
    for token in keywords:
        brace, name = _follow(source, brackets, token, keywords, dialect)
        if brace >= 0:
            first = _statement_start(source, token)
            found[brace] = Span(
                "function", name or _assigned_name(source, token), first, _last(source, brackets, brace)
            )
    return found


def _follow(
    source: Source, brackets: Brackets, token: int, keywords: dict[int, bytes], dialect: Dialect
) -> tuple[int, str]:
    """The brace that opens the body of the function whose keyword is `token` (-1: none), and its name."""
    code, size = source.code, source.size
    at, name = token + 1, ""
    if at < size and code[at] == _STAR:
        at += 1
    named = False  # for sure: by the word before the parameters
    receiver = at in brackets.close and code[at] == _LEFT  # of a Go method
    if receiver and not dialect.anonymous:
        return -1, ""
    while at < size and at not in keywords:
        sign = code[at]
        if sign == _OPEN:
            if at > 0 and source.word(at - 1) in INLINE_TYPES:
                at = brackets.close[at] + 1  # a type in the result
                continue
            return at, name
        if sign in (_LEFT, _SQUARE_LEFT):
            if at not in brackets.close:
                return -1, ""
            if not named and not receiver:
                before = _before_generics(source, at - 1) if code[at - 1] == _MORE else at - 1
                name = source.name(before) if before > token and source.is_word(before) else name
                named = True
            at = brackets.close[at] + 1
            if receiver and at < size and source.is_word(at) and at + 1 < size and code[at + 1] == _LEFT:
                name = source.name(at)
                named = True
            receiver = False
            continue
        if sign in (_SEMICOLON, _CLOSE, _RIGHT, _SQUARE_RIGHT, _EQUALS, ARROW):
            return -1, ""
        if at == token + 1 and source.is_word(at):
            name = source.name(at)
        at += 1
    return -1, ""


def _statement_start(source: Source, token: int) -> int:
    """First token of the statement on the line of `token`."""
    code = source.code
    while token > 0 and not source.leads[token] and code[token - 1] not in b"{};(,":
        token -= 1
    return token


def _assigned_name(source: Source, token: int) -> str:
    """The name that an anonymous function gets: `name = function`, `name: function`, `name <- function`."""
    if token > 0 and source.word(token - 1) == b"async":
        token -= 1
    if token > 1 and source.code[token - 1] in (_EQUALS, _COLON, ASSIGN_LEFT) and source.is_word(token - 2):
        return source.name(token - 2)
    return ""


# By head.


@dataclass(slots=True)
class _Head:
    """What stands between the last boundary and a brace, outside parentheses.

    groups: (open, close) of its parentheses, right to left. equals, colon, type: leftmost such token, or -1.
    """

    first: int
    groups: list[tuple[int, int]]
    equals: int = -1
    colon: int = -1
    type: int = -1


def _read_head(
    source: Source, brackets: Brackets, types: dict[int, bytes], brace: int, commas: bool
) -> _Head:
    code = source.code
    head = _Head(brace, [])
    at = brace - 1
    while at >= 0:
        sign = code[at]
        if at in brackets.directives:
            if head.groups:
                break
            at = brackets.directives[at] - 1
            continue
        if sign in (_RIGHT, _SQUARE_RIGHT):
            start = brackets.open.get(at)
            if start is None:
                break
            if sign == _RIGHT:
                head.groups.append((start, at))
            at = start
        elif sign == _CLOSE:
            start = brackets.open.get(at)
            if start is None or not _initialises_member(source, brackets, start):
                break
            at = start
        elif sign in b"([":
            return _Head(brace, [])  # the brace is part of an argument
        elif sign in b"+-" and source.leads[at] and code[at + 1] == _LEFT:  # a method of Objective-C
            head.first = at
            break
        elif sign in b"{;" or (sign == _COMMA and commas and head.groups):
            break
        elif sign == _MORE and head.groups and at + 1 == head.groups[-1][0]:
            name = _before_generics(source, at)
            at = name + 1 if name >= 0 else at
        elif sign == _EQUALS:
            if source.word(at - 1) != b"operator":
                head.equals = at
        elif sign == _COLON:
            if source.word(at - 1) in ACCESS:
                break
            head.colon = at
        elif at in types:
            head.type = at
        head.first = at
        at -= 1
    return head


def _initialises_member(source: Source, brackets: Brackets, brace: int) -> bool:
    """Whether `a{1}` stands in a constructor's list: after `)` `:` or a comma, before a comma or the body."""
    if brace == 0 or source.code[max(brace - 2, 0)] not in b":," or not source.is_word(brace - 1):
        return False
    after = brackets.close[brace] + 1
    return after < source.size and source.code[after] in (_COMMA, _OPEN)


def _from_head(
    source: Source, brackets: Brackets, dialect: Dialect, types: dict[int, bytes], brace: int
) -> Span | None:
    """The function whose body `brace` opens, or None."""
    code = source.code
    if brace and code[brace - 1] == ARROW:
        return _arrow(source, brackets, brace) if dialect.commas else None
    if _initialises_member(source, brackets, brace):
        return None
    head = _read_head(source, brackets, types, brace, dialect.commas)
    if not head.groups and dialect.preprocessor and brace and code[brace - 1] == _SEMICOLON:
        after = _old_style(source, brackets, brace)
        if after >= 0:
            head = _read_head(source, brackets, types, after, False)
    if not head.groups:
        return None
    if code[head.first] in b"+-" and code[head.first + 1] == _LEFT:  # Objective-C: - (type)name:(type)value
        at = brackets.close.get(head.first + 1, head.first) + 1
        return Span("function", source.name(at), head.first, _last(source, brackets, brace))
    name = _function_name(source, brackets, head)
    if name < 0 or _is_no_function(source, head, name):
        return None
    return Span("function", _spelled(source, name), head.first, _last(source, brackets, brace))


def _function_name(source: Source, brackets: Brackets, head: _Head) -> int:
    """The token that names the function with this head, or -1."""
    code = source.code
    for start, _ in head.groups:
        if 0 <= head.colon < start:
            continue
        at = start - 1
        if at > head.first and _is_operator(source, at):
            return at
        if code[at] == _MORE:
            at = _before_generics(source, at)
        if at < head.first:
            continue
        if code[at] == _RIGHT and at in brackets.open:  # returns a pointer to a function: (*name(…))(…)
            inner = next((t for t in range(brackets.open[at] + 1, at) if source.is_word(t)), -1)
            return inner
        if source.is_word(at):
            word = source.word(at)
            if word in QUALIFIERS:
                continue
            return -1 if word in CONTROL else at
    return -1


def _is_operator(source: Source, at: int) -> bool:
    """Whether the token ends a name such as `operator==`, `operator[]`, `operator new`."""
    return b"operator" in (source.word(at - 1), source.word(max(at - 2, 0)))


def _is_no_function(source: Source, head: _Head, name: int) -> bool:
    """Whether the head, though it has `name(…)`, is an initialiser, an object creation or a type."""
    if 0 <= head.equals < name and source.word(head.first) != b"template":
        return True
    if source.word(max(name - 1, 0)) == b"new" and name > head.first:
        return True
    return 0 <= head.type < name


def _spelled(source: Source, name: int) -> str:
    for back in (1, 2):
        if name >= back and source.word(name - back) == b"operator":
            return source.text[source.start[name - back] : source.end[name]].decode("utf-8", "replace")
    return source.name(name)


def _before_generics(source: Source, at: int) -> int:
    """The token before `<…>` that ends at `at`."""
    depth = 0
    for back in range(at, max(at - 64, -1), -1):
        depth += (source.code[back] == _MORE) - (source.code[back] == _LESS)
        if depth == 0:
            return back - 1
    return -1


def _old_style(source: Source, brackets: Brackets, brace: int) -> int:
    """For `f(a, b) int a; char *b; {`: the token after the parameter list, or -1."""
    code = source.code
    at = brace - 1
    stop = max(brace - _MAX_OLD_STYLE, -1)
    while at > stop:
        sign = code[at]
        if sign == _RIGHT and at in brackets.open:
            before = brackets.open[at] - 1
            named = before >= 0 and source.is_word(before) and source.is_word(at + 1)
            if named and source.word(before) not in CONTROL and source.leads[brace]:
                return at + 1
            at = before
        elif sign == _SQUARE_RIGHT and at in brackets.open:
            at = brackets.open[at] - 1
        elif sign in b";,*" or source.is_word(at):
            at -= 1
        else:
            return -1
    return -1


def _arrow(source: Source, brackets: Brackets, brace: int) -> Span:
    """`name = (a, b) => {` and its kin."""
    code = source.code
    before = brace - 2
    if before > 1 and code[before - 1] == _COLON and before - 2 in brackets.open:
        before -= 2  # a result type
    if before >= 0 and before in brackets.open:
        before = brackets.open[before]
    before = max(before, 0)
    name = _assigned_name(source, before)
    return Span("function", name, _statement_start(source, before), _last(source, brackets, brace))
