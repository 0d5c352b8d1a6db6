"""What one tenant hands in is seen by nobody else, and is gone when it should be (C25, C26)."""

from __future__ import annotations

import re
import secrets
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.test_access import routes
from tests.figures import Figure
from tests.reliability.cluster import DIFF, Cluster

WAIT = {"Prefer": "wait=25"}
CANARIES = 300


def addressed(template: str, **known: str) -> str:
    """A path of the API: with these names, and for others with one of nothing that exists."""
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], nothing(found[1])), template)


def nothing(name: str) -> str:
    """What stands for an object that does not exist, as that name of a path has it."""
    if name == "suffix":
        return "json"
    kind = "hook" if name == "webhook_id" else name.removesuffix("_id")
    return f"{kind}_{'0' * 26}" if name.endswith("_id") else "absent"


def quoting(canaries: list[str]) -> bytes:
    """A change full of canaries: as names, texts, comments and in its path."""
    lines = [f"+{name} = '{name}' # {name}" for name in canaries]
    head = f"--- /dev/null\n+++ b/{canaries[0]}/mine.py\n@@ -0,0 +1,{len(lines)} @@\n"
    return (head + "\n".join(lines) + "\n").encode()


def readable(folder: Path, since: float) -> Iterator[bytes]:
    """Files below a folder that were written since then."""
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime >= since:
                yield path.read_bytes()
        except (FileNotFoundError, PermissionError):
            continue


@pytest.mark.check("C25")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["embedded", "production"])
def test_canaries_stay_where_they_are(
    cluster: Callable[..., Cluster], corpus: Path, tmp_path: Path, kind: str, figure: Figure
) -> None:
    begun = time.time()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    one = cluster(kind, tmpdir=str(scratch))
    canaries = [f"canary{uuid.uuid4().hex}" for _ in range(CANARIES)]
    places: dict[str, bytes] = {}
    with one.client("ada") as ada, one.client("brin") as brin, one.client(None) as anybody:
        scans = []
        for at in range(0, CANARIES, 20):
            answer = ada.post("/v1/scans", content=quoting(canaries[at : at + 20]), headers=DIFF | WAIT)
            assert answer.json()["state"] == "done", answer.text
            scans.append(answer.json()["id"])
        broken = ada.post("/v1/scans", content=f"@@ {canaries[0]}".encode(), headers=DIFF | WAIT)
        places["an error"] = broken.content
        assert packed_pieces(one, scans[0])  # it is kept
        if one.redis is not None:
            client = one.redis.client()
            places["redis"] = b"".join(repr(client.dump(key)).encode() + key for key in client.scan_iter())
        answers = []
        for method, template, _ in routes():
            if method != "GET" or template.endswith("/events"):
                continue
            for scan in scans[:3]:
                params = {"purl": "pkg:generic/kernels@1.0"} if template.endswith("/release") else {}
                path = addressed(template, scan_id=scan)
                answers += [client.get(path, params=params).content for client in (brin, anybody)]
        places["another tenant's answers"] = b"".join(answers)
        places["metrics"] = brin.get("/metrics").content
        places["an error page"] = brin.get(f"/v1/{canaries[1]}").content
    places["logs"] = one.logs().encode()
    places["the corpus"] = b"".join(readable(corpus, begun))
    places["temporary files"] = b"".join(readable(scratch, begun))
    places["the machine's temporary folder"] = b"".join(
        path.read_bytes()
        for path in Path(tempfile.gettempdir()).glob("*")
        if path.is_file() and path.stat().st_mtime >= begun and path.stat().st_size < 1 << 24
    )
    found = {place for place, text in places.items() for name in canaries if name.encode() in text}
    assert found == set()
    note = f"{CANARIES} canaries, {len(places)} places: {', '.join(places)}"
    figure("C25", "canaries outside their tenant's payload", len(found), exactly=0, note=note)


def packed_pieces(one: Cluster, scan: str) -> bytes:
    """Forty bytes from the middle of the stored text: they stand nowhere else."""
    as_hex = "encode(body, 'hex')" if one.postgres is not None else "hex(body)"
    ((text,),) = one.rows(f"SELECT {as_hex} FROM payloads WHERE scan_id = '{scan}'")
    raw = bytes.fromhex(text)
    return raw[len(raw) // 2 : len(raw) // 2 + 40]


@pytest.mark.check("C26")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["embedded", "production"])
def test_erased_text_is_gone_from_the_files(
    cluster: Callable[..., Cluster], kind: str, figure: Figure
) -> None:
    """DELETE and expiry: no byte of the text in the database's files a minute later."""
    one = cluster(kind)
    for way in ("DELETE", "expiry"):
        noise = "\n".join(f"+x = '{secrets.token_hex(40)}'" for _ in range(200))
        diff = f"--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,200 @@\n{noise}\n".encode()
        with one.client() as ada:
            scan = ada.post("/v1/scans", content=diff, headers=DIFF | WAIT).json()
            assert scan["state"] == "done"
            piece = packed_pieces(one, scan["id"])
            assert piece in stored(one) or one.postgres is not None  # PostgreSQL may hold it in memory yet
            begun = time.monotonic()
            if way == "DELETE":
                assert ada.delete(scan["links"]["self"]).status_code == 204
            else:
                one.rows(f"UPDATE payloads SET expires_at = 1 WHERE scan_id = '{scan['id']}'")
            while still_there(one, scan["id"], piece):
                assert time.monotonic() - begun < 100, "the text is still there"
                time.sleep(0.5)
        figure("C26", f"text gone after {way}", time.monotonic() - begun, at_most=60, unit="s")


def still_there(one: Cluster, scan: str, piece: bytes) -> bool:
    if one.rows(f"SELECT scan_id FROM payloads WHERE scan_id = '{scan}'"):
        return True
    return one.postgres is None and piece in stored(one)


def stored(one: Cluster) -> bytes:
    """SQLite's files; PostgreSQL's rows are taken out by its vacuum, which the chores call."""
    if one.postgres is not None:
        return b""
    return b"".join(path.read_bytes() for path in one.database.parent.glob(f"{one.database.name}*"))
