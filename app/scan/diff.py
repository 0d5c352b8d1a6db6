"""Reads a unified diff, strictly and in linear time. Called by the scan pipeline, inside the parsing child.

Promise: every added line of the input is either in a region or counted in a skip that is `partial` and names
its line; one malformed file never loses the others; nothing but `BadDiff` is raised, whatever the bytes are.

A line state machine on bytes. Between hunks each line is looked up by its prefix in `_TABLE`; inside a hunk
the announced counts decide what a line is, as `git apply` and `patch` do. Forms: git and plain unified
diffs, mailboxes of `git format-patch`, combined diffs of merges. Paths are for display, never opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.scan.diff_hunks import read_combined_hunk, read_hunk, read_ranges, starts_file
from app.scan.diff_paths import display, new_path, read_header_paths, read_path
from app.scan.diff_sections import Section
from corpus.errors import BadDiff
from corpus.model import ChangedFile, Region, Skip

MAX_HEADER = 8192
_OUTSIDE = "(outside any file)"
_GITLINK = b"160000"
_EMPTY_BLOBS = (b"e69de29", b"473a0f4")  # SHA-1 and SHA-256 of git's empty blob, abbreviated
_INDEX = re.compile(rb"index ([0-9a-f,]+)\.\.([0-9a-f]+)(?: ([0-7]{6}))?")
_ENVELOPE = re.compile(rb"From \S{1,200} +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ")
_MAIL_HEADER = re.compile(
    rb"(?:From|Subject|Date|Message-ID|Received|Return-Path|MIME-Version|Delivered-To|To|Cc|X-[\w-]{1,60}): ",
    re.I,
)
_NORMAL_DIFF = re.compile(rb"[0-9]{1,9}(?:,[0-9]{1,9})?[acd][0-9]{1,9}(?:,[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Diff:
    """A diff as read.

    added: added lines in the regions, removed: removed lines of all hunks (as `git diff --numstat` counts).
    unread: added lines that are in no region; the partial skips name them.
    commits: the messages (subject, blank line, body) of the mails that carried it.
    """

    files: tuple[ChangedFile, ...] = ()
    skips: tuple[Skip, ...] = ()
    added: int = 0
    removed: int = 0
    unread: int = 0
    commits: tuple[bytes, ...] = ()


def read_diff(data: bytes) -> Diff:
    """Read `data`; an empty diff is an empty Diff. What is no diff at all raises BadDiff with the line."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadDiff(1, "the text is UTF-16: save it as UTF-8")
    return _Reader(_split(data.removeprefix(b"\xef\xbb\xbf"))).read()


def read_files(files: Mapping[str, bytes]) -> Diff:
    """Whole files, by path, as if a diff added all their lines."""
    changed: list[ChangedFile] = []
    skips: list[Skip] = []
    for name, data in files.items():
        path = display(name.encode("utf-8", "surrogateescape"))
        if not data:
            skips.append(Skip(path, "empty file"))
        elif b"\0" in data[:8000]:
            skips.append(Skip(path, "binary"))
        else:
            lines = tuple(_split(data.removeprefix(b"\xef\xbb\xbf")))
            changed.append(ChangedFile(path, (Region(1, lines, (True,) * len(lines)),)))
    return Diff(tuple(changed), tuple(skips), added=sum(len(f.regions[0].lines) for f in changed))


def _split(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.rstrip(b"\r") for line in lines] if b"\r" in data else lines


