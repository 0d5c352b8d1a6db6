"""How the languages that write blocks in braces mark functions, and the words that tell.

Called by corpus.functions.braces, for itself and for its machine code, and by corpus.units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from corpus.functions.brackets import CONTROL
from corpus.functions.texts import Roles, role_table


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language marks functions.

    keywords: that begin a function. heads: whether `name(…) {` does. preprocessor: `#` lines are directives.
    anonymous: the keyword needs no name. nested: functions inside long ones count on their own.
    commas: end a head (members of object literals). types_first: a head with a type's keyword is that type's
    (Java's records, C#'s primary constructors), though C's functions return `struct x`.
    """

    keywords: tuple[bytes, ...] = ()
    heads: bool = False
    preprocessor: bool = False
    anonymous: bool = True
    nested: bool = False
    commas: bool = False
    types_first: bool = False


# Words before a parenthesis in a head that are not the name of the function.
QUALIFIERS = frozenset(
    b"__attribute__ __attribute __declspec alignas _Alignas decltype noexcept throw throws requires explicit"
    b" __asm__ asm __nonnull __acquires __releases __must_hold".split()
)
ACCESS = frozenset(b"public private protected signals slots default".split())
SPACES = frozenset((b"namespace",))
TYPES = SPACES | frozenset(b"class struct union enum interface record object trait".split())
# Types that Go writes where a result's type stands.
INLINE_TYPES = frozenset((b"interface", b"struct"))


@lru_cache(maxsize=32)
def roles(dialect: Dialect) -> Roles:
    """What words are to the machine code."""
    from corpus.functions import braces_compiled as bits

    return role_table(
        ((b"operator",), bits.OPERATOR), ((b"new",), bits.NEW), ((b"template",), bits.TEMPLATE),
        ((b"async",), bits.ASYNC), (QUALIFIERS, bits.QUALIFIER), (CONTROL, bits.CONTROL),
        (ACCESS, bits.ACCESS), (TYPES if dialect.types_first else SPACES, bits.TYPE),
        (INLINE_TYPES, bits.INLINE), (dialect.keywords, bits.KEYWORD),
    )  # fmt: skip
