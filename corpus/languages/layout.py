"""Numbers shared by the rules of a language and the kernel that obeys them. Nothing but constants.

A *rule* is WIDTH integers in a flat sequence; its pattern and its closer are spans (offset, length) of a pool
of bytes.
"""

from __future__ import annotations

NAME, NUMBER, STRING, OPERATOR = 1, 2, 3, 4

# Classes of bytes.
OTHER, SPACE, NEWLINE, IDENT, DIGIT = 0, 1, 2, 3, 4

# Fields of a rule.
WIDTH = 8
PATTERN, LENGTH, WHERE, ACTION, CLOSER, CLOSER_LENGTH, ESCAPE, FLAGS = range(WIDTH)

# Where a rule holds.
ANYWHERE, COLUMN0, LINE_START, ALONE, NOT_OPERAND, NOT_ADJACENT, AFTER_SPACE, HEREDOC_START, POD_START = (
    range(9)
)

# What a rule does.
(OP, LINE_COMMENT, BLOCK_COMMENT, QUOTED, TEMPLATE, REGEX, RUST_RAW, CPP_RAW, CHAR_OR_LIFETIME, PERL_QUOTE,
 PERL_SIGIL, HEREDOC, DOT_WORD, PERCENT_WORD) = range(14)  # fmt: skip

# Escapes inside strings.
NO_ESCAPE, BACKSLASH, DOUBLED = 0, 1, 2

# Flags of a rule.
MULTILINE, NESTED, CLOSE_COLUMN0, CLOSE_ALONE, TO_LINE_END, AMPERSAND, SPLICED, EXACT, TWO_PARTS, JOINS = (
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # fmt: skip

# Indices of `options`: what a language asks of the kernel; WORDS is a span of the pool.
BEGIN, FORM, BACKSLASH_JOINS, LONGEST_PREFIX, NUMBER_STYLE, WORDS, WORDS_END, BRACE_IS_OPERAND = range(8)
ANY_FORM, FIXED_FORM, FREE_FORM = range(3)

# Indices of `state`: what the kernel remembers between tokens; open JavaScript templates follow it.
ROW, INDENT, LEADS, JOINED, TAG, TAG_END, BARREN, REMARKS, TOP, STACK = range(10)
MAX_STACK = 64

# Bits of the number style.
(STRICT_SUFFIX, KIND_SUFFIX, QUOTE_SEPARATOR, D_EXPONENT, F_EXPONENT, DOT_OPERATORS, HEX_FLOAT,
 NO_LEADING_DOT) = (1, 2, 4, 8, 16, 32, 64, 128)  # fmt: skip

# Parts of what a pair of bytes says: the length of the operator that the first one begins, whatever else
# stands around, or 0; whether that ends a value, or leaves a value one (`i++`).
SIGN_LENGTH, SIGN_VALUE, SIGN_SAME = 3, 4, 8
