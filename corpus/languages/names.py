"""Which language a path is written in, by its name and, where names are shared, by what the text begins with.

Called by `corpus.files` (what to keep) and by the scan pipeline (what a diff changes). None means: not source
code.
"""

from __future__ import annotations

import re

# Extensions of each row of the table. Case counts only for those that are listed in both.
_EXTENSIONS: dict[str, str] = {
    "c": "c h inc y l yy ll lex cl idl glsl vert frag comp xs",
    "cpp": "cc cpp cxx c++ C hh hpp hxx h++ H ipp inl tpp txx tcc icc cu cuh ixx cppm hip ino metal hlsl",
    "objc": "mm",
    "python": "py pyw pyi sage spyx gyp wsgi bzl star",
    "cython": "pyx pxd pxi",
    "fortran": "f90 f95 f03 f08 f15 f18 fpp pyf inc90",
    "fortran-fixed": "f for ftn f77",
    "java": "java groovy gradle",
    "kotlin": "kt kts scala sc dart",
    "csharp": "cs csx fx",
    "javascript": "js mjs cjs jsx es es6 vue svelte qml jsm",
    "typescript": "ts tsx mts cts",
    "rust": "rs",
    "go": "go",
    "swift": "swift d zig",
    "julia": "jl",
    "r": "r R",
    "matlab": "m",
    "perl": "pl pm t PL pod6 raku al",
    "php": "php php3 php5 phtml",
    "ruby": "rb rake gemspec ru",
    "shell": "sh bash zsh ksh csh fish ac am in mk cmake awk bats tcl make ebuild",
    "lua": "lua luau",
    "haskell": "hs lhs hsc elm idr agda purs",
    "ocaml": "ml mli mll mly sml fs fsi fsx",
    "pascal": "pas pp lpr dpr dfm",
    "ada": "ada adb ads gpr",
    "sql": "sql psql pgsql ddl vhd vhdl",
    "maxima": "mac max wxm dem",
    "gap": "g gi gd gap tst",
    "pari": "gp",
    "lisp": "lisp lsp cl el scm ss rkt clj cljs cljc edn jl2 fnl asd",
    "erlang": "erl hrl",
    "asm": "s asm nasm",
    "m4": "m4",
    "text": "css scss less sass stan mod nim cr ex exs coffee vb bas cob v vh sv svh vb6 ahk hx proto thrift",
}
_BY_EXTENSION = {
    extension: language for language, names in _EXTENSIONS.items() for extension in names.split()
}
_BY_NAME = {
    "makefile": "shell",
    "gnumakefile": "shell",
    "cmakelists.txt": "shell",
    "configure": "shell",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "sconstruct": "python",
    "sconscript": "python",
    "wscript": "python",
    "meson.build": "shell",
    "dockerfile": "shell",
    "jenkinsfile": "java",
    "build.bazel": "python",
}
_INTERPRETERS = (
    (r"python[\d.]*|pypy[\d.]*|sage", "python"),
    (r"perl[\d.]*", "perl"),
    (r"(?:ba|z|k|da|a|c|tc|fi)?sh|make|awk|gawk|tclsh|wish", "shell"),
    (r"ruby[\d.]*", "ruby"),
    (r"node|nodejs|deno|bun", "javascript"),
    (r"octave(?:-cli)?", "matlab"),
    (r"Rscript", "r"),
    (r"julia", "julia"),
    (r"lua[\d.]*|luajit", "lua"),
    (r"php[\d.]*", "php"),
    (r"gap", "gap"),
    (r"ocaml", "ocaml"),
    (r"runhaskell|runghc", "haskell"),
)
_SHEBANG = re.compile(rb"#![ \t]*(?:\S*/)?([\w.+-]+)(?:[ \t]+(?:-\S+[ \t]+)*([\w.+-]+))?")
# Endings of templates that a build fills in: the name before them decides.
_TEMPLATES = (".in", ".src", ".tp", ".tmpl", ".template", ".j2", ".cmake.in")
# What begins a line of C++ and not of C, and what must follow.
_CPP_BEGINNINGS = tuple(
    (word, re.compile(after))
    for word, after in (
        (b"class", rb"\s+\w"), (b"namespace", rb"\b"), (b"template", rb"\s*<"), (b"using", rb"\s+\w"),
        (b"public:", b""), (b"private:", b""), (b"protected:", b""), (b"virtual", rb"\s"),
    )
)  # fmt: skip
# And what is C++ anywhere.
_CPP_WORDS = (
    (b"constexpr", re.compile(rb"\bconstexpr\b")),
    (b"operator", re.compile(rb"\boperator\s*[=+<(\[]")),
)
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_CPP_INCLUDE = re.compile(rb"#\s*include\s*<[a-z_]+>")
_C_GUARD = re.compile(rb"#\s*if(?:def\s+|\s+defined\s*\(?\s*)__cplusplus.*?#\s*endif", re.DOTALL)
# Searched for behind a newline, so that only what begins lines is looked at.
_OBJC_SIGNS = re.compile(
    rb"\n\s*(?:@(?:interface|implementation|protocol|class|import|end)\b|#import\b|#include\b)"
)
_KEYWORD_WITH_C = re.compile(
    rb"(?:call|common|character|complex|contains|continue|case|close)\b", re.IGNORECASE
)
_CONTINUED = re.compile(rb" {5}[^ 0]")
_FREE_BEGINNING = re.compile(rb" {0,4}[A-Za-z]")
_COMMENTS = re.compile(rb"/(?:\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/|/[^\n]*)")
_OBJC_DECLARATION = re.compile(rb"^\s*@(?:interface|protocol|class)\b", re.M)


