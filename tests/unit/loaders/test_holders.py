"""Who holds what, and since when it is silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from loaders.ledger import Attempt, Ledger
from loaders.ledger.holders import holders
from loaders.scope import Scope

PLANNER = Scope(type="toy.tenants", tenant="toy")
THINGS, OTHERS, MORE = (Scope(type="toy.things", tenant="t", region=region) for region in ("a", "b", "c"))
LEASE_SECONDS = 30


@pytest.fixture
def planned(ledger: Ledger) -> Ledger:
    """Three scopes of one tenant, none of them begun."""
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    planner = ledger.begin(PLANNER, lease_seconds=60, worker="coordinator@host:1")
    assert planner is not None
    ledger.plan(planner, [(scope, False, 0.0) for scope in (THINGS, OTHERS, MORE)], queue=False)
    return ledger


def begin(ledger: Ledger, scope: Scope, worker: str) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=LEASE_SECONDS, worker=worker)
    assert attempt is not None
    return attempt


def test_a_process_holds_the_scopes_that_it_has_begun(ledger_redis: redis.Redis, planned: Ledger) -> None:
    begin(planned, THINGS, "fetch-1@host:7")
    begin(planned, OTHERS, "fetch-1@host:7")
    ended = begin(planned, MORE, "fetch-2@host:8")
    planned.fetched(ended, batches=0, outcome={})
    (holder,) = holders(ledger_redis, planned.run)
    assert (holder.worker, holder.pid, holder.scopes) == ("fetch-1@host", 7, (THINGS.id, OTHERS.id))
    assert holder.silent_seconds < 5
    assert LEASE_SECONDS - 5 < holder.takeover_seconds <= LEASE_SECONDS


def test_a_process_is_silent_until_it_renews(
    ledger_redis: redis.Redis, planned: Ledger, time_passes: Callable[..., None]
) -> None:
    silent = begin(planned, THINGS, "fetch-1@host:7")
    time_passes(20)
    begin(planned, OTHERS, "fetch-2@host:8")
    first, second = holders(ledger_redis, planned.run)
    assert (first.worker, second.worker) == ("fetch-1@host", "fetch-2@host")
    assert first.silent_seconds == pytest.approx(20, abs=5)
    assert first.takeover_seconds == pytest.approx(10, abs=5)
    time_passes(5)
    assert planned.renew(silent, lease_seconds=LEASE_SECONDS)
    assert [holder.worker for holder in holders(ledger_redis, planned.run)] == ["fetch-2@host", "fetch-1@host"]


def test_a_takeover_that_is_due_is_in_no_seconds(
    ledger_redis: redis.Redis, planned: Ledger, time_passes: Callable[..., None]
) -> None:
    begin(planned, THINGS, "fetch-1@host:7")
    time_passes(40)
    (holder,) = holders(ledger_redis, planned.run)
    assert holder.takeover_seconds == 0
    assert holder.silent_seconds >= 40


def test_a_run_without_attempts_has_no_holders(ledger_redis: redis.Redis) -> None:
    assert holders(ledger_redis, "unknown") == []
