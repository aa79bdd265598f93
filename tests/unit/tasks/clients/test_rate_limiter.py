"""How the fleet's rate finds what an API allows, in simulated time: the real client, limiter and script."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from tasks.clients import rate_limiter
from tasks.clients.client import Bucket, ErrorResponse, RateLimitedClient
from tasks.clients.rate_limiter import RateLimit, RedisRateLimiter
from tasks.failures import Failure, RetryLater
from tests.ledger_model.memory_redis import NOW, MemoryRedis
from tests.servers.token_bucket import TokenBucket
from tests.unit.tasks.clients.simulated_time import SimulatedTime

CALL_SECONDS = 0.08
CALLS = 500
WARM_UP_SECONDS = 30.0
TYPICAL = RateLimit(initial=50, maximum=200)
LIMITS = (RateLimit(initial=300, maximum=1000), TYPICAL, RateLimit(initial=5, maximum=10))


@dataclass
class Api(RateLimitedClient):
    """Allows so many calls a second, and a burst of two seconds' calls."""

    loop: SimulatedTime
    rate_limiter: RedisRateLimiter
    limit: RateLimit
    calls_per_second: float
    calls: int = 0
    throttled_at: list[float] = field(default_factory=list)
    sent_at: list[float] = field(default_factory=list)
    _bucket: TokenBucket = field(default_factory=lambda: TokenBucket(0.0, filled=-2.0))

    async def call(self) -> None:
        bucket = Bucket("toy", self.limit)
        try:
            await self.send_with_retries("toy:List", bucket, lambda _: self._send())
        except RetryLater as later:
            await asyncio.sleep(later.after_seconds)
            await self.call()

    async def _send(self) -> ErrorResponse | None:
        await asyncio.sleep(CALL_SECONDS)
        now = self.loop.time()
        self.sent_at.append(now)
        if self._bucket.take(now, per_second=self.calls_per_second, size=2 * self.calls_per_second):
            return None
        self.throttled_at.append(now)
        return ErrorResponse(Failure.THROTTLED, "Throttling", "Rate exceeded")

    async def call_often(self, calls: int, *, at_a_time: int) -> None:
        """As a fleet would that many tasks wait in at the same time."""
        left = iter(range(calls))

        async def one_after_the_other() -> None:
            for _ in left:
                await self.call()

        await asyncio.gather(*(one_after_the_other() for _ in range(at_a_time)))

    def throttled_share(self, start: float, end: float = float("inf")) -> float:
        throttled, sent = (sum(start <= at < end for at in moments) for moments in (self.throttled_at, self.sent_at))
        return throttled / (sent or 1)


class MakeApi(Protocol):
    def __call__(self, calls_per_second: float, limit: RateLimit = TYPICAL) -> Api: ...


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApi]:
    loop = SimulatedTime()
    random.seed(1)

    async def at_once(work: Callable[..., Any], **arguments: Any) -> Any:
        return work(**arguments)

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    memory = MemoryRedis(rate_limiter._script, lambda: NOW + loop.time())

    class Client:
        """redis.Redis, as far as the limiter uses it; a script is known by its source."""

        def register_script(self, source: str) -> Callable[..., Any]:
            name = next(n for n in ("rate_limiter", "calls_in_flight") if rate_limiter._script(n) == source)
            return lambda keys, args: memory.call(name, keys[0], *args)

    def make(calls_per_second: float, limit: RateLimit = TYPICAL) -> Api:
        return Api(loop, RedisRateLimiter(Client()), limit, calls_per_second)  # type: ignore[arg-type]

    yield make
    loop.close()


@pytest.mark.parametrize("at_a_time", [8, 64])
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"from {limit.initial}/s")
def test_an_api_that_allows_little_is_used_almost_fully_and_seldom_throttles(
    api: MakeApi, limit: RateLimit, at_a_time: int
) -> None:
    slow = api(5, limit)
    slow.loop.run_until_complete(slow.call_often(CALLS, at_a_time=at_a_time))
    ideal_seconds = (CALLS - 10) / 5
    assert slow.loop.time() < 1.25 * ideal_seconds
    assert slow.throttled_share(WARM_UP_SECONDS) < 0.02


def test_what_was_reserved_before_a_throttle_is_void(api: MakeApi) -> None:
    """It was as many calls as the rate was too high by, and they would be sent as well as those at the lower rate."""
    slow = api(5, RateLimit(initial=50, maximum=50))
    slow.loop.run_until_complete(slow.call_often(100, at_a_time=64))
    cuts = {round(at) for at in slow.throttled_at}
    assert len(cuts) <= 5, "from 50 to 5 a second it takes four halves"


def test_two_minutes_after_an_api_has_throttled_everything_its_rate_is_what_it_was(api: MakeApi) -> None:
    fast = api(100)

    async def outage() -> None:
        calls = asyncio.ensure_future(fast.call_often(100_000, at_a_time=64))
        await asyncio.sleep(120)
        fast.calls_per_second = 0.01
        await asyncio.sleep(30)
        fast.calls_per_second = 100
        await asyncio.sleep(180)
        calls.cancel()
        await asyncio.gather(calls, return_exceptions=True)

    fast.loop.run_until_complete(outage())
    before, after = (sum(start <= at < start + 60 for at in fast.sent_at) for start in (60, 270))
    assert after > 0.8 * before
