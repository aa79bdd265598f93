"""The rate budget of a process that is by itself: the same promises as the fleet's, without Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tasks.clients.rate_limiter import RateLimit
from tasks.failures import RetryLater

FIRST_PAUSE_SECONDS = 0.5  # after a throttle; twice as long after each further one
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(slots=True)
class _Bucket:
    next_at: float = 0.0  # on the monotonic clock
    pause_seconds: float = FIRST_PAUSE_SECONDS
    free: asyncio.Semaphore | None = None  # as many as may be in flight


@dataclass(slots=True)
class LocalRateLimiter:
    """Calls of a bucket keep to its first rate. A throttle holds all of them back, and the next one for longer."""

    longest_wait_seconds: float = 20
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        state = self._buckets.setdefault(bucket, _Bucket())
        while (wait := state.next_at - time.monotonic()) > 0:
            if wait > self.longest_wait_seconds:
                raise RetryLater(f"{bucket}: throttled", after_seconds=wait)
            await asyncio.sleep(wait)
        state.next_at = time.monotonic() + 1 / limit.initial

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        state = self._buckets.setdefault(bucket, _Bucket())
        state.next_at = max(state.next_at, time.monotonic() + max(retry_after_seconds or 0, state.pause_seconds))
        state.pause_seconds = min(2 * state.pause_seconds, LONGEST_PAUSE_SECONDS)

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        state = self._buckets.setdefault(bucket, _Bucket())
        state.next_at = max(state.next_at, time.monotonic() + seconds)

    @asynccontextmanager
    async def slot(self, bucket: str, most: int, *, patient: Callable[[], bool]) -> AsyncIterator[None]:
        state = self._buckets.setdefault(bucket, _Bucket())
        state.free = state.free or asyncio.Semaphore(most)
        async with state.free:
            yield
