"""The scanner's inner loop: bytes in, tokens and comments out, driven by the rules of one language.

Restricted Python: integers, indexing, loops, and calls within this file, `literals` and `lexemes`. It runs as
it stands over `bytes` and `array` (small inputs start at once), and `corpus.languages.compiled` loads the
same files a second time with `jit` set to numba's compiler. Both must give the same tokens on every input.

Promises: one pass, linear time (every byte is looked at a bounded number of times), no recursion, no
exception on any bytes; spans are exact, ascending and never overlap. Called by `corpus.languages.scan` only.
"""

# The compiler wants plain globals and plain conditions.
# ruff: noqa: F403, F405, SIM109

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from corpus.languages import lexemes as plain_lexemes
from corpus.languages import literals as plain_literals
from corpus.languages.layout import *

# The compiled twin of this module is given compiled lexemes and literals.
lexemes = globals().get("lexemes", plain_lexemes)
literals = globals().get("literals", plain_literals)
jit: Callable[[Any], Any] = globals().get("jit", lambda function: function)
# Compiled code goes by addresses: no index is negative, none needs to be looked at for that.
address: Callable[[Any], Any] = globals().get("address", lambda sequence: sequence)


@jit
def heredoc_tag(text, i, n, ident):  # type: ignore[no-untyped-def]
    """(start, end) of the tag at i, without its quotes."""
    if i < n and (text[i] == 34 or text[i] == 39):
        j = i + 1
        while j < n and text[j] != text[i] and text[j] != 10 and text[j] != 13:
            j += 1
        return i + 1, j
    j = i
    while j < n and ident[text[j]]:
        j += 1
    return i, j


@jit
def literal(text, i, n, ident, pool, rules, base, options, state):  # type: ignore[no-untyped-def]
    """(kind, end, content start, content end) of what rule `base` opens at i; the end is i when it is no
    literal."""
    action = rules[base + ACTION]
    inner = i + rules[base + LENGTH]
    if action == QUOTED:
        end, stop = lexemes.quoted_end(text, inner, n, pool, rules, base)
        return STRING, end, inner, stop
    if action == RUST_RAW:
        end, inner, stop = literals.raw_end(text, inner, n, True)
        return STRING, end if end > i + rules[base + LENGTH] else i, inner, stop
    if action == CPP_RAW:
        end, inner, stop = literals.raw_end(text, inner - 1, n, False)
        return STRING, end if end > i + rules[base + LENGTH] else i, inner, stop
    if action == PERL_QUOTE:
        end, inner, stop = literals.perl_quote_end(text, inner, n, rules[base + FLAGS] & TWO_PARTS)
        return STRING, end, inner, stop
    if action == CHAR_OR_LIFETIME:
        end = literals.char_end(text, inner - 1, n)
        if end >= inner:
            return STRING, end, inner, end - 1
        if inner < n and ident[text[inner]]:
            while inner < n and ident[text[inner]]:
                inner += 1
            return NAME, inner, inner, inner
        return STRING, i, i, i
    if action == PERL_SIGIL:
        end = literals.sigil_end(text, i, n, ident)
        return NAME if end > i + 1 else OPERATOR, end, end, end
    if action == HEREDOC:
        if inner < n and (text[inner] == 126 or text[inner] == 45):
            inner += 1
        state[TAG], state[TAG_END] = heredoc_tag(text, inner, n, ident)
        return OPERATOR, inner, inner, inner
    end = literals.dotted_end(text, i, n, action == PERCENT_WORD)
    return OPERATOR, end, end, end


@jit
def note(comments, state, start, end):  # type: ignore[no-untyped-def]
    """Record a comment that begins on the present row."""
    at = 3 * state[REMARKS]
    comments[at], comments[at + 1], comments[at + 2] = start, end, state[ROW]
    state[REMARKS] += 1


@jit
def enter_line(text, i, n, form, state, comments):  # type: ignore[no-untyped-def]
    """Position of the first token of the line that begins at i; measures its indent and reads Fortran's
    columns."""
    if form == FIXED_FORM and i < n:
        c = text[i]
        debug = (c == 68 or c == 100) and (i + 1 >= n or text[i + 1] <= 32)
        if c == 67 or c == 99 or c == 42 or c == 33 or debug:
            end = lexemes.line_end(text, i, n)
            note(comments, state, i, end)
            return end
        if c == 9 and i + 1 < n and 49 <= text[i + 1] <= 57:
            state[LEADS] = 0
            state[INDENT] = 8
            return i + 2
        j = i
        while j < n and j < i + 5 and text[j] == 32:
            j += 1
        if j == i + 5 and j < n and text[j] > 32 and text[j] != 48:
            state[LEADS] = 0
            state[INDENT] = 6
            return j + 1
    i, width = lexemes.columns(text, i, n)
    state[INDENT] = width
    return i


