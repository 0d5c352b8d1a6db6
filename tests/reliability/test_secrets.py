"""Nothing private in logs, nothing injected, no key guessed, no neighbour slowed (C27, C32, C33, C34)."""

from __future__ import annotations

import ast
import json
import random
import re
import string
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from app.db import keys
from app.settings import Settings
from tests.api.service import ROOT, Service, copied, diff_of, serving
from tests.api.test_access import body_of, routes
from tests.figures import Figure
from tests.reliability.cluster import DIFF, Cluster, quantile
from tests.reliability.test_isolation import addressed

REQUESTS = 5000
SHIPPED = ("app", "workers", "corpus")


def leaking(canaries: Iterator[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """One round of requests that carry canaries where logs could pick them up; many of them are errors."""
    evil = f"{next(canaries)}\n\x1b[31m{next(canaries)}"
    named = {"X-Evil": next(canaries), "User-Agent": next(canaries)}
    bearer = {"Authorization": f"Bearer whence_{next(canaries)}"}
    return [
        ("POST", "/v1/scans", {"content": diff_of(f"x = '{next(canaries)}'\n", "a.py"), "headers": DIFF}),
        ("POST", "/v1/scans", {"content": f"no diff {next(canaries)}".encode(), "headers": DIFF}),
        ("POST", "/v1/scans", {"json": {next(canaries): next(canaries)}}),
        ("POST", "/v1/scans", {"content": copied(), "headers": DIFF, "params": {"label": evil}}),
        ("POST", "/v1/compare", {"json": {"left": {"path": evil, "text": evil}, "right": {"text": "b"}}}),
        ("GET", f"/v1/{next(canaries)}", {"params": {"q": next(canaries)}, "headers": named}),
        ("GET", "/v1/scans", {"headers": bearer}),
        ("GET", "/v1/scans", {"params": {"cursor": next(canaries), "state": evil}}),
        ("PUT", f"/v1/policies/{next(canaries)}", {"json": {"text": f"outbound = {next(canaries)}"}}),
        ("POST", "/v1/webhooks", {"json": {"url": f"https://u:{next(canaries)}@x.example/{next(canaries)}"}}),
        ("POST", "/v1/tokens", {"json": {"identity_token": f"a.{next(canaries)}.c"}}),
        ("GET", "/v1/corpus/release", {"params": {"purl": f"pkg:pypi/x@{next(canaries)}"}}),
        ("DELETE", f"/v1/scans/{next(canaries)}", {}),
        ("POST", "/v1/keys", {"json": {"name": evil, "scopes": [next(canaries)]}}),
    ]


@pytest.mark.check("C32")
@pytest.mark.long
@pytest.mark.timeout(900)
def test_logs_hold_no_secret(cluster: Callable[..., Cluster], figure: Figure) -> None:
    one = cluster("production")
    made: list[str] = []

    def fresh() -> Iterator[str]:
        while True:
            made.append(f"canary{uuid.uuid4().hex}")
            yield made[-1]

    with one.client() as ada, ThreadPoolExecutor(4) as pool:

        def send(request: tuple[str, str, dict[str, Any]]) -> int:
            method, path, more = request
            return ada.request(method, path, **more).status_code

        statuses: list[int] = []
        while len(statuses) < REQUESTS:
            batch = [each for _ in range(40) for each in leaking(fresh())]
            statuses += list(pool.map(send, batch))
    assert one.postgres is not None
    one.postgres.stop()  # errors of the database, too
    with one.client() as ada:
        for method, path, more in leaking(fresh()):
            ada.request(method, path, **more)
    one.postgres.start()
    time.sleep(1)
    logs = one.logs()
    words = set(re.findall(r"canary[0-9a-f]{32}", logs)) & set(made)
    secrets = [*one.secrets.values(), one.settings.database_url.get_secret_value()]
    lines = (one.folder / "api.log").read_text("utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("Whence serves")]  # on standard output
    broken = [line for line in lines if not isinstance(_json(line), dict)]
    note = f"{len(statuses):,} requests, {len(made):,} canaries, {sum(s >= 400 for s in statuses):,} errors"
    figure("C32", "canaries in logs", len(words), exactly=0, note=note)
    figure("C32", "keys and addresses of the database in logs", sum(s in logs for s in secrets), exactly=0)
    figure("C32", "log lines that are no JSON object", len(broken), exactly=0, note=f"of {len(lines):,}")
    figure("C32", "answers 500 and above", sum(s >= 500 for s in statuses), exactly=0)


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def injections() -> list[str]:
    """200 texts that would mean something inside a statement."""
    quotes = ["'", '"', "`", "')", "';", '"))', "\\'", "''"]
    tails = [
        " OR 1=1 --", " OR 'a'='a", "; DROP TABLE scans; --", " UNION SELECT sha256 FROM api_keys --",
        "; SELECT pg_sleep(9) --", " AND 1=CAST((SELECT tenant FROM scans) AS int) --", "/**/OR/**/1=1#",
        "||(SELECT secret FROM webhooks)||'", "; UPDATE scans SET tenant='brin' --", " LIKE '%",
        "; ATTACH DATABASE '/tmp/x' AS x --", "); DELETE FROM audit; --", " IN (SELECT 1)",
        "; COPY x TO '/tmp/x' --",
        " ORDER BY 99 --", " AND sleep(9)", " HAVING 1=1 --", "; PRAGMA writable_schema=1 --", " RETURNING *",
        "%00",
        " LIMIT 1 OFFSET 1 --", "; SET ROLE admin --", " AND randomblob(900000000)", ":param", "$1",
    ]  # fmt: skip
    return [quote + tail for quote in quotes for tail in tails]


def string_places() -> Iterator[tuple[str, str, Callable[[str], dict[str, Any]]]]:
    """Method, path and how a text is put into each string parameter of query, path and body."""
    for method, path, what in routes():
        if path.endswith("/events") or path in ("/healthz", "/readyz", "/metrics"):
            continue
        if path.startswith("/v1/corpus") and method != "GET":
            continue  # an example of theirs would fetch real releases
        plain = addressed(path)
        body = body_of(what)
        more = {"json": body} if body is not None else {}
        for parameter in what.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "query":
                yield method, plain, lambda text, name=name, more=more: {"params": {name: text}, **more}
            elif parameter["in"] == "header":
                yield method, plain, lambda text, name=name, more=more: {"headers": {name: text}, **more}
        for name in re.findall(r"\{(\w+)\}", path):
            yield method, path, lambda text, name=name, more=more: {"path": {name: text}, **more}
        for name in (key for key, value in (body or {}).items() if isinstance(value, str)):
            yield method, plain, lambda text, name=name, body=body: {"json": body | {name: text}}


@pytest.mark.check("C33")
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["embedded", "production"])
def test_injections_have_no_effect(cluster: Callable[..., Cluster], kind: str, figure: Figure) -> None:
    one, texts = cluster(kind), injections()
    places = list(string_places())
    rng = random.Random(33)
    with one.client() as ada, ThreadPoolExecutor(4) as pool:
        scan = ada.post("/v1/scans", content=copied("mine"), headers=DIFF | {"Prefer": "wait=25"}).json()
        keys_before = one.rows("SELECT id, sha256 FROM api_keys ORDER BY id")

        def send(job: tuple[tuple[str, str, Any], str]) -> int:
            (method, path, fill), text = job
            more = fill(text)
            if "path" in more:
                names = more.pop("path")
                path = addressed(path, **{name: quote(value, safe="") for name, value in names.items()})
            if "headers" in more:
                more["headers"] = {
                    n: v.encode("ascii", "replace").decode() for n, v in more["headers"].items()
                }
            return ada.request(method, path, **more).status_code

        jobs = [
            (place, text) for place in places for text in rng.sample(texts, 40 if kind == "embedded" else 12)
        ]
        jobs += [(rng.choice(places), text) for text in texts]
        statuses = list(pool.map(send, jobs))
        after = ada.get(scan["links"]["self"]).json()
    made = [row for row in one.rows("SELECT id, sha256 FROM api_keys ORDER BY id") if row in keys_before]
    note = f"{len(texts)} texts, {len(places)} parameters, {len(jobs):,} requests"
    figure("C33", "answers 500 and above", sum(s >= 500 for s in statuses), exactly=0, note=note)
    figure("C33", "texts", len(texts), at_least=200)
    changed = int(after != scan) + int(made != keys_before)
    changed += int(one.rows(f"SELECT tenant FROM scans WHERE id = '{scan['id']}'") != [["ada"]])
    figure("C33", "effects on rows that were there", changed, exactly=0)


def string_built(tree: ast.Module) -> Iterator[int]:
    """Lines where a statement is put together from texts, in text(), execute() and their like."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        built = node.args[0]
        is_format = isinstance(built, ast.Call) and getattr(built.func, "attr", "") in ("format", "join")
        if name in ("text", "execute", "exec_driver_sql", "executescript", "scalar", "scalars") and (
            isinstance(built, ast.JoinedStr | ast.BinOp) or is_format
        ):
            yield node.lineno


BUILT_FROM_CONSTANTS = {
    "app/db/engine.py": "PRAGMA",
    "app/db/migrations": "names of tables",
    "app/lookup/nodes.py": "names of schemas, of ids that are checked",
}
"""Where a statement is put together from constants of ours, and of what."""


@pytest.mark.check("C33")
def test_no_statement_is_built_from_texts(figure: Figure) -> None:
    found = []
    for package in SHIPPED:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not any(place.startswith(known) for known in BUILT_FROM_CONSTANTS):
                found += [f"{place}:{line}" for line in string_built(ast.parse(path.read_text("utf-8")))]
    assert found == []
    figure("C33", "statements that are built from texts", len(found), exactly=0)
    assert list(string_built(ast.parse("session.execute(text(f'SELECT {x}'))")))


@pytest.mark.check("C27")
def test_a_hundred_thousand_wrong_keys(embedded: Service, figure: Figure) -> None:
    """By form and checksum all of them; over HTTP those that look right."""
    rng, good, accepted, looks = random.Random(27), embedded.key("ada"), 0, []
    letters = string.ascii_letters + string.digits
    for number in range(100_000):
        text = list(good)
        for _ in range(1 + number % 3):
            text[rng.randrange(7, len(text))] = rng.choice(letters)
        wrong = "".join(text)
        if wrong != good and keys.looks_right(wrong):
            looks.append(wrong)
    for _ in range(40):
        body = "".join(rng.choices(letters, k=keys.BODY))
        looks.append(f"whence_{body}{keys._checksum(body)}")
    with embedded.client(None) as plain:
        for wrong in looks:
            answer = plain.get("/v1/scans", headers={"Authorization": f"Bearer {wrong}"})
            accepted += answer.status_code not in (401, 429)
    figure("C27", "wrong keys accepted", accepted, exactly=0, note=f"of 100,000; {len(looks)} over HTTP")


@pytest.mark.check("C34")
@pytest.mark.timeout(600)
def test_a_flood_of_one_key_slows_nobody(corpus: Path, tmp_path: Path, figure: Figure) -> None:
    """One tenant at twenty times its limit, another works as before."""
    limit, seconds = 120, 20.0
    settings = Settings(
        data_dir=corpus,
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'w.db'}",  # type: ignore[arg-type]
        rate_limit=f"{limit}/minute",
    )
    with serving("embedded", settings, tmp_path) as service:
        quiet = paced(service, 25, 0.2)
        flood: list[httpx2.Response] = []
        end = time.monotonic() + seconds

        def send(_: int) -> None:
            with service.client("ada") as ada:
                while time.monotonic() < end:
                    flood.append(ada.get("/v1/scans"))
                    time.sleep(2 * 60 / (20 * limit))

        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(send, number) for number in range(2)]
            meanwhile = pool.submit(paced, service, 60, 0.25).result()
            for each in running:
                each.result()
    refused = [answer for answer in flood if answer.status_code == 429]
    note = (
        f"{len(flood)} requests in {seconds:.0f} s, the limit is {limit} a minute; for {seconds:.0f} s of 60"
    )
    # Across the turn of a minute a sliding counter takes the minute before as spent evenly: what was sent at
    # its end counts for less as time goes by.
    allowed = limit * (1 + seconds / 60)
    figure("C34", "refused of the flood", len(refused), at_least=len(flood) - allowed - 1, note=note)
    bare = sum("retry-after" not in answer.headers for answer in refused)
    figure("C34", "429 without Retry-After", bare, exactly=0)
    figure("C34", "the other tenant refused", sum(code != 200 for code, _ in meanwhile), exactly=0)
    before, during = (quantile([spent for _, spent in each], 0.95) for each in (quiet, meanwhile))
    figure("C34", "the other's p95 against its quiet one", during / before, at_most=max(2.0, 0.02 / before),
           unit="times", note=f"{before * 1000:.0f} ms, then {during * 1000:.0f} ms")  # fmt: skip


def paced(service: Service, number: int, pause: float) -> list[tuple[int, float]]:
    found = []
    with service.client("brin") as brin:
        for _ in range(number):
            begun = time.monotonic()
            found.append((brin.get("/v1/scans").status_code, time.monotonic() - begun))
            time.sleep(pause)
    return found