class _Reader:
    """Walks over `lines`; `at` is the index of the current one."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.at = 0
        self.outside = Section(1)
        self.section: Section | None = None
        self.sections: list[Section] = []
        self.added = self.removed = 0
        self.commits: list[bytes] = []

    def read(self) -> Diff:
        lines, end = self.lines, len(self.lines)
        if lines and (_MAIL_HEADER.match(lines[0]) or lines[0].startswith(b"From ")):
            self.mail()
        while self.at < end:
            line = lines[self.at]
            for prefix, handle in _PREFIXES.get(line[:1], ()):
                if line.startswith(prefix) and handle(self, line):
                    break
            else:
                if line.startswith(b"+"):
                    (self.section or self.outside).stray(self.at + 1)
                self.at += 1
        return self.result()

    def result(self) -> Diff:
        if not self.sections and (not self.commits or self.outside.strays):
            self.refuse()
        files: list[ChangedFile] = []
        skips = self.outside.skips(_OUTSIDE)
        unread = self.outside.strays
        for section in self.sections:
            path = display(section.name)
            unread += section.strays
            skips += section.skips(path)
            if section.runs and not section.is_submodule():
                files.append(ChangedFile(path, section.regions()))
            else:
                skips.append(section.without_text(path))
        return Diff(tuple(files), tuple(skips), self.added, self.removed, unread, tuple(self.commits))

    def refuse(self) -> None:
        """Raise BadDiff for a text that has no file header, unless it is blank."""
        if self.outside.troubles:
            raise BadDiff(*self.outside.troubles[0])
        if self.outside.strays:
            raise BadDiff(self.outside.stray_line, "an added line before any file header")
        for number, line in enumerate(self.lines, 1):
            if line.strip():
                raise BadDiff(number, "no file header follows: this is not a unified diff")

    # Headers: each handler returns whether the line was one, and then has moved past it.

    def open(self, section: Section) -> None:
        self.section = section
        self.sections.append(section)

    def clip(self, line: bytes) -> bytes:
        """A header line, at most MAX_HEADER bytes of it; a longer one is reported."""
        if len(line) > MAX_HEADER:
            (self.section or self.outside).trouble(
                self.at + 1, f"a header line of more than {MAX_HEADER} bytes"
            )
        return line[:MAX_HEADER]

    def git_header(self, line: bytes) -> bool:
        self.open(Section(self.at + 1, from_git=True))
        assert self.section is not None
        self.section.name = read_header_paths(self.clip(line).removeprefix(b"diff --git "))
        self.at += 1
        return True

    def combined_header(self, line: bytes) -> bool:
        self.open(Section(self.at + 1, from_git=True))
        assert self.section is not None
        self.section.name = read_path(self.clip(line).split(b" ", 2)[2])
        self.at += 1
        return True

    def file_names(self, line: bytes) -> bool:
        if not starts_file(self.lines, self.at):
            return False
        section = self.section
        if section is None or section.named or section.hunks or not section.from_git:
            self.open(section := Section(self.at + 1))
        old = self.clip(line)[4:]
        self.at += 1
        new = self.clip(self.lines[self.at])[4:]
        self.at += 1
        name, deleted = new_path(read_path(old), read_path(new))
        section.named = True
        section.deleted |= deleted
        if not section.note.startswith(("renamed", "copied")):
            section.name = name
        return True

    def git_detail(self, line: bytes) -> bool:
        """An extended header between `diff --git` and the first hunk."""
        section = self.section
        if section is None or not section.from_git or section.named or section.hunks:
            return False
        line = self.clip(line)
        if line.startswith((b"rename to ", b"copy to ")):
            section.note = "renamed" if line.startswith(b"rename") else "copied"
            section.name = read_path(line.split(b" to ", 1)[1])
        elif line.startswith(b"deleted file mode "):
            section.deleted = True
        elif line.startswith(b"new file mode "):
            section.note = "empty file"
        elif line.startswith((b"new mode ", b"mode ")):
            section.note = section.note or "mode changed"
        elif index := _INDEX.match(line):
            old, new = index[1], index[2]
            section.blobs_differ = old != new and not new.startswith(_EMPTY_BLOBS)
            section.gitlink |= index[3] == _GITLINK
        section.gitlink |= line.endswith(b"mode " + _GITLINK)
        self.at += 1
        return True

    def binary_files(self, line: bytes) -> bool:
        """`Binary files A and B differ`, under a header of git or, from diff -r, on its own."""
        if not line.endswith(b" differ") and len(line) <= MAX_HEADER:
            return False
        line = self.clip(line)
        section = self.section
        if section is None or not section.from_git or section.hunks or section.binary:
            self.open(section := Section(self.at + 1))
            names = line.removeprefix(b"Binary files ").removesuffix(b" differ")
            old, _, new = names.partition(b" and ")
            section.name, section.deleted = new_path(read_path(old), read_path(new))
        section.binary = True
        self.at += 1
        return True

    def binary_patch(self, line: bytes) -> bool:
        # Its base85 lines start with a length letter and hold no blank, so that they look like no header.
        if self.section is None or line != b"GIT binary patch":
            return False
        self.section.binary = True
        self.at += 1
        return True

    def submodule_log(self, line: bytes) -> bool:
        """`Submodule PATH a..b:` of git diff --submodule=log."""
        words = self.clip(line).split(b" ")
        if len(words) < 3 or b".." not in words[-1]:
            return False
        self.open(Section(self.at + 1, name=b" ".join(words[1:-1]), gitlink=True))
        self.at += 1
        return True

    def other_form(self, line: bytes) -> bool:
        """Context and normal diffs: reported, not read."""
        if not line.startswith(b"*" * 15) and not _NORMAL_DIFF.fullmatch(line[:64]):
            return False
        section = self.section or self.outside
        section.trouble(self.at + 1, "a context or normal diff: make a unified one (diff -u)")
        self.at += 1
        return True

    def mail_envelope(self, line: bytes) -> bool:
        if not _ENVELOPE.match(line[:300]):
            return False
        self.mail()
        return True

    def mail(self) -> None:
        """Read the headers and the message of a mail, up to its patch."""
        self.section = None
        subject: list[bytes] = []
        body: list[bytes] = []
        in_headers = in_subject = in_message = True
        first = self.at
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if self.at > first and self.starts_patch(self.at):
                break
            if in_headers:
                in_headers = bool(line)
                in_subject = line.startswith(b"Subject:") or (in_subject and line.startswith((b" ", b"\t")))
                if in_subject:
                    subject.append(line.removeprefix(b"Subject:").strip())
                encoding = line[:100].lower().removeprefix(b"content-transfer-encoding:").strip()
                if encoding in (b"base64", b"quoted-printable"):
                    self.outside.trouble(
                        self.at + 1, f"the mail is encoded as {encoding.decode()}: decode it first"
                    )
            elif line == b"---":
                in_message = False
            elif in_message:
                body.append(line)
            self.at += 1
        self.commits.append(b"\n".join([b" ".join(subject), b"", *body]).strip())

    def starts_patch(self, at: int) -> bool:
        """Where the message of a mail ends, as git mailinfo decides."""
        line = self.lines[at]
        return (
            line.startswith((b"diff --", b"Index: "))
            or starts_file(self.lines, at)
            or bool(_ENVELOPE.match(line[:300]))
        )

    # Hunks.

    def hunk(self, line: bytes) -> bool:
        section = self.section or self.outside
        ranges = read_ranges(self.clip(line))
        number = self.at + 1
        self.at += 1
        if ranges is None or self.section is None:
            section.trouble(number, "a hunk before any file header" if ranges else "a malformed hunk header")
            return True
        old, start, new = ranges
        if len(old) == 1:
            hunk = read_hunk(self.lines, self.at, old[0], new)
        else:
            hunk = read_combined_hunk(self.lines, self.at, old, new)
        self.at = hunk.end
        section.hunks += 1
        self.added += sum(hunk.added)
        self.removed += hunk.removed
        if hunk.wrong:
            section.trouble(hunk.wrong_line or number, f"the hunk of line {number} {hunk.wrong}")
        if hunk.lines:
            section.add_run(number, start, hunk.lines, hunk.added)
        return True


_Handler = Callable[[_Reader, bytes], bool]
_DETAILS = (
    b"old mode ", b"new mode ", b"deleted file mode ", b"new file mode ", b"mode ", b"index ",
    b"copy from ", b"copy to ", b"rename from ", b"rename to ", b"similarity index ", b"dissimilarity index ",
)  # fmt: skip
_TABLE: tuple[tuple[bytes, _Handler], ...] = (
    (b"diff --git ", _Reader.git_header),
    (b"diff --cc ", _Reader.combined_header),
    (b"diff --combined ", _Reader.combined_header),
    (b"--- ", _Reader.file_names),
    (b"@@", _Reader.hunk),
    (b"Binary files ", _Reader.binary_files),
    (b"GIT binary patch", _Reader.binary_patch),
    (b"Submodule ", _Reader.submodule_log),
    (b"From ", _Reader.mail_envelope),
    (b"*" * 15, _Reader.other_form),
    *((bytes([digit]), _Reader.other_form) for digit in b"0123456789"),
    *((detail, _Reader.git_detail) for detail in _DETAILS),
)
_PREFIXES: dict[bytes, list[tuple[bytes, _Handler]]] = {}
for _prefix, _handler in _TABLE:
    _PREFIXES.setdefault(_prefix[:1], []).append((_prefix, _handler))
