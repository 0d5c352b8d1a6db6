"""One small alphabet for what all languages say: control flow, arithmetic, comparison, brackets, values.

`if`, `.and.` and `&&`, `**` and a power-`^`, `.EQ.` and `==`, `<-` and `=` have one symbol each, so that
sequences of symbols of two languages can be compared. Pure table; read by `corpus.languages.spelling`, built
upon by the layers that compare algorithms across languages.
"""

from __future__ import annotations

from enum import IntEnum


class Symbol(IntEnum):
    """The alphabet. Numbers are part of the sketches: append, never renumber."""

    OTHER = 0
    NAME = 1
    NUMBER = 2
    STRING = 3
    IF = 10
    ELIF = 11
    ELSE = 12
    LOOP = 13
    SWITCH = 14
    CASE = 15
    DEFAULT = 16
    RETURN = 17
    BREAK = 18
    CONTINUE = 19
    AND = 20
    OR = 21
    NOT = 22
    FUNCTION = 23
    CLASS = 24
    TRY = 25
    CATCH = 26
    FINALLY = 27
    THROW = 28
    GOTO = 29
    NEW = 30
    IN = 31
    IMPORT = 32
    TRUE = 33
    FALSE = 34
    NULL = 35
    TYPE = 36
    YIELD = 37
    LAMBDA = 38
    CALL = 39
    MODIFIER = 40
    ASSIGN = 50
    ADD = 51
    SUBTRACT = 52
    MULTIPLY = 53
    DIVIDE = 54
    MODULO = 55
    POWER = 56
    EQUAL = 57
    UNEQUAL = 58
    LESS = 59
    LESS_EQUAL = 60
    GREATER = 61
    GREATER_EQUAL = 62
    BIT_AND = 63
    BIT_OR = 64
    BIT_XOR = 65
    BIT_NOT = 66
    SHIFT_LEFT = 67
    SHIFT_RIGHT = 68
    INCREMENT = 69
    DECREMENT = 70
    ADD_ASSIGN = 71
    SUBTRACT_ASSIGN = 72
    MULTIPLY_ASSIGN = 73
    DIVIDE_ASSIGN = 74
    OTHER_ASSIGN = 75
    CONDITIONAL = 76
    COLON = 77
    COMMA = 78
    MEMBER = 79
    SCOPE = 80
    RANGE = 81
    CONCATENATE = 82
    TRANSPOSE = 83
    MATRIX_MULTIPLY = 84
    ARROW = 85
    OPEN = 90
    CLOSE = 91
    OPEN_INDEX = 92
    CLOSE_INDEX = 93


# Words and signs that mean the same wherever they are keywords or operators at all.
COMMON: dict[Symbol, str] = {
    Symbol.IF: "if unless where",
    Symbol.ELIF: "elif elsif elseif elsewhere",
    Symbol.ELSE: "else otherwise",
    Symbol.LOOP: "for while do loop until foreach repeat forall parfor",
    Symbol.SWITCH: "switch select match given",
    Symbol.CASE: "case when",
    Symbol.DEFAULT: "default",
    Symbol.RETURN: "return",
    Symbol.BREAK: "break last exit leave",
    Symbol.CONTINUE: "continue next cycle",
    Symbol.AND: "&& and .and. andalso",
    Symbol.OR: "|| or .or. orelse",
    Symbol.NOT: "! not .not.",
    Symbol.FUNCTION: "function def fn func sub subroutine procedure macro fun cdef cpdef program proc",
    Symbol.CLASS: """class struct interface trait impl enum union type record object classdef module namespace
        package""",
    Symbol.TRY: "try",
    Symbol.CATCH: "catch except rescue",
    Symbol.FINALLY: "finally ensure unwind_protect_cleanup",
    Symbol.THROW: "throw raise die",
    Symbol.GOTO: "goto go redo",
    Symbol.NEW: "new allocate",
    Symbol.IN: "in of ∈",
    Symbol.IMPORT: "import from include using use cimport require",
    Symbol.TRUE: "true True TRUE .true.",
    Symbol.FALSE: "false False FALSE .false.",
    Symbol.NULL: "null None nil NULL nullptr nothing undefined undef",
    Symbol.YIELD: "yield co_yield",
    Symbol.LAMBDA: "lambda",
    Symbol.CALL: "call",
    Symbol.TYPE: """int long short float double char void bool boolean signed unsigned byte integer real
        complex logical character precision string number i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 usize isize
        int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 uint rune
        uintptr wchar_t char8_t char16_t char32_t auto var let my our local dim _Bool _Complex bint Py_ssize_t
        i128 u128 str""",
    Symbol.MODIFIER: """const static extern inline public private protected final abstract volatile register
        restrict mutable mut pub readonly transient synchronized native strictfp virtual override explicit
        friend constexpr parameter intent dimension allocatable pointer target optional save pure elemental
        recursive export global persistent constinit consteval""",
    Symbol.ASSIGN: "= := <- <<-",
    Symbol.ADD: "+ .+",
    Symbol.SUBTRACT: "- .-",
    Symbol.MULTIPLY: "* .*",
    Symbol.DIVIDE: "/ ./ // %/% div ÷",
    Symbol.MODULO: "% %% mod rem",
    Symbol.POWER: "** .^ .**",
    Symbol.EQUAL: "== === .eq. .== .eqv. eq ≡",
    Symbol.UNEQUAL: "!= !== .ne. ~= <> .!= .neqv. ne ≠",
    Symbol.LESS: "< .lt. .< lt",
    Symbol.LESS_EQUAL: "<= .le. .<= le ≤",
    Symbol.GREATER: "> .gt. .> gt",
    Symbol.GREATER_EQUAL: ">= .ge. .>= ge ≥",
    Symbol.BIT_AND: "& .& &^",
    Symbol.BIT_OR: "| .|",
    Symbol.BIT_XOR: "^ xor ⊻",
    Symbol.BIT_NOT: "~",
    Symbol.SHIFT_LEFT: "<<",
    Symbol.SHIFT_RIGHT: ">> >>>",
    Symbol.INCREMENT: "++",
    Symbol.DECREMENT: "--",
    Symbol.ADD_ASSIGN: "+= .+=",
    Symbol.SUBTRACT_ASSIGN: "-= .-=",
    Symbol.MULTIPLY_ASSIGN: "*= .*=",
    Symbol.DIVIDE_ASSIGN: "/= //= ./=",
    Symbol.OTHER_ASSIGN: "%= &= |= ^= <<= >>= >>>= **= &&= ||= ??= .= x= @= ÷= &^= .^=",
    Symbol.CONDITIONAL: "?",
    Symbol.COLON: ":",
    Symbol.COMMA: ",",
    Symbol.MEMBER: ". -> ?.",
    Symbol.SCOPE: ":: :::",
    Symbol.RANGE: ".. ..= ..<",
    Symbol.TRANSPOSE: "' .'",
    Symbol.MATRIX_MULTIPLY: "%*% @",
    Symbol.ARROW: "=>",
    Symbol.OPEN: "(",
    Symbol.CLOSE: ")",
    Symbol.OPEN_INDEX: "[",
    Symbol.CLOSE_INDEX: "]",
}

