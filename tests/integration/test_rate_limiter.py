"""One rate budget for the fleet: several processes, one bucket."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from typing import Any

import pytest
import redis

from tasks.clients.rate_limiter import RateLimit, RedisRateLimiter
from tasks.failures import RetryLater

LIMIT = RateLimit(initial=20, maximum=20)


def take(url: str, seconds: float, results: Any) -> None:
    """In a process of its own: as many calls as the budget gives within the time; when each was allowed."""
    rate_limiter = RedisRateLimiter(redis.Redis.from_url(url))

    async def run() -> None:
        end = time.time() + seconds
        while time.time() < end:
            await rate_limiter.acquire("toy", LIMIT)
            results.append(time.time())

    asyncio.run(run())


def test_all_processes_together_keep_to_the_rate(broker: redis.Redis, services: Any) -> None:
    with multiprocessing.Manager() as manager:
        results = manager.list()
        workers = [multiprocessing.Process(target=take, args=(services.broker_url, 3.0, results)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        allowed = len(results)
    assert allowed <= 20 + 20 * 4 + 4, "a burst of one second's calls, then the rate; each process may be one call over"
    assert allowed > 30


def run(rate_limiter: RedisRateLimiter, *steps: Any) -> None:
    async def all_steps() -> None:
        for step in steps:
            await step

    asyncio.run(all_steps())


def test_a_throttle_halves_the_rate_once_for_all_that_were_in_flight(broker: redis.Redis) -> None:
    rate_limiter = RedisRateLimiter(broker)
    run(
        rate_limiter,
        rate_limiter.acquire("toy", LIMIT),
        *(rate_limiter.throttled("toy", LIMIT, None) for _ in range(10)),
    )
    assert float(broker.hget("chartfleet:rate_limit:toy", "rate") or 0) == pytest.approx(10, abs=0.5)


def test_nothing_is_allowed_while_told_to_wait(broker: redis.Redis) -> None:
    rate_limiter = RedisRateLimiter(broker)
    begun = time.monotonic()
    run(rate_limiter, rate_limiter.throttled("toy", LIMIT, 0.7))
    run(rate_limiter, rate_limiter.acquire("toy", LIMIT))
    assert time.monotonic() - begun >= 0.69


def test_a_long_wait_is_not_waited_for_and_takes_no_place_in_line(broker: redis.Redis) -> None:
    rate_limiter = RedisRateLimiter(broker, longest_wait_seconds=1)
    run(rate_limiter, rate_limiter.throttled("toy", LIMIT, 60))
    for _ in range(3):
        with pytest.raises(RetryLater) as caught:
            run(rate_limiter, rate_limiter.acquire("toy", LIMIT))
        assert 58 < caught.value.after_seconds < 61


def test_the_rate_comes_back_by_and_by(broker: redis.Redis) -> None:
    rate_limiter = RedisRateLimiter(broker)
    run(rate_limiter, rate_limiter.throttled("toy", LIMIT, None))
    before = float(broker.hget("chartfleet:rate_limit:toy", "rate") or 0)
    broker.hincrby("chartfleet:rate_limit:toy", "at_ms", -30_000)
    broker.hset("chartfleet:rate_limit:toy", "blocked_ms", 0)
    run(rate_limiter, rate_limiter.acquire("toy", LIMIT))
    after = float(broker.hget("chartfleet:rate_limit:toy", "rate") or 0)
    assert before == 10
    assert after == pytest.approx(10 * 2**0.5, abs=0.5), "it doubles in a minute"


def test_buckets_are_apart(broker: redis.Redis) -> None:
    rate_limiter = RedisRateLimiter(broker)
    run(rate_limiter, rate_limiter.throttled("one account", LIMIT, 30))
    begun = time.monotonic()
    run(rate_limiter, rate_limiter.acquire("another account", LIMIT))
    assert time.monotonic() - begun < 5


def test_a_clock_that_was_set_back_holds_no_slot(broker: redis.Redis) -> None:
    """The lease of a crashed process was written by a clock ten years ahead."""
    rate_limiter = RedisRateLimiter(broker, longest_wait_seconds=1)
    seconds, _ = broker.time()
    broker.zadd("chartfleet:in_flight:toy", {"of a crashed process": (int(seconds) + 10 * 365 * 24 * 3600) * 1000})

    async def call() -> None:
        async with rate_limiter.slot("toy", 1, patient=lambda: False):
            pass

    asyncio.run(call())