@jit
def pass_break(text, i, n, form, ampersand, state, comments):  # type: ignore[no-untyped-def]
    """Step over the line break at i; a line that was joined to the next one does not end the statement."""
    i += 2 if text[i] == 13 and i + 1 < n and text[i + 1] == 10 else 1
    state[ROW] += 1
    state[LEADS] = 0 if state[JOINED] or ampersand else 1
    state[JOINED] = 0
    return enter_line(text, i, n, form, state, comments)


@jit
def cross_lines(text, start, end, n, leads, state):  # type: ignore[no-untyped-def]
    """Count the line breaks inside a comment or string that has been passed."""
    breaks, last = lexemes.newlines(text, start, end, n)
    if breaks > 0:
        state[ROW] += breaks
        state[INDENT] = lexemes.columns(text, last, n)[1]
        state[LEADS] = leads


@jit
def waits(text, start, end, pool, options):  # type: ignore[no-untyped-def]
    """Whether the word text[start:end] waits for a value, as `return` does."""
    return lexemes.in_words(text, start, end, pool, options[WORDS], options[WORDS_END])


@jit
def starts_fraction(text, i, n, options, after_value):  # type: ignore[no-untyped-def]
    """Whether the point before i begins a number such as `.5`."""
    return i < n and 48 <= text[i] <= 57 and not options[NUMBER_STYLE] & NO_LEADING_DOT and not after_value


@jit
def is_operand(text, s, e, brace, before):  # type: ignore[no-untyped-def]
    """Whether the operator text[s:e] ends a value: closing brackets, transposition, `i++` after a value."""
    c = text[e - 1]
    if e - s == 2 and (c == 43 or c == 45) and text[s] == c:
        return before
    return c == 41 or c == 93 or c == 39 or (c == 125 and brace == 1)


@jit
def template(text, i, n, start, state):  # type: ignore[no-untyped-def]
    """(kind, end, content start, content end) of the piece of a JavaScript template whose content begins at
    i, up to the back-tick or to an interpolation, which is then scanned as code."""
    end, inner, opens = lexemes.template_end(text, i, n)
    if opens and state[TOP] < MAX_STACK:
        state[STACK + state[TOP]] = 0
        state[TOP] += 1
    return STRING, end, start, inner


@jit
def special(text, i, n, ident, pool, rules, base, options, state, comments):  # type: ignore[no-untyped-def]
    """(kind, end, content start, content end) of what rule `base` opens at i; kind 0 for a comment, which is
    noted; the end is i when it is no literal after all."""
    action = rules[base + ACTION]
    inner = i + rules[base + LENGTH]
    if action == OP:
        return OPERATOR, inner, -1, -1
    if action == LINE_COMMENT or action == BLOCK_COMMENT:
        end = lexemes.comment_end(text, i, n, pool, rules, base)
        note(comments, state, i, end)
        if rules[base + FLAGS] & JOINS:
            state[JOINED] = 1
        if action == BLOCK_COMMENT or rules[base + FLAGS] & SPLICED:
            cross_lines(text, i, end, n, 1, state)
        return 0, end, -1, -1
    if action == TEMPLATE:
        return template(text, inner, n, inner, state)
    if action == REGEX:
        if i < state[BARREN]:
            return OPERATOR, i, -1, -1
        end, stop = literals.regex_end(text, inner, n)
        if end == i:
            state[BARREN] = stop
        return STRING, end, i, end
    return literal(text, i, n, ident, pool, rules, base, options, state)


@jit
def track_braces(text, i, n, state):  # type: ignore[no-untyped-def]
    """Count braces inside an interpolation; whether the one at i ends it."""
    at = STACK + state[TOP] - 1
    if text[i] == 123:
        state[at] += 1
    elif text[i] == 125:
        if state[at] == 0:
            state[TOP] -= 1
            return True
        state[at] -= 1
    return False


