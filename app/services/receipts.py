"""Signs receipts of scans with the installation's key: the file of a setting, else one in the data folder.

All API processes share that folder, so whichever answers, the key is the same.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from app.receipt.body import Body
from app.receipt.signature import local_key, read_private_key, sign
from app.settings import Settings
from corpus.errors import WhenceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

log = structlog.get_logger("whence.receipts")


class NoKey(WhenceError):
    """Receipts cannot be signed here, because the data folder is not writable and has no key."""

    slug, status = "no-receipt-key", 503


class Signer:
    """The key of this installation, read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key: Ed25519PrivateKey | None = None

    async def load(self) -> None:
        """Read the key, or make it at the first start. A key that was named and is none ends the start.

        Raises BadInput. Where no key can be made, receipts are answered with NoKey and all else works.
        """
        if self._key is not None:
            return
        named = self._settings.receipt_key
        try:
            self._key = await asyncio.to_thread(
                read_private_key if named else local_key, named or self._settings.data_dir
            )
        except OSError as error:
            log.warning("receipts cannot be signed", reason=error.strerror or "unknown")

    async def public_key(self) -> str:
        """64 hex digits. Raises NoKey."""
        return (await self._loaded()).public_key().public_bytes_raw().hex()

    async def sign(self, body: Body) -> bytes:
        """The receipt as a file holds it, signed now. Raises NoKey."""
        key = await self._loaded()
        return await asyncio.to_thread(sign, body, key, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    async def _loaded(self) -> Ed25519PrivateKey:
        await self.load()
        if self._key is None:
            raise NoKey("this server has no key to sign receipts with: set WHENCE_RECEIPT_KEY")
        return self._key
