"""Errors of the service, on top of corpus.errors. The API renders them as problem+json.

WhenceError
├── NotFound            404  does not exist, or is another tenant's: the same answer
├── Conflict            409
│   └── KeyReused       409  an Idempotency-Key with another body
├── TooLarge            413
├── NotIndexed          422  a release of a corpus job: why stands in the message
├── Forbidden           403  the key lacks a scope
├── Unauthorized        401
└── Busy                     carries `retry_after`, seconds
    ├── TooMany         429  this tenant has too much waiting
    ├── QueueFull       503
    └── Unavailable     503  the database does not answer
"""

from __future__ import annotations

from corpus.errors import WhenceError


class NotFound(WhenceError):
    slug, status = "not-found", 404

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"there is no {what} {name!r}")


class Conflict(WhenceError):
    slug, status = "conflict", 409


class KeyReused(Conflict):
    slug = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used with another body: send a new key")


class TooLarge(WhenceError):
    slug, status = "too-large", 413

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"{what} has {size} bytes; at most {limit} are taken")


class NotIndexed(WhenceError):
    slug, status = "not-indexed", 422


class Unauthorized(WhenceError):
    slug, status = "unauthorized", 401


class Forbidden(WhenceError):
    slug, status = "forbidden", 403


class Busy(WhenceError):
    slug, status = "busy", 503
    retry_after: int = 2

    def __init__(self, message: str, retry_after: int = 2) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooMany(Busy):
    slug, status = "too-many", 429


class QueueFull(Busy):
    slug = "queue-full"


class Unavailable(Busy):
    slug = "unavailable"

    def __init__(self) -> None:
        super().__init__("the database does not answer now; nothing was lost, try again", 2)
