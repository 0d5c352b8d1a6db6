"""Who may do what: keys and scopes, tenants that do not see each other, the audit log, CI identities."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from app.settings import Settings
from tests.api.service import ROOT, Service, copied, serving
from tests.figures import Figure

DIFF = {"Content-Type": "text/x-diff"}
OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
# An object of each kind that a path can name, and what stands for it when it does not exist.
ABSENT = "0" * 26


def routes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path template and documentation of every route."""
    for path, methods in OPENAPI["paths"].items():
        for method, what in methods.items():
            yield method.upper(), path, what


def filled(path: str, names: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: names[match[1]], path)


def body_of(what: dict[str, Any]) -> dict[str, Any] | None:
    """The first example of a JSON body that a route documents."""
    schema = what.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if schema is None:
        return None
    model = OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    example: dict[str, Any] = model["examples"][0]
    return example


def ask(client: httpx2.Client, method: str, path: str, what: dict[str, Any]) -> httpx2.Response:
    """A request as the documentation has it."""
    params = {"purl": "pkg:generic/kernels@1.0"} if path.endswith("/release") else {}
    body = body_of(what)
    if path == "/v1/scans" and method == "POST":
        return client.post(path, content=copied(uuid.uuid4().hex), headers=DIFF)
    return client.request(method, path, params=params, **({"json": body} if body is not None else {}))


@pytest.fixture
def objects(service: Service) -> dict[str, str]:
    """One object of each kind that belongs to `ada`, by the name that paths have for it."""
    with service.client("ada") as ada:
        scan = ada.post(
            "/v1/scans", content=copied(uuid.uuid4().hex), headers=DIFF | {"Prefer": "wait=30"}
        ).json()
        assert scan["state"] == "done"
        hook = ada.post("/v1/webhooks", json={"url": "https://ci.example.org/hook"})
        key = ada.post("/v1/keys", json={"name": "spare", "scopes": ["read"]})
        trust = ada.post(
            "/v1/trusts", json={"issuer": "https://ci.example.org", "repository_id": uuid.uuid4().hex[:20]}
        )
        finding = {"finding": uuid.uuid4().hex, "reason": "ours", "owner": "Ada"}
        decision = ada.post("/v1/decisions", json=finding)
        name = f"p{uuid.uuid4().hex}"
        assert ada.put(f"/v1/policies/{name}", json={"text": ""}).status_code == 200
        for made in (hook, key, trust, decision):
            assert made.status_code == 201, made.text
    return {
        "scan_id": scan["id"],
        "webhook_id": hook.json()["id"],
        "key_id": key.json()["id"],
        "trust_id": trust.json()["id"],
        "decision_id": decision.json()["id"],
        "name": name,
        "suffix": "json",
    }


@pytest.mark.check("C24")
def test_no_tenant_sees_or_changes_anything_of_another(
    service: Service, objects: dict[str, str], figure: Figure
) -> None:
    absent = {
        "scan_id": f"scan_{ABSENT}", "webhook_id": f"hook_{ABSENT}", "key_id": f"key_{ABSENT}",
        "trust_id": f"trust_{ABSENT}", "decision_id": f"dec_{ABSENT}", "job_id": f"job_{ABSENT}",
        "name": "absent", "suffix": "json",
    }  # fmt: skip
    tried = 0
    with service.client("brin") as brin, service.client("ada") as ada:
        for method, template, what in routes():
            names = re.findall(r"\{(\w+)\}", template)
            if not names or "job_id" in names or (method, template) == ("PUT", "/v1/policies/{name}"):
                continue  # jobs belong to the installation; a PUT makes one's own
            theirs = ask(brin, method, filled(template, objects), what)
            nothing = ask(brin, method, filled(template, absent), what)
            assert theirs.status_code == nothing.status_code == 404, (method, template, theirs.text)
            shown = [re.sub(r"'[^']*'", "'…'", answer.json()["detail"]) for answer in (theirs, nothing)]
            assert shown[0] == shown[1], (method, template)
            assert {*theirs.headers} == {*nothing.headers}
            tried += 1
        assert tried >= 12
        lists = ("scans", "keys", "webhooks", "trusts", "policies", "decisions", "audit")
        for template in (f"/v1/{each}" for each in lists):
            text = brin.get(template).text
            assert not [each for name, each in objects.items() if name != "suffix" and each in text], template
        for name, template in (("scan_id", "/v1/scans/{scan_id}"), ("name", "/v1/policies/{name}")):
            assert ada.get(filled(template, {name: objects[name]})).status_code == 200
        shown = [key for key in ada.get("/v1/keys").json()["keys"] if key["id"] == objects["key_id"]]
        assert shown[0]["revoked_at"] is None
        # The same content of two tenants is two scans.
        diff = copied(uuid.uuid4().hex)
        mine, yours = (
            client.post("/v1/scans", content=diff, headers=DIFF).json()["id"] for client in (ada, brin)
        )
        assert mine != yours
    figure("C24", "routes on another tenant's objects answered like absent ones", tried, at_least=12)


