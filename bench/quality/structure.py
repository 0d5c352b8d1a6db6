"""Transformations that move statements: another order, dead code, a function split, two merged into one.

Textual, as an editor would do it: statement boundaries and names come from the tokens, nothing is compiled.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from bench.quality.edits import BRACES, INDENTED, Code, Word, indent_of, statement_starts
from corpus.languages import Kind


def reorder(code: Code, rng: Random) -> bytes | None:
    """Swap neighbouring one-line assignments that share no name that either of them writes."""
    order = list(range(len(code.lines)))
    swaps = 0
    number = 1
    while number < len(order):
        one, two = assignment(code, number), assignment(code, number + 1)
        alike = indent_of(code.lines[number - 1]) == indent_of(code.lines[number]) if two else False
        if one and two and alike and not (one[0] & two[1] or two[0] & one[1]) and one[1] != two[1]:
            order[number - 1], order[number] = order[number], order[number - 1]
            swaps += 1
            number += 2
        else:
            number += 1
    return b"\n".join(code.lines[i] for i in order) if swaps else None


def assignment(code: Code, number: int) -> tuple[set[bytes], set[bytes]] | None:
    """(names written, all names) of a line that is one plain assignment without calls of other functions."""
    words = code.by_line.get(number)
    if not words or words[0].start in code.in_parentheses:
        return None
    if code.language in BRACES and code.language not in ("r", "go", "javascript", "typescript"):
        if words[-1].text != b";":
            return None
        words = words[:-1]
    signs = [w for w in words if w.text in (b"=", b":=", b"<-")]
    base = words[0].depth if words else 0
    if len(signs) != 1 or signs[0].depth != base or any(w.text in (b",", b"{", b"}", b";") for w in words):
        return None
    if not bool(code.scanned.fresh[int(code.scanned.start.searchsorted(words[0].start))]):
        return None
    following = code.by_line.get(number + 1)
    if following and following[0].start in code.in_parentheses:
        return None
    if words[0].text in (b"*", b"return", b"if", b"for", b"while", b"else", b"do"):
        return None
    calls = [a for a, b in pairwise(words) if a.plain and b.text == b"("]
    names = {code.folded(w) for w in words if w.kind == Kind.NAME}
    left = {
        code.folded(w) for w in words if w.kind == Kind.NAME and w.start < signs[0].start and w.depth == base
    }
    return (left, names) if left and not calls else None


_DEAD: dict[str, tuple[str, ...]] = {
    "python": ("_spare_{0} = [{0}, {0} + 1]", "if False:\n{1}    print({0})"),
    "c": ("if (0) {{ (void) {0}; }}", "static int spare_{0} = {0};"),
    "javascript": ("var spare{0} = [{0}];", "if (false) {{ console.log({0}) }}"),
    "go": ("_ = []int{{{0}}}", "if false {{ panic({0}) }}"),
    "java": ("int spare{0} = {0};", "if (false) {{ System.out.println({0}); }}"),
    "r": ("spare{0} <- c({0}, 2)",),
    "matlab": ("spare_{0} = [{0}, 2];",),
    "fortran": ("if (.false.) print *, {0}",),
}
_DEAD |= {
    "cpp": _DEAD["c"],
    "cython": _DEAD["python"],
    "typescript": _DEAD["javascript"],
    "fortran-fixed": ("if (.false.) print *, {0}",),
}


def dead_code(code: Code, rng: Random) -> bytes | None:
    """Insert statements without effect, one about every four lines."""
    wordings, places = _DEAD.get(code.language), set(statement_starts(code))
    if wordings is None or len(places) < 3:
        return None
    out: list[bytes] = []
    since = 2
    for number, line in enumerate(code.lines, 1):
        since += 1
        if number in places and since >= 4:
            since = 0
            indent = indent_of(line)
            words = rng.choice(wordings).format(rng.randrange(20, 90), indent.decode("latin-1"))
            out.append(indent + words.encode("latin-1"))
        out.append(line)
    return b"\n".join(out)


def _names(words: list[Word]) -> set[bytes]:
    return {w.text for w in words if w.plain}


def split(code: Code, rng: Random) -> bytes | None:
    """The tail of a function becomes a helper that is called with the names both parts use."""
    base = min((w.depth for w in code.tokens), default=0)
    brace = code.language in BRACES
    starts = [n for n in statement_starts(code) if _top_level(code, n, base)]
    middle = len(code.lines) / 2
    if not (brace or code.language in INDENTED) or len(starts) < 3:
        return None
    at = min(starts, key=lambda n: abs(n - middle))
    if at < 5 or len(code.lines) - at < 5:
        return None
    head = _names([w for w in code.tokens if w.line < at])
    shared = sorted(head & _names([w for w in code.tokens if w.line >= at]))[:6]
    call = b"finish_part(" + b", ".join(shared) + b")"
    body, indent = code.lines[at - 1 :], indent_of(code.lines[at - 1])
    if not brace:
        outer = indent_of(code.lines[0])
        lines = [*code.lines[: at - 1], indent + b"return " + call, b"", outer + b"def " + call + b":", *body]
        return b"\n".join(lines)
    end = b"" if code.language in ("go", "r") else b";"
    opening = {"go": b"func ", "r": b"finish_part <- function", "javascript": b"function "}
    opening |= {"typescript": b"function "}
    arguments = shared
    if code.language not in opening:
        arguments = [b"double " + name for name in shared]
    start = opening.get(code.language, b"static double ")
    name = b"" if code.language == "r" else b"finish_part"
    signature = start + name + b"(" + b", ".join(arguments) + b") {"
    lines = [*code.lines[: at - 1], indent + b"return " + call + end, b"}", b"", signature, *body]
    return b"\n".join(lines)


def _top_level(code: Code, number: int, base: int) -> bool:
    first = code.by_line[number][0]
    if code.language in BRACES:
        return first.depth == base + 1
    body = next((n for n in sorted(code.by_line) if n > 1 and _fresh(code, n)), number)
    return indent_of(code.lines[number - 1]) == indent_of(code.lines[body - 1])


def _fresh(code: Code, number: int) -> bool:
    return bool(code.scanned.fresh[int(code.scanned.start.searchsorted(code.by_line[number][0].start))])


def merge(one: Code, two: Code) -> bytes | None:
    """The body of the second function follows that of the first, under one head."""
    if one.language in BRACES:
        opened = next((i for i, w in enumerate(two.tokens) if w.text == b"{"), None)
        closed = one.tokens[-1] if one.tokens and one.tokens[-1].text == b"}" else None
        if opened is None or closed is None or two.tokens[-1].text != b"}":
            return None
        return one.text[: closed.start].rstrip() + b"\n" + two.text[two.tokens[opened].end :].lstrip(b" \n")
    if one.language in INDENTED:
        body = [n for n in sorted(two.by_line) if n > 1 and _fresh(two, n)]
        if not body or indent_of(one.lines[0]) != indent_of(two.lines[0]):
            return None
        return one.text.rstrip() + b"\n" + b"\n".join(two.lines[body[0] - 1 :])
    return None
