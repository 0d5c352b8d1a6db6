"""Mechanical transformations of a function: what people do to code that they copy, made without a person.

Each takes a piece of code and a random generator and returns the changed text, or None where there is nothing
for it to change: then another function is taken. Nothing is compiled; a change is conservative where it would
alter what the code does (order, inserted statements). TRANSFORMATIONS is the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from random import Random

from bench.quality.edits import BRACES, INDENTED, Code, Edit, Word, indent_of
from bench.quality.structure import dead_code, reorder, split
from corpus.languages import Kind

Transformation = Callable[[Code, Random], bytes | None]

_FIRST = ("total", "local", "inner", "outer", "next", "prior", "lower", "upper", "given", "final", "other")
_SECOND = ("amount", "place", "entry", "level", "stage", "slot", "mark", "weight", "share", "part", "bound")


def verbatim(code: Code, rng: Random) -> bytes | None:
    return code.text


def rename(code: Code, rng: Random) -> bytes | None:
    """Every name that means nothing to the language gets another one, the same wherever it stands."""
    fresh = [f"{a}_{b}" for a in _FIRST for b in _SECOND]
    rng.shuffle(fresh)
    names: dict[bytes, bytes] = {}
    edits: list[Edit] = []
    for word in code.tokens:
        if word.plain:
            key = code.folded(word)
            number = len(names)
            suffix = f"_{number // len(fresh)}" if number >= len(fresh) else ""
            new = names.setdefault(key, (fresh[number % len(fresh)] + suffix).encode())
            edits.append((word.start, word.end, new))
    return code.edited(edits) if len(names) >= 2 else None


_OURS = (b"see the notes on the method", b"the usual case comes first", b"kept in step with the caller")


def comments(code: Code, rng: Random) -> bytes | None:
    """Every other comment is dropped, the rest says something else; code without any is given some."""
    edits: list[Edit] = []
    for number, word in enumerate(w for w in code.words if not w.kind):
        quoted = word.text[:3] in (b'"""', b"'''") or word.text[:1] in (b'"', b"'")
        ours = rng.choice(_OURS)
        if quoted:
            edits.append((word.start, word.end, b'"""' + ours.capitalize() + b'."""'))
        elif word.text.startswith(b"/*"):
            edits.append((word.start, word.end, b"/* " + ours + b" */" if number % 2 else b""))
        elif word.text.endswith(b"\n") or b"\n" in word.text:
            continue
        else:
            edits.append((word.start, word.end, code.comment(ours) if number % 2 else b""))
    if edits:
        changed = code.edited(edits).split(b"\n")
        lines = code.lines
        if len(changed) == len(lines):
            pairs = zip(lines, changed, strict=True)
            changed = [new for old, new in pairs if new.strip() or not old.strip()]
        return b"\n".join(changed)
    if code.language == "fortran-fixed":
        return None
    out: list[bytes] = []
    for number, line in enumerate(code.lines, 1):
        if number > 1 and number % 5 == 0 and line.strip() and number in code.by_line:
            if code.by_line[number][0].start in code.in_parentheses:
                out.append(line)
                continue
            out.append(indent_of(line) + code.comment(rng.choice(_OURS)))
        out.append(line)
    return b"\n".join(out) if len(out) > len(code.lines) else None


def reformat(code: Code, rng: Random) -> bytes | None:
    """Indents of another width, braces on the other line, lines joined inside brackets, spaces squeezed."""
    if code.language == "fortran-fixed":
        return None
    edits: list[Edit] = []
    opening = Word(0, 0, 1, 0, b"", False, 0)
    for one, two in pairwise([opening, *code.words]):
        gap = code.text[one.end : two.start]
        if gap.strip():
            continue
        joined = bool(one.kind and two.kind) and two.start in code.in_parentheses
        new = _gap(code, gap, one.text, two.text, joined=joined)
        if new != gap:
            edits.append((one.end, two.start, new))
    changed = code.edited(edits)
    return changed if changed != code.text else None


