"""One rate budget per API bucket, shared by the whole fleet in Redis.

Additive increase, multiplicative decrease: a throttle halves the rate for every worker at once, and how long the API
says to wait holds for all of them. Where it bounds the calls in flight as well, they are counted over all workers.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Protocol

import redis

from tasks.failures import RetryLater

_FLIGHT_SECONDS: Final = 30.0  # a call in flight is renewed in time; one whose process died counts no longer than this
_LOOK_SECONDS: Final = (0.02, 0.1)  # how often who waits for another's call to end looks again


@cache
def _script(name: str) -> str:
    return resources.files("tasks.clients").joinpath(f"{name}.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls per second of one bucket: where it begins, and what it never exceeds."""

    initial: float
    maximum: float


class RateLimiter(Protocol):
    """How many calls an API bucket takes: the fleet's, or what one process keeps to by itself."""

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        """Wait for the bucket's next call. Raises Later where that would be long."""

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        """The API asked to slow down."""

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        """The API said that nothing is left for so long. The rate is no reason, and stays."""

    def slot(self, bucket: str, most: int, *, patient: Callable[[], bool]) -> AbstractAsyncContextManager[None]:
        """A call that is one of so many in flight for as long as the block.

        Raises Later where its turn is far away; never where it is `patient` by then.
        """


class RedisRateLimiter:
    """`longest_wait_seconds`: a call that would wait longer gives its scope back instead (raises Later)."""

    def __init__(self, client: redis.Redis, *, longest_wait_seconds: float = 20) -> None:
        self._take = client.register_script(_script("rate_limiter"))
        self._in_flight = client.register_script(_script("calls_in_flight"))
        self._longest_ms = int(longest_wait_seconds * 1000)

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        """Wait for the bucket's next call. A throttle that comes while waiting is waited for as well."""
        while True:
            wait_ms = await self._call("take", bucket, limit, self._longest_ms)
            if wait_ms > self._longest_ms:
                raise RetryLater(f"{bucket}: throttled", after_seconds=wait_ms / 1000)
            if wait_ms == 0:
                return
            await asyncio.sleep(wait_ms / 1000)
            if await self._call("blocked", bucket, limit, 0) == 0:
                return

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        """The API asked to slow down; the next `take` of every worker waits."""
        await self._call("throttled", bucket, limit, int((retry_after_seconds or 0) * 1000))

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        """The next `take` of every worker waits for so long."""
        await self._call("hold", bucket, limit, int(seconds * 1000))

    @asynccontextmanager
    async def slot(self, bucket: str, most: int, *, patient: Callable[[], bool]) -> AsyncIterator[None]:
        """One of the bucket's calls in flight, over all workers, for as long as the block.

        Who is patient waits for as long as it takes: others' calls end, or their leases do.
        """
        call, waited = uuid.uuid4().hex, 0.0
        while not await self._flight("enter", bucket, call, most):
            if waited * 1000 > self._longest_ms and not patient():
                raise RetryLater(f"{bucket}: {most} calls are in flight", after_seconds=waited)
            pause = random.uniform(*_LOOK_SECONDS)  # noqa: S311  # so that those who wait don't all look at once
            await asyncio.sleep(pause)
            waited += pause
        renewal = asyncio.ensure_future(self._renewed(bucket, call))
        try:
            yield
        finally:
            renewal.cancel()
            with suppress(redis.RedisError):  # it counts until its lease is over, and no longer
                await asyncio.shield(self._flight("leave", bucket, call))

    async def _renewed(self, bucket: str, call: str) -> None:
        while True:
            await asyncio.sleep(_FLIGHT_SECONDS / 3)
            with suppress(redis.RedisError):
                await self._flight("renew", bucket, call)

    async def _flight(self, what: str, bucket: str, call: str, most: int = 0) -> bool:
        args: list[str | int] = [what, call, most, int(_FLIGHT_SECONDS * 1000)]
        return bool(await asyncio.to_thread(self._in_flight, keys=[f"chartfleet:flight:{bucket}"], args=args))

    async def _call(self, what: str, bucket: str, limit: RateLimit, milliseconds: int) -> int:
        keys = [f"chartfleet:budget:{bucket}"]
        args: list[str | float] = [what, limit.initial, limit.maximum, milliseconds]
        return int(await asyncio.to_thread(self._take, keys=keys, args=args))