# Where one language means something else by a word or sign.
_FORTRAN = {
    Symbol.UNEQUAL: "/=",
    Symbol.MEMBER: "%",
    Symbol.CONCATENATE: "//",
    Symbol.OTHER: "continue ::",
    Symbol.ASSIGN: "= =>",
    Symbol.NULL: "nullify",
}
_MATHS_POWER = {Symbol.POWER: "^"}
_ELEMENTWISE = {Symbol.AND: "&", Symbol.OR: "|"}
SPECIAL: dict[str, dict[Symbol, str]] = {
    "fortran": _FORTRAN,
    "fortran-fixed": _FORTRAN,
    "matlab": {**_MATHS_POWER, **_ELEMENTWISE, Symbol.NOT: "~ !", Symbol.MODIFIER: "global persistent"},
    "r": {**_MATHS_POWER, **_ELEMENTWISE, Symbol.ARROW: "->", Symbol.MEMBER: "$ @", Symbol.IN: "in %in%"},
    "julia": {**_MATHS_POWER, Symbol.MODIFIER: "const global export", Symbol.ARROW: "->"},
    "perl": {Symbol.CONCATENATE: ".", Symbol.MEMBER: "->", Symbol.OTHER: "=>", Symbol.OR: "|| or //"},
    "rust": {Symbol.ARROW: "->", Symbol.OTHER: "=>"},
    "python": {Symbol.ARROW: "->"},
    "cython": {Symbol.ARROW: "->"},
    "go": {Symbol.OTHER: "<-", Symbol.LOOP: "for", Symbol.IN: "range"},
    "lua": {**_MATHS_POWER, Symbol.CONCATENATE: ".."},
    "pascal": {Symbol.EQUAL: "=", Symbol.ASSIGN: ":=", Symbol.POWER: "**"},
    "ada": {Symbol.EQUAL: "=", Symbol.ASSIGN: ":=", Symbol.UNEQUAL: "/=", Symbol.CONCATENATE: "&"},
    "sql": {Symbol.EQUAL: "=", Symbol.CONCATENATE: "||"},
    "maxima": {**_MATHS_POWER, Symbol.EQUAL: "=", Symbol.ASSIGN: ": :="},
    "gap": {**_MATHS_POWER, Symbol.EQUAL: "=", Symbol.ASSIGN: ":="},
    "pari": _MATHS_POWER,
    "haskell": {**_MATHS_POWER, Symbol.UNEQUAL: "/="},
}


def symbols(language: str) -> dict[str, Symbol]:
    """Symbol of every word and sign that one language gives a meaning to."""
    meanings = {word: symbol for symbol, words in COMMON.items() for word in words.split()}
    for symbol, words in SPECIAL.get(language, {}).items():
        meanings.update(dict.fromkeys(words.split(), symbol))
    return meanings
