"""A planner that loses its lease stops listing: another coordinator may be listing the same by then."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import fakeredis
import pytest

from loaders.ledger import Attempt, Event, Fenced, Ledger
from loaders.scope import Scope
from workers.fleet.planning import _plan
from workers.fleet.process import Process
from workers.settings.settings import Settings

UNIT = Scope(type="toy.tenants", tenant="toy")


def test_the_listing_is_cancelled_where_the_lease_is_lost() -> None:
    process = Process(Settings.load({}, {}).with_values({"lease_seconds": 0.3}, "test"))
    ledger = Ledger(fakeredis.FakeRedis(), "1-toy")
    ledger.open(tag=1, config={}, window=1, planners=[UNIT])
    attempt = ledger.begin(UNIT, lease_seconds=60, worker="test")
    assert attempt is not None
    events: list[str] = []

    async def list_for_ever(config: Mapping[str, Any]) -> None:
        ledger.cancel("by the test")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    def plan(ledger: Ledger, attempt: Attempt, listed: None) -> list[Event]:
        events.append("planned")
        return []

    with pytest.raises(Fenced):
        _plan(process, ledger, attempt, list_for_ever, plan)
    process.run_async(asyncio.sleep(0))
    assert events == ["cancelled"]
