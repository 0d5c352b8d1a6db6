"""Many releases at once: the same segments as one after the other, whatever was killed on the way."""

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from corpus.crew import Options, Pace, ingest_all
from corpus.index.catalog import Catalog
from corpus.ingest import Ingester
from corpus.purl import local_purl
from corpus.sources import SourceSettings
from tests.corpus.sources.registry_server import Registry

SETTINGS = SourceSettings()
PROJECT = Path(__file__).resolve().parents[2]


def module(seed, functions=6):
    """A Python text without any word about licences, another for each seed."""
    return "".join(
        f"def walk_{seed}_{n}(cells, radius):\n"
        f"    total = {seed * 31 + n * 7 + 11}\n"
        f"    for ring in range({n + 2}, radius + {seed + 3}):\n"
        f"        total += cells[ring % {n + seed + 5}] * {seed + 2}.{n}5\n"
        f"        if total > {seed * n + 1000}:\n"
        f"            total -= ring ** {n % 4 + 2}\n"
        f"    return total\n\n\n"
        for n in range(functions)
    )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Twelve releases as folders; some of their files are equal."""
    root = tmp_path_factory.mktemp("trees")
    made = []
    for seed in range(12):
        folder = root / f"tree{seed}"
        folder.mkdir()
        for part in range(4):
            (folder / f"part{part}.py").write_text(module(seed * 4 + part))
        (folder / "shared.py").write_text(module(999))
        made.append(folder)
    return made


@pytest.fixture(scope="module")
def alone(folders, tmp_path_factory):
    """purl → segment, as one process makes them, one release after the other."""
    catalog = Catalog(tmp_path_factory.mktemp("alone"))
    with Ingester(catalog, processes=1, settings=SETTINGS) as ingester:
        for folder in folders:
            assert ingester.ingest(local_purl(folder)).status == "indexed"
    return {purl: entry.segment for purl, entry in catalog.entries().items()}


def segments(catalog):
    return {purl: entry.segment for purl, entry in catalog.entries().items()}


def test_a_crew_makes_the_same_segments(folders, alone, tmp_path):
    catalog = Catalog(tmp_path)
    wanted = [(local_purl(folder), False) for folder in folders]
    paces: list[tuple[int, int, int]] = []
    steps: set[str] = set()

    def report(pace: Pace) -> None:
        paces.append((pace.done, pace.done_bytes, pace.known_bytes))

    outcomes = list(
        ingest_all(catalog, [*wanted, ("pkg:generic/no@1?download_url=file:///absent", False)],
                   Options(2, SETTINGS), lambda purl, step, done, total: steps.add(step), report)
    )  # fmt: skip
    assert sorted(o.status for o in outcomes) == ["failed"] + ["indexed"] * 12
    assert segments(catalog) == alone
    assert [done for done, _, _ in paces] == list(range(1, 14))
    assert {"unpack", "licences", "write"} <= steps
    again = list(ingest_all(catalog, wanted, Options(2, SETTINGS)))
    assert {o.status for o in again} == {"unchanged"}
    assert not list(tmp_path.glob(".spool-*"))


def test_a_worker_that_is_killed_fails_its_release_only(folders, alone, tmp_path):
    catalog = Catalog(tmp_path)
    killed: list[str] = []

    def progress(purl: str, step: str, done: int, total: int | None) -> None:
        if step == "sketch" and not killed:
            killed.append(purl)
            for child in multiprocessing.active_children():
                child.kill()

    wanted = [(local_purl(folder), False) for folder in folders]
    outcomes = {o.purl: o for o in ingest_all(catalog, wanted, Options(1, SETTINGS), progress)}
    assert outcomes[killed[0]].status == "failed"
    assert "its process ended" in outcomes[killed[0]].message
    assert [o.status for o in outcomes.values()].count("indexed") == 11
    assert [o.status for o in ingest_all(catalog, wanted, Options(1, SETTINGS))].count("indexed") == 1
    assert segments(catalog) == alone


def test_an_error_that_nobody_foresaw_fails_its_release_only(folders, alone, tmp_path):
    catalog = Catalog(tmp_path)
    wanted = [(local_purl(folder), False) for folder in folders]

    def progress(purl: str, step: str, done: int, total: int | None) -> None:
        for position, at in ((3, "fetch"), (5, "licences")):
            if purl == wanted[position][0] and step.startswith(at):
                raise LookupError(f"no room for {at}")

    outcomes = {o.purl: o for o in ingest_all(catalog, wanted, Options(2, SETTINGS), progress)}
    failed = {purl for purl, outcome in outcomes.items() if outcome.status == "failed"}
    assert wanted[5][0] in failed
    assert outcomes[wanted[5][0]].message == "LookupError: no room for licences"
    assert failed <= {wanted[3][0], wanted[5][0]}
    assert segments(catalog) == {purl: name for purl, name in alone.items() if purl not in failed}


RUN = """
import sys
from pathlib import Path
from corpus.crew import Options, ingest_all
from corpus.index.catalog import Catalog
from corpus.purl import local_purl
from corpus.sources import SourceSettings
wanted = [(local_purl(Path(p)), False) for p in sys.argv[2:]]
for outcome in ingest_all(Catalog(Path(sys.argv[1])), wanted, Options(2, SourceSettings())):
    print(outcome.status, flush=True)
