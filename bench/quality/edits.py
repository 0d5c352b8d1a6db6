"""A piece of source code as tokens and comments with the gaps between them, and edits on it.

What the transformations stand on: language-aware through corpus.languages.scan, never a guess by pattern at
what is a string or a comment. Called by bench.quality.transform and bench.quality.structure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from corpus.languages import Kind, Scan, scan
from corpus.languages.neutral import Symbol

BRACES = frozenset(
    {"c", "cpp", "objc", "csharp", "java", "javascript", "typescript", "rust", "go", "swift", "r", "kotlin"}
)
INDENTED = frozenset({"python", "cython"})
CASELESS = frozenset({"fortran", "fortran-fixed"})
LINE_COMMENT = {
    "python": b"#", "cython": b"#", "r": b"#", "ruby": b"#", "julia": b"#", "shell": b"#", "perl": b"#",
    "fortran": b"!", "fortran-fixed": b"!", "matlab": b"%", "lua": b"--",
}  # fmt: skip
"""How a comment begins; `//` in languages that are not here."""

OPENING, CLOSING = frozenset({b"(", b"[", b"{"}), frozenset({b")", b"]", b"}"})
Edit = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Word:
    """A token, or a comment (kind 0). depth: brackets open before it; a closing one has its opener's."""

    start: int
    end: int
    line: int
    kind: int
    text: bytes
    plain: bool
    depth: int


@dataclass(frozen=True)
class Code:
    """A text in a language with its tokens and comments."""

    text: bytes
    language: str

    @cached_property
    def scanned(self) -> Scan:
        return scan(self.text, self.language)

    @cached_property
    def words(self) -> list[Word]:
        """Tokens and comments by position. plain: a name that means nothing to the language itself."""
        s = self.scanned
        rows = [
            (start, end, line, kind, neutral == Symbol.NAME)
            for start, end, line, kind, neutral in zip(
                s.start.tolist(), s.end.tolist(), s.line.tolist(), s.kind.tolist(), s.neutral.tolist(),
                strict=True,
            )
        ]  # fmt: skip
        rows += [(a, b, line, 0, False) for a, b, line in s.comments.tolist() if b > a]
        out: list[Word] = []
        depth = 0
        for start, end, line, kind, plain in sorted(rows):
            text = self.text[start:end]
            depth -= kind != 0 and text in CLOSING
            out.append(Word(start, end, line, kind, text, plain and kind == Kind.NAME, depth))
            depth += kind != 0 and text in OPENING
        return out

    @cached_property
    def tokens(self) -> list[Word]:
        return [w for w in self.words if w.kind]

    @cached_property
    def lines(self) -> list[bytes]:
        return self.text.split(b"\n")

    @cached_property
    def code_lines(self) -> list[int]:
        """1-based numbers of the lines with a significant token."""
        s = self.scanned
        return sorted(set(s.line[s.keep].tolist()))

    @cached_property
    def by_line(self) -> dict[int, list[Word]]:
        """Tokens by the line that they begin on; a line inside a longer token has none."""
        found: dict[int, list[Word]] = {}
        for word in self.tokens:
            found.setdefault(word.line, []).append(word)
        return found

    @cached_property
    def in_parentheses(self) -> frozenset[int]:
        """Where the tokens begin before which a round or square bracket is open."""
        stack: list[bytes] = []
        found = set()
        for word in self.tokens:
            if word.text in CLOSING and stack:
                stack.pop()
            if any(bracket != b"{" for bracket in stack):
                found.add(word.start)
            if word.text in OPENING:
                stack.append(word.text)
        return frozenset(found)

    def folded(self, word: Word) -> bytes:
        return word.text.lower() if self.language in CASELESS else word.text

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The text with disjoint replacements applied."""
        out, at = [], 0
        for start, end, new in sorted(edits):
            out += [self.text[at:start], new]
            at = end
        return b"".join((*out, self.text[at:]))

    def comment(self, words: bytes) -> bytes:
        return LINE_COMMENT.get(self.language, b"//") + b" " + words


def indent_of(line: bytes) -> bytes:
    found = re.match(rb"[ \t]*", line)
    return found.group() if found else b""


def statement_starts(code: Code) -> list[int]:
    """Lines before which a statement of ours may be inserted: whole statements end above them.

    Conservative: a complete statement on the line above, no word that continues one, no bracket but braces
    open. What stands at the depth of the piece's own head is left alone.
    """
    base = min((w.depth for w in code.tokens), default=0)
    out = []
    for above, number in pairwise(sorted(code.by_line)):
        first, before = code.by_line[number][0], code.by_line[above]
        if first.text in _CONTINUES | OPENING | CLOSING or first.start in code.in_parentheses:
            continue
        if any(words[0].text.startswith((b"#", b"@")) for words in (before, code.by_line[number])):
            continue
        if code.language in BRACES:
            whole = first.depth > base and _ends_statement(code, before[-1])
            whole = whole and before[0].text not in (b"case", b"default")
        else:
            at = int(code.scanned.start.searchsorted(first.start))
            whole = bool(code.scanned.fresh[at]) and before[-1].text not in (b"&", b"...")
        if whole:
            out.append(number)
    return out


def _ends_statement(code: Code, last: Word) -> bool:
    if last.text in (b";", b"{", b"}"):
        return True
    return code.language in ("r", "go", "swift", "kotlin") and last.kind != Kind.OPERATOR


_CONTINUES = frozenset(
    b"else elif except finally catch while until case default then endif end elseif elsif otherwise".split()
)
