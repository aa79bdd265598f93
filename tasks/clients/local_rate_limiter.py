"""The rate limiter of a single process: it works like the fleet's, without Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tasks.clients.rate_limiter import RateLimit
from tasks.failures import RetryLater
from tasks.waits import capped

FIRST_PAUSE_SECONDS = 0.5  # after a throttle; doubled by each further one
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(slots=True)
class _Bucket:
    next_at: float = 0.0  # on the monotonic clock
    pause_seconds: float = FIRST_PAUSE_SECONDS
    slots: asyncio.Semaphore | None = None


@dataclass(slots=True)
class LocalRateLimiter:
    """Calls of a bucket keep to its initial rate. A throttle pauses all of them, each further one for longer."""

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
        state.next_at = max(
            state.next_at, time.monotonic() + max(capped(retry_after_seconds or 0), state.pause_seconds)
        )
        state.pause_seconds = min(2 * state.pause_seconds, LONGEST_PAUSE_SECONDS)

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        state = self._buckets.setdefault(bucket, _Bucket())
        state.next_at = max(state.next_at, time.monotonic() + capped(seconds))

    @asynccontextmanager
    async def slot(self, bucket: str, max_in_flight: int, *, patient: Callable[[], bool]) -> AsyncIterator[None]:
        state = self._buckets.setdefault(bucket, _Bucket())
        state.slots = state.slots or asyncio.Semaphore(max_in_flight)
        async with state.slots:
            yield