@jit
def scan(  # type: ignore[no-untyped-def]
    text, n, klass, ident, hot, signs, first, pool, rules, options, state,
    kind, start, end, line, indent, fresh, strings, comments,
):  # fmt: skip
    """Fill the arrays; returns the numbers of tokens, strings and comments.

    klass, ident, hot: a value a byte: its class, whether identifiers go on with it, whether it can follow a
    prefix of a literal. signs: a value a pair of bytes: what operator the first one begins. state: zeroes.
    strings: flat triples (token, content start, content end). comments: flat triples (start, end, line).
    """
    tokens = found = 0
    operand = False
    state[ROW] = 1 + lexemes.newlines(text, 0, options[BEGIN], n)[0]
    state[LEADS] = 1
    i = enter_line(text, options[BEGIN], n, options[FORM], state, comments)
    while i < n:
        c = text[i]
        k = klass[c]
        s, i = i, i + 1
        what, base, lo, hi = OPERATOR, -1, -1, -1
        sign = signs[c * 256 + text[i]] if k == OTHER and i < n else 0
        if k == SPACE:
            continue
        if sign > 0:
            i = s + (sign & SIGN_LENGTH)
        elif k == NEWLINE:
            ampersand = options[FORM] == FREE_FORM and tokens > 0 and text[start[tokens - 1]] == 38
            i = pass_break(text, s, n, options[FORM], ampersand, state, comments)
            if state[TAG] == 0 or i >= n:
                continue
            what, s, lo = STRING, i, i
            i, hi = literals.heredoc_end(text, s, n, state[TAG], state[TAG_END])
            state[TAG] = 0
        elif k == IDENT and (c != 46 or i >= n or not 48 <= text[i] <= 57):
            what = NAME
            while i < n and ident[text[i]]:
                i += 1
            if i < n and text[i] == 61 and text[i - 1] == 33 and i - s > 1:
                i -= 1  # Julia: `a!=b` compares, `a!` is a name
            if i < n and hot[text[i]] and i - s <= options[LONGEST_PREFIX]:
                base = lexemes.find_rule(text, s, n, i - s, first, pool, rules, operand, False, state[LEADS])
        elif k == DIGIT or (
            c == 46 and starts_fraction(text, i, n, options, operand and end[tokens - 1] == s)
        ):
            what = NUMBER
            dotted = tokens > 0 and text[s - 1] == 46 and start[tokens - 1] == s - 1
            i = lexemes.number_end(text, s, n, ident, options[NUMBER_STYLE], dotted)
        elif c == 92 and options[BACKSLASH_JOINS] and i < n and klass[text[i]] == NEWLINE:
            state[JOINED] = 1
            continue
        elif first[c] != first[c + 1]:
            value = operand
            if options[WORDS_END] > options[WORDS] and (c == 47 or c == 37 or c == 38) and tokens > 0:
                value = operand and not waits(text, start[tokens - 1], end[tokens - 1], pool, options)
            adjacent = tokens > 0 and end[tokens - 1] == s
            base = lexemes.find_rule(text, s, n, 0, first, pool, rules, value, adjacent, state[LEADS])
        elif state[TOP] > 0 and track_braces(text, s, n, state):
            what, i, lo, hi = template(text, i, n, i, state)
        if base >= 0:
            kept = i
            what, i, lo, hi = special(text, s, n, ident, pool, rules, base, options, state, comments)
            if what == 0:
                continue
            if i == s:
                what, i, lo = NAME if k == IDENT else OPERATOR, kept, -1
        kind[tokens] = what
        start[tokens], end[tokens] = s, i
        line[tokens], indent[tokens], fresh[tokens] = state[ROW], state[INDENT], state[LEADS]
        state[LEADS] = 0
        if what == STRING:
            strings[3 * found], strings[3 * found + 1], strings[3 * found + 2] = tokens, lo, hi
            found += 1
            cross_lines(text, s, i, n, 0, state)
        if sign > 0:
            operand = sign & SIGN_VALUE > 0 or (sign & SIGN_SAME > 0 and operand)
        else:
            operand = what != OPERATOR or is_operand(text, s, i, options[BRACE_IS_OPERAND], operand)
        tokens += 1
    return tokens, found, state[REMARKS]


@jit
def scan_each(  # type: ignore[no-untyped-def]
    data, ends, begin, klass, ident, hot, signs, first, pool, rules, options, state,
    kind, start, end, line, indent, fresh, strings, comments, counts,
):  # fmt: skip
    """`scan` for texts that lie one behind the other; all but the first are read from their beginning.

    ends: where each text ends. begin: where the first one is read from. What is found lies one behind the
    other too, numbers of bytes and tokens count from the beginning of their text. counts[text + 1]: how many
    tokens, strings and comments there are up to its end; counts[0] is 0.
    """
    before = 0
    options[BEGIN] = begin
    for text in range(len(ends)):
        tokens, found, remarks = counts[text]
        state[:] = 0
        one, two, three = scan(
            address(data[before : ends[text]]), ends[text] - before, address(klass), address(ident),
            address(hot), address(signs), address(first), address(pool), address(rules), address(options),
            address(state), address(kind[tokens:]), address(start[tokens:]), address(end[tokens:]),
            address(line[tokens:]), address(indent[tokens:]), address(fresh[tokens:]),
            address(strings[3 * found :]), address(comments[3 * remarks :]),
        )  # fmt: skip
        counts[text + 1] = tokens + one, found + two, remarks + three
        before = ends[text]
        options[BEGIN] = 0
