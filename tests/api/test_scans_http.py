"""The way of a scan over HTTP: handed in, waited for, watched, read in every format, erased."""

from __future__ import annotations

import gzip
import json
import uuid

import httpx2
import pytest

from app.api.formats import SUFFIXES
from app.report.model import Report
from app.report.renderers import RENDERERS
from tests.api.service import SOURCE, Service, copied, diff_of

DIFF = {"Content-Type": "text/x-diff"}
WAIT = {"Prefer": "wait=30"}


def scanned(client: httpx2.Client, diff: bytes | None = None, **options: str) -> dict:
    """A finished scan."""
    answer = client.post(
        "/v1/scans", content=diff or copied(uuid.uuid4().hex), headers=DIFF | WAIT, params=options
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "done", answer.text
    return answer.json()


def events_of(client: httpx2.Client, address: str, **headers: str) -> list[tuple[int, str, dict]]:
    with client.stream("GET", address, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = answer.read().decode()
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line)
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


def test_a_diff_is_accepted_and_its_report_read(ada: httpx2.Client) -> None:
    accepted = ada.post(
        "/v1/scans", content=copied(uuid.uuid4().hex), headers=DIFF, params={"outbound": "MIT"}
    )
    assert accepted.status_code == 202
    assert accepted.headers["retry-after"] == "1"
    assert accepted.json()["state"] == "queued"
    where = accepted.headers["location"]
    done = ada.get(where, headers=WAIT)
    assert done.json()["state"] == "done", done.text
    assert done.json()["result"]["worst"] == "conflict"
    report = Report.from_dict(ada.get(where + "/report.json").json())
    assert report.findings[0].origin.purl == "pkg:generic/kernels@1.0"
    assert report.leads is None
    assert Report.from_dict(ada.get(where + "/report", params={"leads": "true"}).json()).leads is not None


def test_each_format_comes_by_suffix_and_by_accept(ada: httpx2.Client) -> None:
    where = scanned(ada)["links"]["report"]
    for suffix, name in SUFFIXES.items():
        answer = ada.get(f"{where}.{suffix}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == RENDERERS[name].media_type
        assert "kernels" in answer.text
    for accept, media_type in (
        ("*/*", "application/json"),
        ("text/markdown, */*;q=0.1", "text/markdown"),
        ("application/sarif+json;q=0.9, text/plain;q=0.5", "application/sarif+json"),
        ("text/*", "text/plain"),
        ("application/json;q=0, text/plain;q=0.2", "text/plain"),
    ):
        answer = ada.get(where, headers={"Accept": accept})
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert answer.headers["vary"] == "Accept"
    assert ada.get(where, headers={"Accept": "image/png"}).status_code == 406
    assert ada.get(where + ".exe").status_code == 404


def test_what_has_not_changed_is_not_sent_again(ada: httpx2.Client) -> None:
    links = scanned(ada)["links"]
    for address in (links["self"], links["report"], links["report"] + ".sarif"):
        first = ada.get(address)
        again = ada.get(address, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert ada.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    assert (
        ada.get(links["report"] + ".md").headers["etag"] != ada.get(links["report"] + ".txt").headers["etag"]
    )


def test_events_tell_the_whole_way_and_go_on_where_they_were_cut(ada: httpx2.Client) -> None:
    links = scanned(ada)["links"]
    events = events_of(ada, links["events"])
    assert [data["state"] for _, kind, data in events if kind == "state"] == ["queued", "running", "done"]
    assert [number for number, _, _ in events] == sorted({number for number, _, _ in events})
    rest = events_of(ada, links["events"], **{"Last-Event-ID": str(events[0][0])})
    assert rest == events[1:]
    refused = ada.get(links["events"], headers={"Last-Event-ID": "-1"})
    assert refused.status_code == 400


def test_the_same_content_is_the_same_scan(ada: httpx2.Client) -> None:
    diff = copied(uuid.uuid4().hex)
    first = scanned(ada, diff, outbound="MIT")
    again = ada.post("/v1/scans", content=diff, headers=DIFF, params={"outbound": "MIT"})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = ada.post("/v1/scans", content=diff, headers=DIFF, params={"outbound": "GPL-3.0-only"})
    assert other.json()["id"] != first["id"]


def test_an_idempotency_key_is_one_scan_and_one_body(ada: httpx2.Client) -> None:
    diff, key = copied(uuid.uuid4().hex), {"Idempotency-Key": uuid.uuid4().hex}
    first = ada.post("/v1/scans", content=diff, headers=DIFF | key)
    again = ada.post("/v1/scans", content=diff, headers=DIFF | key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    other = ada.post("/v1/scans", content=copied(uuid.uuid4().hex), headers=DIFF | key)
    assert other.status_code == 409
    assert other.json()["type"].endswith(":idempotency-key-reused")


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_every_kind_of_body_finds_the_same(ada: httpx2.Client, coding: str) -> None:
    text = SOURCE + f"# {uuid.uuid4().hex}\n"
    diff = diff_of(text)
    as_json = json.dumps(
        {"diff": diff.decode(), "outbound": "MIT", "messages": ["Add it"], "retain": 0}
    ).encode()
    whole = json.dumps({"files": [{"path": "mine.py", "text": text}], "outbound": "MIT"}).encode()
    bodies = [(diff, DIFF, {"outbound": "MIT"}), (as_json, {"Content-Type": "application/json"}, {})]
    bodies.append((whole, {"Content-Type": "application/json"}, {}))
    found = set()
    for body, headers, params in bodies:
        if coding == "gzip":
            body, headers = gzip.compress(body), headers | {"Content-Encoding": "gzip"}
        answer = ada.post("/v1/scans", content=body, headers=headers | WAIT, params=params)
        assert answer.status_code == 200, answer.text
        report = ada.get(answer.json()["links"]["report"]).json()
        (finding,) = report["findings"]
        found.add((finding["id"], finding["verdict"]["status"], finding["region"]["path"]))
    parts = [("diff", ("x.diff", diff)), ("file", ("mine.py", text.encode())), ("message", (None, "Add it"))]
    parts.append(("outbound", (None, "MIT")))
    answer = ada.post("/v1/scans", files=parts, headers=WAIT)
    assert answer.status_code == 200, answer.text
    (finding,) = ada.get(answer.json()["links"]["report"]).json()["findings"]
    found.add((finding["id"], finding["verdict"]["status"], finding["region"]["path"]))
    assert len(found) == 1


def test_a_policy_is_stored_and_named(ada: httpx2.Client) -> None:
    text = 'outbound = "GPL-3.0-or-later"\npreset = "permissive"\n'
    stored = ada.put("/v1/policies/ours", json={"text": text})
    assert stored.status_code == 200, stored.text
    assert ada.get("/v1/policies/ours").json()["digest"] == stored.json()["digest"]
    scan = scanned(ada, policy_name="ours")
    assert scan["policy_name"] == "ours"
    wrong = ada.put("/v1/policies/ours", json={"text": "outbound = ["})
    assert wrong.status_code == 422
    assert wrong.json()["type"].endswith(":bad-policy")
    unknown = ada.post(
        "/v1/scans", content=copied(uuid.uuid4().hex), headers=DIFF, params={"policy_name": "none"}
    )
    assert unknown.status_code == 404
    assert ada.delete("/v1/policies/ours").status_code == 204
    assert ada.get("/v1/policies/ours").status_code == 404


def test_lists_go_on_by_cursor(service: Service) -> None:
    with service.client("cleo") as cleo:
        mine = [scanned(cleo)["id"] for _ in range(3)]
        seen, cursor = [], None
        while True:
            page = cleo.get("/v1/scans", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [scan["id"] for scan in page["scans"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert [each for each in seen if each in mine] == mine[::-1]
        assert len(set(seen)) == len(seen)
        assert cleo.get("/v1/scans", params={"cursor": "bm9uc2Vuc2U"}).status_code == 400
        assert cleo.get("/v1/scans", params={"state": "failed"}).json()["scans"] == []


def test_an_erased_scan_is_gone(ada: httpx2.Client) -> None:
    scan = scanned(ada)
    assert ada.post(f"/v1/scans/{scan['id']}/cancel").status_code == 409
    assert ada.delete(scan["links"]["self"]).status_code == 204
    for address in scan["links"].values():
        assert ada.get(address).status_code == 404
    assert ada.delete(scan["links"]["self"]).status_code == 404


def test_what_is_no_diff_fails_with_a_reason(ada: httpx2.Client) -> None:
    text = f"this is no diff {uuid.uuid4().hex}\n".encode()
    answer = ada.post("/v1/scans", content=text, headers=DIFF | WAIT)
    assert answer.json()["state"] == "failed"
    assert answer.json()["error"]["slug"] == "bad-diff"
    assert ada.get(answer.json()["links"]["report"]).status_code == 409


def test_two_texts_are_compared(ada: httpx2.Client) -> None:
    other = SOURCE.replace("alpha", "first").replace("solve_kernel", "run")
    answer = ada.post(
        "/v1/compare",
        json={"left": {"path": "a.py", "text": SOURCE}, "right": {"path": "b.py", "text": other}},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["score"] > 0.95
    assert answer.json()["renames"]["alpha"] == "first"


def test_sketches_are_searched_without_text(ada: httpx2.Client) -> None:
    from app.fingerprints import to_json
    from app.scan.diff import read_diff
    from app.scan.wire import encode_query
    from corpus.query import make_query

    (changed,) = read_diff(copied(uuid.uuid4().hex)).files
    file = to_json(encode_query(make_query(changed, "python"), spelling=False))
    assert "solve_kernel" not in json.dumps(file)
    answer = ada.post("/v1/fingerprints", json={"files": [file], "outbound": "MIT"}, headers=WAIT)
    assert answer.status_code == 200, answer.text
    assert answer.json()["kind"] == "fingerprints"
    (finding,) = ada.get(answer.json()["links"]["report"]).json()["findings"]
    assert finding["origin"]["purl"] == "pkg:generic/kernels@1.0"
    assert finding["region"]["path"] == "mine.py"
    bad = ada.post("/v1/fingerprints", json={"files": [{**file, "raw": [[1], "***"]}]})
    assert bad.status_code == 422


def test_the_corpus_is_told_and_its_jobs_watched(service: Service) -> None:
    with service.client("ada") as client:
        overview = client.get("/v1/corpus").json()
        assert overview["releases"] == 1
        assert overview["licenses"]["GPL-3.0-or-later"] >= 1
        (release,) = client.get("/v1/corpus/releases").json()["releases"]
        assert client.get("/v1/corpus/release", params={"purl": release["purl"]}).json() == release
        assert client.get("/v1/corpus/release", params={"purl": "pkg:pypi/none@1"}).status_code == 404
        job = client.post(
            "/v1/corpus/removals", json={"releases": ["pkg:generic/absent@1.0"], "build": False}
        )
        assert job.status_code == 202
        shown = client.get(job.headers["location"])
        assert shown.json()["kind"] == "remove"
        assert client.get("/v1/corpus/jobs").json()["jobs"][0]["id"] == job.json()["id"]
        if service.name == "embedded":
            events = events_of(client, job.headers["location"] + "/events")
            assert events[-1][2]["state"] in ("done", "failed")
        assert (job.json()["parent"], job.json()["releases"]) == (None, None)


def test_a_job_tells_its_releases(service: Service) -> None:
    gone = "pkg:generic/gone@1?download_url=file:///gone"
    with service.client("ada") as client:
        job = client.post("/v1/corpus/releases", json={"releases": [gone, gone], "build": False})
        assert (job.status_code, job.json()["kind"]) == (202, "add")
        place = job.headers["location"]
        if service.name == "embedded":
            events = events_of(client, place + "/events")
            assert [data["done"] for _, kind, data in events if kind == "progress"] == [0]
            whole = client.get(place).json()
            assert (whole["state"], whole["progress"]) == ("done", {"step": "", "done": 1, "total": 1})
            (failed,) = whole["releases"].pop("failed")
            assert failed["message"]
            assert whole["releases"] == {"waiting": 0, "running": 0, "done": 0}
            listed = client.get("/v1/corpus/jobs", params={"parent": whole["id"]}).json()["jobs"]
            assert [(part["parent"], part["state"]) for part in listed] == [(whole["id"], "failed")]
            assert listed[0]["error"] == {"slug": "not-indexed", "message": failed["message"]}
            assert client.delete(place).status_code == 409
        else:  # nobody works on it
            assert client.delete(place).json()["state"] == "canceled"
            assert client.delete(place).status_code == 409


def test_the_watchers_see_what_is(service: Service) -> None:
    with service.client(None) as anybody, service.client("ada") as admin:
        assert anybody.get("/healthz").json() == {"status": "ok"}
        ready = anybody.get("/readyz")
        assert ready.status_code == 200, ready.text
        assert ready.json()["database"]
        assert ready.json()["queue"]
        assert anybody.get("/metrics").status_code == 401
        scanned(admin)
        text = admin.get("/metrics").text
    assert "whence_http_requests_total" in text
    assert 'whence_scans{state="done"}' in text
    assert 'route="/v1/scans"' in text
