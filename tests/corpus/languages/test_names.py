"""What a head says of its language is what these definitions say; the code asks for words first."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from corpus.languages import language_of

GUARD = re.compile(rb"#\s*if(?:def\s+|\s+defined\s*\(?\s*)__cplusplus.*?#\s*endif", re.DOTALL)
COMMENTS = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
OBJECTIVE_C = re.compile(rb"^\s*@(?:interface|protocol|class)\b", re.M)
OBJECTIVE_C_FILE = re.compile(
    rb"^\s*(?:@(?:interface|implementation|protocol|class|import|end)\b|#import\b|#include\b)", re.M
)
CPP = re.compile(
    rb"^[ \t]*(?:class\s+\w|namespace\b|template\s*<|using\s+\w|public:|private:|protected:|virtual\s)"
    rb"|\bstd::|\w::\w|\bconstexpr\b|\boperator\s*[=+<(\[]|(?:\A|(?<=\n))#\s*include\s*<[a-z_]+>",
    re.MULTILINE,
)
KEYWORD = re.compile(rb"(?:call|common|character|complex|contains|continue|case|close)\b", re.IGNORECASE)


def of_header(head: bytes) -> str:
    code = COMMENTS.sub(b" ", GUARD.sub(b"", head))
    return "objc" if OBJECTIVE_C.search(code) else "cpp" if CPP.search(code) else "c"


def of_fortran(head: bytes) -> str:
    free = fixed = 0
    for line in head.splitlines():
        body = line.split(b"!", 1)[0].rstrip()
        if not body:
            continue
        remark = line[:1] in b"cC*" and not KEYWORD.match(line)
        if remark or (re.match(rb" {5}[^ 0]", line) and b"&" not in body[6:]):
            fixed += 1
        elif re.match(rb" {0,4}[A-Za-z]", line) or body.endswith(b"&"):
            free += 1
    return "fortran" if free > fixed else "fortran-fixed"


def texts(*words: bytes) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(words), max_size=12).map(b"".join)


@given(
    texts(
        *(b"class", b"class ", b"namespace", b"template", b"using ", b"public:", b"virtual ", b"constexpr"),
        *(
            b"operator",
            b"std",
            b"::",
            b":",
            b"a",
            b"_",
            b"1",
            b"<",
            b"(",
            b" ",
            b"\t",
            b"\n",
            b"\r",
            b"*",
            b"/",
        ),
        *(
            b"/*",
            b"*/",
            b"//",
            b"#include <vector>",
            b"#ifdef __cplusplus",
            b"#endif",
            b"@class ",
            b"@interface",
        ),
    )
)
def test_a_header(head: bytes) -> None:
    assert language_of("a.h", head) == of_header(head)


@given(
    texts(
        b"@end",
        b"@class x",
        b"@endif",
        b"#import",
        b"#include <a>",
        b"x",
        b" ",
        b"\n",
        b"\r",
        b"\t",
        b"@",
        b"%",
    )
)
def test_objective_c_or_matlab(head: bytes) -> None:
    assert language_of("a.m", head) == ("objc" if OBJECTIVE_C_FILE.search(head) else "matlab")


@given(
    texts(
        *(b"c", b"C", b"*", b"call ", b"program", b"x", b"0", b"1", b"&", b"!", b" ", b"     ", b"      "),
        *(b"\n", b"\r", b"\t", b"     &x", b"      x = 1\n", b"c text\n", b"end\n"),
    )
)
def test_fortran(head: bytes) -> None:
    for name in ("a.f", "a.FOR"):
        assert language_of(name, head) == of_fortran(head)
