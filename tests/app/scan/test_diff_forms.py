"""Every form of diff that the reader knows, one by one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.scan.diff import Diff, read_diff, read_files
from app.scan.diff_paths import display, read_header_paths
from corpus.errors import BadDiff
from corpus.model import ChangedFile, Region, Skip

HUNK = b"@@ -1,2 +1,3 @@\n one\n+two\n three\n"
REGION = Region(1, (b"one", b"two", b"three"), (False, True, False))


def only_file(data: bytes) -> ChangedFile:
    diff = read_diff(data)
    assert diff.skips == ()
    assert len(diff.files) == 1
    return diff.files[0]


@pytest.mark.parametrize(
    ("header", "path"),
    [
        (b"--- a/x.c\n+++ b/x.c\n", "x.c"),
        (b"--- x.c\n+++ x.c\n", "x.c"),
        (b"--- old/x.c\t2020-01-01 00:00:00.0 +0000\n+++ new/x.c\t2020-01-01 00:00:01.0 +0000\n", "new/x.c"),
        (b"--- /dev/null\n+++ b/x.c\n", "x.c"),
        (b"--- /dev/null\t1970-01-01\n+++ x.c\t2020-01-01\n", "x.c"),
        (b"diff --git a/x.c b/x.c\nindex 1..2 100644\n--- a/x.c\n+++ b/x.c\n", "x.c"),
        (b"diff --git i/x.c w/x.c\nindex 1..2 100644\n--- i/x.c\n+++ w/x.c\n", "x.c"),
        (b"diff --git x.c x.c\nindex 1..2 100644\n--- x.c\n+++ x.c\n", "x.c"),
        (b"diff -u a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n", "x.c"),
        (b"Index: x.c\n=====\n--- x.c\t(revision 5)\n+++ x.c\t(working copy)\n", "x.c"),
        (b'--- "a/\\303\\274 \\"q\\"\\t.c"\n+++ "b/\\303\\274 \\"q\\"\\t.c"\n', 'ü "q"\\t.c'),
        (b"diff --git a/y b/z\nrename from y\nrename to z\nindex 1..2\n--- a/y\n+++ b/z\n", "z"),
        (b"diff --git a/y b/z\ncopy from y\ncopy to z\nindex 1..2\n--- a/y\n+++ b/z\n", "z"),
        (b"diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n", "../x"),
        (b"--- /etc/x\n+++ /etc/x\n", "/etc/x"),
        (b"--- a/x\0y\x1b\n+++ b/x\0y\x1b\n", "x\\x00y\\x1b"),
        ("--- a/\u202ex\n+++ b/\u202ex\n".encode(), "\\u202ex"),
        (b"--- a/\xff\n+++ b/\xff\n", "\\xff"),
    ],
)
def test_names_and_reads_one_file(header: bytes, path: str) -> None:
    assert only_file(header + HUNK) == ChangedFile(path, (REGION,))
    crlf = (header + HUNK).replace(b"\n", b"\r\n")
    assert only_file(crlf) == ChangedFile(path, (REGION,))
    assert read_diff(b"\xef\xbb\xbf" + header + HUNK).files == (ChangedFile(path, (REGION,)),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", "mode changed"),
        (b"diff --git a/y b/x\nsimilarity index 100%\nrename from y\nrename to x\n", "renamed"),
        (b"diff --git a/y b/x\nsimilarity index 100%\ncopy from y\ncopy to x\n", "copied"),
        (b"diff --git a/x b/x\nnew file mode 100644\nindex 0000000..e69de29\n", "empty file"),
        (b"diff --git a/x b/x\ndeleted file mode 100644\nindex e69de29..0000000\n", "deleted"),
        (b"diff --git a/x b/x\ndeleted file mode 100644\nindex 1..0\n", "deleted"),
        (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n", "deleted"),
        (b"diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n", "binary"),
        (b"Binary files old/x and x differ\n", "binary"),
        (b"diff --git a/x b/x\nindex 1..2\nGIT binary patch\ndelta 5\nMc$}zz\n\n", "binary"),
        (b"Submodule x 1234567..89abcde:\n  > a commit\n", "submodule"),
        (
            b"diff --git a/x b/x\nindex 1..2 160000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-Subproject commit "
            + b"1" * 40 + b"\n+Subproject commit " + b"2" * 40 + b"\n", "submodule",
        ),
        (b"--- a/x\n+++ b/x\n@@ -3 +2,0 @@\n-x\n", "only removed lines"),
    ],
)  # fmt: skip
def test_names_what_has_no_text(text: bytes, reason: str) -> None:
    diff = read_diff(text)
    assert diff.files == ()
    assert diff.skips == (Skip("x", reason),)


def test_a_submodule_that_carries_code_is_read() -> None:
    text = b"diff --git a/x b/x\nindex 1..2 160000\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+int main() {}\n"
    assert only_file(text).regions[0].lines == (b"int main() {}",)


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\n"])
def test_an_empty_diff_is_empty(data: bytes) -> None:
    assert read_diff(data) == Diff()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"\nhello\n", 2),
        (b"\0\1\2", 1),
        (b"x\n+y\n", 2),
        (b"@@ -1 +1 @@\n-x\n+y\n", 1),
        ("--- a/x\n".encode("utf-16"), 1),
        (b"*" * 15 + b"\n*** 1,2 ****\n", 1),
        (b"5c5\n< x\n---\n> y\n", 1),
    ],
)
def test_what_is_no_diff_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(BadDiff) as caught:
        read_diff(data)
    assert caught.value.line == line


def test_hunks_that_touch_are_one_region() -> None:
    text = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n@@ -2 +2 @@\n-c\n+d\n@@ -9 +9 @@ f(x)\n-e\n+f\n"
    assert only_file(text).regions == (Region(1, (b"b", b"d"), (True, True)), Region(9, (b"f",), (True,)))


def test_no_newline_marks_are_no_text() -> None:
    mark = b"\\ No newline at end of file\n"
    text = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n" + mark + b"+b\n" + mark
    assert only_file(text).regions == (Region(1, (b"b",), (True,)),)


def test_a_hunk_may_hold_what_looks_like_headers() -> None:
    text = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- a/y\n+++ b/y\n@@ -8 +8 @@\n-c\n+d\n"
    assert only_file(text).regions == (Region(1, (b"++ b/y",), (True,)), Region(8, (b"d",), (True,)))


def git(folder: Path, *arguments: str) -> bytes:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", *identity, "-c", "commit.gpgSign=false", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60).stdout


def commit(folder: Path, text: str, message: str) -> None:
    (folder / "x").write_text(text)
    git(folder, "add", "x")
    git(folder, "commit", "-q", "-m", message)


def test_mailboxes_of_git_format_patch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, "one\n", "First")
    commit(tmp_path, "one\ntwo\n", "Add two\n\n+1 from me\n- a list\n\nSigned-off-by: A <a@example.org>")
    commit(tmp_path, "one\ntwo\nthree\n", "Add three")
    diff = read_diff(git(tmp_path, "format-patch", "--stdout", "--root"))
    assert [file.path for file in diff.files] == ["x", "x", "x"]
    assert diff.skips == ()
    assert (diff.added, diff.removed) == (3, 0)
    assert [message.split(b"\n")[0] for message in diff.commits] == [
        b"[PATCH 1/3] First", b"[PATCH 2/3] Add two", b"[PATCH 3/3] Add three",
    ]  # fmt: skip
    assert diff.commits[1].endswith(b"+1 from me\n- a list\n\nSigned-off-by: A <a@example.org>")
    assert read_diff(git(tmp_path, "log", "-p")).added == 3


def test_combined_diffs_of_a_merge(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    commit(tmp_path, "a\nb\nc\nd\ne\n", "base")
    git(tmp_path, "checkout", "-q", "-b", "side")
    commit(tmp_path, "a\nB\nc\nd\nside\n", "side")
    git(tmp_path, "checkout", "-q", "main")
    commit(tmp_path, "a\nbb\nc\nd\ne\n", "main")
    git(tmp_path, "merge", "-q", "side")
    commit(tmp_path, "a\nmerged\nc\nd\nside\n", "merge")
    shown = git(tmp_path, "show", "-c", "--format=")
    assert b"@@@ -1,5 -1,5 +1,5 @@@" in shown
    merged = Region(1, (b"a", b"merged", b"c", b"d", b"side"), (False, True, False, False, True))
    assert only_file(shown) == ChangedFile("x", (merged,))
    assert only_file(git(tmp_path, "show", "--cc", "--format=")).regions[0].lines[1] == b"merged"


def test_whole_files_are_all_added() -> None:
    diff = read_files({"a.c": b"x\r\ny", "empty": b"", "b.bin": b"\0x", "c\x1b": b"z\n"})
    assert diff.files == (
        ChangedFile("a.c", (Region(1, (b"x", b"y"), (True, True)),)),
        ChangedFile("c\\x1b", (Region(1, (b"z",), (True,)),)),
    )
    assert diff.skips == (Skip("empty", "empty file"), Skip("b.bin", "binary"))
    assert diff.added == 3


@pytest.mark.parametrize(
    ("field", "path"),
    [
        (b"a/x y b/x y", b"x y"),
        (b"a/x b/y b/x b/y", b"x b/y"),
        (b"a/old/f.c b/newer/f.c", b"newer/f.c"),
        (b'"a/\\303\\274" "b/\\303\\274"', "ü".encode()),
        (b'a/x "b/\\303\\274"', "ü".encode()),
        (b"f f", b"f"),
        (b"nonsense", b"nonsense"),
        (b"", b""),
    ],
)
def test_the_border_in_a_git_header(field: bytes, path: bytes) -> None:
    assert read_header_paths(field) == path


def test_display_shows_what_a_terminal_would_hide() -> None:
    assert display("ok/ü.c".encode()) == "ok/ü.c"
    assert display(b"a\r\nb\x7f") == "a\\r\\nb\\x7f"
