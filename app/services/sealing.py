"""Small secrets that the database keeps only sealed: AES-256-GCM under the operator's WHENCE_KEY_PEPPER.

A copy of the database then says nothing of them. Without a pepper they stand as they are: a key that lay in
the same database would hide nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from corpus.errors import WhenceError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = "sealed:"
NONCE = 12


class CannotUnseal(WhenceError):
    slug, status = "cannot-unseal", 500

    def __init__(self) -> None:
        super().__init__("a secret was stored under another WHENCE_KEY_PEPPER")


def seal(secret: bytes, owner: str, pepper: str) -> str:
    """Text that `unseal` opens with the same pepper, for the same owner only."""
    nonce = secrets.token_bytes(NONCE)
    sealed = _cipher(pepper).encrypt(nonce, secret, owner.encode())
    return SEALED + base64.b64encode(nonce + sealed).decode()


def unseal(text: str, owner: str, pepper: str) -> bytes:
    """Raises CannotUnseal."""
    from cryptography.exceptions import InvalidTag

    raw = base64.b64decode(text.removeprefix(SEALED))
    try:
        return _cipher(pepper).decrypt(raw[:NONCE], raw[NONCE:], owner.encode())
    except InvalidTag:
        raise CannotUnseal from None


def _cipher(pepper: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(hmac.new(pepper.encode(), b"whence secrets at rest 1", hashlib.sha256).digest())
