"""The diff reader agrees with git about paths, counts and line numbers on over a thousand changed files."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from app.scan.diff import Diff, read_diff
from app.scan.diff_paths import display
from tests.app.scan.edited_trees import git_diff, numstat, source_texts, write_pair

OPTIONS = [
    [], ["-U0"], ["-U1"], ["-U20"], ["-M"], ["-M", "-C"], ["--patience"], ["--histogram"], ["--binary"],
    ["--src-prefix=i/", "--dst-prefix=w/"], ["--full-index"], ["-W"],
]  # fmt: skip


def assert_agrees(folder: Path, diff: Diff, options: list[str]) -> int:
    """Compare with numstat and with the files themselves; returns how many files were compared."""
    stats = numstat(folder, *options)
    expected = Counter({display(path): added or 0 for added, _, path in stats})
    found = Counter({file.path: sum(sum(region.added) for region in file.regions) for file in diff.files})
    for skip in diff.skips:
        found[skip.path] += 0
    assert set(found) == set(expected)
    assert found == expected
    assert diff.removed == sum(removed or 0 for _, removed, _ in stats)
    assert diff.added == sum(expected.values())
    assert diff.unread == 0
    assert [skip for skip in diff.skips if skip.partial] == []
    paths = {display(path): path for _, _, path in stats}
    for file in diff.files:
        target = folder / Path(paths[file.path].decode())
        lines = [line.rstrip(b"\r") for line in target.read_bytes().split(b"\n")]
        end = 0
        for region in file.regions:
            assert region.first_line > end
            start = region.first_line - 1
            assert list(region.lines) == lines[start : start + len(region.lines)]
            end = region.first_line + len(region.lines)  # touching hunks are one region
    return len(stats)


def agree(folder: Path, runs: int, files: int) -> int:
    texts = source_texts()
    compared = 0
    for run in range(runs):
        rng = random.Random(run)
        here = folder / str(run)
        write_pair(rng, here, texts, files)
        options = OPTIONS[run % len(OPTIONS)]
        compared += assert_agrees(here, read_diff(git_diff(here, *options)), options)
    return compared


def test_agrees_with_git_on_a_thousand_changed_files(tmp_path: Path) -> None:
    assert agree(tmp_path, runs=36, files=32) >= 1000


@pytest.mark.slow
def test_agrees_with_git_on_a_thousand_diffs(tmp_path: Path) -> None:
    assert agree(tmp_path, runs=1000, files=5) >= 4500


def test_crlf_transport_changes_nothing_but_line_ends(tmp_path: Path) -> None:
    rng = random.Random(7)
    write_pair(rng, tmp_path, source_texts(), 12)
    data = git_diff(tmp_path)
    assert read_diff(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")).files == read_diff(data).files
