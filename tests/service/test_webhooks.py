"""Endpoints are told of the end of a scan: signed, retried, and never inside the operator's network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from sqlalchemy import select, update

from app.db.models import Delivery, Webhook
from app.services import webhooks
from app.services.outbound import post
from app.services.sealing import CannotUnseal
from app.work import EVERY_TENANT
from corpus.errors import BadInput
from tests.service.stacks import Stack, copied, until

pytestmark = pytest.mark.anyio


class Receiver(ThreadingHTTPServer):
    """Keeps what it gets; answers with the next of `answers`, then 204."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def deliveries(stack: Stack, tenant: str) -> list[Delivery]:
    async with stack.context.work(tenant, read=True) as work:
        return list(await work.session.scalars(select(Delivery).order_by(Delivery.id)))


async def test_a_secret_is_sealed_where_there_is_a_pepper(stack: Stack, tenant: str) -> None:
    async with stack.context.work(tenant) as work:
        plain = await webhooks.create(work, "https://example.org/plain")
        hook = await webhooks.create(work, "https://example.org/sealed", pepper="salt and")
    assert webhooks.secret_of(plain, "salt and") == plain.secret
    secret = webhooks.secret_of(hook, "salt and")
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret.removeprefix("whsec_") not in hook.secret
    for other in ("another", ""):
        with pytest.raises(CannotUnseal):
            webhooks.secret_of(hook, other)
    moved = Webhook(id=plain.id, secret=hook.secret)
    with pytest.raises(CannotUnseal):
        webhooks.secret_of(moved, "salt and")


async def test_a_delivery_is_signed_and_retried(stack: Stack, tenant: str, receiver: Receiver) -> None:
    receiver.answers = [500, 302]
    async with stack.context.work(tenant) as work:
        hook = await webhooks.create(work, receiver.url)
        await webhooks.create(work, receiver.url + "/other", events=["scan.failed"])
    scan = await stack.ended(await stack.submit(copied(tenant), tenant, label="mine"), tenant)
    for tries in (1, 2, 3):
        await until(lambda tries=tries: len(receiver.got) >= tries, 20, f"try {tries}")
        if tries < 3:

            async def waits(tries: int = tries) -> bool:
                (row,) = await deliveries(stack, tenant)
                return row.state == "queued" and row.attempts == tries

            await until(waits, 10, "it waits")
            async with stack.context.work(EVERY_TENANT) as work:  # not for the whole back-off
                await work.session.execute(
                    update(Delivery).where(Delivery.tenant == tenant).values(not_before=0.0)
                )

    async def sent() -> bool:
        return [row.state for row in await deliveries(stack, tenant)] == ["done"]

    await until(sent, 10, "it is done")
    ids = {headers["webhook-id"] for headers, _ in receiver.got}
    assert len(ids) == 1
    key = base64.b64decode(hook.secret.removeprefix("whsec_"))
    for headers, body in receiver.got:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
    message = json.loads(receiver.got[-1][1])
    assert message["type"] == "scan.done"
    assert message["data"] == {
        "scan": scan.id, "state": "done", "status": "complete", "worst": scan.worst, "findings": 1,
        "label": "mine",
    }  # fmt: skip
    async with stack.context.work(tenant, read=True) as work:
        (row,) = await webhooks.deliveries(work, hook.id)
        assert (row.attempts, row.answer) == (3, 204)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1"],
)
async def test_private_addresses_are_refused(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    status, problem = post(url, "{}", {}, private=False)
    assert (status, receiver.got) == (None, [])
    assert problem


@pytest.mark.parametrize(
    "url", ["", "ftp://x.example", "https://", "https://u:p@x.example", "https://" + "x" * 2000, "x"]
)
async def test_addresses_that_are_none(store: Stack, tenant: str, url: str) -> None:
    async with store.context.work(tenant) as work:
        with pytest.raises(BadInput):
            await webhooks.create(work, url)


async def test_removing_takes_the_deliveries(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        hook = await webhooks.create(work, "https://hooks.example/x")
    made = await store.submit(copied(tenant), tenant)
    async with store.context.work(EVERY_TENANT) as work:
        await webhooks.announce(work, made, "scan.done")
    assert [row.webhook_id for row in await deliveries(store, tenant)] == [hook.id]
    async with store.context.work(tenant) as work:
        await webhooks.remove(work, hook.id)
    assert await deliveries(store, tenant) == []
