"""Policies that a tenant stores by name, so that its scans need not carry them."""

from __future__ import annotations

import re

from app.context import Context
from app.db import policies as rows
from app.db.models import NamedPolicy
from app.errors import NotFound
from app.services.submission import check_policy
from app.work import Work
from corpus.errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


async def checked(context: Context, name: str, text: str) -> str:
    """The digest of a policy that may be stored; called before the transaction. BadInput, BadPolicy."""
    if not _NAME.fullmatch(name):
        raise BadInput("a policy's name has up to 100 letters, digits, dots, dashes and underscores")
    return await check_policy(context, text)


async def put(work: Work, name: str, text: str, digest: str) -> NamedPolicy:
    """Store or replace. digest: from `checked`."""
    await rows.put(work, name, text, digest)
    return await get(work, name)


async def get(work: Work, name: str) -> NamedPolicy:
    """Raises NotFound."""
    found = await rows.get(work, name)
    if found is None:
        raise NotFound("policy", name)
    return found


async def list_policies(work: Work) -> list[NamedPolicy]:
    return await rows.names(work)


async def remove(work: Work, name: str) -> None:
    """Raises NotFound. Scans that were accepted keep the text that they were accepted with."""
    if not await rows.remove(work, name):
        raise NotFound("policy", name)
