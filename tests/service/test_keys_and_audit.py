"""Keys are known by their hash only and end when they should; the audit log shows every tampering."""

from __future__ import annotations

import random
import string
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.db import keys
from app.db.models import ApiKey, AuditEntry, AuditHead, Base
from app.services import audit
from app.work import EVERY_TENANT
from corpus.errors import BadInput
from tests.figures import Figure
from tests.service.stacks import Stack

pytestmark = pytest.mark.anyio


async def find(store: Stack, secret: str) -> ApiKey | None:
    async with store.context.work(EVERY_TENANT, read=True) as work:
        return await keys.find(work, secret)


async def test_a_key_from_birth_to_revocation(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        new = await keys.create(work, "ci", ["read", "scan", "scan"])
    assert new.secret.startswith("whence_")
    assert new.secret.startswith(new.key.prefix)
    assert keys.looks_right(new.secret)
    found = await find(store, new.secret)
    assert found is not None
    assert (found.tenant, found.scopes, found.last_used_at) == (tenant, ["read", "scan"], None)
    async with store.context.work(EVERY_TENANT) as work:
        await keys.touch(work, found.id)
    async with store.context.work(tenant) as work:
        used = (await keys.get(work, found.id)).last_used_at
        assert used is not None
        await keys.touch(work, found.id)  # within the minute: not written again
    async with store.context.work(tenant) as work:
        assert (await keys.get(work, found.id)).last_used_at == used
        await keys.revoke(work, found.id)
    assert await find(store, new.secret) is None


async def test_keys_expire_and_two_are_valid_while_they_change(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        dead = await keys.create(work, "dead", ["read"], lifetime=-1)
        old = await keys.create(work, "old", ["admin"], lifetime=None)
        new = await keys.rotate(work, old.key.id, overlap=3600)
        gone = await keys.create(work, "gone", ["admin"])
        after = await keys.rotate(work, gone.key.id, overlap=0)
    assert await find(store, dead.secret) is None
    assert (await find(store, old.secret)) is not None
    found = await find(store, new.secret)
    assert found is not None
    assert (found.name, found.scopes) == ("old", ["admin"])
    assert await find(store, gone.secret) is None
    assert await find(store, after.secret) is not None


async def test_no_secret_is_stored(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        new = await keys.create(work, "ci", ["read"])
    body = new.secret.removeprefix("whence_")[5:]
    async with store.context.work(EVERY_TENANT, read=True) as work:
        for mapper in Base.registry.mappers:
            for row in (await work.session.execute(select(mapper.local_table))).all():
                assert body not in repr(tuple(row))


async def test_wrong_keys_are_refused(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        good = (await keys.create(work, "ci", ["read"])).secret
    rng = random.Random(5)
    accepted = 0
    for _ in range(20_000):  # without the database: the checksum
        text = list(good)
        text[rng.randrange(7, len(text))] = rng.choice(string.ascii_letters + string.digits)
        wrong = "".join(text)
        accepted += wrong != good and keys.looks_right(wrong)
    assert accepted == 0
    for wrong in ("", "whence_", good[:-1], good + "0", good.upper(), "whence_" + "é" * 49, "\0" * 56):
        assert await find(store, wrong) is None
    body = "0" * keys.BODY
    assert await find(store, f"whence_{body}{keys._checksum(body)}") is None  # well-formed, never issued
    with pytest.raises(BadInput):
        async with store.context.work(tenant) as work:
            await keys.create(work, "ci", ["root"])


async def test_trusted_repositories(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant) as work:
        trust = await keys.trust(work, "https://issuer.example/", f"id-{tenant}", ["scan"])
    with pytest.raises(BadInput, match="already"):
        async with store.context.work(f"{tenant}-other") as work:
            await keys.trust(work, "https://issuer.example", f"id-{tenant}", ["scan"])
    async with store.context.work(EVERY_TENANT, read=True) as work:
        found = await keys.trusted(work, "https://issuer.example", f"id-{tenant}")
        assert found is not None
        assert (found.id, found.tenant) == (trust.id, tenant)
        assert await keys.trusted(work, "https://other.example", f"id-{tenant}") is None
        assert "https://issuer.example" in await keys.issuers(work)
    async with store.context.work(tenant) as work:
        await keys.distrust(work, trust.id)
        assert await keys.trusts(work) == []


async def test_a_secret_of_the_installation_is_made_once(store: Stack) -> None:
    made = set()
    for _ in range(3):
        async with store.context.work("system") as work:
            made.add(bytes(await keys.installation_secret(work, "tokens")))
    assert len(made) == 1
    assert len(made.pop()) == 32


async def filled(store: Stack, tenant: str, number: int = 12) -> None:
    for step in range(number):
        async with store.context.work(tenant) as work:
            await audit.record(work, "key_1", "corpus.add", f"pkg:pypi/x@{step}", {"step": step, "x": [1.5]})


async def test_an_honest_log_is_whole(store: Stack, tenant: str) -> None:
    async with store.context.work(tenant, read=True) as work:
        assert (await audit.verify(work)) == audit.Verification(0, None)
    await filled(store, tenant)
    async with store.context.work(tenant, read=True) as work:
        assert (await audit.verify(work)) == audit.Verification(12, None)
        newest = await audit.entries(work, limit=3)
        assert [entry.number for entry in newest] == [12, 11, 10]
        assert [e.number for e in await audit.entries(work, before=10, limit=2)] == [9, 8]


@pytest.mark.check("C35")
async def test_every_tampering_is_found(store: Stack, tenant: str, figure: Figure) -> None:
    await filled(store, tenant)
    rng = random.Random(35)
    kinds = ["edit", "delete", "swap", "cut", "forge"]
    detected = 0
    for number in range(100):
        kind, at = kinds[number % 5], rng.randrange(1, 12)
        problem = await tampered(store, tenant, kind, at)
        assert problem is not None, (kind, at)
        detected += 1
    figure("C35", "tamperings of the audit log detected", detected, exactly=100)
    async with store.context.work(tenant, read=True) as work:
        assert (await audit.verify(work)).problem is None  # each was rolled back


class RolledBack(Exception):
    """Ends a transaction without a trace."""


async def tampered(store: Stack, tenant: str, kind: str, at: int) -> str | None:
    """What `verify` says of one change, which is rolled back."""
    here: Any = AuditEntry.number == at
    problem: str | None = None
    try:
        async with store.context.work(tenant) as work:
            session = work.session
            if kind == "edit":
                column = ("actor", "action", "subject", "digest", "previous")[at % 5]
                await session.execute(update(AuditEntry).where(here).values({column: "x"}))
            elif kind == "delete":
                await session.execute(delete(AuditEntry).where(here))
            elif kind == "swap":
                for old, new in ((at, 999), (at + 1, at), (999, at + 1)):
                    await session.execute(
                        update(AuditEntry).where(AuditEntry.number == old).values(number=new)
                    )
            elif kind == "cut":
                await session.execute(delete(AuditEntry).where(AuditEntry.number > at))
            else:  # an entry that is not in the chain, and a head that fits it in number only
                await session.execute(delete(AuditEntry).where(AuditEntry.number > at))
                await session.execute(update(AuditHead).values(number=at))
            problem = (await audit.verify(work)).problem
            raise RolledBack
    except RolledBack:
        return problem
