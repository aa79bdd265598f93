"""A Redis whose memory is full: what ends or frees something goes on, what needs memory is refused as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from loaders.ledger import Event, Fenced, Ledger, RunState, State
from loaders.ledger.signing import SIGNATURE_BYTES
from loaders.scope import Scope

PLANNER = Scope(type="aws.tenants", tenant="all")
VPCS, USERS, ROLES = (Scope(type=f"aws.{name}", tenant="1111") for name in ("ec2.vpcs", "iam.users", "iam.roles"))


@pytest.fixture(params=["oldest_redis", "newest_redis"])
def client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    client: redis.Redis = request.getfixturevalue(request.param)
    client.flushall()
    yield client
    client.config_set("maxmemory", 0)


@pytest.fixture
def fill(client: redis.Redis) -> Callable[[], None]:
    """From then on, there is too little memory for what is there already."""

    def full() -> None:
        client.set("filler", b"x" * 3_000_000)
        client.config_set("maxmemory", 1_000_000)

    return full


@pytest.fixture
def ledger(client: redis.Redis) -> Ledger:
    """A run in which one scope has a batch that waits, one is being fetched, and one is planned."""
    ledger = Ledger(client, "r1")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    children = [(scope, False, 0.0) for scope in (VPCS, USERS, ROLES)]
    ledger.plan(begin(ledger, PLANNER), children, queue=False)
    return ledger


def begin(ledger: Ledger, scope: Scope) -> Any:
    attempt = ledger.begin(scope, lease_seconds=60, worker="w")
    assert attempt
    return attempt


def test_a_run_that_needs_nothing_more_comes_to_its_end(
    ledger: Ledger, client: redis.Redis, fill: Callable[[], None]
) -> None:
    """What was pushed is committed, what is being fetched ends, a heartbeat is a heartbeat, and the barrier opens."""
    vpcs, users = begin(ledger, VPCS), begin(ledger, USERS)
    ledger.push(vpcs, number=0, model="m", rows=1, payload=b"rows")
    fill()
    with pytest.raises(redis.OutOfMemoryError):
        ledger.push(users, number=0, model="m", rows=1, payload=b"rows")
    assert ledger.renew(users, lease_seconds=60)
    ledger.fetched(vpcs, batches=1, outcome={"calls": 1})
    ledger.denied(users, "no permission", {"calls": 1})
    roles = begin(ledger, ROLES)
    ledger.later(roles, wait_seconds=0, reason="throttled")
    ledger.skipped(begin(ledger, ROLES), "not enabled", {})
    taken = ledger.take(max_batches=10, max_bytes=1_000)
    assert taken
    ledger.committed(batch for batch, _ in taken.batches)
    assert ledger.cleaned(ledger.cleanups()) == [Event.BARRIER]
    ledger.sweep(lease_seconds=60, max_crashes=3, redelivery_grace_seconds=1, broker="b", queued={})
    assert ledger.open_barrier("t", lease_seconds=60)
    assert ledger.renew_barrier("t", lease_seconds=60)
    assert ledger.close("t", RunState.COMPLETE, {})
    assert ledger.state() is RunState.COMPLETE


def test_a_refused_batch_can_be_pushed_once_there_is_memory(
    ledger: Ledger, client: redis.Redis, fill: Callable[[], None]
) -> None:
    """A script is refused as a whole."""
    attempt = begin(ledger, VPCS)
    fill()
    with pytest.raises(redis.OutOfMemoryError):
        ledger.push(attempt, number=0, model="m", rows=1, payload=b"rows")
    assert ledger.backlog() == (0, 0)
    client.config_set("maxmemory", 0)
    ledger.push(attempt, number=0, model="m", rows=1, payload=b"rows")
    assert ledger.backlog() == (1, SIGNATURE_BYTES + 4)


def test_a_plan_is_refused_as_a_whole(client: redis.Redis, fill: Callable[[], None]) -> None:
    ledger = Ledger(client, "r1")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    attempt = begin(ledger, PLANNER)
    fill()
    with pytest.raises(redis.OutOfMemoryError):
        ledger.plan(attempt, [(VPCS, False, 0.0)], queue=False)
    unit = ledger.unit(PLANNER)
    assert unit
    assert (unit.state, ledger.unit(VPCS)) == (State.FETCHING, None)


def test_a_run_can_be_cancelled(ledger: Ledger, fill: Callable[[], None]) -> None:
    attempt = begin(ledger, VPCS)
    fill()
    assert ledger.cancel("to free memory") == "cancelled"
    with pytest.raises(Fenced):
        ledger.push(attempt, number=0, model="m", rows=1, payload=b"rows")
