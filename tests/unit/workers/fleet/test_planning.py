"""A planner that loses its lease stops listing: another coordinator may be listing the same by then."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis

from loaders.ledger import Attempt, Event, Fenced, Ledger, State
from loaders.scope import Scope
from tasks.engine.ending import record_wait
from tasks.failures import RetryLater
from workers.fleet.attempt import SHUTDOWN
from workers.fleet.planning import _planned
from workers.fleet.process import Process
from workers.settings.settings import Settings

UNIT = Scope(type="toy.tenants", tenant="toy")


@pytest.fixture
def process(broker_url: str) -> Process:
    values = {"lease_seconds": 0.3, "broker_url": broker_url}
    return Process(Settings.load({}, {}).with_values(values, "test"))


@pytest.fixture
def ledger(broker: redis.Redis) -> Iterator[Ledger]:
    ledger = Ledger(broker, "1-toy")
    ledger.open(tag=1, config={}, window=1, planners=[UNIT])
    yield ledger
    ledger.forget()


@pytest.fixture
def attempt(ledger: Ledger) -> Attempt:
    attempt = ledger.begin(UNIT, lease_seconds=60, worker="test")
    assert attempt is not None
    return attempt


def test_the_listing_is_cancelled_where_the_lease_is_lost(process: Process, ledger: Ledger, attempt: Attempt) -> None:
    events: list[str] = []

    async def list_for_ever(config: Mapping[str, Any]) -> None:
        ledger.cancel("by the test")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    def plan(listed: None) -> list[Event]:
        events.append("planned")
        return []

    with pytest.raises(Fenced):
        _planned(process, ledger, attempt, list_for_ever, plan, lambda: False)
    process.loop.submit(asyncio.sleep(0)).result()
    assert events == ["cancelled"]


def test_a_planner_that_shuts_down_gives_its_unit_back_though_its_calls_hang(
    process: Process, ledger: Ledger, attempt: Attempt
) -> None:
    hung, start = threading.Event(), time.monotonic()

    async def list_(config: Mapping[str, Any]) -> None:
        await asyncio.gather(*(asyncio.to_thread(hung.wait, 60) for _ in range(20)))

    try:
        assert _planned(process, ledger, attempt, list_, lambda listed: [], lambda: True) == []
    finally:
        hung.set()
    assert time.monotonic() - start < 5
    unit = ledger.unit(UNIT)
    assert unit is not None
    assert (unit.state, unit.reason, unit.crashes) == (State.PLANNED, SHUTDOWN, 0)


def test_a_provider_that_throttles_for_ever_fails(process: Process, ledger: Ledger, attempt: Attempt) -> None:
    """Nothing of it is planned, and the run goes on to its barrier."""
    process.settings = process.settings.with_values({"max_wait_seconds": 10.0}, "test")
    throttled = RetryLater("slow down", after_seconds=30, action="toy:ListTenants")
    assert record_wait(ledger, attempt, throttled, max_wait_seconds=process.settings.max_wait_seconds) == [
        Event.BARRIER
    ]
    unit = ledger.unit(UNIT)
    assert unit is not None
    assert unit.reason == "throttled: toy:ListTenants: waited 10 s in all; the last time: slow down"
