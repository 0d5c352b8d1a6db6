"""Text → tokens with spans, lines, indents and the three layers: raw, renamed, neutral.

`scan` is the only door to the kernel; `significant` keeps the tokens that carry meaning. Promises: no
exception on any bytes, time linear in the text, the same result compiled or not. Called by the unit cutter
and both pipelines.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.languages import layout as k
from corpus.languages import marks, spelling
from corpus.languages.fragment import code_begins
from corpus.languages.kernel import scan as plain_scan
from corpus.languages.neutral import Symbol
from corpus.languages.syntax import Language, Rules, compile_rules
from corpus.languages.table import LANGUAGES, Kind
from corpus.model import Tokens

# Above this many bytes compiled code pays for numba's import; below it the plain kernel is done sooner.
COMPILED_ABOVE = 1 << 19
# Texts are addressed by int32.
LIMIT = (1 << 31) - 16


@dataclass(frozen=True, slots=True)
class Scan:
    """Every token of a text, in order: parallel arrays of length n.

    kind: uint8 `Kind`. start, end: int32 byte offsets. line: int32, 1-based. indent: int32, columns of white
    space that the token's line begins with, tabs to multiples of 8. raw, renamed: uint64 hashes. neutral:
    uint16 `Symbol`. keep: significant, i.e. no brace, separator or word that only closes a block, nor part of
    an import statement. fresh: first token of its line, and the line does not continue another one. comments:
    int32[m, 3], (start, end, line), documentation strings included.
    """

    kind: NDArray[np.uint8]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    line: NDArray[np.int32]
    indent: NDArray[np.int32]
    raw: NDArray[np.uint64]
    renamed: NDArray[np.uint64]
    neutral: NDArray[np.uint16]
    keep: NDArray[np.bool_]
    fresh: NDArray[np.bool_]
    comments: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class _Lexemes:
    """What the kernel found. strings: int32[s, 3], (token, content start, content end)."""

    kind: NDArray[np.uint8]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    line: NDArray[np.int32]
    indent: NDArray[np.int32]
    fresh: NDArray[np.uint8]
    strings: NDArray[np.int32]
    comments: NDArray[np.int32]


_Meanings = tuple[NDArray[np.uint8], NDArray[np.uint16], NDArray[np.bool_], NDArray[np.uint64]]
_NAME, _NUMBER = int(Kind.NAME), int(Kind.NUMBER)


def _run_plain(
    text: bytes, rules: Rules, options: tuple[int, ...], sizes: tuple[int, int]
) -> tuple[Any, ...]:
    tokens, pairs = sizes
    buffers = [
        array("B", bytes(tokens)),
        *(array("i", bytes(4 * tokens)) for _ in range(4)),
        array("B", bytes(tokens)),
    ]
    buffers += [array("i", bytes(12 * pairs)), array("i", bytes(12 * pairs))]
    state = [0] * (k.STACK + k.MAX_STACK)
    counts = plain_scan(
        text, len(text), rules.klass, rules.ident, rules.hot, rules.signs, rules.first, rules.pool,
        rules.rules, options, state, *buffers,
    )  # fmt: skip
    return counts, [np.frombuffer(b, np.uint8 if b.typecode == "B" else np.int32) for b in buffers]


def _run_compiled(data: NDArray[np.uint8], ends: NDArray[np.int64], rules: Rules, begin: int) -> list[Any]:
    """Of texts that lie one behind the other: how many tokens, strings and comments there are before each
    text and in all, and the buffers that hold them, good until this thread's next texts."""
    from corpus.languages import compiled

    buffers = compiled.buffers(len(data) + 4 * len(ends))
    *sequences, fixed = compiled.arrays(rules)
    state, counts = np.zeros(k.STACK + k.MAX_STACK, np.int64), np.zeros((len(ends) + 1, 3), np.int64)
    compiled.kernel()(data, ends, begin, *sequences, fixed.copy(), state, *buffers, counts)
    return [counts, *buffers]