@pytest.mark.check("C27")
def test_every_route_wants_the_scope_that_it_documents(
    embedded: Service, corpus: Path, figure: Figure
) -> None:
    names = {
        "scan_id": f"scan_{ABSENT}", "webhook_id": f"hook_{ABSENT}", "key_id": f"key_{ABSENT}",
        "trust_id": f"trust_{ABSENT}", "decision_id": f"dec_{ABSENT}", "job_id": f"job_{ABSENT}",
        "name": "absent", "suffix": "json",
    }  # fmt: skip
    open_routes, refused = set(), 0
    for method, template, what in routes():
        if not what.get("security"):
            open_routes.add(template)
            continue
        assert what["x-scopes"], template
        with embedded.client(None) as nobody:
            assert ask(nobody, method, filled(template, names), what).status_code == 401, template
        for scope in ("scan", "read", "admin"):
            if scope in what["x-scopes"]:
                continue
            with embedded.client("cleo", scope) as client:
                answer = ask(client, method, filled(template, names), what)
            assert answer.status_code == 403, (method, template, scope, answer.text)
            refused += 1
    assert open_routes == {"/healthz", "/readyz", "/v1/tokens", "/v1/receipts/key"}
    figure("C27", "pairs of route and scope that are refused as documented", refused, at_least=30)


@pytest.mark.check("C27")
def test_keys_live_rotate_and_end(service: Service, figure: Figure) -> None:
    with service.client("ada") as ada:
        made = ada.post("/v1/keys", json={"name": "job", "scopes": ["read"], "lifetime": 3600}).json()
        assert made["secret"].startswith("whence_")
        old = {"Authorization": f"Bearer {made['secret']}"}
        with service.client(None) as plain:
            assert plain.get("/v1/scans", headers=old).status_code == 200
            successor = ada.post(f"/v1/keys/{made['id']}/rotate", json={"overlap": 3600}).json()
            new = {"Authorization": f"Bearer {successor['secret']}"}
            assert [plain.get("/v1/scans", headers=each).status_code for each in (old, new)] == [200, 200]
            assert ada.delete(f"/v1/keys/{made['id']}").status_code == 204
            revoked = time.monotonic()
            while plain.get("/v1/scans", headers=old).status_code == 200:
                assert time.monotonic() < revoked + 30, "a revoked key is accepted"
                time.sleep(0.2)
            figure("C27", "a revoked key is refused after", time.monotonic() - revoked, at_most=5, unit="s")
            assert plain.get("/v1/scans", headers=new).status_code == 200
            now = ada.post(f"/v1/keys/{successor['id']}/rotate", json={"overlap": 0}).json()
            time.sleep(2.5)
            assert plain.get("/v1/scans", headers=new).status_code == 401
            assert (
                plain.get("/v1/scans", headers={"Authorization": f"Bearer {now['secret']}"}).status_code
                == 200
            )
        listed = ada.get("/v1/keys").text
        assert made["secret"] not in listed
        assert successor["secret"] not in listed


@pytest.mark.check("C27")
def test_wrong_keys_are_never_accepted(embedded: Service, figure: Figure) -> None:
    good = embedded.key("ada")
    forged = {"iss": "whence", "sub": "t", "tenant": "ada", "scopes": ["admin"], "iat": 1, "exp": 2**33}
    wrong = [
        good[:-1], good + "x", good.lower(), good[::-1], good.replace("whence_", "whence-"), "whence_",
        good[:20] + ("A" if good[20] != "A" else "B") + good[21:], "x" * 5000, "a.b.c",
        jwt.encode(forged, "k" * 32),
        jwt.encode(forged, "", "none"),
    ]  # fmt: skip
    headers = [{"Authorization": f"Bearer {key}"} for key in wrong]
    headers += [{"Authorization": good}, {"Authorization": f"Basic {good}"}, {"Authorization": "Bearer"}, {}]
    with embedded.client(None) as plain:
        for each in headers:
            assert plain.get("/v1/scans", headers=each).status_code in (401, 429), each
        twice = plain.get("/v1/scans", headers=[("Authorization", f"Bearer {good}")] * 2)
        assert twice.status_code in (401, 429)
        for _ in range(100):
            last = plain.get("/v1/scans", headers={"Authorization": "Bearer whence_nonsense"})
        assert last.status_code == 429
        assert int(last.headers["retry-after"]) >= 1
        assert plain.get("/v1/scans", headers={"Authorization": f"Bearer {good}"}).status_code == 200
    database = Path(embedded.settings.sqlalchemy_url.partition("///")[2])
    stored = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    found = [secret for secret in embedded.secrets.values() if secret.encode() in stored]
    figure("C27", "keys in the files of the database", len(found), exactly=0)


