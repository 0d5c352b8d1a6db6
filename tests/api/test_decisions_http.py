"""Decisions about findings: recorded, counted whenever a report is rendered, taken back; receipts of scans.

On both stacks, over HTTP, and through the real command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.receipt.comparison import differences
from app.receipt.signature import BadReceipt, verify
from app.report.model import Report
from app.scan.diff import read_diff
from tests.api.service import ROOT, SOURCE, WHENCE, Service, diff_of
from tests.api.test_scans_http import DIFF, WAIT, scanned

ABSENT = "dec_" + "0" * 26
CHECK = ("check", "--diff", "c.diff", "--outbound", "MIT")


def worst(client: httpx2.Client, scan: dict[str, Any]) -> tuple[str, str, str]:
    """The worst verdict as the report, the scan and the list of scans tell it."""
    report = client.get(scan["links"]["report"] + ".json").json()
    listed = next(each for each in client.get("/v1/scans").json()["scans"] if each["id"] == scan["id"])
    return (
        report["worst"],
        client.get(scan["links"]["self"]).json()["result"]["worst"],
        listed["result"]["worst"],
    )


def _forget_decisions(client: httpx2.Client) -> None:
    for decision in client.get("/v1/decisions", params={"limit": 200}).json()["decisions"]:
        assert client.delete(f"/v1/decisions/{decision['id']}").status_code == 204


@pytest.fixture
def dora(service: Service) -> Iterator[httpx2.Client]:
    """A client of a tenant of its own each time: decisions count for a whole tenant."""
    with service.client("ada") as ada:
        _forget_decisions(ada)
        yield ada
        _forget_decisions(ada)  # other tests share the tenant


def decided(client: httpx2.Client, finding: str, **more: str) -> dict[str, Any]:
    body = {"finding": finding, "reason": "not-similar", "owner": "Ada", **more}
    made = client.post("/v1/decisions", json=body)
    assert made.status_code == 201, made.text
    return made.json()


def test_a_decision_counts_in_reports_that_are_there_already(dora: httpx2.Client) -> None:
    scan = scanned(dora, outbound="MIT")
    before = dora.get(scan["links"]["report"] + ".json")
    assert worst(dora, scan) == ("conflict",) * 3
    (finding,) = before.json()["findings"]
    made = decided(dora, finding["id"], note="looked at it together")
    assert made["in_force"]
    assert made["matched_at"] is None
    after = dora.get(scan["links"]["report"] + ".json")
    assert after.headers["etag"] != before.headers["etag"]
    (left,) = Report.from_dict(after.json()).findings
    assert (left.id, left.verdict.status, left.verdict.rule) == (finding["id"], "ok", "waived:not-similar")
    assert f"Ada decided on {made['decided_on']}" in left.verdict.why
    assert after.json()["policy"]["digest"] != before.json()["policy"]["digest"]
    assert worst(dora, scan) == ("ok",) * 3
    again = scanned(dora, outbound="MIT")  # a new change with the same finding
    assert again["result"]["worst"] == "ok"
    assert dora.get(f"/v1/decisions/{made['id']}").json()["matched_at"] is not None
    assert dora.delete(f"/v1/decisions/{made['id']}").status_code == 204
    back = dora.get(scan["links"]["report"] + ".json")
    assert (back.headers["etag"], back.content) == (before.headers["etag"], before.content)
    assert worst(dora, scan) == worst(dora, again) == ("conflict",) * 3


def test_a_decision_is_the_same_as_a_waiver_in_the_policy(dora: httpx2.Client) -> None:
    scan = scanned(dora, outbound="MIT")
    (finding,) = dora.get(scan["links"]["report"] + ".json").json()["findings"]
    made = decided(dora, finding["id"])
    ours = verify(dora.get(scan["links"]["receipt"] + ".json").content).body
    assert dora.delete(f"/v1/decisions/{made['id']}").status_code == 204
    waiver = (
        f'[[accept]]\nid = "{finding["id"]}"\nreason = "not-similar"\nowner = "Ada"\n'
        f"date = {made['decided_on']}\n"
    )
    twin = scanned(dora, outbound="MIT", policy=waiver)
    theirs = verify(dora.get(twin["links"]["receipt"] + ".json").content).body
    assert [found.rule for found in theirs.findings] == ["waived:not-similar"]
    assert (ours.policy, ours.worst, ours.findings) == (theirs.policy, theirs.worst, theirs.findings)


def test_a_decision_for_one_policy_counts_there_only(dora: httpx2.Client) -> None:
    name = f"p{uuid.uuid4().hex}"
    dora.put(f"/v1/policies/{name}", json={"text": 'outbound = "MIT"'})
    under = scanned(dora, policy_name=name)
    elsewhere = scanned(dora, outbound="MIT")
    (finding,) = dora.get(under["links"]["report"] + ".json").json()["findings"]
    missing = {"finding": finding["id"], "reason": "ours", "owner": "A", "policy_name": "absent"}
    assert dora.post("/v1/decisions", json=missing).status_code == 404
    decided(dora, finding["id"], policy_name=name)
    assert worst(dora, under) == ("ok",) * 3
    assert worst(dora, elsewhere) == ("conflict",) * 3
    general = decided(dora, finding["id"])
    assert worst(dora, elsewhere) == ("ok",) * 3
    listed = dora.get("/v1/decisions", params={"policy_name": name}).json()["decisions"]
    assert len(listed) == 1
    assert general["id"] not in [each["id"] for each in listed]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"reason": "because"}, 422),
        ({"reason": "permission-granted"}, 422),
        ({"finding": "80c010d5"}, 422),
        ({"owner": ""}, 422),
        ({"expires": "soon"}, 422),
        ({"expires": "2020-01-01"}, 422),
        ({"expires": 7}, 422),
        ({"more": "x"}, 422),
    ],
)
def test_what_is_no_decision(dora: httpx2.Client, change: dict[str, Any], status: int) -> None:
    body = {"finding": uuid.uuid4().hex, "reason": "ours", "owner": "Ada", **change}
    assert dora.post("/v1/decisions", json=body).status_code in (status, 400)
    assert dora.get("/v1/decisions").json()["decisions"] == []


def test_once_a_finding_listed_by_cursor_and_by_state(dora: httpx2.Client) -> None:
    ids = [decided(dora, uuid.uuid4().hex)["id"] for _ in range(7)]
    first = dora.get(f"/v1/decisions/{ids[0]}").json()
    again = {"finding": first["finding"], "reason": "ours", "owner": "Ada"}
    assert dora.post("/v1/decisions", json=again).status_code == 409
    seen, cursor = [], None
    while True:
        page = dora.get("/v1/decisions", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        seen += [each["id"] for each in page["decisions"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == ids[::-1]

    def of_state(state: str) -> int:
        return len(dora.get("/v1/decisions", params={"state": state}).json()["decisions"])

    assert (of_state("active"), of_state("unmatched"), of_state("expired")) == (7, 7, 0)
    by_finding = dora.get("/v1/decisions", params={"finding": first["finding"]}).json()["decisions"]
    assert [each["id"] for each in by_finding] == ids[:1]
    assert dora.get("/v1/decisions", params={"state": "lost"}).status_code == 422


def test_decisions_are_logged_and_want_their_scope(service: Service, dora: httpx2.Client) -> None:
    made = decided(dora, uuid.uuid4().hex)
    dora.delete(f"/v1/decisions/{made['id']}")
    assert dora.delete(f"/v1/decisions/{made['id']}").status_code == 404
    logged = [each for each in dora.get("/v1/audit").json()["entries"] if each["subject"] == made["id"]]
    assert [each["action"] for each in logged] == ["decision.delete", "decision.create"]
    assert logged[0]["detail"]["finding"] == made["finding"]
    body = {"finding": uuid.uuid4().hex, "reason": "ours", "owner": "CI"}
    for scope in ("scan", "read"):
        with service.client("ada", scope) as limited:
            assert limited.post("/v1/decisions", json=body).status_code == 403
            assert limited.get("/v1/decisions").status_code == 200
    key = dora.post("/v1/keys", json={"name": "maintainer", "scopes": ["decide"]}).json()["secret"]
    with httpx2.Client(base_url=service.url, headers={"Authorization": f"Bearer {key}"}) as maintainer:
        mine = decided(maintainer, uuid.uuid4().hex)
        assert maintainer.get("/v1/scans").status_code == 403
    with service.client("brin") as brin:
        assert brin.get(f"/v1/decisions/{mine['id']}").status_code == 404
        assert brin.delete(f"/v1/decisions/{mine['id']}").status_code == 404
        assert mine["id"] not in brin.get("/v1/decisions").text


def test_another_tenants_decision_counts_for_nobody_else(service: Service, dora: httpx2.Client) -> None:
    scan = scanned(dora, outbound="MIT")
    (finding,) = dora.get(scan["links"]["report"] + ".json").json()["findings"]
    with service.client("cleo") as cleo:
        made = decided(cleo, finding["id"])
        theirs = scanned(cleo, outbound="MIT")
        assert theirs["result"]["worst"] == "ok"
        cleo.delete(f"/v1/decisions/{made['id']}")
    assert worst(dora, scan) == ("conflict",) * 3


def test_a_receipt_states_the_search_and_outlives_the_text(dora: httpx2.Client, service: Service) -> None:
    diff = diff_of(SOURCE + f"# {uuid.uuid4().hex}\n")
    scan = scanned(dora, diff, outbound="MIT", retain="0")
    answer = dora.get(scan["links"]["receipt"])
    assert answer.headers["content-type"] == "application/json"
    with service.client(None) as anybody:
        key = anybody.get("/v1/receipts/key").json()
    receipt = verify(answer.content, key["public_key"])
    assert receipt.signed.fingerprint == key["fingerprint"]
    assert differences(receipt.body, read_diff(diff)) == []
    report = Report.from_dict(dora.get(scan["links"]["report"] + ".json").json())
    assert report.findings[0].evidence.renames == {}  # nothing of the text is left here
    assert (receipt.body.worst, receipt.body.limits) == (report.worst, report.limits)
    assert [found.id for found in receipt.body.findings] == [found.id for found in report.findings]
    assert not [
        line for line in SOURCE.splitlines() if len(line) > 9 and line.strip().encode() in answer.content
    ]
    again = dora.get(scan["links"]["receipt"] + ".json")
    assert verify(again.content).body == receipt.body
    assert again.headers["etag"].startswith("W/")
    fresh = dora.get(scan["links"]["receipt"] + ".json", headers={"If-None-Match": again.headers["etag"]})
    assert fresh.status_code == 304
    twin = scanned(dora, diff, outbound="MIT", retain="5")
    assert verify(dora.get(twin["links"]["receipt"]).content).body.digest == receipt.body.digest
    for at in range(0, len(answer.content), 41):
        altered = bytearray(answer.content)
        altered[at] ^= 1
        with pytest.raises(BadReceipt):
            verify(bytes(altered))


def test_forms_of_a_receipt_and_who_gets_it(dora: httpx2.Client, service: Service) -> None:
    where = scanned(dora, outbound="MIT")["links"]["receipt"]
    for answer in (dora.get(where, headers={"Accept": "text/markdown"}), dora.get(where + ".md")):
        assert answer.headers["content-type"].startswith("text/markdown")
        assert answer.text.startswith("### Receipt of a search: 1 conflict")
        assert len(answer.content) < 5_000
    assert dora.get(where, headers={"Accept": "application/pdf"}).status_code == 406
    assert dora.get(where + ".pdf").status_code == 404
    with service.client("brin") as brin:
        assert brin.get(where).status_code == brin.get(where + ".json").status_code == 404
    with service.client(None) as nobody:
        assert nobody.get(where).status_code == 401
    key = service.settings.data_dir / "receipt-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    slow = dora.post("/v1/scans", content=diff_of("x = 1\n" * 9, uuid.uuid4().hex + ".py"), headers=DIFF)
    cancelled = dora.post(f"{slow.headers['location']}/cancel")
    if cancelled.status_code == 200:
        assert dora.get(f"{slow.headers['location']}/receipt").status_code == 409


def test_declared_ai_use_of_messages_and_pull_request(dora: httpx2.Client) -> None:
    body = {
        "diff": diff_of(SOURCE + f"# {uuid.uuid4().hex}\n").decode(),
        "messages": ["Add it\n\nAssisted-by: Claude\n"],
        "pull_request": "## AI use\nnone\n",
        "policy": 'outbound = "GPL-3.0-or-later"\nai-disclosure = "forbid"\n',
        "retain": 60,
    }
    scan = dora.post("/v1/scans", json=body, headers=WAIT).json()
    assert (scan["state"], scan["result"]["worst"], scan["result"]["ai_use_fits"]) == (
        "done", "attribution", False,
    )  # fmt: skip
    use = Report.from_dict(dora.get(scan["links"]["report"] + ".json").json()).ai_use
    assert use is not None
    assert not use.fits
    assert [(each.where, each.used) for each in use.statements] == [
        ("commit 1", True),
        ("pull request", False),
    ]
    assert use.statements[0].text == "Assisted-by: Claude"
    assert "declares Claude" in " ".join(dora.get(scan["links"]["report"] + ".txt").text.split())
    stated = verify(dora.get(scan["links"]["receipt"]).content).body.ai_use
    assert stated is not None
    assert stated.rule == "forbid"
    assert not stated.fits
    # The quotes are submitted text: they are gone with it, what was declared stays.
    gone = dora.post("/v1/scans", json={**body, "retain": 0}, headers=WAIT).json()
    left = Report.from_dict(dora.get(gone["links"]["report"] + ".json").json()).ai_use
    assert left is not None
    assert [each.text for each in left.statements] == ["", ""]
    assert left.statements[0].tool.startswith("Claude")
    parts = [
        ("diff", ("c.diff", diff_of(SOURCE + f"# {uuid.uuid4().hex}\n"))),
        ("pull_request", (None, "## AI use\n\nCopilot wrote the tests\n")),
    ]
    told = dora.post("/v1/scans", files=parts, headers=WAIT).json()
    assert told["result"]["ai_use_fits"] is True  # no rule: who hands in the text wants to be told
    assert scanned(dora)["result"]["ai_use_fits"] is None


def run(service: Service, folder: Path, *arguments: str, key: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WHENCE, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60,
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "WHENCE_KEY": key or service.key("ada"),
            "WHENCE_DATA_DIR": str(folder / "none"),
        },
    )  # fmt: skip


def test_the_command_waives_there_and_fetches_receipts(
    dora: httpx2.Client, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "c.diff").write_bytes(diff_of(SOURCE + f"# {uuid.uuid4().hex}\n"))
    there = ("--server", service.url)
    found = run(service, tmp_path, *CHECK, *there, "--format", "json", "--output", "r.json")
    assert found.returncode == 1, found.stderr
    finding = json.loads((tmp_path / "r.json").read_text())["findings"][0]["id"]
    waive = ("waive", finding[:8], "--report", "r.json", "--reason", "not-similar", "--owner", "Ada")
    refused = run(service, tmp_path, *waive, *there, key=service.key("ada", "scan"))
    assert (refused.returncode, "403" in refused.stderr) == (2, True)
    until = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
    done = run(service, tmp_path, *waive, *there, "--expires", until)
    assert done.returncode == 0, done.stderr
    assert "recorded as dec_" in done.stdout
    twice = run(service, tmp_path, *waive, *there)
    assert (twice.returncode, "decided already" in twice.stderr) == (2, True)
    assert not (tmp_path / ".whence").exists()
    sealed = run(service, tmp_path, *CHECK, *there, "--receipt", "receipt.json")
    assert sealed.returncode == 0, sealed.stdout + sealed.stderr
    assert "OK" in sealed.stdout
    verified = run(service, tmp_path, "receipt", "verify", "receipt.json", "--diff", "c.diff")
    assert verified.returncode == 0, verified.stderr
    assert "it is about the change in c.diff" in verified.stdout
    (tmp_path / "other.diff").write_bytes(diff_of(SOURCE + "# other\n"))
    other = run(service, tmp_path, "receipt", "verify", "receipt.json", "--diff", "other.diff")
    assert other.returncode == 1
    sketches = run(service, tmp_path, *CHECK, *there, "--receipt", "s.json", "--fingerprints-only")
    assert (sketches.returncode, "digests of the text" in sketches.stderr) == (2, True)


def test_the_receipt_is_that_of_a_local_check(embedded: Service, tmp_path: Path) -> None:
    (tmp_path / "c.diff").write_bytes(diff_of(SOURCE + f"# {uuid.uuid4().hex}\n"))
    (tmp_path / "whence.toml").write_text('ai-disclosure = "report"\n')
    (tmp_path / ".whence").mkdir()
    (tmp_path / ".whence" / "waivers.toml").write_text(
        f'[[accept]]\nid = "{"0" * 32}"\nreason = "ours"\nowner = "Ada"\ndate = 2026-01-02\n'
    )
    bodies = []
    for where in (("--server", embedded.url), ("--data", str(embedded.settings.data_dir))):
        done = run(embedded, tmp_path, *CHECK, *where, "--receipt", "r.json", key=embedded.key("brin"))
        assert done.returncode == 1, done.stderr
        bodies.append(verify((tmp_path / "r.json").read_bytes()).body)
    assert bodies[0] == bodies[1]


def test_an_expired_decision_is_told(embedded: Service) -> None:
    """The day cannot be moved from outside: the row is aged in the database, as time would."""
    with embedded.client("cleo") as cleo:
        scan = scanned(cleo, outbound="MIT")
        (finding,) = cleo.get(scan["links"]["report"] + ".json").json()["findings"]
        today = datetime.now(UTC).date()
        made = decided(cleo, finding["id"], expires=today.isoformat())
        assert worst(cleo, scan) == ("ok",) * 3
        past = (today - timedelta(days=1)).isoformat()
        program = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=20); "
            "c.execute('UPDATE decisions SET expires = ? WHERE id = ?', sys.argv[2:]); c.commit()"
        )
        database = embedded.settings.database_url.get_secret_value().partition("///")[2]
        subprocess.run([sys.executable, "-c", program, database, past, made["id"]], check=True)
        assert worst(cleo, scan) == ("conflict",) * 3
        text = " ".join(cleo.get(scan["links"]["report"] + ".txt").text.split())
        assert f"about finding {finding['id']} expired on {past}; it no longer counts" in text
        assert (
            cleo.get("/v1/decisions", params={"state": "expired"}).json()["decisions"][0]["id"] == made["id"]
        )
        renewed = decided(cleo, finding["id"])
        assert worst(cleo, scan) == ("ok",) * 3
        for each in (made, renewed):
            cleo.delete(f"/v1/decisions/{each['id']}")


def test_many_decisions_leave_reports_fast(embedded: Service) -> None:
    with embedded.client("cleo") as cleo:
        scan = scanned(cleo, outbound="MIT")
        address = scan["links"]["report"] + ".json"

        def took() -> float:
            started = time.perf_counter()
            assert cleo.get(address).status_code == 200
            return time.perf_counter() - started

        alone = min(took() for _ in range(5))
        made = [decided(cleo, uuid.uuid4().hex)["id"] for _ in range(300)]
        assert min(took() for _ in range(5)) < 5 * alone + 0.05
        for identity in made:
            cleo.delete(f"/v1/decisions/{identity}")
