"""Which files of an unpacked tree are kept, and what is said of them. Pure; tables at the top.

`classify` answers with a TreeFile (UTF-8 text, language, labels) or with a Skip that names the
reason: nothing is dropped without one. It is `look`, which needs a file's bytes and its base name, and
`settle`, which needs its path and those of the whole tree: ingestion reads an archive once, and of most
members nothing but the look is kept until the paths are known.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from corpus.archive.spool import blob_id
from corpus.generated import generator, has_source, is_build_script, may_be_built, named_sources, words
from corpus.glance import BINARY_HEAD, HEAD, bits, glance
from corpus.languages.names import by_content, by_name
from corpus.model import Skip, TreeFile

LONGEST = 4 << 20  # bytes


_LICENSE_TEXT = re.compile(
    r"(?:un)?licen[cs]es?(?:[-_.].*)?|copying(?:[-_.v].*)?|copyright(?:\.(?:txt|md|rst))?"
    r"|notice(?:\.(?:txt|md))?|[al]?gpl(?:[-_.]?v?\d.*)?(?:\.txt)?|artistic(?:\.txt)?|patents(?:\.txt)?"
)
_DOCUMENTATION = words("""
    md markdown mdown rst txt text adoc asciidoc org texi texinfo txi htm html xhtml po pot tex ltx bib sty
    cls rd rdoc pod man 1 2 3 4 5 6 7 8 1x 3pm 3x ms me info ps eps rtf docbook dbk wiki textile creole
""")
_DOCUMENTATION_NAMES = words("""
    readme changelog changes news authors contributors contributing maintainers thanks todo install history
    credits bugs releasenotes hacking faq
""")
_DATA = words("""
    json json5 jsonl geojson csv tsv dat data xml xsd xsl xslt dtd svg yaml yml toml ini cfg conf properties
    plist lock sum map tab tbl arff ipynb mtx fasta fa fastq pdb mol xyz nex nwk phy vcf bed gff gtf obj stl
    ply off ttl rdf owl pbtxt desktop ui glade qrc rc strings resx log out expected golden ref snap patch diff