def _gap(code: Code, gap: bytes, left: bytes, right: bytes, *, joined: bool) -> bytes:
    brace = code.language in BRACES
    if b"\n" in gap or not left:
        if joined and not right.startswith(b"#"):
            return b" " if left[-1:] == b"," else b""
        if brace and right == b"{" and left == b")" and code.language != "go":
            return b" "
        if code.language in INDENTED or brace:
            above, newline, indent = gap.rpartition(b"\n")
            columns = len(indent.expandtabs(8))
            return above + newline + b" " * (columns // 2 if columns % 4 == 0 else columns)
        return gap
    if brace and right == b"{" and left == b")" and code.language in ("c", "cpp", "java"):
        return b"\n"
    if gap and code.language != "matlab" and (left in _TIGHT or right in _TIGHT):
        return b""
    return gap


_TIGHT = frozenset((b"(", b")", b"[", b"]", b",", b"+", b"*", b"=", b"<", b">", b"=="))
_TYPES: dict[str, dict[bytes, bytes]] = {
    "c": {b"double": b"float", b"float": b"double", b"int": b"long", b"long": b"int", b"size_t": b"unsigned",
          b"unsigned": b"size_t", b"char": b"uint8_t", b"uint8_t": b"char", b"uint32_t": b"uint64_t"},
    "go": {b"int": b"int64", b"float64": b"float32", b"uint32": b"uint64", b"string": b"Text"},
    "javascript": {b"var": b"let", b"let": b"var", b"const": b"let", b"number": b"bigint"},
    "python": {b"float": b"complex", b"int": b"float", b"list": b"tuple", b"tuple": b"list", b"str": b"bytes",
               b"float64": b"float32", b"int32": b"int64", b"Optional": b"Maybe", b"List": b"Sequence"},
    "fortran": {b"integer": b"integer(8)", b"real": b"real(8)", b"double": b"quad"},
    "java": {b"double": b"float", b"int": b"long", b"List": b"Collection"},
}  # fmt: skip
_TYPES |= {
    "cpp": {**_TYPES["c"], b"octave_idx_type": b"long", b"auto": b"double", b"ex": b"expression"},
    "typescript": _TYPES["javascript"],
    "fortran-fixed": _TYPES["fortran"],
}


def types(code: Code, rng: Random) -> bytes | None:
    """Other types where the language writes them: double to float, int to long, var to let."""
    table = _TYPES.get(code.language, {})
    swaps = [(w, table.get(code.folded(w))) for w in code.tokens]
    edits = [(w.start, w.end, new) for w, new in swaps if new is not None]
    return code.edited(edits) if len(edits) >= 2 else None


_DECIMAL = re.compile(rb"(\d*)\.(\d*)(?:[eE]([+-]?\d+))?([fFlL]?)|(\d+)[eE]([+-]?\d+)()")


def constants(code: Code, rng: Random) -> bytes | None:
    """Numbers of the same value spelled otherwise: 0.5 as 5e-1, 1.0 as 1., 1e-3 as 0.001, 31 as 0x1F."""
    edits = []
    for word in code.tokens:
        if word.kind == Kind.NUMBER:
            new = respelled(
                word.text, hexadecimal=code.language in BRACES | INDENTED and code.language != "r"
            )
            if new is not None and new != word.text:
                edits.append((word.start, word.end, new))
    return code.edited(edits) if len(edits) >= 2 else None


def respelled(text: bytes, *, hexadecimal: bool) -> bytes | None:
    """Another spelling of the same number, or None for one that has none here."""
    if re.fullmatch(rb"[1-9]\d{1,8}", text):
        return b"0x%X" % int(text) if hexadecimal else None
    if re.fullmatch(rb"0[xX][0-9a-fA-F]{1,8}", text):
        return str(int(text, 16)).encode()
    found = _DECIMAL.fullmatch(text)
    if found is None or not re.search(rb"\d", text):
        return None
    suffix = found.group(4) or b""
    try:
        value = Decimal(text.removesuffix(suffix).decode() if suffix else text.decode())
    except InvalidOperation:
        return None
    if value == 0 or re.search(rb"[eE]", text):
        plain = format(value, "f")
        plain = plain if "." in plain else plain + ".0"
        return plain.encode() + suffix if len(plain) <= 24 else None
    if value == value.to_integral_value():
        return format(value.quantize(Decimal(1)), "f").encode() + (b"." if b".0" in text else b".0") + suffix
    _, digits, exponent = value.normalize().as_tuple()
    return ("".join(map(str, digits)) + f"e{exponent}").encode() + suffix


def combined(code: Code, rng: Random) -> bytes | None:
    """All that a text can take of: names, comments, order, dead code, types, constants, layout."""
    done = 0
    for step in (comments, reorder, dead_code, types, constants, rename, reformat):
        changed = step(code, rng)
        if changed is not None:
            code, done = Code(changed, code.language), done + 1
    return code.text if done >= 4 else None


def split_and_renamed(code: Code, rng: Random) -> bytes | None:
    changed = split(code, rng)
    return rename(Code(changed, code.language), rng) if changed is not None else None


TRANSFORMATIONS: dict[str, Transformation] = {
    "verbatim": verbatim,
    "rename": rename,
    "reformat": reformat,
    "comments": comments,
    "reorder": reorder,
    "dead code": dead_code,
    "types": types,
    "constants": constants,
    "split": split,
    "split, renamed": split_and_renamed,
    "combined": combined,
}
"""Of whole functions. Merging takes two functions, hunks need a file: bench.quality.case makes them."""

EXCERPTS: dict[str, Transformation] = {"verbatim": verbatim, "renamed": rename}
EXCERPT_LINES = (6, 10, 15, 25, 50)
