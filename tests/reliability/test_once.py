"""One Idempotency-Key is one scan, over HTTP (C4)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.service import Service, copied
from tests.figures import Figure
from tests.reliability.cluster import DIFF


@pytest.mark.check("C4")
@pytest.mark.timeout(600)
def test_a_thousand_posts_with_one_key(service: Service, figure: Figure) -> None:
    diff, headers = copied(uuid.uuid4().hex), DIFF | {"Idempotency-Key": uuid.uuid4().hex}
    with service.client("brin") as brin, ThreadPoolExecutor(20) as pool:

        def post(_: int) -> tuple[int, str]:
            answer = brin.post("/v1/scans", content=diff, headers=headers)
            return answer.status_code, answer.json().get("id", "")

        found = list(pool.map(post, range(1000)))
        other = brin.post("/v1/scans", content=copied(uuid.uuid4().hex), headers=headers)
    assert {status for status, _ in found} <= {200, 202}
    figure("C4", "scans of 1,000 POSTs with one key, 20 at once", len({name for _, name in found}), exactly=1)
    figure("C4", "answers 202 among them", sum(status == 202 for status, _ in found), exactly=1)
    figure("C4", "status for another body", other.status_code, exactly=409)