""")
# Languages whose files are squeezed for delivery.
_SQUEEZED = words("javascript typescript text")
_LONG_LINE = 500  # mean bytes a line of a text that nobody wrote so
_SQUEEZED_SIZE = 2048

_FOLDER_LABELS = {
    "vendored": words("""
        vendor vendors vendored _vendor _vendored third_party third-party thirdparty 3rdparty 3rd-party
        3rd_party extern external externals extlib extlibs bundled node_modules bower_components subprojects
        gnulib gnulib-lib site-packages godeps
    """),
    "test": words(
        "test tests testing testsuite testsuites unittest unittests __tests__ spec specs t testdata"
    ),
    "example": words("example examples demo demos sample samples tutorial tutorials"),
}
_TEST_NAME = re.compile(
    r"(?:test[-_].+|.+[-_.](?:test|tests|spec|unittest)|conftest|.+Tests?|tests?)\.[^./]+", re.ASCII
)
# Of lower case, and begun with letters: those are searched for quickly.
_GNULIB = re.compile(rb"gnulib\b(?<!\wgnulib)|gnu portability library")

_SAYS_GNULIB = bits(b"gnulib", b"gnu portability library")
LABELS = frozenset(("generated", *_FOLDER_LABELS))

_TABLE_SIZE = 256 * 1024
_TABLE_SHARE = 0.97
_TABLE_BYTES = b"0123456789abcdefABCDEFxX+-.,{}[]()\"'\\;uUlL \t\r\n"
_MOST_CONTROL = 0.01
_MOST_HIGH = 0.4
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)
_BOM_MARKS = tuple(mark for mark, _ in _BOMS)
_PARTIAL = ("too large", "unreadable encoding")


class Look(NamedTuple):
    """What the bytes and the base name of a file say, wherever it lies.

    reason: why it is skipped in any case, or "". language: None for what is no source code. unwritten: why
    a source file is no code that a person wrote, or "". made_from: extensions of what a generated file was
    made from, None for one that is not generated; named: base names of such that it names.
    """

    reason: str = ""
    language: str | None = None
    unwritten: str = ""
    made_from: tuple[str, ...] | None = None
    named: frozenset[str] = frozenset()
    gnulib: bool = False

    @property
    def may_be_kept(self) -> bool:
        return self.language is not None and not self.reason and not self.unwritten


def swhid(sha1: str) -> str:
    """The Software Heritage identifier of a file with this git blob id."""
    return f"swh:1:cnt:{sha1}"


_NO_SOURCE = Look()


@lru_cache(maxsize=256)
def _unmarked(language: str) -> Look:
    return Look("", language)


def classify(path: str, data: bytes, *, siblings: Collection[str] | None = None) -> TreeFile | Skip:
    """What becomes of one file.

    path: inside the tree. siblings: paths of the tree's files, to tell whether what a generated
    file was made from is there too; without them generated files are kept.
    """
    found = settle(path, look(path, data), siblings)
    return found if isinstance(found, Skip) else kept(path, data, *found)


def kept(path: str, data: bytes, language: str, labels: tuple[str, ...]) -> TreeFile:
    """A file that was found to be kept. Fails on no bytes."""
    return TreeFile(path, language, recoded(data) or b"", blob_id(data), labels)


def look(path: str, data: bytes, *, compiled: bool = False) -> Look:
    """What can be said of a file whose folder is not known yet. compiled: by machine code; the same."""
    if len(data) > LONGEST:
        return Look("too large")
    name = path.rpartition("/")[2]
    if data.startswith(_BOM_MARKS):
        text = recoded(data)
        return Look("unreadable encoding") if text is None else _look(name, by_name(name), text, compiled)
    if b"\0" in data:
        return Look("binary")
    if not data:
        return Look("empty")
    # Of most texts that are no source code nothing but their names decides.
    named = by_name(name)
    plain = named[0] is None and not (data.startswith(b"#!") or may_be_built(name.lower()))
    marks, control, high = glance(data, marked=not plain, compiled=compiled)
    if control > _MOST_CONTROL * min(len(data), BINARY_HEAD):
        return Look("binary")
    much = high > _MOST_HIGH * len(data)
    if plain and not much:
        return Look("empty") if data.isspace() else _NO_SOURCE
    if high:
        text = recoded(data)
        if text is not None and text is not data:  # Latin-1, or what looks like it
            return Look("unreadable encoding") if much else _look(name, named, text, compiled)
    return _look(name, named, data, compiled, marks)


def settle(path: str, seen: Look, siblings: Collection[str] | None) -> Skip | tuple[str, tuple[str, ...]]:
    """What becomes of a file of which so much was seen: a skip, or language and labels."""
    if reason := seen.reason or _not_source(path, seen.language) or seen.unwritten:
        return Skip(path, reason, reason in _PARTIAL)
    assert seen.language is not None
    generated = seen.made_from is not None
    if seen.made_from and siblings is not None and has_source(path, seen.made_from, seen.named, siblings):
        return Skip(path, "generated")
    labels = _labels(path, seen.gnulib)
    return seen.language, ("generated", *labels) if generated else labels


def _look(
    name: str, named: tuple[str | None, str], text: bytes, compiled: bool, marks: int | None = None
) -> Look:
    """named: what the name alone tells. marks: what the head bears, where that is known."""
    if not text or text.isspace():
        return Look("empty")
    head, folded = text[:HEAD], name.lower()
    if marks is None:
        marks, _, _ = glance(head, compiled=compiled)
    if is_build_script(folded, head, marks):
        return Look("build script")
    language = by_content(*named, head)
    if language is None:
        return _NO_SOURCE
    if reason := _not_written(folded, text, language):
        return Look("", language, reason)
    if not marks:
        return _unmarked(language)
    made_from = generator(head, marks)
    sources = named_sources(text, made_from) if made_from else frozenset()
    gnulib = bool(marks & _SAYS_GNULIB) and _GNULIB.search(head.lower()) is not None
    return Look("", language, "", made_from, sources, gnulib)


def recoded(data: bytes) -> bytes | None:
    """The text as UTF-8 without byte order mark and with its newlines, None where the mark is wrong."""
    if data.isascii():
        return data
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding).encode()
            except UnicodeError:
                return None
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data


def _not_source(path: str, language: str | None) -> str:
    """Why a text is not source code of this package, by its path; "" when it is."""
    if language is not None and language != "text":
        return ""
    name = path.rsplit("/", 1)[-1].lower()
    stem, _, extension = name.rpartition(".")
    if _LICENSE_TEXT.fullmatch(name):
        return "license text"
    if "licenses" in path.lower().split("/")[:-1] and extension in ("", "txt", name):
        return "license text"
    if language is not None:
        return ""
    if extension in _DOCUMENTATION or (stem or name) in _DOCUMENTATION_NAMES or name in _DOCUMENTATION_NAMES:
        return "documentation"
    return "data" if extension in _DATA else "not source code"


def _not_written(name: str, text: bytes, language: str) -> str:
    """Why a source file holds nothing that a person wrote as code; "" when it does."""
    if language in _SQUEEZED and len(text) > _SQUEEZED_SIZE:
        lines = text.count(b"\n") + 1
        if len(text) / lines > _LONG_LINE:
            return "minified"
    if ".min." in name or name.endswith((".bundle.js", "-min.js")):
        return "minified"
    return "data" if len(text) > _TABLE_SIZE and _is_table(text) else ""


def _is_table(text: bytes) -> bool:
    others = (1 - _TABLE_SHARE) * len(text)
    beginning = text[: len(text) // 8]  # has enough of them in nearly all code
    return all(len(part.translate(None, _TABLE_BYTES)) < others for part in (beginning, text))


@lru_cache(maxsize=256)
def _folder_labels(folder: str) -> tuple[str, ...]:
    names = folder.lower().split("/")
    return tuple(sorted(label for label, known in _FOLDER_LABELS.items() if not known.isdisjoint(names)))


def _labels(path: str, gnulib: bool) -> tuple[str, ...]:
    folder, _, name = path.rpartition("/")
    labels = _folder_labels(folder)
    tests = ("est" in name or "spec" in name) and _TEST_NAME.fullmatch(name) is not None
    if not tests and not gnulib:
        return labels
    added = [label for label, said in (("test", tests), ("vendored", gnulib)) if said]
    return tuple(sorted({*labels, *added}))
