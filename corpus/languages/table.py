"""The languages: one literal row each, and the kinds of tokens. A new language is one row here and one
sample.

Rows of languages that are met less often stand in `corpus.languages.dialects`.
"""

from __future__ import annotations

from enum import IntEnum

from corpus.languages import layout as k
from corpus.languages import words
from corpus.languages.dialects import DIALECTS
from corpus.languages.syntax import Language, Quote, Remark


class Kind(IntEnum):
    NAME = 1
    NUMBER = 2
    STRING = 3
    OPERATOR = 4
    KEYWORD = 5


_SLASHES = (Remark("//"), Remark("/*", "*/"))
_HASH = (Remark("#"),)
_SPLICED = (Remark("//", flags=k.SPLICED), Remark("/*", "*/"))
_DOUBLE, _SINGLE = Quote('"'), Quote("'")
_C_PREFIXES = "L u8 u U"
_C_QUOTES = (Quote('"', prefixes=_C_PREFIXES), Quote("'", prefixes=_C_PREFIXES))
_C_NUMBERS = k.HEX_FLOAT | k.QUOTE_SEPARATOR
_PYTHON_PREFIXES = "r u b f br rb fr rf R U B F BR Br bR RB Rb rB FR Fr fR RF Rf rF"
_PYTHON_QUOTES = (
    Quote('"""', flags=k.MULTILINE, prefixes=_PYTHON_PREFIXES),
    Quote("'''", flags=k.MULTILINE, prefixes=_PYTHON_PREFIXES),
    Quote('"', prefixes=_PYTHON_PREFIXES),
    Quote("'", prefixes=_PYTHON_PREFIXES),
)
_FORTRAN_QUOTES = (
    Quote('"', escape=k.DOUBLED, flags=k.AMPERSAND, prefixes="b o z B O Z"),
    Quote("'", escape=k.DOUBLED, flags=k.AMPERSAND, prefixes="b o z B O Z"),
    Quote(".", action=k.DOT_WORD),
)
_SCRIPT_QUOTES = (
    _DOUBLE,
    _SINGLE,
    Quote("`", action=k.TEMPLATE),
    Quote("/", action=k.REGEX, where=k.NOT_OPERAND),
)

