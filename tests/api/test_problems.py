"""Every error is problem+json, of a stable kind, and repeats nothing of what was sent."""

from __future__ import annotations

import json
import re
import uuid

import httpx2
import pytest

from app.api.problems import MEDIA_TYPE
from tests.api.service import Service, copied
from tests.figures import Figure

DIFF = {"Content-Type": "text/x-diff"}
JSON = {"Content-Type": "application/json"}
CANARY = "canary-zq9x"


def problem(answer: httpx2.Response, status: int, slug: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert body["type"] == f"urn:whence:problem:{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return body


def test_errors_of_every_kind(service: Service) -> None:
    with (
        service.client("ada") as ada,
        service.client(None) as nobody,
        service.client("ada", "read") as reader,
    ):
        problem(ada.get("/nothing"), 404, "not-found")
        problem(ada.get("/v1/scans/"), 404, "not-found")
        problem(ada.get("/v1/scans/scan_00000000000000000000000000"), 404, "not-found")
        problem(ada.patch("/v1/scans"), 405, "method-not-allowed")
        problem(
            ada.post("/v1/scans", content=b"x", headers={"Content-Type": "image/png"}),
            415,
            "unsupported-media-type",
        )
        problem(
            ada.post("/v1/compare", content=b"x", headers={"Content-Type": "text/plain"}),
            415,
            "unsupported-media-type",
        )
        problem(ada.post("/v1/scans", content=b"{", headers=JSON), 400, "bad-json")
        problem(ada.post("/v1/compare", content=b"{", headers=JSON), 400, "bad-json")
        problem(ada.post("/v1/compare", json={}), 422, "invalid-request")
        for route in ("/v1/compare", "/v1/tokens", "/v1/keys", "/v1/fingerprints"):
            problem(ada.post(route, timeout=10), 422, "invalid-request")
        problem(ada.get("/v1/scans", params={"limit": "1000000"}), 422, "invalid-request")
        problem(ada.get("/v1/scans", params={"cursor": "AAAA"}), 400, "bad-input")
        problem(ada.post("/v1/scans", json={}), 422, "invalid-request")
        problem(
            ada.post("/v1/scans", content=b"x" * 100, headers={"Content-Encoding": "br"}),
            415,
            "unsupported-media-type",
        )
        problem(
            ada.post("/v1/scans", content=b"not gzip", headers={"Content-Encoding": "gzip"}),
            400,
            "bad-request",
        )
        problem(ada.get("/v1/scans", headers={f"X-{n}": "v" for n in range(120)}), 431, "headers-too-large")
        broken = {"Content-Type": "multipart/form-data; boundary=x"}
        problem(ada.post("/v1/scans", content=b"--y\r\n", headers=broken), 400, "bad-request")
        problem(
            ada.post("/v1/scans", content=b"", headers={"Content-Type": "multipart/form-data"}),
            400,
            "bad-request",
        )
        refused = nobody.get("/v1/scans")
        problem(refused, 401, "unauthorized")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        problem(reader.post("/v1/scans", content=copied()), 403, "forbidden")
        problem(ada.post("/v1/corpus/releases", json={"releases": ["pkg:nonsense"]}), 400, "bad-purl")


def hostile_bodies() -> dict[str, bytes]:
    """Forty JSON bodies that parsers and databases stumble over."""
    good = {"diff": "d", "label": CANARY, "outbound": "MIT"}

    def with_(**fields: object) -> bytes:
        return json.dumps(good | fields).encode()

    deep = 100_000
    bodies: dict[str, bytes] = {
        "nan": b'{"retain": NaN}',
        "infinity": b'{"retain": Infinity}',
        "minus infinity": b'{"retain": -Infinity}',
        "huge exponent": b'{"retain": 1e999}',
        "huge integer": b'{"retain": ' + b"9" * 5000 + b"}",
        "beyond 64 bits": b'{"diff": "d", "retain": 18446744073709551616}',
        "beyond 32 bits": b'{"diff": "d", "retain": 4294967296}',
        "negative": with_(retain=-1),
        "float": with_(retain=1.5),
        "bool for a number": with_(retain=True),
        "number as text": with_(retain="1"),
        "lone surrogate": b'{"diff": "\\ud800 ' + CANARY.encode() + b'"}',
        "lone low surrogate": b'{"diff": "\\udfff"}',
        "swapped surrogates": b'{"diff": "\\udc00\\ud800"}',
        "surrogate in a key": b'{"\\ud800": 1}',
        "surrogate in a label": b'{"diff": "d", "label": "\\ud800"}',
        "NUL": b'{"diff": "\\u0000"}',
        "NUL in a label": b'{"diff": "d", "label": "a\\u0000b"}',
        "NUL in a path": b'{"files": [{"path": "a\\u0000", "text": "t"}]}',
        "raw control character": b'{"diff": "\x01"}',
        "deep arrays": b"[" * deep + b"]" * deep,
        "deep objects": b'{"a":' * deep + b"1" + b"}" * deep,
        "open arrays": b"[" * deep,
        "a million keys": b"{" + b",".join(b'"k%d":1' % n for n in range(700_000)) + b"}",
        "a key twice": b'{"diff": "a", "diff": "b"}',
        "byte order mark": b"\xef\xbb\xbf" + with_(),
        "UTF-16": json.dumps(good).encode("utf-16"),
        "UTF-32": json.dumps(good).encode("utf-32"),
        "bad UTF-8": b'{"diff": "\xff\xfe"}',
        "overlong UTF-8": b'{"diff": "\xc0\x80"}',
        "encoded surrogate": b'{"diff": "\xed\xa0\x80"}',
        "cut off": with_()[:-4],
        "two values": with_() + with_(),
        "trailing comma": b'{"diff": "d",}',
        "nothing": b"",
        "null": b"null",
        "a text": b'"' + CANARY.encode() + b'"',
        "a list": b"[]",
        "unknown field": with_(**{CANARY: CANARY}),
        "object for a text": with_(diff={CANARY: 1}),
        "list for a text": with_(diff=[CANARY]),
        "text for a list": with_(files=CANARY),
        "null in a list": with_(files=[None]),
        "a field inside": with_(files=[{"path": CANARY, "text": 5}]),
        "both policies": with_(policy="", policy_name=CANARY),
        "label of two lines": with_(label=f"{CANARY}\n"),
        "long label": with_(label="x" * 201),
    }
    return bodies


@pytest.fixture(scope="session")
def statuses() -> dict[tuple[str, str], dict[str, int]]:
    """What each stack answered: status by the name of the body."""
    return {}


@pytest.mark.check("C19")
@pytest.mark.parametrize("route", ["/v1/scans", "/v1/compare", "/v1/keys"])
def test_hostile_json_is_refused_alike_and_not_repeated(
    service: Service,
    ada: httpx2.Client,
    route: str,
    statuses: dict[tuple[str, str], dict[str, int]],
    figure: Figure,
) -> None:
    bodies = hostile_bodies()
    assert len(bodies) >= 40
    found = {}
    for name, body in bodies.items():
        answer = ada.post(route, content=body, headers=JSON)
        assert 400 <= answer.status_code < 500, (name, answer.text)
        assert answer.headers["content-type"] == MEDIA_TYPE, name
        assert CANARY not in answer.text, (name, answer.text)
        found[name] = answer.status_code
    statuses[service.name, route] = found
    other = {"embedded": "production", "production": "embedded"}[service.name]
    assert statuses.get((other, route), found) == found
    figure("C19", "hostile JSON bodies refused with 4xx, alike, unquoted", len(found), at_least=40)


@pytest.mark.check("C19")
def test_hostile_queries_and_headers_are_refused_alike(ada: httpx2.Client) -> None:
    for text in (
        "\0",
        "a\0b",
        "\ud7ff",
        "%ff",
        "'; DROP TABLE scans; --",
        "../../etc/passwd",
        "x" * 3000,
        "\u202e",
    ):
        for route in ("/v1/scans", "/v1/corpus/releases", "/v1/audit"):
            answer = ada.get(
                route, params={"cursor": text, "state": text, "after": text, "before": text, "limit": text}
            )
            assert answer.status_code == 422, (route, text)
        assert ada.get("/v1/corpus/release", params={"purl": text}).status_code == 422
        options = {"label": text, "retain": text}
        scan = ada.post("/v1/scans", content=copied(uuid.uuid4().hex), headers=DIFF, params=options)
        assert scan.status_code == 422
    for raw in (b"/v1/scans/%00", b"/v1/scans/%ff%fe", b"/v1/scans/..%2f..%2f", b"/v1/policies/%0a"):
        answer = ada.get(raw.decode())
        assert answer.status_code in (404, 422), raw
    for key in ("", "x" * 256, "é"):
        headers = [(b"Content-Type", b"text/x-diff"), (b"Idempotency-Key", key.encode("latin-1"))]
        answer = ada.post("/v1/scans", content=copied(uuid.uuid4().hex), headers=headers)
        assert answer.status_code in (200, 202, 400, 422), (key, answer.text)


def test_a_request_id_is_taken_over_when_it_is_harmless(ada: httpx2.Client) -> None:
    assert (
        ada.get("/healthz", headers={"X-Request-Id": "build-4711.2"}).headers["x-request-id"]
        == "build-4711.2"
    )
    for given in ("short", "x" * 65, "evil id", '"}{'):
        answer = ada.get("/healthz", headers={"X-Request-Id": given})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
