"""Pairs of folders that differ by random edits, and git's own account of the difference."""

from __future__ import annotations

import random
import subprocess
import sysconfig
from pathlib import Path

# Lines that look like parts of a diff.
TRAPS = [
    b"-- x", b"++ y", b"--- a/x", b"+++ b/x", b"@@ -1 +1 @@", b"diff --git a/x b/x", b"-- ", b"",
    b"Binary files a and b differ", b"From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001",
    b"\\ No newline", b"+", b"-", b" ", b"\tx\r", b"\xff\xfe\x80", b"GIT binary patch",
    b"rename to z", b"\x0cpage",
]  # fmt: skip
NAMES = [
    "plain.py", "with blank.c", "tab\there.c", 'quo"te.c', "back\\slash.c", "ünï/cødé.py", "new\nline.c",
    "a b/ c.txt", "deep/er/and/deeper.h", "-dash", "bell\x07.c", " lead", "trail ", "b/b/x y", "dev/null",
]  # fmt: skip


def source_texts() -> list[bytes]:
    """Real files: the project's own and the standard library's."""
    here = Path(__file__).resolve().parents[3]
    files = sorted(here.glob("corpus/**/*.py")) + sorted(here.glob("app/**/*.py"))
    files += sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:120]
    return [path.read_bytes()[:20_000] for path in files]


def edited(rng: random.Random, text: bytes) -> bytes:
    """`text` after a few random edits."""
    lines = text.split(b"\n")
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(lines) + 1)
        choice = rng.random()
        if choice < 0.3:
            del lines[at : at + rng.randint(1, 5)]
        elif choice < 0.7:
            lines[at:at] = [rng.choice(TRAPS + lines[:50]) for _ in range(rng.randint(1, 5))]
        else:
            lines[at : at + 1] = [rng.choice(TRAPS)]
        lines = lines or [b"x"]
    text = b"\n".join(lines)
    return text.replace(b"\n", b"\r\n") if rng.random() < 0.05 else text


def write_pair(rng: random.Random, folder: Path, texts: list[bytes], files: int) -> None:
    """Fill folder/old and folder/new: edited, added, deleted, moved, binary, empty, mode-only files."""
    for number in range(files):
        name = rng.choice(NAMES) if rng.random() < 0.3 else f"dir{rng.randrange(4)}/file{number}.py"
        name = f"{number}/{name}"
        text = rng.choice(texts)
        old: bytes | None = text
        new: bytes | None = edited(rng, text)
        new_name = name
        fate = rng.random()
        if fate < 0.08:
            old = None
        elif fate < 0.16:
            new = None
        elif fate < 0.22:
            new_name = f"{number}/moved {number}.py"
        elif fate < 0.26:
            old, new = b"\0" + text, b"\0" + text[1:]
        elif fate < 0.29:
            old, new = None, b""
        elif fate < 0.32:
            new = old
        for side, path, data in (("old", name, old), ("new", new_name, new)):
            if data is not None:
                target = folder / side / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
                if side == "new" and fate > 0.29 and rng.random() < 0.2:
                    target.chmod(0o755)


def git_diff(folder: Path, *options: str) -> bytes:
    """What git says about old and new in `folder`."""
    command = ["git", "-c", "core.quotePath=true", "diff", "--no-index", *options, "old", "new"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def numstat(folder: Path, *options: str) -> list[tuple[int | None, int | None, bytes]]:
    """(added, removed, path after the change or, if deleted, before) for each file; None for binary files."""
    # The others would ask for a patch as well.
    counting = [option for option in options if option.startswith(("-M", "-C", "--patience", "--histogram"))]
    fields = git_diff(folder, "--numstat", "-z", *counting).split(b"\0")
    found = []
    at = 0
    while at + 1 < len(fields):
        added, removed, path = fields[at].split(b"\t", 2)
        at += 1
        if not path:
            old, new = fields[at : at + 2]
            path = old if new == b"/dev/null" else new
            at += 2
        counts = (None, None) if added == b"-" else (int(added), int(removed))
        found.append((*counts, path))
    return found
