"""How many requests a key may send: a sliding window, kept in memory or, for several processes, in Redis.

Redis is a convenience here: when it does not answer, this process counts by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit after a request. reset: seconds until one more is allowed."""

    allowed: bool
    limit: int
    window: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        """RateLimit fields, as the IETF's httpapi draft writes them."""
        return {
            "RateLimit-Policy": f'"key";q={self.limit};w={self.window}',
            "RateLimit": f'"key";r={self.remaining};t={self.reset}',
        }


class Rates:
    """`rate` is written as `120/minute`. redis_url: shared by all API processes, or None."""

    def __init__(self, rate: str, redis_url: str | None = None) -> None:
        self.item: RateLimitItem = parse(rate)
        self.local = SlidingWindowCounterRateLimiter(MemoryStorage())
        self.shared: SlidingWindowCounterRateLimiter | None = None
        if redis_url:
            storage = RedisStorage(
                f"async+{redis_url}",
                implementation="redispy",
                wrap_exceptions=True,
                socket_timeout=0.5,
                socket_connect_timeout=0.5,
                key_prefix="whence:rate",
            )
            self.shared = SlidingWindowCounterRateLimiter(storage)
        self.retry_shared_at = 0.0

    async def spend(self, who: str) -> Allowance:
        """Count one request of `who`."""
        if self.shared is not None and time.monotonic() >= self.retry_shared_at:
            try:
                return await self._spend(self.shared, who)
            except Exception as error:
                self.retry_shared_at = time.monotonic() + 5.0
                log.warning("rate_limit_store_down", error=type(error).__name__)
        return await self._spend(self.local, who)

    async def _spend(self, limiter: SlidingWindowCounterRateLimiter, who: str) -> Allowance:
        allowed = await limiter.hit(self.item, who)
        stats = await limiter.get_window_stats(self.item, who)
        reset = max(0, min(self.item.get_expiry(), round(stats.reset_time - time.time() + 0.5)))
        return Allowance(allowed, self.item.amount, self.item.get_expiry(), max(0, stats.remaining), reset)
