"""One rate limit per API bucket, shared by the whole fleet in Redis.

A throttle cuts the rate for every worker at once, by less if that rate had held for a while, and the wait that the API
asks for applies to all of them. Then the rate rises in proportion to itself: it finds what an API allows, however
little, without being throttled every few calls. Where an API also bounds concurrent calls, they are counted over all
workers.
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
from tasks.waits import MAX_WAIT_SECONDS, capped

_SLOT_SECONDS: Final = 30.0  # lease of a slot, renewed in time; that of a crashed process runs out
_POLL_SECONDS: Final = (0.02, 0.1)  # between two tries to get a slot
# Others may throttle a bucket, or take its slots, again and again: a call doesn't wait in its worker for ever.
_MAX_THROTTLED_WAITS: Final = 6  # of `longest_wait_seconds`, in all
_MAX_PATIENCE_SECONDS: Final = 300.0


@cache
def _script(name: str) -> str:
    return resources.files("tasks.clients").joinpath(f"{name}.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Calls per second of one bucket: at first, and at most."""

    initial: float
    maximum: float


class RateLimiter(Protocol):
    """Limits the calls to API buckets, for the whole fleet or for one process."""

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        """Wait until the bucket allows a call. Raises RetryLater if that would be long."""

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        """The API throttled a call: slow down, and pause the bucket."""

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        """Pause the bucket, at the same rate: the API reports that it is empty for this time."""

    def slot(
        self, bucket: str, max_in_flight: int, *, patient: Callable[[], bool]
    ) -> AbstractAsyncContextManager[None]:
        """One of at most `max_in_flight` concurrent calls, for the duration of the block.

        Raises RetryLater if that takes long, unless `patient` returns True by then.
        """


class RedisRateLimiter:
    """`longest_wait_seconds`: a call that would wait longer raises RetryLater instead."""

    def __init__(self, client: redis.Redis, *, longest_wait_seconds: float = 20) -> None:
        self._rate = client.register_script(_script("rate_limiter"))
        self._in_flight = client.register_script(_script("calls_in_flight"))
        self._longest_ms = int(longest_wait_seconds * 1000)

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        """Wait until the bucket allows a call, and for any throttle in the meantime."""
        waited_ms, clock = 0, asyncio.get_running_loop().time
        while True:
            reserved = clock()
            wait_ms = await self._call("acquire", bucket, limit, self._longest_ms)
            if wait_ms > self._longest_ms or waited_ms > _MAX_THROTTLED_WAITS * self._longest_ms:
                raise RetryLater(f"{bucket}: throttled", after_seconds=wait_ms / 1000)
            if wait_ms == 0:
                return
            waited_ms += wait_ms
            await asyncio.sleep(wait_ms / 1000)
            if await self._call("waited", bucket, limit, int((clock() - reserved) * 1000)) == 0:
                return

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        """Cut the rate; the next call of every worker waits."""
        await self._call("throttled", bucket, limit, int(capped(retry_after_seconds or 0) * 1000))

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None:
        """The next call of every worker waits."""
        await self._call("pause", bucket, limit, int(capped(seconds) * 1000))

    @asynccontextmanager
    async def slot(self, bucket: str, max_in_flight: int, *, patient: Callable[[], bool]) -> AsyncIterator[None]:
        """One of the bucket's concurrent calls, over all workers, for the duration of the block.

        A patient call waits for some minutes: the calls of others end, or their leases run out.
        """
        call, waited = uuid.uuid4().hex, 0.0
        while not await self._slot("enter", bucket, call, max_in_flight):
            if waited * 1000 > self._longest_ms and not (waited < _MAX_PATIENCE_SECONDS and patient()):
                reason, seconds = f"{bucket}: {max_in_flight} calls are in flight", min(waited, self._longest_ms / 1000)
                raise RetryLater(reason, after_seconds=seconds, throttled=False)
            pause = random.uniform(*_POLL_SECONDS)  # noqa: S311  # so that not all poll at the same time
            await asyncio.sleep(pause)
            waited += pause
        renewal = asyncio.ensure_future(self._keep_renewing(bucket, call))
        try:
            yield
        finally:
            renewal.cancel()
            with suppress(redis.RedisError):  # its lease runs out
                await asyncio.shield(self._slot("leave", bucket, call))

    async def _keep_renewing(self, bucket: str, call: str) -> None:
        while True:
            await asyncio.sleep(_SLOT_SECONDS / 3)
            with suppress(redis.RedisError):
                await self._slot("renew", bucket, call)

    async def _slot(self, operation: str, bucket: str, call: str, max_in_flight: int = 0) -> bool:
        args: list[str | int] = [operation, call, max_in_flight, int(_SLOT_SECONDS * 1000)]
        return bool(await asyncio.to_thread(self._in_flight, keys=[f"chartfleet:in_flight:{bucket}"], args=args))

    async def _call(self, operation: str, bucket: str, limit: RateLimit, milliseconds: int) -> int:
        keys = [f"chartfleet:rate_limit:{bucket}"]
        args: list[str | float] = [operation, limit.initial, limit.maximum, milliseconds, int(MAX_WAIT_SECONDS * 1000)]
        return int(await asyncio.to_thread(self._rate, keys=keys, args=args))
