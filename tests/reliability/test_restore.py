"""Snapshots are lost; the whole installation is restored from a backup that was taken under load (C40)."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from corpus.index.catalog import Catalog
from tests.api.service import WHENCE
from tests.figures import Figure
from tests.reliability.cluster import Cluster, Posting
from tests.small_corpus import sample_corpus

KEPT = ("segments", "catalog.json")
"""What docs/operations.md says cannot be made again, beside the database."""


@pytest.mark.check("C40")
@pytest.mark.timeout(900)
def test_snapshots_are_rebuilt_from_the_segments(tmp_path: Path, figure: Figure) -> None:
    catalog = sample_corpus(tmp_path)
    before = catalog.current()
    manifest = json.loads((catalog.snapshots_root / str(before) / "MANIFEST.json").read_text())
    shutil.rmtree(catalog.snapshots_root)
    for name in ("CURRENT", "PREVIOUS"):
        (catalog.data / name).unlink(missing_ok=True)
    begun, used = time.monotonic(), time.process_time()
    after = catalog.build()
    seconds, used = time.monotonic() - begun, time.process_time() - used
    figure("C40", "snapshots with another content after a rebuild", after != before, exactly=0)
    prints = sum(table["entries"] for name, table in manifest["tables"].items() if name != "words")
    figure("C40", "rebuilt, of processor time", prints / used, at_least=10_000, unit="fingerprints/s",
           note=f"{prints:,} in {seconds:.1f} s")  # fmt: skip


def backed_up(one: Cluster, folder: Path) -> None:
    """As docs/operations.md tells it, while clients post."""
    folder.mkdir()
    data = one.settings.data_dir
    subprocess.run(["tar", "-C", str(data), "-cf", str(folder / "corpus.tar"), *KEPT], check=True)
    if one.postgres is None:
        with (
            closing(sqlite3.connect(one.database)) as live,
            closing(sqlite3.connect(folder / "whence.db")) as copy,
        ):
            live.backup(copy)
        return
    name = one.settings.database_url.get_secret_value().rpartition("/")[2]
    pg = [str(one.postgres.bin / "pg_dump"), "-h", "127.0.0.1", "-p", str(one.postgres.port), "-U", "admin"]
    subprocess.run([*pg, "-Fc", "-f", str(folder / "whence.dump"), name], check=True, cwd="/")


def restored(one: Cluster, folder: Path, target: Path) -> Path:
    """A data folder and a database made of the backup alone; the cluster's next start takes them."""
    target.mkdir()
    subprocess.run(["tar", "-C", str(target), "-xf", str(folder / "corpus.tar")], check=True)
    subprocess.run([*WHENCE, "corpus", "build", "--data", str(target)], check=True, capture_output=True)
    if one.postgres is None:
        shutil.copy(folder / "whence.db", target / "whence.db")
        url = f"sqlite+aiosqlite:///{target / 'whence.db'}"
    else:
        url = one.postgres.database()
        pg = [str(one.postgres.bin / "pg_restore"), "-h", "127.0.0.1", "-p", str(one.postgres.port)]
        role = ["-U", "admin", "--no-owner", "--role", "whence", "-d", url.rpartition("/")[2]]
        subprocess.run([*pg, *role, str(folder / "whence.dump")], check=True, cwd="/")
    one.more |= {"WHENCE_DATA_DIR": str(target), "WHENCE_DATABASE_URL": url}
    one.settings = type(one.settings)(data_dir=target, database_url=url)  # type: ignore[arg-type]
    return target


@pytest.mark.check("C40")
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["embedded", "production"])
def test_a_backup_under_load_is_restored(
    cluster: Callable[..., Cluster], tmp_path: Path, kind: str, figure: Figure
) -> None:
    one = cluster(kind)
    before = Catalog(one.settings.data_dir).current()
    with Posting(one, threads=2, pause=0.05) as posting:
        time.sleep(5)
        promised = list(posting.accepted)
        backed_up(one, tmp_path / "backup")
        time.sleep(1)
    assert len(promised) > 5
    for name in list(one.processes):
        one.stop(name)
    begun = time.monotonic()
    data = restored(one, tmp_path / "backup", tmp_path / "restored")
    for name in one.kinds:
        one.start(name)
    one.ready()
    seconds = time.monotonic() - begun
    lost, _ = one.finished(promised, 120)
    doctor = subprocess.run([*WHENCE, "doctor", "--data", str(data)], capture_output=True, check=False)
    note = f"{len(promised)} accepted before the backup"
    figure("C40", "scans that the backup lost", len(lost), exactly=0, note=note)
    figure("C40", "restored and ready after", seconds, at_most=900, unit="s")
    figure("C40", "snapshots with another content", Catalog(data).current() != before, exactly=0)
    figure("C40", "status of whence doctor", doctor.returncode, exactly=0)
