"""Making texts of other people harmless to show: one function a syntax that they stand in.

The texts are paths, names and lines of a submitted change, and names and addresses from registries: all
may be hostile. Nothing is dropped: what could act on a terminal, a page or a format is shown as an escape.
Called by the renderers and the pages. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

# Controls (ESC, newlines), formats (bidi, zero width, tags), surrogates, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks that show nothing, and code points that are no characters (XML refuses two of them).
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u2800\u3164\uffa0\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# A word that no Markdown dialect gives a meaning to: no markup, mention, reference, address or emoji.
_PLAIN_WORD = re.compile(r"[\w(\"'“‘][\w.,;%/+'\"’”()–—…=-]*[:;.,]?|[-–—=+/%…]")
_LINKED = re.compile(r"^[(\"'“‘]*(?:www\.|gh-\d)|/\w*#|__|^_|_$", re.IGNORECASE)
_LONGEST_ADDRESS = 2000
_DIGIT_START = re.compile(r"\d+[.)]")


def visible(text: str, limit: int = 0) -> str:
    """`text` on one line, with hidden characters as escapes (`\\n`, `\\x1b`, `\\u202e`).

    limit: longest result; the middle of a longer text is replaced by its length. 0 is no limit.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_shown(character) for character in text)
    if limit and len(text) > limit:
        cut = f" ... ({len(text)} characters) ... "
        head = max(0, limit - len(cut)) * 2 // 3
        text = text[:head] + cut + text[len(text) - max(0, limit - len(cut) - head) :]
    return text


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN and not _INVISIBLE.match(character):
        return character
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def ascii_only(text: str) -> str:
    """`text` with everything outside ASCII as escapes; newlines stay."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def code(text: str, limit: int = 200) -> str:
    """`text` as a Markdown code span, also inside a table: backticks and pipes become escapes."""
    shown = visible(text, limit).replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{shown}`" if shown.strip() else "` `"


def prose(text: str, limit: int = 2000) -> str:
    """`text` as a Markdown sentence: a word that could be markup, a mention or an address becomes code."""
    return " ".join(_word(word) for word in visible(text, limit).split(" ") if word)


def _word(word: str) -> str:
    plain = _PLAIN_WORD.fullmatch(word) and not _LINKED.search(word) and not _DIGIT_START.fullmatch(word)
    return word if plain else code(word)


def fenced(lines: list[str]) -> list[str]:
    """`lines` as a Markdown code block, with a fence longer than any run of backticks in them."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown, fence]


def web_address(url: str) -> str:
    """`url` with everything quoted that could end it, if it is an http(s) address of a host; else "".

    An address of more than 2,000 characters is none that a browser would open.
    """
    if len(url) > _LONGEST_ADDRESS:
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return ""
    return quote(url, safe="%/:=&?~#+!$,;@-._", errors="replace")


def package_uri(purl: str) -> str:
    """The package URL with everything quoted that a URI may not hold, and without a subpath of its own."""
    return quote(purl, safe="%/:=&?~+!$,;@-._", errors="replace")


def uri_path(path: str) -> str:
    """A relative path as a URI reference: nothing in it can be read as scheme, host, query or fragment."""
    return quote(path, safe="/", errors="replace").replace("//", "/%2F").removeprefix("/") or "%2E"
