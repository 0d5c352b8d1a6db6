"""Limits per key, addresses that are not called, and nothing private in logs."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path

import pytest

from app.auth.targets import BadTarget, check_target
from app.settings import Settings
from tests.api.service import Service, copied, diff_of, serving

DIFF = {"Content-Type": "text/x-diff"}
INSIDE = """\
http://127.0.0.1/ http://127.1/ http://2130706433/ http://0x7f000001/ http://0x7f.1/
http://017700000001/ http://0177.0.0.1/ http://localhost/ http://LOCALHOST./ http://a.localhost/
http://0/ http://0.0.0.0/ http://[::1]/ http://[::]/ http://[::ffff:127.0.0.1]/
http://[::ffff:7f00:1]/ http://[64:ff9b::7f00:1]/ http://[2002:7f00:1::]/ http://[fe80::1%25eth0]/
http://[fc00::1]/ http://[::127.0.0.1]/ http://10.0.0.1/ http://172.16.5.5/ http://192.168.1.1/
http://169.254.169.254/latest/meta-data/ http://100.64.0.1/ http://198.18.0.1/ http://224.0.0.1/
http://240.0.0.1/ http://255.255.255.255/ http://192.0.2.1/ http://metadata/
http://metadata.google.internal/ http://printer.local/ http://db.lan/ http://user@example.org/
http://user:pw@example.org/ http://example.org:99999/ http://ex%61mple/ http://[::1/ http:///
http://\\example.org/ file:///etc/passwd gopher://example.org/ ftp://example.org/ javascript:alert(1)
//example.org/ http://ⓔxample.org/ http://example.org:80:80/ http://127.0.0.1:8321/v1/scans
""".split()  # noqa: SIM905


@pytest.mark.parametrize("url", INSIDE)
def test_addresses_inside_are_refused(url: str) -> None:
    with pytest.raises(BadTarget):
        check_target(url)


@pytest.mark.parametrize(
    "url", ["https://ci.example.org/hook", "http://8.8.8.8/", "https://[2606:4700::1111]:8443/x"]
)
def test_addresses_outside_are_taken(url: str) -> None:
    check_target(url)


def test_a_webhook_does_not_lead_inside(embedded: Service) -> None:
    with embedded.client("ada") as ada:
        for url in INSIDE:
            answer = ada.post("/v1/webhooks", json={"url": url})
            assert answer.status_code == 422, url
            assert "pw@" not in answer.text
            trust = ada.post("/v1/trusts", json={"issuer": url, "repository_id": "1"})
            assert trust.status_code == 422, url


@pytest.mark.check("C34")
def test_one_key_over_its_limit_disturbs_nobody_else(corpus: Path, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=corpus, database_url=f"sqlite+aiosqlite:///{tmp_path / 'w.db'}", rate_limit="30/minute"
    )
    with (
        serving("embedded", settings, tmp_path) as service,
        service.client("ada") as ada,
        service.client("brin") as brin,
    ):
        answers = [ada.get("/v1/scans") for _ in range(90)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(answers) - len(refused) == 30
        for answer in refused:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.json()["type"] == "urn:whence:problem:too-many"
            assert "r=0" in answer.headers["ratelimit"]
        assert answers[0].headers["ratelimit-policy"] == '"key";q=30;w=60'
        assert "r=29" in answers[0].headers["ratelimit"]
        began = time.monotonic()
        assert [brin.get("/v1/scans").status_code for _ in range(10)] == [200] * 10
        assert time.monotonic() - began < 3
        assert ada.get("/healthz").status_code == 200


@pytest.mark.check("C32")
def test_logs_are_json_and_hold_no_secret_and_no_text(service: Service) -> None:
    canaries = [f"canary{uuid.uuid4().hex}" for _ in range(12)]
    names = iter(canaries)
    with service.client("ada") as ada:
        headers = DIFF | {"Prefer": "wait=20"}
        quoting = diff_of(f"x = '{next(names)}'\n", f"{next(names)}.py")
        ada.post("/v1/scans", content=quoting, headers=headers)
        ada.post("/v1/scans", content=f"no diff {next(names)}".encode(), headers=headers)
        options = {"label": next(names), "outbound": next(names)}
        ada.post("/v1/scans", content=copied(), headers=DIFF, params=options)
        ada.post("/v1/scans", json={next(names): next(names)})
        evil = {"X-Evil": next(names), "User-Agent": next(names)}
        ada.get(f"/v1/{next(names)}", params={"q": next(names)}, headers=evil)
        ada.post("/v1/compare", json={"left": {"text": next(names)}, "right": {"text": "b"}})
        with service.client(None) as plain:
            plain.get("/v1/scans", headers={"Authorization": f"Bearer whence_{canaries[0]}"})
        with service.client("brin") as brin:
            paths = ("/v1/scans", "/v1/audit", "/metrics", "/v1/policies", "/readyz")
            answers = "".join(brin.get(path).text for path in paths)
    time.sleep(0.3)
    logs = service.log.read_text("utf-8")
    if (other := service.log.with_name("workers.log")).exists():
        logs += other.read_text("utf-8")
    for canary in (*canaries, *service.secrets.values()):
        assert canary not in logs
        assert canary not in answers
    for line in service.log.read_text("utf-8").splitlines():
        assert isinstance(json.loads(line), dict), line
