"""From local sources to a report, by the command alone: index, check changes, remove."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import jsonschema
import pytest

import app.report
from tests.small_corpus import SAMPLES, renamed

FORMATS = ("text", "json", "markdown", "sarif", "gitlab", "rdjson", "github", "spdx", "cyclonedx", "junit")
QUICK = ("text", "sarif", "junit")
PROJECT = Path(__file__).resolve().parents[2]
SIMPLEX = (SAMPLES / "lattice/src/simplex.c").read_bytes()
COMMAND = [
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from app.cli.main import run; run()",
]


def environment(home):
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR")}
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "a@example.org"}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def whence(home):
    def call(*arguments, stdin=b"", cwd=home):
        return subprocess.run(
            [*COMMAND, *map(str, arguments)], input=stdin, capture_output=True, cwd=cwd, timeout=200,
            check=False, env={**environment(home), "WHENCE_DATA_DIR": str(home / "data")},
        )  # fmt: skip

    return call


@pytest.fixture(scope="module")
def added(home, whence):
    """`corpus add` of a folder, a tar archive and a path that turns out to be no archive."""
    shutil.copytree(SAMPLES / "lattice", home / "lattice")
    with tarfile.open(home / "meadow-2.0.tar.gz", "w:gz") as archive:
        archive.add(SAMPLES / "meadow", arcname="meadow-2.0")
    whole = (home / "meadow-2.0.tar.gz").read_bytes()
    (home / "cut.tar.gz").write_bytes(whole[: len(whole) * 2 // 3])
    (home / "broken.tar.gz").write_bytes(b"\x1f\x8b this is no archive")
    (home / "notes.txt").write_text("no archive either\n")
    archives = ("meadow-2.0.tar.gz", "cut.tar.gz", "broken.tar.gz", "notes.txt")
    return whence("corpus", "add", "lattice", *archives, "-j", "1")


def report(ran):
    data = json.loads(ran.stdout)
    schema = json.loads((Path(app.report.__file__).parent / "schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data)
    return data


def test_what_can_be_indexed_is_and_the_rest_is_named(added, whence):
    assert added.returncode == 2
    last = added.stderr.decode().strip().splitlines()[-1]
    assert "3 of 5 releases are indexed, 1 of them without a part" in last
    assert "broken.tar.gz" in last
    assert "notes.txt" in last
    said = added.stderr.decode()
    assert "cut.tar.gz (truncated archive)" in said
    assert "broken.tar.gz (damaged compression)" in said
    assert "notes.txt is not an archive" in said
    rows = json.loads(whence("corpus", "list", "-f", "json").stdout)
    by_name = {row["purl"].split("/")[1].split("@")[0]: row for row in rows}
    assert set(by_name) == {"lattice", "meadow-2.0.tar.gz", "cut.tar.gz"}
    assert by_name["lattice"]["licenses"] == {"GPL-3.0-or-later": 11}
    assert by_name["meadow-2.0.tar.gz"]["licenses"] == {"MIT": 2}
    assert any(
        "cut.tar.gz" in part
        for part in json.loads(whence("corpus", "status", "-f", "json").stdout)["missing"]
    )


def test_a_second_add_changes_nothing(added, whence):
    before = json.loads(whence("corpus", "status", "-f", "json").stdout)
    again = whence("corpus", "add", "lattice")
    assert again.returncode == 0
    assert b"unchanged" in again.stderr
    after = json.loads(whence("corpus", "status", "-f", "json").stdout)
    assert after == before


@pytest.fixture(scope="module")
def work(home, added):
    """A git work tree whose last, uncommitted change brings a renamed copy."""
    tree = home / "work"
    tree.mkdir()

    def git(*arguments):
        subprocess.run(["git", *arguments], cwd=tree, check=True, capture_output=True, env=environment(home))

    git("init", "-q", "-b", "main")
    (tree / "main.c").write_text("int main(void)\n{\n    return 0;\n}\n")
    git("add", ".")
    git("commit", "-qm", "start")
    for setting in (("diff.noprefix", "true"), ("color.diff", "always"), ("diff.mnemonicPrefix", "true")):
        git("config", *setting)
    (tree / "main.c").write_bytes((tree / "main.c").read_bytes() + b"\n" + renamed(SIMPLEX))
    return tree


def test_the_change_of_a_work_tree_is_searched(work, whence):
    ran = whence("check", "--base", "HEAD", "--outbound", "BSD-3-Clause", "-f", "json", cwd=work)
    assert ran.returncode == 1, ran.stderr
    found = report(ran)
    (finding,) = found["findings"]
    assert finding["evidence"]["kind"] == "renamed"
    assert finding["origin"]["path"] == "src/simplex.c"
    assert finding["license"]["expression"] == "GPL-3.0-or-later"
    assert finding["license"]["established_by"] in ("header", "spdx-tag")
    assert finding["region"]["start_line"] > 5
    assert finding["verdict"]["status"] == "conflict"
    wrong = whence("check", "--base", "no-such-revision", cwd=work)
    assert wrong.returncode == 2
    assert b"no-such-revision" in wrong.stderr


@pytest.fixture(scope="module")
def diff(work, home):
    plain = ("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "color.diff=never")
    done = subprocess.run(
        ["git", *plain, "diff"], cwd=work, check=True, capture_output=True, env=environment(home)
    )
    return done.stdout


@pytest.mark.parametrize(
    "format", [pytest.param(f, marks=() if f in QUICK else pytest.mark.slow) for f in FORMATS]
)
def test_every_format_names_the_origin(whence, diff, format):
    ran = whence("check", "--diff", "-", "--outbound", "BSD-3-Clause", "-f", format, stdin=diff)
    assert ran.returncode == 1, ran.stderr
    assert b"lattice" in ran.stdout
    assert b"GPL-3.0-or-later" in ran.stdout
    if format in ("json", "sarif", "gitlab", "rdjson", "spdx", "cyclonedx"):
        json.loads(ran.stdout)


def test_a_report_goes_to_a_file(whence, diff, home):
    (home / "change.diff").write_bytes(diff)
    ran = whence("check", "--diff", "change.diff", "-o", "out.json", "-f", "json", "--exit-zero")
    assert (ran.returncode, ran.stdout) == (0, b"")
    assert json.loads((home / "out.json").read_text())["findings"]
    into_a_folder = whence("check", "--diff", "change.diff", "-o", "data")
    assert into_a_folder.returncode == 2
    assert b"Traceback" not in into_a_folder.stderr


def test_text_shows_the_lines_of_both_sides(whence, diff):
    out = whence("check", "--diff", "-", stdin=diff).stdout.decode()
    assert "pivot" in out
    assert "src/simplex.c" in out


def test_removing_the_release_removes_its_findings(whence, diff, home):
    rows = json.loads(whence("corpus", "list", "-f", "json").stdout)
    purl = next(row["purl"] for row in rows if "/lattice@" in row["purl"])
    assert whence("corpus", "remove", purl).returncode == 0
    ran = whence("check", "--diff", "-", "-f", "json", "--leads", stdin=diff)
    assert ran.returncode == 0
    said = report(ran)
    assert "lattice" not in json.dumps(said["findings"] + said["leads"])
    assert any("cut.tar.gz (truncated archive)" in limit for limit in said["limits"])
    assert whence("doctor").returncode == 0


def test_what_an_older_version_indexed_is_read_anew(home, whence, added):
    older = home / "older"
    assert whence("corpus", "add", "lattice", "--data", older, "-j", "1").returncode == 0
    (generation,) = (older / "segments").iterdir()
    generation.rename(older / "segments" / "older")
    catalog = older / "catalog.json"
    catalog.write_text(catalog.read_text().replace(f"{generation.name}/", "older/"))
    again = whence("corpus", "add", "--data", older, "-j", "1")
    assert again.returncode == 0, again.stderr
    assert b"1 of 1 releases are indexed" in again.stdout
    assert generation.name in catalog.read_text()
    renewed = catalog.read_text()
    assert whence("corpus", "add", "--data", older, "-j", "1").returncode == 0
    assert catalog.read_text() == renewed


def test_without_releases_it_says_what_to_name(home, whence):
    ran = whence("corpus", "add", "--data", home / "none")
    assert ran.returncode == 2
    assert b"--manifest" in ran.stderr
