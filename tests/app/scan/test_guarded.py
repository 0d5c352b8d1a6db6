"""Many files of one change: sketched several at a time, and as if each were alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.scan import guarded
from app.scan.diff import read_diff
from app.scan.pipeline import Scanner, scan
from app.services.submission import Submission, _pack
from corpus.index.catalog import Catalog
from corpus.sandbox import Limits, Pool
from tests.service.poison import MARKED_FILE
from tests.small_corpus import sample, sample_corpus

CODE = sample("lattice/src/simplex.c").decode().splitlines()[:60]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return sample_corpus(tmp_path_factory.mktemp("guarded") / "data")


@pytest.fixture(scope="module")
def children() -> Iterator[Pool]:
    with Pool(1, Limits(memory=512 << 20, seconds=20.0), ("app.scan.child", "tests.service.poison")) as pool:
        yield pool


def change(*paths: str) -> bytes:
    head = f"@@ -0,0 +1,{len(CODE)} @@\n"
    added = "".join(f"+{line}\n" for line in CODE)
    return "".join(f"--- /dev/null\n+++ b/{path}\n{head}{added}" for path in paths).encode()


def searched(diff: bytes, catalog: Catalog, children: Pool, policy: str = "") -> guarded.Searched:
    body = _pack(Submission(diff=diff), 0, "").body
    control = guarded.Control(time.monotonic() + 60)
    return guarded.run(body, "diff", policy, "", catalog.open(), children, control)


def test_files_in_batches_give_what_each_alone_gives(
    catalog: Catalog, children: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    run = children.run
    monkeypatch.setattr(children, "run", lambda name, *a, **k: (asked.append(name), run(name, *a, **k))[1])
    monkeypatch.setattr(guarded._Sketches, "FILES", 4)
    diff = change("a.c", "notes.txt", "out/b.c", "c.c", "d.c", "e.c", "f.c", "g.c", "h.c")
    policy = 'exclude = ["out/"]\n'
    found = searched(diff, catalog, children, policy).report
    scanner = Scanner(
        catalog.open(), guarded.read_policy(policy, ""), excluded=lambda path: path == "out/b.c"
    )
    plain = scan(read_diff(diff), scanner, leads=True)
    assert found == plain
    assert len(found.findings) == 7
    assert [name.partition(":")[2] for name in asked if "quer" in name] == ["queries", "queries", "query"]


def test_a_file_that_kills_its_child_is_the_only_one_left_out(
    catalog: Catalog, children: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarded, "CHILD", "tests.service.poison")
    report = searched(change("a.c", MARKED_FILE, "b.c"), catalog, children).report
    assert report.status == "partial"
    assert [skip.path for skip in report.skipped] == [MARKED_FILE]
    assert [finding.region.path for finding in report.findings] == ["a.c", "b.c"]
