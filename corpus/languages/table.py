"""The languages: one literal row each, and the kinds of tokens. A new language is one row here and one sample.

Names without a dialect of their own share a row (`_ALSO` in `corpus.languages.names`).
"""

from __future__ import annotations

from enum import IntEnum

from corpus.languages import layout as k
from corpus.languages.syntax import Language, Quote, Remark


class Kind(IntEnum):
    NAME = 1
    NUMBER = 2
    STRING = 3
    OPERATOR = 4
    KEYWORD = 5


_C_REMARKS = (Remark("//", flags=k.SPLICED), Remark("/*", "*/"))
_SLASHES = (Remark("//"), Remark("/*", "*/"))
_NESTING = (Remark("//"), Remark("/*", "*/", flags=k.NESTED))
_HASH = (Remark("#"),)
_DOUBLE, _SINGLE = Quote('"'), Quote("'")
_PLAIN_DOUBLE, _PLAIN_SINGLE = Quote('"', escape=k.DOUBLED), Quote("'", escape=k.DOUBLED)

_C_OPERATORS = "-> ++ -- << >> <= >= == != && || += -= *= /= %= &= |= ^= <<= >>= ..."
_C_WORDS = """auto bool break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    _Bool _Complex _Imaginary _Noreturn _Static_assert _Alignas _Alignof _Atomic _Thread_local _Generic"""
_CPP_WORDS = """alignas alignof and asm bool catch char16_t char32_t char8_t class co_await co_return co_yield concept
    const_cast consteval constexpr constinit decltype delete dynamic_cast explicit export false final friend mutable
    namespace new noexcept not nullptr operator or override private protected public reinterpret_cast requires
    static_assert static_cast template this thread_local throw true try typeid typename using virtual wchar_t xor"""
_PYTHON_WORDS = """and as assert async await break case class continue def del elif else except finally for from global
    if import in is lambda match nonlocal not or pass raise return try while with yield None True False"""
_PYTHON_OPERATORS = "** // << >> <= >= == != <> -> := += -= *= /= //= %= **= &= |= ^= <<= >>= @= ..."
_PYTHON_PREFIXES = "r u b f br rb fr rf R U B F BR Br bR RB Rb rB FR Fr fR RF Rf rF"
_PYTHON_QUOTES = (
    Quote('"""', flags=k.MULTILINE, prefixes=_PYTHON_PREFIXES),
    Quote("'''", flags=k.MULTILINE, prefixes=_PYTHON_PREFIXES),
    Quote('"', prefixes=_PYTHON_PREFIXES),
    Quote("'", prefixes=_PYTHON_PREFIXES),
)
_C_PREFIXES = "L u8 u U"

_C = Language(
    "c",
    _C_REMARKS,
    (Quote('"', prefixes=_C_PREFIXES), Quote("'", prefixes=_C_PREFIXES)),
    _C_OPERATORS + " ##",
    _C_WORDS,
    numbers=k.HEX_FLOAT | k.QUOTE_SEPARATOR,
    imports="#include #import #include_next",
    backslash_joins=True,
    power="",
)
_CPP = Language(
    "cpp",
    _C_REMARKS,
    _C.quotes,
    _C_OPERATORS + " ## :: .* ->* <=>",
    _C_WORDS + " " + _CPP_WORDS,
    numbers=k.HEX_FLOAT | k.QUOTE_SEPARATOR,
    imports="#include #import #include_next using",
    backslash_joins=True,
    power="",
    prefix_rules=tuple(Quote(prefix + 'R"', action=k.CPP_RAW) for prefix in ("", "L", "u8", "u", "U")),
)
_PYTHON = Language(
    "python",
    _HASH,
    _PYTHON_QUOTES,
    _PYTHON_OPERATORS,
    _PYTHON_WORDS,
    imports="import from",
    docstrings=True,
    backslash_joins=True,
)
_CYTHON = Language(
    "cython",
    _HASH,
    _PYTHON_QUOTES,
    _PYTHON_OPERATORS + " ++ -- ->",
    _PYTHON_WORDS
    + """ cdef cpdef cimport ctypedef include extern nogil gil inline public readonly struct union enum char int long
    short float double void bint unsigned signed const sizeof NULL new IF ELIF ELSE DEF Py_ssize_t""",
    imports="import from cimport include",
    docstrings=True,
    backslash_joins=True,
)
LANGUAGES: dict[str, Language] = {row.name: row for row in (_C, _CPP, _PYTHON, _CYTHON)}