def _lexemes(text: bytes, language: Language, compiled: bool, begin: int) -> _Lexemes:
    rules = compile_rules(language)
    if compiled:
        every, *buffers = _run_compiled(np.frombuffer(text, np.uint8), np.array([len(text)]), rules, begin)
        counts = every[1].tolist()
    else:
        length = len(text) - begin
        options = (begin, *rules.options[1:])
        counts, buffers = _run_plain(text, rules, options, (length + 2, length // 2 + 2))
    tokens, strings, comments = counts
    kind, start, end, line, indent, fresh = (buffer[:tokens].copy() for buffer in buffers[:6])
    triples = [buffers[6][: 3 * strings].copy(), buffers[7][: 3 * comments].copy()]
    return _Lexemes(
        kind, start, end, line, indent, fresh, triples[0].reshape(-1, 3), triples[1].reshape(-1, 3)
    )


def _hashes(text: bytes, found: _Lexemes, caseless: bool) -> NDArray[np.uint64]:
    """Raw hashes; of strings only the content counts, so that the style of quotes is layout."""
    starts, ends = found.start, found.end
    seeds = np.full(len(starts), spelling.WORD_SEED, np.uint64)
    if len(found.strings):
        starts, ends = starts.copy(), ends.copy()
        token = found.strings[:, 0]
        starts[token], ends[token] = found.strings[:, 1], found.strings[:, 2]
        seeds[token] = spelling.STRING_SEED
    return spelling.hash_spans(text, starts, ends, seeds, caseless=caseless)


def _value_numbers(
    text: bytes, row: Language, made: Scan, numbers: NDArray[np.intp], compiled: bool, begins: Any = 0
) -> None:
    """The renamed hash of numbers is that of their value; each distinct number is valued once.

    begins: where in `text` the text of each number begins.
    """
    if not len(numbers):
        return
    _, first, inverse = np.unique(made.raw[numbers], return_index=True, return_inverse=True)
    starts, ends = ((column[numbers] + begins)[first].tolist() for column in (made.start, made.end))
    spans = zip(starts, ends, strict=True)
    kinds = bool(row.numbers & k.KIND_SUFFIX)
    texts = (text[start : min(end, start + 80)].decode("latin-1") for start, end in spans)
    values = [spelling.number_value(number, kinds).encode() for number in texts]
    ends = np.cumsum([*map(len, values)], dtype=np.int32)
    starts = np.concatenate((np.zeros(1, np.int32), ends[:-1]))
    seeds = np.full(len(values), spelling.VALUE_SEED, np.uint64)
    hashes = spelling.hash_spans(b"".join(values), starts, ends, seeds, caseless=False, compiled=compiled)
    made.renamed[numbers] = hashes[inverse]


def scan(text: bytes, language: str, *, compiled: bool = False, fragment: bool = False) -> Scan:
    """Tokens of a text.

    compiled: use machine code (numba; the first call loads it). Texts over `COMPILED_ABOVE` bytes use it
    anyway when numba can be imported. fragment: the text is a piece of a file and may begin inside a comment.
    Raises KeyError for a language that is not in the table, ValueError for a text of 2 GiB or more.
    """
    if len(text) > LIMIT:
        raise ValueError(f"a text of {len(text)} bytes cannot be scanned: the limit is {LIMIT}")
    row = LANGUAGES[language]
    fast = compiled or (len(text) > COMPILED_ABOVE and _can_compile())
    begin = code_begins(text, row, lambda offset: _lexemes(text, row, fast, offset)) if fragment else 0
    made = (_read_compiled if fast else _read)(text, row, begin)
    if begin:
        made = replace(made, comments=np.concatenate((np.array([[0, begin, 1]], np.int32), made.comments)))
    return made


def _can_compile() -> bool:
    from importlib.util import find_spec

    return find_spec("numba") is not None


def _read(text: bytes, row: Language, begin: int) -> Scan:
    found = _lexemes(text, row, False, begin)
    raw = _hashes(text, found, row.caseless)
    fresh = found.fresh.astype(np.bool_)
    kind, neutral, keep, renamed = _meanings(row, found, raw, fresh)
    made = Scan(
        kind, found.start, found.end, found.line, found.indent, raw, renamed, neutral, keep, fresh,
        found.comments,
    )  # fmt: skip
    _value_numbers(text, row, made, np.flatnonzero(kind == _NUMBER), False)
    return _without_documentation(made) if row.docstrings else made


def _read_compiled(text: bytes, row: Language, begin: int) -> Scan:
    """The same."""
    made = _read_each(text, np.array([len(text)]), row, begin)[0]
    return replace(made, **{name: getattr(made, name).copy() for name in _KERNEL_COLUMNS})


_KERNEL_COLUMNS = ("kind", "start", "end", "line", "indent", "fresh")


def _read_each(data: bytes, ends: NDArray[np.int64], row: Language, begin: int) -> tuple[Scan, Any]:
    """The kernel's columns of the scan are good until this thread's next texts."""
    from corpus.languages import compiled
    from corpus.languages.meanings_compiled import complete

    words, joined = spelling.vocabulary(row.name), np.frombuffer(data, np.uint8)
    options = (_NAME, _NUMBER, bool(row.numbers & k.KIND_SUFFIX), row.docstrings)
    counts, *columns, fresh, strings, comments = _run_compiled(joined, ends, compile_rules(row), begin)
    columns.append(fresh.view(np.bool_))
    n, raw, renamed, neutral, keep, comments, hard, token_ends = complete(
        joined, ends, counts, *columns, strings, comments, spelling.byte_values(row.caseless),
        spelling.byte_values(False), spelling.SEEDS, compiled.slots(row.name), words.raw, words.kind,
        words.neutral, words.bits, _PLAIN, marks.TURN, marks.SIGNS, spelling.FLAGS, marks.ROLES, options,
    )  # fmt: skip
    kind, start, end, line, indent, fresh = (column[:n] for column in columns)
    made = Scan(kind, start, end, line, indent, raw, renamed, neutral, keep, fresh, comments)
    if len(hard):
        text = np.searchsorted(token_ends, hard, side="right")
        _value_numbers(data, row, made, hard, True, np.concatenate(([0], ends))[text])
    return made, token_ends


def scan_each(data: bytes, ends: NDArray[np.int64], language: str) -> tuple[Scan, NDArray[np.int64]]:
    """`scan` by machine code of texts that lie one behind the other, and where the tokens of each end.

    ends: int64[t], where each text ends. What counts bytes or lines counts those of its text. What the kernel
    found is good until this thread's next texts.
    """
    if len(data) > LIMIT:
        raise ValueError(f"texts of {len(data)} bytes cannot be scanned: the limit is {LIMIT}")
    return _read_each(data, ends, LANGUAGES[language], 0)


_PLAIN = np.array([Symbol.OTHER, Symbol.NAME, Symbol.NUMBER, Symbol.STRING, Symbol.OTHER], np.uint16)
_NAME_HASH = np.uint64(spelling.NAME_HASH)


def _meanings(row: Language, found: _Lexemes, raw: NDArray[np.uint64], fresh: NDArray[np.bool_]) -> _Meanings:
    """Kind, neutral, keep and renamed of all tokens; numbers are left as they are spelled."""
    words = spelling.vocabulary(row.name)
    at = words.look_up(raw)
    known = at >= 0
    kind = np.where(known, words.kind[at], found.kind).astype(np.uint8)
    neutral = np.where(known, words.neutral[at], _PLAIN[found.kind]).astype(np.uint16)
    bits = np.where(known, words.bits[at], 0).astype(np.uint8)
    keep = ((bits & spelling.DROP) == 0) & ~marks.empty_statements(bits, raw, neutral, fresh)
    return kind, neutral, keep, np.where(kind == Kind.NAME, _NAME_HASH, raw)


def _without_documentation(result: Scan) -> Scan:
    """Strings that are whole statements become comments."""
    strings = marks.documentation(result.kind, result.neutral, result.fresh)
    if not strings.any():
        return result
    remarks = np.stack((result.start[strings], result.end[strings], result.line[strings]), axis=1)
    comments = np.concatenate((result.comments, remarks))
    names = [field.name for field in fields(result) if field.name != "comments"]
    kept = {name: getattr(result, name)[~strings] for name in names}
    return Scan(**kept, comments=comments[np.argsort(comments[:, 0], kind="stable")])


def significant(scan: Scan, *, compiled: bool = False) -> tuple[Tokens, NDArray[np.int32]]:
    """The significant tokens, and the index of each in the scan."""
    if compiled:
        *columns, _, index = significant_columns(scan)
        return Tokens(*columns), index
    index = np.flatnonzero(scan.keep).astype(np.int32)
    return Tokens(
        scan.kind[index],
        scan.start[index],
        scan.end[index],
        scan.line[index],
        scan.raw[index],
        scan.renamed[index],
    ), index


def significant_columns(scan: Scan) -> tuple[NDArray[Any], ...]:
    """The columns of the significant tokens by machine code, their neutral symbols, their indices."""
    from corpus.languages.compiled import significant as machine_code

    found: tuple[NDArray[Any], ...] = machine_code(
        scan.kind, scan.start, scan.end, scan.line, scan.raw, scan.renamed, scan.neutral, scan.keep
    )
    return found
