"""Rows of the table for languages that are met less often, and `text` for every other source text."""

from __future__ import annotations

from corpus.languages import layout as k
from corpus.languages import words
from corpus.languages.syntax import Language, Quote, Remark

_SLASHES = (Remark("//"), Remark("/*", "*/"))
_NESTING = (Remark("//"), Remark("/*", "*/", flags=k.NESTED))
_HASH = (Remark("#"),)
_DASHES = Remark("--")
_DOUBLE, _SINGLE = Quote('"'), Quote("'")
_LONG = Quote('"""', flags=k.MULTILINE)
_LONG_DOUBLE, _LONG_SINGLE = Quote('"', flags=k.MULTILINE), Quote("'", flags=k.MULTILINE)
_PLAIN_DOUBLE, _PLAIN_SINGLE = Quote('"', escape=k.DOUBLED), Quote("'", escape=k.DOUBLED)
_CHAR = Quote("'", action=k.CHAR_OR_LIFETIME)
_HEREDOC = Quote("<<", action=k.HEREDOC, where=k.HEREDOC_START)
_REGEX = Quote("/", action=k.REGEX, where=k.NOT_OPERAND)
_ALGOL = "<= >= <> := .."

DIALECTS = (
    Language(
        "kotlin",
        _NESTING,
        (_LONG, _DOUBLE, _CHAR),
        words.JAVA_OPERATORS + " => .. ?. ?: !! <- === !==",
        words.KOTLIN,
        starts="$",
        imports="import package",
    ),
    Language(
        "csharp",
        _SLASHES,
        (
            Quote('@"', '"', escape=k.DOUBLED, flags=k.MULTILINE),
            Quote('$@"', '"', escape=k.DOUBLED, flags=k.MULTILINE),
            Quote('$"', '"'),
            _DOUBLE,
            _SINGLE,
        ),
        words.JAVA_OPERATORS + " => ?. ?? ??=",
        words.CSHARP,
        imports="using",
    ),
    Language(
        "swift",
        _NESTING,
        (_LONG, _DOUBLE, _SINGLE),
        words.JAVA_OPERATORS + " ..< ?? ?. === !==",
        words.SWIFT,
        imports="import",
    ),
    Language(
        "php",
        (*_SLASHES, Remark("#")),
        (_LONG_DOUBLE, _LONG_SINGLE),
        words.JAVASCRIPT_OPERATORS + " -> :: .=",
        words.PHP,
        starts="$",
        imports="use namespace require require_once include include_once",
        closers="endif endwhile endfor endforeach endswitch",
    ),
    Language(
        "ruby",
        (Remark("=begin", "=end", where=k.COLUMN0, flags=k.CLOSE_COLUMN0 | k.TO_LINE_END), Remark("#")),
        (_LONG_DOUBLE, _LONG_SINGLE, _REGEX, _HEREDOC),
        "** == != <= >= <=> === =~ !~ && || << >> += -= *= /= %= **= ||= &&= => -> :: .. ... &.",
        words.RUBY,
        starts="@$",
        imports="require require_relative",
        closers="end begin",
        waiting=words.JAVASCRIPT_WAITING
        + " if unless while until when and or not elsif split match gsub sub",
        brace_is_operand=True,
    ),
    Language(
        "shell",
        (Remark("#", where=k.AFTER_SPACE),),
        (_LONG_DOUBLE, Quote("'", escape=k.NO_ESCAPE, flags=k.MULTILINE), _HEREDOC),
        "&& || ;; == != <= >= >> << += :=",
        words.SHELL,
        starts="$@",
        imports="source include",
        closers="fi done esac endif endforeach endwhile endfunction endmacro",
        backslash_joins=True,
    ),
    Language(
        "lua",
        (Remark("--[[", "]]"), Remark("--[=[", "]=]"), Remark("--[==[", "]==]"), _DASHES),
        (
            _DOUBLE,
            _SINGLE,
            Quote("[[", "]]", escape=k.NO_ESCAPE, flags=k.MULTILINE),
            Quote("[=[", "]=]", escape=k.NO_ESCAPE, flags=k.MULTILINE),
        ),
        "== ~= <= >= .. ... // << >> ::",
        words.LUA,
        numbers=k.HEX_FLOAT,
        imports="require",
        closers="end",
    ),
    Language(
        "haskell",
        (_DASHES, Remark("{-", "-}", flags=k.NESTED)),
        (_DOUBLE, _CHAR),
        "-> <- => :: == /= <= >= && || ++ .. << >> >>= <> <$> <*> ** ^^ !! |>",
        words.HASKELL,
        continues="'",
        imports="import module",
    ),
    Language(
        "ocaml",
        (Remark("(*", "*)", flags=k.NESTED), Remark("//")),
        (_LONG_DOUBLE, _CHAR),
        "-> <- := == != <> <= >= && || :: ++ |> @@ ** +. -. *. /. ;; .. ^^",
        words.OCAML,
        continues="'",
        imports="open include",
        closers="end begin ;;",
    ),
    Language(
        "pascal",
        (Remark("{", "}"), Remark("(*", "*)"), Remark("//")),
        (_PLAIN_SINGLE,),
        _ALGOL + " += -= *= /= **",
        words.PASCAL,
        caseless=True,
        imports="uses unit",
        closers="begin end",
    ),
    Language(
        "ada",
        (_DASHES,),
        (_PLAIN_DOUBLE, Quote("'", escape=k.NO_ESCAPE, where=k.NOT_ADJACENT)),
        _ALGOL + " /= ** => << >>",
        words.ADA,
        caseless=True,
        imports="with use",
        closers="begin",
        end_statements="end",
    ),
    Language(
        "sql",
        (_DASHES, Remark("/*", "*/")),
        (
            Quote("'", escape=k.DOUBLED, flags=k.MULTILINE),
            _PLAIN_DOUBLE,
        ),
        _ALGOL + " != || :: =>",
        words.SQL,
        caseless=True,
        closers="begin end",
    ),
    Language(
        "maxima",
        (Remark("/*", "*/", flags=k.NESTED),),
        (_LONG_DOUBLE,),
        ":= :: ::= <= >= ** '' =>",
        words.MAXIMA,
        starts="%?",
        imports="load",
        closers="$",
    ),
    Language(
        "gap",
        _HASH,
        (_DOUBLE, _SINGLE),
        ":= <> <= >= -> .. ::",
        words.GAP,
        starts="@",
        closers="fi od end",
    ),
    Language(
        "pari",
        (Remark("\\\\"), Remark("/*", "*/")),
        (_DOUBLE,),
        "== != <= >= && || ++ -- += -= *= /= -> << >>",
        words.PARI,
    ),
    Language(
        "lisp",
        (Remark(";"), Remark("#|", "|#", flags=k.NESTED)),
        (_LONG_DOUBLE,),
        "#' ,@",
        words.LISP,
        starts="*&",
        continues="-!?<>=+/",
        imports="require",
    ),
    Language(
        "erlang",
        (Remark("%"),),
        (_LONG_DOUBLE, _SINGLE),
        "-> <- => := == /= =< >= =:= =/= ++ -- || << >> ::",
        words.ERLANG,
        closers="end begin",
    ),
    Language(
        "asm",
        (Remark("#", where=k.LINE_START), *_SLASHES, Remark(";")),
        (_DOUBLE, _SINGLE),
        "<< >> <= >= == != && ||",
        "",
        starts=".$%@",
    ),
    Language("m4", _HASH, (_DOUBLE,), "<= >= == != && ||", "define ifelse ifdef include", starts="$"),
    Language(
        "text",
        (*_SLASHES, Remark("#", where=k.LINE_START)),
        (_DOUBLE, Quote("'", where=k.NOT_ADJACENT)),
        words.C_OPERATORS + " :: := => <> ** .. === !==",
        words.TEXT,
        starts="$@",
        closers="end begin",
        imports="import include using",
    ),
)
