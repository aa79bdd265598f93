"""A lease is renewed for as long as the work takes, and the work stops where it is lost."""

from __future__ import annotations

import threading
import time
from itertools import count

import pytest
import redis
from neo4j.exceptions import ServiceUnavailable

from workers.fleet.lease import LeaseKeeper

LEASE_SECONDS = 0.3


def test_it_is_renewed_every_third_of_its_duration() -> None:
    times: list[float] = []

    def renew() -> bool:
        times.append(time.monotonic())
        return True

    start = time.monotonic()
    with LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=renew, on_lost=pytest.fail):
        time.sleep(LEASE_SECONDS * 2.5)
    assert times[0] - start >= LEASE_SECONDS / 3
    assert all(later - earlier < LEASE_SECONDS for earlier, later in zip([start, *times], times, strict=False))
    assert 4 <= len(times) <= 8


def test_the_work_is_stopped_once_where_the_lease_is_lost() -> None:
    stopped, calls = threading.Event(), count()

    def stop() -> None:
        next(calls)
        stopped.set()

    with LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=lambda: False, on_lost=stop):
        assert stopped.wait(5)
        time.sleep(LEASE_SECONDS)
    assert next(calls) == 1


def test_work_that_gave_its_lease_back_is_not_stopped() -> None:
    with LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=lambda: False, on_lost=pytest.fail) as keeper:
        keeper.end()
        time.sleep(LEASE_SECONDS)


@pytest.mark.parametrize("error", [redis.ConnectionError(), ServiceUnavailable()])
def test_a_store_that_is_away_takes_no_lease(error: Exception) -> None:
    responses = iter([error, True, False])
    stopped = threading.Event()

    def renew() -> bool:
        response = next(responses)
        if isinstance(response, Exception):
            raise response
        return bool(response)

    with LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=renew, on_lost=stopped.set):
        assert stopped.wait(5), "the renewals went on after the error"
    assert list(responses) == []


def test_nothing_is_renewed_or_stopped_after_its_block() -> None:
    """A renewal under way as the block ends may find the lease gone, because the work gave it back."""
    renewing, block_ended = threading.Event(), threading.Event()
    calls: list[str] = []

    def renew() -> bool:
        calls.append("renew")
        renewing.set()
        return not block_ended.wait(5)

    with LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=renew, on_lost=lambda: calls.append("stop")):
        assert renewing.wait(5)
    block_ended.set()
    time.sleep(LEASE_SECONDS)
    assert calls == ["renew"]


def test_it_ends_with_a_block_that_raises() -> None:
    calls = count()

    def renew() -> bool:
        next(calls)
        return True

    with (
        pytest.raises(ZeroDivisionError),
        LeaseKeeper("work", lease_seconds=LEASE_SECONDS, renew=renew, on_lost=pytest.fail),
    ):
        raise ZeroDivisionError
    time.sleep(LEASE_SECONDS)
    assert next(calls) == 0