def _shown(*rows: tuple[str, bytes]) -> tuple[tuple[str, re.Pattern[bytes]], ...]:
    return tuple((language, re.compile(pattern, re.MULTILINE)) for language, pattern in rows)


# Extensions that have other uses too: the first row whose pattern is in the text. Without any the text is no
# source code (listings that a test expects, translations of a user interface), unless all of it is comments.
_GAP = _shown(
    ("gap", rb":=|\b(?:Declare|Install|Bind|Register)\w+ *\(|\bfunction *\(|;[ \t]*$"),
    ("text", rb"^(?:(?:lexer|parser|tree) +)?grammar\b|^class +\w+ +extends\b"),
)
_SHARED = {
    "al": _shown(("perl", rb"^[ \t]*(?:sub|package|use)\b")),
    "cl": _shown(
        ("c", rb"\bkernel\b|__kernel|^[ \t]*#[ \t]*(?:include|define|if|pragma)|^[ \t]*/[/*]|[{};][ \t]*$"),
        ("lisp", rb"^[ \t]*[(;]"),
    ),
    "d": _shown(
        ("c", rb"^[ \t]*#[ \t]*(?:define|if|ifdef|include)\b|-\*- *(?:Mode: *)?C\b"),
        ("", rb"\A#[^!]"),  # what the assembler's tests expect
        ("swift", rb"^[ \t]*(?:(?:public|private|static)\s+)*(?:module|import)\s+[\w.]+\s*[;:,=]"),
        (
            "swift",
            rb"^[ \t]*(?:(?:const|extern|final|immutable|pure)\b|(?:auto|int|void|bool)\s+\w+\s*[(=;])",
        ),
    ),
    "ddl": _shown(("sql", rb"^[ \t]*(?i:alter|comment|create|drop|grant|insert|select)\b")),
    "es": _shown(("javascript", rb"\b(?:const|export|function|import|let|var)\b[^\n]{0,200}[;{(]")),
    "ex": _shown(("text", rb"^[ \t]*def(?:macro|module|p|struct)?\s")),
    "fs": _shown(
        ("ocaml", rb"^[ \t]*(?:let|member|module|namespace|open|type)\b"),
        ("text", rb"^[ \t]*: \S|^[ \t]*[\\(] "),  # Forth
    ),
    "g": _GAP,
    "gd": _GAP,
    "gi": _GAP,
    "gp": _shown(
        ("text", rb"^[ \t]*(?:plot|splot|set +(?:output|terminal|[xyz]label))\b"), ("pari", rb"\A(?!LOCUS)")
    ),
    "l": _shown(("c", rb"^%")),
    "ll": _shown(("c", rb"^%")),
    "pl": _shown(("text", rb"^:-|^[a-z]\w*\(.*\)[ \t]*:-"), ("perl", rb"")),  # Prolog
    "pp": _shown(
        ("pascal", rb"^[ \t]*(?i:begin|const|end|function|procedure|program|type|unit|uses|var)\b"),
        ("text", rb"^[ \t]*(?:class|define|node)\s+['\w:]"),  # Puppet
    ),
    "r": _shown(
        ("text", rb"^[ \t]*(?i:double precision|integer|real|subroutine)\b"),  # Ratfor
        ("r", rb"<-|\bfunction\b|\blibrary *\(|^#'|^[ \t]*[\w.]+ *= *[\w(\"']"),
    ),
    "sc": _shown(
        ("shell", rb"\A#!.*sh\b|^[ \t]*cat <<|^[ \t]*fi\b"),
        ("kotlin", rb"\b(?:class|def|import|object|package|val|var)\b"),
    ),
    "t": _shown(("perl", rb"\buse\b|\bmy\b|^#!.*perl"), ("shell", rb"\A#!.*sh\b"), ("text", rb"")),
    "ts": _shown(("typescript", rb"\A(?!\s*<)")),
    "tst": _shown(("gap", rb"^gap> ")),
}
_CODE = re.compile(rb"^[ \t]*(?!#|//|/\*|\*|%|;|!|--|\\|\(\*)\S", re.MULTILINE)