@pytest.mark.check("C35")
def test_the_audit_log_has_each_action_once_and_shows_tampering(embedded: Service) -> None:
    with embedded.client("cleo") as cleo:
        made = cleo.post("/v1/keys", json={"name": "audited", "scopes": ["read"]}).json()
        assert cleo.delete(f"/v1/keys/{made['id']}").status_code == 204
        cleo.put("/v1/policies/audited", json={"text": ""})
        entries = cleo.get("/v1/audit", params={"limit": 3}).json()["entries"]
        assert [each["action"] for each in entries] == ["policy.put", "key.revoke", "key.create"]
        assert entries[1]["subject"] == made["id"]
        assert made["secret"] not in json.dumps(entries)
        whole = cleo.get("/v1/audit/verification").json()
        assert whole == {"entries": entries[0]["number"], "problem": None}
        database = embedded.settings.sqlalchemy_url.partition("///")[2]
        number = entries[1]["number"]
        tamperings = (
            ("UPDATE audit SET actor='nobody' WHERE tenant='cleo' AND number=?", (number,)),
            ("UPDATE audit SET detail='{}' WHERE tenant='cleo' AND number=?", (number - 1,)),
            ("UPDATE audit SET at=at+1 WHERE tenant='cleo' AND number=?", (number,)),
            ("DELETE FROM audit WHERE tenant='cleo' AND number=?", (number,)),
            ("DELETE FROM audit WHERE tenant='cleo' AND number>?", (number,)),
            ("UPDATE audit SET number=9999 WHERE tenant='cleo' AND number=?", (number,)),
        )
        for statement, values in tamperings:
            with closing(sqlite3.connect(database, timeout=10)) as connection:
                before = connection.execute("SELECT * FROM audit WHERE tenant='cleo'").fetchall()
                with connection:
                    connection.execute(statement, values)
                assert cleo.get("/v1/audit/verification").json()["problem"], statement
                with connection:
                    connection.execute("DELETE FROM audit WHERE tenant='cleo'")
                    marks = ",".join("?" * len(before[0]))
                    connection.executemany(f"INSERT INTO audit VALUES ({marks})", before)
        assert cleo.get("/v1/audit/verification").json() == whole


@contextmanager
def issuer() -> Iterator[tuple[str, rsa.RSAPrivateKey]]:
    """An identity provider on loopback with one key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())) | {
        "kid": "one",
        "use": "sig",
        "alg": "RS256",
    }

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            documents = {
                "/.well-known/openid-configuration": {"issuer": url, "jwks_uri": f"{url}/keys"},
                "/keys": {"keys": [jwk]},
            }
            content = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Provider)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url, key
    finally:
        server.shutdown()
        server.server_close()


def test_a_ci_job_gets_a_short_lived_token(corpus: Path, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=corpus, database_url=f"sqlite+aiosqlite:///{tmp_path / 'w.db'}", webhook_private=True
    )
    with issuer() as (url, key), serving("embedded", settings, tmp_path) as service:
        now = int(time.time())
        claims = {
            "iss": url, "aud": "whence", "sub": "repo:octo/hello", "iat": now, "exp": now + 300,
            "repository_id": "4711", "repository": "octo/hello",
        }  # fmt: skip

        def token(signer: Any = key, algorithm: str = "RS256", kid: str = "one", **changes: Any) -> str:
            left = {name: value for name, value in (claims | changes).items() if value is not None}
            return jwt.encode(left, signer, algorithm, headers={"kid": kid})

        with service.client("ada", "admin") as admin, service.client(None) as job:

            def exchange(identity: str) -> httpx2.Response:
                return job.post("/v1/tokens", json={"identity_token": identity})

            assert exchange(token()).status_code == 401, "nothing is trusted yet"
            body = {"issuer": url, "repository_id": "4711", "scopes": ["scan", "read"]}
            trust = admin.post("/v1/trusts", json=body)
            assert trust.status_code == 201, trust.text
            stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            refused = [
                token(stranger), token(aud="other"), token(exp=now - 120), token(repository_id="4712"),
                token(repository_id=None), token(iss="https://evil.example"), token(kid="two"),
                token("k" * 32, "HS256"), token(None, "none"), token()[:-3], "x", token(iat=now + 3600),
                token(exp=None), token(sub=None),
            ]  # fmt: skip
            for number, each in enumerate(refused):
                answer = exchange(each)
                assert answer.status_code == 401, (number, answer.text)
                assert answer.json()["detail"] == "this identity token is not accepted here"
            given = exchange(token())
            assert given.status_code == 201, given.text
            assert given.json()["expires_in"] == 900
            bearer = {"Authorization": f"Bearer {given.json()['access_token']}"}
            scan = job.post("/v1/scans", content=copied(), headers=DIFF | bearer)
            assert scan.status_code == 202
            assert job.get("/v1/keys", headers=bearer).status_code == 403
            assert admin.get("/v1/audit").json()["entries"][0]["action"] == "token.issue"
            assert admin.delete(f"/v1/trusts/{trust.json()['id']}").status_code == 204
            time.sleep(2.2)
            assert job.get("/v1/scans", headers=bearer).status_code == 401
