"""One rate budget per API bucket, shared by the whole fleet in Redis.

Additive increase, multiplicative decrease: a throttle halves the rate for every worker at once, and how long the API
says to wait holds for all of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

import redis

from tasks.failures import Later


@cache
def _script() -> str:
    return resources.files("tasks").joinpath("rate_budget.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls per second of one bucket: where it begins, and what it never exceeds."""

    initial: float
    highest: float


class Budget(Protocol):
    """How many calls an API bucket takes: the fleet's, or what one process keeps to by itself."""

    async def take(self, bucket: str, limit: Limit) -> None:
        """Wait for the bucket's next call. Raises Later where that would be long."""

    async def throttled(self, bucket: str, limit: Limit, retry_after_seconds: float | None) -> None:
        """The API asked to slow down."""


class RateBudget:
    """`longest_wait_seconds`: a call that would wait longer gives its scope back instead (raises Later)."""

    def __init__(self, client: redis.Redis, *, longest_wait_seconds: float = 20) -> None:
        self._take = client.register_script(_script())
        self._longest_ms = int(longest_wait_seconds * 1000)

    async def take(self, bucket: str, limit: Limit) -> None:
        """Wait for the bucket's next call. A throttle that comes while waiting is waited for as well."""
        while True:
            wait_ms = await self._call("take", bucket, limit, self._longest_ms)
            if wait_ms > self._longest_ms:
                raise Later(f"{bucket}: throttled", after_seconds=wait_ms / 1000)
            if wait_ms == 0:
                return
            await asyncio.sleep(wait_ms / 1000)
            if await self._call("blocked", bucket, limit, 0) == 0:
                return

    async def throttled(self, bucket: str, limit: Limit, retry_after_seconds: float | None) -> None:
        """The API asked to slow down; the next `take` of every worker waits."""
        await self._call("throttled", bucket, limit, int((retry_after_seconds or 0) * 1000))

    async def _call(self, what: str, bucket: str, limit: Limit, milliseconds: int) -> int:
        keys = [f"chartfleet:budget:{bucket}"]
        args: list[str | float] = [what, limit.initial, limit.highest, milliseconds]
        return int(await asyncio.to_thread(self._take, keys=keys, args=args))