def language_of(path: str, head: bytes = b"") -> str | None:
    """Name of a row of the table for a path; None when it is not source code.

    head: what the text begins with; without it a name that languages share gets the commoner one.
    """
    return by_content(*by_name(path.rpartition("/")[2]), head)


def by_name(name: str) -> tuple[str | None, str]:
    """The row of the table that a base name tells, None where it tells none, and the extension it is by, if
    it is by that."""
    if name.endswith(_TEMPLATES):
        for ending in _TEMPLATES:
            if name.endswith(ending) and "." in name[: -len(ending)].lstrip("."):
                name = name[: -len(ending)]
    stem, _, extension = name.rpartition(".")
    if language := _BY_NAME.get(name.lower()):
        return language, ""
    if stem and (language := _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())):
        return language, extension
    return None, ""


def _by_shebang(head: bytes) -> str | None:
    match = _SHEBANG.match(head) if head.startswith(b"#!") else None
    if match is None:
        return None
    program = match[2] if match[1] == b"env" and match[2] else match[1]
    for pattern, language in _INTERPRETERS:
        if re.fullmatch(pattern, program.decode("latin-1")):
            return language
    return None


def by_content(language: str | None, extension: str, head: bytes) -> str | None:
    """`language_of` from what `by_name` tells and from what the text begins with."""
    if language is None:
        return _by_shebang(head)
    if not extension or not head:
        return language
    if extension == "h":
        code = _COMMENTS.sub(b" ", _C_GUARD.sub(b"", head) if b"__cplusplus" in head else head)
        if b"@" in code and _OBJC_DECLARATION.search(code):
            return "objc"
        return "cpp" if _is_cpp(code) else "c"
    if extension == "m" and _OBJC_SIGNS.search(b"\n" + head):
        return "objc"
    if language == "fortran-fixed" and _is_free_form(head):
        return "fortran"
    if rows := _SHARED.get(extension):
        shown = (row for row, pattern in rows if pattern.search(head))
        return next(shown, "" if _CODE.search(head) else language) or None
    return language


def _is_cpp(code: bytes) -> bool:
    """Whether a header without its comments is of C++. Words are searched for first: that is cheap."""
    if _has_scope(code):
        return True
    if any(word in code and pattern.search(code) for word, pattern in _CPP_WORDS):
        return True
    if any(word in code and _begins_a_line(code, word, after) for word, after in _CPP_BEGINNINGS):
        return True
    included = (found.start() for found in _CPP_INCLUDE.finditer(code))
    return any(at == 0 or code[at - 1 : at] == b"\n" for at in included)


def _has_scope(code: bytes) -> bool:
    r"""Whether `\w::\w` or `\bstd::` is there."""
    at = code.find(b"::", 1)
    while at >= 0:
        before, after = code[at - 1], code[at + 2 : at + 3]
        if before in _WORD and after and after[0] in _WORD:
            return True
        if code.endswith(b"std", 0, at) and (at == 3 or code[at - 4] not in _WORD):
            return True
        at = code.find(b"::", at + 1)
    return False


def _begins_a_line(code: bytes, word: bytes, after: re.Pattern[bytes]) -> bool:
    """Whether a line begins with this word, after blanks at most, and it goes on like that."""
    at = code.find(word)
    while at >= 0:
        begin = code.rfind(b"\n", 0, at) + 1
        if not code[begin:at].strip(b" \t") and after.match(code, at + len(word)):
            return True
        at = code.find(word, at + 1)
    return False


def _is_free_form(head: bytes) -> bool:
    """Whether a Fortran text breaks the columns of the fixed form more often than it uses them."""
    free = fixed = 0
    for line in head.splitlines():
        if not line or (line.startswith(b"      ") and b"&" not in line):
            continue
        if line[0] in b"cC*":
            if _KEYWORD_WITH_C.match(line):
                free += 1
            else:
                fixed += 1
            continue
        body = line.split(b"!", 1)[0].rstrip()
        if not body:
            continue
        if _CONTINUED.match(line) and b"&" not in body[6:]:
            fixed += 1
        elif _FREE_BEGINNING.match(line) or body.endswith(b"&"):
            free += 1
    return free > fixed
