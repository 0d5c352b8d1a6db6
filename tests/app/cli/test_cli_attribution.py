"""`whence attribution` end to end: what it writes, applied, settles the finding."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.app.cli.conftest import SEA, WALK, Whence, git, new_file

BSD = ("--outbound", "BSD-3-Clause")


def test_a_notice_for_what_asks_for_attribution_and_nothing_else(whence: Whence, project: Path) -> None:
    (project / "walk.py").write_text(WALK)
    (project / "sea.py").write_text(SEA)
    ran = whence("attribution", "walk.py", "sea.py", *BSD)
    assert ran.code == 0
    assert "Files: walk.py" in ran.out
    assert "Copyright: 2019 Ada Example <ada@example.org>\n           2021, The Grid Authors\n" in ran.out
    assert "Permission is hereby granted" in ran.out
    assert "sea.py" not in ran.out
    nothing = whence("attribution", "sea.py", *BSD)
    assert (nothing.code, nothing.out) == (0, "")
    assert "No finding asks for attribution" in nothing.err


def test_the_patch_applied_settles_the_finding(whence: Whence, project: Path) -> None:
    git(project, "init", "-q", "-b", "main")
    (project / "keep.py").write_text("x = 1\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    (project / "walk.py").write_text("import os\n\n\n" + WALK)
    git(project, "add", ".")
    assert whence("check", "--base", "main", *BSD, "--fail-on", "attribution").code == 1
    ran = whence("attribution", "--base", "main", *BSD, "--form", "patch", "-o", "notice.patch")
    assert ran.code == 0, ran.err
    subprocess.run(["git", "apply", "notice.patch"], check=True, cwd=project)
    git(project, "add", "walk.py", "NOTICE")
    after = whence("check", "--base", "main", *BSD, "--fail-on", "attribution", "--format", "json")
    assert after.code == 0
    assert [f["verdict"]["rule"] for f in json.loads(after.out)["findings"]] == ["credited"]
    assert "Files: walk.py" in (project / "NOTICE").read_text()


def test_from_a_report_without_searching_again(whence: Whence, project: Path) -> None:
    (project / "c.diff").write_text(new_file("walk.py", WALK))
    (project / "walk.py").write_text(WALK)
    whence("check", "--diff", "c.diff", *BSD, "--format", "json", "-o", "report.json")
    by_diff = whence("attribution", "--diff", "c.diff", *BSD, "--form", "patch")
    by_report = whence("attribution", "--report", "report.json", "--form", "patch")
    assert by_report.code == 0
    assert by_report.out == by_diff.out
    without = whence("attribution", "--report", "report.json", data=project / "nothing")
    assert without.code == 0
    assert "Copyright: unknown" in without.out or "Copyright: see" in without.out
    tags = whence("attribution", "--report", "report.json", "--form", "snippet")
    assert "# SPDX-SnippetCopyrightText: 2019 Ada Example" in tags.out


def test_paths_outside_the_project_are_not_opened(whence: Whence, project: Path) -> None:
    (project.parent / "walk.py").write_text("secret = 1\n")
    (project / "c.diff").write_text(new_file("walk.py", WALK))
    whence("check", "--diff", "c.diff", *BSD, "--format", "json", "-o", "report.json")
    report = json.loads((project / "report.json").read_text())
    report["findings"][0]["region"]["path"] = "../walk.py"
    (project / "report.json").write_text(json.dumps(report))
    ran = whence("attribution", "--report", "report.json", "--form", "patch")
    assert "secret" not in ran.out
    assert "../walk.py: no tags" in ran.err
    assert whence("attribution", "--diff", "c.diff", *BSD, "--form", "patch", "--notice", "../N").code == 2