_ROWS = (
    Language(
        "c",
        _SPLICED,
        _C_QUOTES,
        words.C_OPERATORS + " ##",
        words.C,
        numbers=_C_NUMBERS,
        imports="#include #import #include_next",
        backslash_joins=True,
    ),
    Language(
        "cpp",
        _SPLICED,
        _C_QUOTES,
        words.C_OPERATORS + " ## :: .* ->* <=>",
        words.C + words.CPP,
        numbers=_C_NUMBERS,
        imports="#include #import #include_next using import",
        backslash_joins=True,
        prefix_rules=tuple(Quote(prefix + 'R"', action=k.CPP_RAW) for prefix in ("", "L", "u8", "u", "U")),
    ),
    Language(
        "objc",
        _SPLICED,
        _C_QUOTES,
        words.C_OPERATORS + " ## ::",
        words.C + " " + words.OBJECTIVE_C,
        numbers=_C_NUMBERS,
        imports="#include #import",
        closers="end",
        backslash_joins=True,
    ),
    Language(
        "python",
        _HASH,
        _PYTHON_QUOTES,
        words.PYTHON_OPERATORS,
        words.PYTHON,
        imports="import from",
        docstrings=True,
        backslash_joins=True,
    ),
    Language(
        "cython",
        _HASH,
        _PYTHON_QUOTES,
        words.PYTHON_OPERATORS + " ++ --",
        words.PYTHON + words.CYTHON,
        imports="import from cimport include",
        docstrings=True,
        backslash_joins=True,
    ),
    Language(
        "fortran",
        (Remark("!"), Remark("#", where=k.COLUMN0)),
        _FORTRAN_QUOTES,
        words.FORTRAN_OPERATORS,
        words.FORTRAN,
        numbers=k.STRICT_SUFFIX | k.KIND_SUFFIX | k.D_EXPONENT,
        caseless=True,
        imports="use include",
        closers="&",
        end_statements=words.FORTRAN_END,
        form=k.FREE_FORM,
    ),
    Language(
        "fortran-fixed",
        (Remark("!"), Remark("#", where=k.COLUMN0)),
        _FORTRAN_QUOTES,
        words.FORTRAN_OPERATORS,
        words.FORTRAN,
        numbers=k.STRICT_SUFFIX | k.KIND_SUFFIX | k.D_EXPONENT,
        caseless=True,
        imports="use include",
        closers="&",
        end_statements=words.FORTRAN_END,
        form=k.FIXED_FORM,
    ),
    Language(
        "java",
        _SLASHES,
        (Quote('"""', flags=k.MULTILINE), _DOUBLE, _SINGLE),
        words.JAVA_OPERATORS,
        words.JAVA,
        starts="$",
        numbers=k.HEX_FLOAT,
        imports="import package",
    ),
    Language(
        "javascript",
        (*_SLASHES, Remark("#!", where=k.COLUMN0)),
        _SCRIPT_QUOTES,
        words.JAVASCRIPT_OPERATORS,
        words.JAVASCRIPT,
        starts="$",
        imports="import",
        waiting=words.JAVASCRIPT_WAITING,
    ),
    Language(
        "typescript",
        (*_SLASHES, Remark("#!", where=k.COLUMN0)),
        _SCRIPT_QUOTES,
        words.JAVASCRIPT_OPERATORS,
        words.JAVASCRIPT + words.TYPESCRIPT,
        starts="$",
        imports="import",
        waiting=words.JAVASCRIPT_WAITING,
    ),
    Language(
        "rust",
        (Remark("//"), Remark("/*", "*/", flags=k.NESTED)),
        (
            Quote('"', flags=k.MULTILINE, prefixes="b c"),
            Quote("'", action=k.CHAR_OR_LIFETIME, prefixes="b"),
        ),
        words.RUST_OPERATORS,
        words.RUST,
        numbers=k.NO_LEADING_DOT,
        imports="use extern",
        hot="\"'#",
        prefix_rules=tuple(Quote(prefix, action=k.RUST_RAW, flags=k.EXACT) for prefix in ("r", "br", "cr")),
    ),
    Language(
        "go",
        _SLASHES,
        (_DOUBLE, _SINGLE, Quote("`", escape=k.NO_ESCAPE, flags=k.MULTILINE)),
        words.GO_OPERATORS,
        words.GO,
        numbers=k.HEX_FLOAT,
        imports="import package",
    ),
    Language(
        "julia",
        (Remark("#=", "=#", flags=k.NESTED), Remark("#")),
        (
            Quote('"""', flags=k.MULTILINE),
            Quote('"', flags=k.MULTILINE),
            Quote("'", where=k.NOT_ADJACENT),
            Quote("`", flags=k.MULTILINE),
        ),
        words.JULIA_OPERATORS,
        words.JULIA,
        continues="!",
        numbers=k.STRICT_SUFFIX | k.F_EXPONENT | k.DOT_OPERATORS | k.HEX_FLOAT,
        imports="using import include",
        closers="end begin",
        docstrings=True,
    ),
    Language(
        "r",
        _HASH,
        (
            Quote('"', flags=k.MULTILINE),
            Quote("'", flags=k.MULTILINE),
            Quote("`", flags=k.MULTILINE),
            Quote("%", action=k.PERCENT_WORD),
        ),
        words.R_OPERATORS,
        words.R,
        starts=".",
        numbers=k.HEX_FLOAT,
        imports="library require requireNamespace source",
        prefix_rules=(Quote('r"', action=k.CPP_RAW), Quote('R"', action=k.CPP_RAW)),
    ),
    Language(
        "matlab",
        (
            Remark("%{", "%}", where=k.ALONE, flags=k.NESTED | k.CLOSE_ALONE),
            Remark("#{", "#}", where=k.ALONE, flags=k.NESTED | k.CLOSE_ALONE),
            Remark("%"),
            Remark("#"),
            Remark("...", flags=k.JOINS),
        ),
        (_DOUBLE, Quote("'", escape=k.DOUBLED, where=k.NOT_ADJACENT)),
        words.MATLAB_OPERATORS,
        words.MATLAB,
        numbers=k.DOT_OPERATORS | k.D_EXPONENT,
        imports="import pkg",
        closers=words.MATLAB_CLOSERS,
        brace_is_operand=True,
    ),
    Language(
        "perl",
        (Remark("=", "=cut", where=k.POD_START, flags=k.CLOSE_COLUMN0 | k.TO_LINE_END), Remark("#")),
        (
            Quote('"', flags=k.MULTILINE),
            Quote("'", flags=k.MULTILINE),
            Quote("`", flags=k.MULTILINE),
            Quote("/", action=k.REGEX, where=k.NOT_OPERAND),
            Quote("<<", action=k.HEREDOC, where=k.HEREDOC_START),
            Quote("$", action=k.PERL_SIGIL),
            Quote("@", action=k.PERL_SIGIL),
            Quote("%", action=k.PERL_SIGIL, where=k.NOT_OPERAND),
            Quote("&", action=k.PERL_SIGIL, where=k.NOT_OPERAND),
        ),
        words.PERL_OPERATORS,
        words.PERL,
        imports="use no require package",
        waiting=words.PERL_WAITING,
        hot="/{([<|!#~'\"",
        brace_is_operand=True,
        prefix_rules=(
            *(Quote(word, action=k.PERL_QUOTE, flags=k.EXACT) for word in ("q", "qq", "qw", "qr", "qx", "m")),
            *(Quote(word, action=k.PERL_QUOTE, flags=k.EXACT | k.TWO_PARTS) for word in ("s", "tr", "y")),
        ),
    ),
)
LANGUAGES: dict[str, Language] = {row.name: row for row in (*_ROWS, *DIALECTS)}
