"""Ed25519 signatures of receipts (RFC 8032, through `cryptography`) and the local key.

Envelope: {"body": …, "signed": {"algorithm", "at", "public_key"}, "signature": …} in canonical JSON and one
newline. Signed is everything but the signature. Texts in hex, so that each signature has one spelling.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from app.receipt.body import Body
from app.receipt.canonical import canonical, read
from app.report.codec import BadReport, Matching, decode
from corpus.errors import BadInput, MissingExtra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# Said before what is signed, so that a signature of something else never passes for one of a receipt.
CONTEXT = b"whence receipt 1\n"
MAX_SIZE = 64 << 20
KEY_NAME = "receipt-key.pem"


class BadReceipt(BadInput):
    """A receipt that does not verify: says why."""

    slug, status = "bad-receipt", 422


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed and when. at: UTC, to the second. public_key: 64 hex digits."""

    algorithm: Literal["Ed25519"]
    at: Annotated[str, Matching(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    public_key: Annotated[str, Matching("^[0-9a-f]{64}$")]

    @property
    def fingerprint(self) -> str:
        """16 hex digits to recognise the key by."""
        return hashlib.sha256(bytes.fromhex(self.public_key)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose signature fits."""

    body: Body
    signed: Signed


def sign(body: Body, key: Ed25519PrivateKey, at: str) -> bytes:
    """The receipt as a file holds it. at: `2026-11-25T12:00:00Z`."""
    signed = {"algorithm": "Ed25519", "at": at, "public_key": key.public_key().public_bytes_raw().hex()}
    statement: dict[str, Any] = {"body": body.to_dict(), "signed": signed}
    signature = key.sign(CONTEXT + canonical(statement)).hex()
    return canonical({**statement, "signature": signature}) + b"\n"


def verify(data: bytes, public_key: str | None = None) -> Receipt:
    """The receipt, once every byte of it is covered by its signature. Needs no corpus and no network.

    public_key: 64 hex digits of the key that must have signed; without it any key may have.
    Raises BadReceipt.
    """
    ed25519, refused = _library()
    if len(data) > MAX_SIZE:
        raise BadReceipt(f"the receipt is larger than {MAX_SIZE >> 20} MiB")
    try:
        value = read(data.removesuffix(b"\n")) if data.endswith(b"\n") else None
    except ValueError as error:
        raise BadReceipt(f"this is not a receipt as it was written: {error}") from None
    if not isinstance(value, dict) or value.keys() != {"body", "signed", "signature"}:
        raise BadReceipt("this is not a receipt as it was written: body, signed and signature are needed")
    signature = value.pop("signature")
    if not isinstance(signature, str) or not re.fullmatch("[0-9a-f]{128}", signature):
        raise BadReceipt("the signature is not 128 hex digits")
    try:
        signed: Signed = decode(Signed, value["signed"])
    except BadReport as error:
        raise BadReceipt(f"receipt.signed{error.where}: {error.why}") from None
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key))
        key.verify(bytes.fromhex(signature), CONTEXT + canonical(value))
    except (refused, ValueError):
        raise BadReceipt("the signature does not fit: the receipt was changed after it was signed") from None
    if public_key is not None and public_key != signed.public_key:
        raise BadReceipt(f"signed by another key (fingerprint {signed.fingerprint})")
    try:
        return Receipt(decode(Body, value["body"]), signed)
    except BadReport as error:
        raise BadReceipt(f"receipt.body{error.where}: {error.why}") from None


def read_public_key(text: bytes) -> str:
    """The 64 hex digits of a public key, given as such or as PEM. Raises BadInput."""
    ed25519, _ = _library()
    stripped = text.strip()
    if re.fullmatch(rb"[0-9a-f]{64}", stripped):
        return stripped.decode()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(stripped)
    except Exception:
        key = None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise BadInput("the public key is neither 64 hex digits nor PEM of an Ed25519 key")
    return str(key.public_bytes_raw().hex())


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The key of a PEM file that nobody else may read. Raises BadInput."""
    ed25519, _ = _library()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as handle:
            mode = stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
            text = handle.read(MAX_SIZE)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise BadInput(f"{path} can be read by others (mode {mode:04o}): chmod 600 {path}")
    try:
        key: Any = load_pem_private_key(text, None)
    except Exception:
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise BadInput(f"{path} is not an Ed25519 private key in PEM without a password")
    made: Ed25519PrivateKey = key
    return made


def local_key(data: Path) -> Ed25519PrivateKey:
    """This installation's own key, made at first use: DATA/receipt-key.pem, mode 0600."""
    ed25519, _ = _library()
    path = data / KEY_NAME
    if not path.exists():
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        text = ed25519.Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        data.mkdir(parents=True, exist_ok=True)
        temporary = data / f".{KEY_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            # Linked, not renamed: of two first uses at once the first key stays.
            with suppress(FileExistsError):
                os.link(temporary, path)
        finally:
            temporary.unlink()
    return read_private_key(path)


def _library() -> tuple[Any, type[Exception]]:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise MissingExtra("a signed receipt", "receipt") from error
    return ed25519, InvalidSignature