"""


def members(group):
    """Processes of a process group that still run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(after_name[2]) == group and after_name[0] != "Z":
                found.append(int(folder.name))
    return found


def test_a_run_that_was_killed_goes_on(folders, alone, tmp_path):
    catalog = Catalog(tmp_path)
    command = [sys.executable, "-c", RUN, str(tmp_path), *map(str, folders)]
    first = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "indexed\n"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 60
    while members(first.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(first.pid) == [], "workers outlive the run that they work for"
    done = segments(catalog)
    assert done.items() <= alone.items()
    second = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert second.stdout.split().count("unchanged") == len(done) >= 1
    assert second.stdout.split().count("indexed") == 12 - len(done)
    assert segments(catalog) == alone


def test_of_a_release_that_is_gone_the_newest_is_taken(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        text = module(5).encode()
        member = tarfile.TarInfo("reef-2.0/reef.py")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    registry = Registry()
    try:
        registry.add_pypi("reef", {"reef-2.0.tar.gz": packed.getvalue()})
        settings = SourceSettings((), (f"{registry.url}/simple",), backoff=0.01)
        catalog = Catalog(tmp_path)
        wanted = [("pkg:pypi/reef@1.0", False), ("pkg:pypi/absent@1.0", False)]
        outcomes = {o.purl: o for o in ingest_all(catalog, wanted, Options(1, settings))}
        assert outcomes["pkg:pypi/reef@2.0"].status == "indexed"
        assert "in place of pkg:pypi/reef@1.0" in outcomes["pkg:pypi/reef@2.0"].message
        assert outcomes["pkg:pypi/absent@1.0"].status == "failed"
        assert list(catalog.entries()) == ["pkg:pypi/reef@2.0"]
        again = list(ingest_all(catalog, wanted[:1], Options(1, settings)))
        assert [(o.purl, o.status) for o in again] == [("pkg:pypi/reef@2.0", "unchanged")]
    finally:
        registry.close()


def test_the_estimate_weighs_releases_by_their_bytes(monkeypatch):
    monkeypatch.setattr("corpus.crew.time.monotonic", lambda: 100.0)
    pace = Pace(10, begun=0.0)
    assert pace.left() is None
    pace.done, pace.done_bytes, pace.known, pace.known_bytes = 1, 50, 5, 100
    # half of what is known took 100 s; five more releases of the mean size, 20, are still unknown
    assert pace.left() == pytest.approx(100 * (50 + 5 * 20) / 50)
