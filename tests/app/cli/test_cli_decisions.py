"""Decisions in the scan, end to end: waivers, accepts and credits in the code, the policy that counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.cli.conftest import DIAL, SEA, WALK, Whence, git, new_file

BSD = ("--outbound", "BSD-3-Clause")
REFORMATTED = '''def tide_height(
    constituents,
    hours,
    latitude,
):
    """Sum up."""

    heights = []
    for hour in hours:

        total = 0.0
        for name, amplitude, speed, phase in constituents:
            node = 1.0 - 0.037 * math.cos(
                math.radians(125.04 - 0.0529 * hour)
            )
            if name.startswith("K"):
                node = 1.006 + 0.115 * math.cos(math.radians(125.04 -
                                                             0.0529 * hour))
            angle = math.radians(
                speed * hour - phase + 2.0 * latitude,
            )
            total += node * amplitude * math.cos(angle)
        if total < -12.5 or total > 12.5:
            raise ValueError(
                f"height {total} at hour {hour} is out of range",
            )
        heights.append(round(total, 4))
    return heights
'''


def report(whence: Whence, *arguments: str) -> dict[str, Any]:
    ran = whence("check", *arguments, *BSD, "--format", "json")
    found: dict[str, Any] = json.loads(ran.out)
    return found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {
        f["region"]["path"]: f"{f['verdict']['status']} {f['verdict']['rule']}" for f in found["findings"]
    }


def test_waiving_one_finding_silences_exactly_it_also_moved_and_reformatted(
    whence: Whence, project: Path
) -> None:
    for name, text in (("sea.py", SEA), ("walk.py", WALK), ("dial.c", DIAL)):
        (project / name).write_text(text)
    before = report(whence, "sea.py", "walk.py", "dial.c")
    (project / "report.json").write_text(json.dumps(before))
    ids = {f["region"]["path"]: f["id"] for f in before["findings"]}
    assert len(set(ids.values())) == 3

    waived = whence("waive", ids["sea.py"][:6], "--reason", "permission-granted", "--link",
                    "https://example.org/mail/4", "--owner", "Ada", "--report", "report.json")  # fmt: skip
    assert waived.code == 0, waived.err
    assert "# sea.py:1-15 is similar to" in (project / ".whence" / "waivers.toml").read_text()

    after = report(whence, "sea.py", "walk.py", "dial.c")
    expected = verdicts(before) | {"sea.py": "ok waived:permission-granted"}
    assert verdicts(after) == expected
    assert {f["region"]["path"]: f["id"] for f in after["findings"]} == ids

    (project / "sea.py").write_text("import math\n" + "\n" * 9 + REFORMATTED)
    moved = report(whence, "sea.py", "walk.py", "dial.c")
    assert verdicts(moved) == expected
    region = next(f["region"] for f in moved["findings"] if f["region"]["path"] == "sea.py")
    assert region["start_line"] == 11
    assert after["limits"] == moved["limits"], "the decision is in use, so it is not told as stale"


def test_other_code_is_not_waived(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    found = report(whence, "sea.py")
    whence("waive", found["findings"][0]["id"], "--reason", "ours", "--owner", "Ada")
    (project / "sea.py").write_text(SEA.replace("if name.startswith", "if hour > 12 and name.startswith"))
    assert "conflict" in verdicts(report(whence, "sea.py"))["sea.py"]


def test_waive_refuses_what_would_not_hold(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    id = report(whence, "sea.py")["findings"][0]["id"]
    for options, said in (
        (("--reason", "because"), "not one of the reasons"),
        (("--reason", "permission-granted"), "needs a link"),
        (("--reason", "ours", "--expires", "soon"), "not a day"),
    ):
        ran = whence("waive", id, *options, "--owner", "Ada")
        assert ran.code == 2
        assert said in ran.err
    assert not (project / ".whence").exists()
    assert whence("waive", id, "--reason", "ours", "--owner", "Ada").code == 0
    again = whence("waive", id, "--reason", "rewritten", "--owner", "Ada")
    assert again.code == 2
    assert "waived already" in again.err
    other = whence("waive", "0" * 32, "--reason", "ours", "--owner", "Ada", "--file", "whence.toml")
    assert other.code == 0
    assert "[[accept]]" in (project / "whence.toml").read_text()


def test_expired_and_stale_decisions_are_told(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    id = report(whence, "sea.py")["findings"][0]["id"]
    assert whence("waive", id, "--reason", "ours", "--owner", "Ada", "--expires", "2020-01-31").code == 0
    assert whence("waive", "ab" * 16, "--reason", "ours", "--owner", "Ada").code == 0
    found = report(whence, "sea.py")
    assert verdicts(found)["sea.py"].startswith("conflict")
    assert any(f"about finding {id} expired on 2020-01-31" in limit for limit in found["limits"])
    assert any(
        "1 recorded decision matches no finding" in limit and "ab" * 16 in limit for limit in found["limits"]
    )


def test_a_misspelt_table_of_decisions_is_an_error(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    (project / ".whence").mkdir()
    (project / ".whence" / "waivers.toml").write_text("[[acept]]\nid = '1'\n")
    ran = whence("check", "sea.py")
    assert ran.code == 2
    assert "acept" in ran.err


@pytest.mark.parametrize("table", ["whence.toml", "pyproject.toml"])
def test_decisions_in_the_policy_file(whence: Whence, project: Path, table: str) -> None:
    (project / "sea.py").write_text(SEA)
    id = report(whence, "sea.py")["findings"][0]["id"]
    ran = whence("waive", id, "--reason", "same-author", "--owner", "Ada", "--file", table)
    assert ran.code == 0, ran.err
    assert verdicts(report(whence, "sea.py")) == {"sea.py": "ok waived:same-author"}


ACCEPT = "# whence: accept common-idiom\n"


def test_an_accept_in_the_code(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(ACCEPT + SEA)
    (project / "dial.c").write_text(DIAL)
    found = verdicts(report(whence, "sea.py", "dial.c"))
    assert found["sea.py"] == "ok waived:common-idiom"
    assert found["dial.c"].startswith("conflict")
    (project / "whence.toml").write_text('inline-accepts = "off"\n')
    assert verdicts(report(whence, "sea.py"))["sea.py"].startswith("conflict")


def test_an_accept_that_the_change_brings_along_does_not_count_where_only_existing_ones_do(
    whence: Whence, project: Path
) -> None:
    (project / "whence.toml").write_text('inline-accepts = "existing"\n')
    (project / "sea.py").write_text(ACCEPT + SEA)
    found = report(whence, "sea.py")
    assert verdicts(found)["sea.py"].startswith("conflict")
    assert "The accept at line 1 is part of this change" in found["findings"][0]["verdict"]["why"]
    lines = SEA.splitlines()
    context = "".join(f"+{line}\n" for line in lines)
    (project / "d.diff").write_text(
        f"--- a/sea.py\n+++ b/sea.py\n@@ -7,1 +7,{len(lines) + 1} @@\n {ACCEPT}{context}"
    )
    assert verdicts(report(whence, "--diff", "d.diff"))["sea.py"] == "ok waived:common-idiom"


def test_a_wrong_accept_is_told(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text("# whence: accept whatever\n" + SEA)
    found = report(whence, "sea.py")
    assert verdicts(found)["sea.py"].startswith("conflict")
    assert (
        "line 1 does not hold: whatever is not one of the reasons" in found["findings"][0]["verdict"]["why"]
    )


def test_credits_settle_attribution_and_nothing_else(whence: Whence, project: Path) -> None:
    credit = "# Adapted from almanac's grid.py.\n"
    (project / "walk.py").write_text(credit + WALK)
    (project / "sea.py").write_text("# Adapted from almanac's tides.py.\n" + SEA)
    found = report(whence, "walk.py", "sea.py")
    assert verdicts(found)["walk.py"] == "ok credited"
    assert verdicts(found)["sea.py"].startswith("conflict")
    tags = (
        "# SPDX-SnippetBegin\n# SPDX-SnippetCopyrightText: 2019 Ada Example\n"
        "# SPDX-License-Identifier: {}\n{}# SPDX-SnippetEnd\n"
    )
    (project / "walk.py").write_text(tags.format("MIT", WALK))
    assert verdicts(report(whence, "walk.py"))["walk.py"] == "ok credited"
    (project / "walk.py").write_text(tags.format("ISC", WALK))
    other = report(whence, "walk.py")
    assert verdicts(other)["walk.py"].startswith("attribution")
    assert "credited under ISC" in other["findings"][0]["verdict"]["why"]


def test_a_hunk_far_down_a_file_costs_no_more_than_its_lines(whence: Whence, project: Path) -> None:
    lines = "".join(f"+{line}\n" for line in WALK.splitlines())
    (project / "far.diff").write_text(
        f"--- a/w.py\n+++ b/w.py\n@@ -900000000,0 +900000001,{len(WALK.splitlines())} @@\n{lines}"
    )
    found = report(whence, "--diff", "far.diff")
    assert found["findings"][0]["region"]["start_line"] == 900_000_001
    assert verdicts(found)["w.py"].startswith("attribution")


def test_a_series_of_patches_may_change_one_file_twice(whence: Whence, project: Path) -> None:
    (project / "first.diff").write_text(new_file("sea.py", "# whence: accept ours\n" + SEA))
    lines = "".join(f"+{line}\n" for line in WALK.splitlines())
    second = f"--- a/sea.py\n+++ b/sea.py\n@@ -40,0 +41,{len(WALK.splitlines())} @@\n{lines}"
    (project / "series.diff").write_text((project / "first.diff").read_text() + second)
    found = report(whence, "--diff", "series.diff")
    rules = {f["region"]["start_line"]: f["verdict"]["rule"] for f in found["findings"]}
    assert rules == {2: "waived:ours", 41: "permissive"}
    assert whence("check", "--diff", "series.diff", *BSD, "--receipt", "r.json").code == 0
    assert whence("receipt", "verify", "r.json", "--diff", "series.diff").code == 0
    assert whence("receipt", "verify", "r.json", "--diff", "first.diff").code == 1
    assert whence("attribution", "--diff", "series.diff", *BSD, "--form", "patch").code == 0


def test_thresholds_of_the_policy_choose_findings_and_are_told(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    (project / "whence.toml").write_text("thresholds = { min_tokens = 150 }\n")
    found = report(whence, "sea.py", "--leads")
    assert found["findings"] == []
    assert len(found["leads"]) >= 1
    assert any("1 match under the policy's thresholds (min_tokens 150)" in limit for limit in found["limits"])
    for rule in ("min_similarity = 0.5", "max_chance = 0.01", "min_tokens = 100"):
        (project / "whence.toml").write_text(f"thresholds = {{ {rule} }}\n")
        assert len(report(whence, "sea.py")["findings"]) == 1, rule


def test_odd_entries_of_the_policy_are_told(whence: Whence, project: Path) -> None:
    (project / "sea.py").write_text(SEA)
    (project / "whence.toml").write_text('deny = ["GPL 3"]\n')
    found = report(whence, "sea.py")
    assert any("'GPL 3' is not an SPDX expression (GPL-3.0-only?)" in limit for limit in found["limits"])
    ran = whence("policy", "check")
    assert ran.code == 1
    assert "→ GPL-3.0-only" in ran.out


def test_the_base_revision_decides_not_the_change(whence: Whence, project: Path) -> None:
    git(project, "init", "-q", "-b", "main")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\nlicense = "BSD-3-Clause"\n'
    )
    (project / "keep.py").write_text("x = 1\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    (project / "sea.py").write_text(SEA)
    id = report(whence, "sea.py")["findings"][0]["id"]
    # The change waives itself, changes the licence, allows everything and brings an untracked file.
    assert whence("waive", id, "--reason", "ours", "--owner", "Mallory").code == 0
    (project / "whence.toml").write_text('allow = ["category:Copyleft"]\noutbound = "GPL-3.0-or-later"\n')
    git(project, "add", ".")
    git(project, "commit", "-qm", "second\n\nAssisted-by: Sketchpad:1")
    (project / "new.py").write_text("y = 2\n")
    ran = whence("check", "--base", "HEAD~1", "--format", "json")
    found = json.loads(ran.out)
    assert ran.code == 1
    assert found["outbound"] == "BSD-3-Clause"
    assert verdicts(found) == {"sea.py": "conflict copyleft-into-permissive"}
    assert any("does not track were not searched: new.py" in limit for limit in found["limits"])
    # Once merged, decisions count; and --policy wins over the base's file.
    git(project, "checkout", "-q", "HEAD~1", "--", ".")
    (project / "p.toml").write_text('outbound = "GPL-3.0-or-later"\n')
    assert whence("check", "--base", "HEAD~1", "--policy", "p.toml").code == 0
    allowed = whence("check", "sea.py")
    assert "waived:ours" in allowed.out


def test_a_decision_of_the_base_counts_for_a_later_change(whence: Whence, project: Path) -> None:
    git(project, "init", "-q", "-b", "main")
    (project / "sea.py").write_text(SEA)
    id = report(whence, "sea.py")["findings"][0]["id"]
    (project / "sea.py").unlink()
    assert whence("waive", id, "--reason", "ours", "--owner", "Ada").code == 0
    git(project, "add", ".")
    git(project, "commit", "-qm", "decided")
    (project / "sea.py").write_text(SEA)
    git(project, "add", ".")
    ran = whence("check", "--base", "main", *BSD)
    assert ran.code == 0
    assert "main:./.whence/waivers.toml" in ran.out
    missing = whence("check", "--base", "no-such-branch")
    assert missing.code == 2
    assert "fetch it first" in missing.err
