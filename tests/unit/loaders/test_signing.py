"""Who may write to Redis and has no key of the fleet plans nothing, loads nothing and deletes nothing."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
import redis

from loaders.ledger import Attempt, Ledger, State
from loaders.ledger.signing import FleetKey, NotSigned
from loaders.reason import Reason
from loaders.scope import Scope
from tests.unit.loaders.conftest import KEY

PLANNER = Scope(type="aws.tenants", tenant="all")
VPCS = Scope(type="aws.ec2.vpcs", tenant="1", region="eu-west-1")
BUCKETS = Scope(type="aws.s3.buckets", tenant="1")
OTHERS = FleetKey("another-fleets-0123456789abcdef-0123456789")
RUN = "chartfleet:ledger:r1"


@pytest.fixture
def attempt(ledger: Ledger) -> Attempt:
    """At a scope of a run under way, of which the graph holds something."""
    ledger.open(tag=7, config={"modules": ["aws"]}, window=9, planners=[PLANNER])
    ledger.plan(begin(ledger, PLANNER), [(VPCS, True, 0.0), (BUCKETS, True, 0.0)], queue=False)
    return begin(ledger, VPCS)


def begin(ledger: Ledger, scope: Scope) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=60, worker="w")
    assert attempt is not None
    return attempt


def push(ledger: Ledger, attempt: Attempt, number: int = 0, payload: bytes = b"rows") -> str:
    ledger.push(attempt, number=number, model="m", rows=1, payload=payload)
    return f"m|{attempt.number}.{attempt.token}|{number}|{attempt.scope.id}"


def load(ledger: Ledger) -> list[bytes]:
    """Everything that waits, as the loader commits it."""
    payloads: list[bytes] = []
    while taken := ledger.take(max_batches=10, max_bytes=1_000_000):
        payloads += [payload for _, payload in taken.batches]
        ledger.committed(batch for batch, _ in taken.batches)
    return payloads


def state(ledger: Ledger, scope: Scope) -> tuple[State, str]:
    unit = ledger.unit(scope)
    assert unit is not None
    return unit.state, unit.reason


# -- the run and its tenants


@pytest.mark.parametrize(("field", "value"), [("config", '{"modules": ["okta"]}'), ("tag", "9999"), ("signature", "")])
def test_a_changed_run_is_not_obeyed(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis, field: str, value: str
) -> None:
    ledger_redis.hset(RUN, field, value)
    with pytest.raises(NotSigned, match="the run r1 doesn't carry the signature of this fleet's key"):
        ledger.info()
    assert not ledger.is_signed()


def test_a_run_of_another_fleet_is_not_obeyed(ledger_redis: redis.Redis) -> None:
    Ledger(ledger_redis, "r1", OTHERS).open(tag=7, config={}, window=1, planners=[PLANNER])
    with pytest.raises(NotSigned):
        Ledger(ledger_redis, "r1", KEY).info()


def test_a_command_without_the_key_shows_what_redis_says(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    info = Ledger(ledger_redis, "r1").info()
    assert info is not None
    assert info.tag == 7


def test_a_forged_tenant_is_not_obeyed(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    forged = {"provider": "okta", "id": "evil", "access": {"base_url": "https://evil.example"}}
    ledger_redis.hset(f"{RUN}:access", "okta/evil", bytes(32) + json.dumps(forged).encode())
    with pytest.raises(NotSigned, match="the record of the tenant okta/evil"):
        ledger.tenant("okta/evil")


def test_a_record_is_not_moved_to_another_tenant_or_run(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    ledger.set_tenants({"aws/1": {"id": "1"}})
    signed = ledger_redis.hget(f"{RUN}:access", "aws/1")
    ledger_redis.hset(f"{RUN}:access", "aws/2", signed)
    ledger_redis.hset("chartfleet:ledger:r2:access", "aws/1", signed)
    assert ledger.tenant("aws/1") == {"id": "1"}
    with pytest.raises(NotSigned):
        ledger.tenant("aws/2")
    with pytest.raises(NotSigned):
        Ledger(ledger_redis, "r2", KEY).tenant("aws/1")


# -- the plan


def test_a_scope_that_nobody_planned_ends_and_is_not_fetched(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    """Every key that makes it look planned is there."""
    forged = Scope(type="aws.ec2.vpcs", tenant="1", region="us-east-1")
    fields = ledger_redis.hgetall(f"{RUN}:unit:{BUCKETS.id}")
    ledger_redis.hset(f"{RUN}:unit:{forged.id}", mapping=cast(Any, fields))
    ledger_redis.sadd(f"{RUN}:units", forged.id)
    with pytest.raises(NotSigned, match="the scope aws"):
        ledger.begin(forged, lease_seconds=60, worker="w")
    assert state(ledger, forged)[0] is State.FAILED
    assert ledger.begin(forged, lease_seconds=60, worker="w") is None


def test_a_part_that_nobody_planned_is_not_fetched(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    part = Scope(type=VPCS.type, tenant="1", region="eu-west-1", part="p1")
    ledger.fetched(attempt, batches=0, outcome={}, parts=[part])
    begin(ledger, part)
    forged = f"{VPCS.id}#../../p2"
    ledger_redis.hset(f"{RUN}:unit:{forged}", mapping=cast(Any, ledger_redis.hgetall(f"{RUN}:unit:{part.id}")))
    ledger_redis.hset(f"{RUN}:unit:{forged}", "state", "planned")
    with pytest.raises(NotSigned):
        ledger.begin(Scope.parse(forged), lease_seconds=60, worker="w")


# -- rows


def test_a_forged_batch_is_not_loaded_and_its_scope_is_fetched_again(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    batch = push(ledger, attempt)
    ledger_redis.set(f"{RUN}:payload:{batch}", bytes(32) + b"forged")
    assert load(ledger) == []
    assert state(ledger, VPCS)[0] is State.PLANNED
    again = begin(ledger, VPCS)
    push(ledger, again, payload=b"real")
    assert load(ledger) == [b"real"]


def test_a_batch_is_not_moved_to_another_scope(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    signed = ledger_redis.get(f"{RUN}:payload:{push(ledger, attempt, payload=b'of VPCs')}")
    other = push(ledger, begin(ledger, BUCKETS), payload=b"of buckets")
    ledger_redis.set(f"{RUN}:payload:{other}", signed or b"")
    assert load(ledger) == [b"of VPCs"]


def test_a_batch_of_a_scope_that_is_not_planned_is_dropped(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    ledger_redis.sadd(f"{RUN}:models", "m")
    ledger_redis.zadd(f"{RUN}:waiting:m", {"m|1.abc|0|aws.s3.buckets/2/global": 0})
    ledger_redis.set(f"{RUN}:payload:m|1.abc|0|aws.s3.buckets/2/global", b"x" * 40)
    assert load(ledger) == []
    assert ledger.unit(Scope(type="aws.s3.buckets", tenant="2")) is None


# -- deletion


def test_a_scope_that_is_complete_and_loaded_is_cleaned(ledger: Ledger, attempt: Attempt) -> None:
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    load(ledger)
    assert ledger.cleanups() == [VPCS]
    ledger.cleaned([VPCS])
    assert [unit.state for unit in ledger.proven_units() if unit.scope == VPCS] == [State.CLEANED]


def test_a_forged_cleanup_deletes_nothing(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    """An attempt under way, and one that was never made."""
    ledger_redis.hset(f"{RUN}:unit:{VPCS.id}", "state", "fetched")
    ledger_redis.sadd(f"{RUN}:cleanups", VPCS.id, BUCKETS.id, "aws.s3.buckets/2/global")
    assert ledger.cleanups() == []
    assert state(ledger, VPCS) == (State.FAILED, "not signed: no signature of this fleet says that it is complete")
    assert ledger_redis.exists(f"{RUN}:cleanups") == 0


def test_a_scope_whose_batch_was_taken_away_is_not_cleaned(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    push(ledger, attempt)
    lost = push(ledger, attempt, 1)
    ledger.fetched(attempt, batches=2, outcome={})
    ledger_redis.zrem(f"{RUN}:waiting:m", lost)
    ledger_redis.srem(f"{RUN}:unit:{VPCS.id}:out", lost)
    load(ledger)
    assert ledger.cleanups() == []
    assert state(ledger, VPCS)[0] is State.FAILED


def test_a_scope_whose_rows_were_not_loaded_is_not_cleaned(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    """Even if somebody removes what the loader recorded of them."""
    batch = push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    ledger.committed([batch], failed=[VPCS])
    assert ledger.cleanups() == []


def test_a_scope_is_not_cleaned_before_its_parts_are_loaded(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    part = Scope(type=VPCS.type, tenant="1", region="eu-west-1", part="p1")
    ledger.fetched(attempt, batches=0, outcome={}, parts=[part])
    ledger_redis.sadd(f"{RUN}:cleanups", VPCS.id)
    assert ledger.cleanups() == []


def test_a_scope_in_parts_is_cleaned(ledger: Ledger, attempt: Attempt) -> None:
    parts = [Scope(type=VPCS.type, tenant="1", region="eu-west-1", part=part) for part in ("p1", "p2")]
    ledger.fetched(attempt, batches=0, outcome={}, parts=parts)
    for part in parts:
        of = begin(ledger, part)
        push(ledger, of)
        ledger.fetched(of, batches=1, outcome={})
    load(ledger)
    assert ledger.cleanups() == [VPCS]


def test_a_scope_whose_parts_hold_nothing_is_complete_without_a_cleanup(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    ledger_redis.hset(f"{RUN}:unit:{VPCS.id}", "held", "0")
    parts = [Scope(type=VPCS.type, tenant="1", region="eu-west-1", part=part) for part in ("p1", "p2")]
    ledger.fetched(attempt, batches=0, outcome={}, parts=parts)
    for part in parts:
        ledger.fetched(begin(ledger, part), batches=0, outcome={})
    assert ledger.cleanups() == []
    assert [unit.state for unit in ledger.proven_units() if unit.scope == VPCS] == [State.CLEANED]
    ledger_redis.hset(f"{RUN}:unit:{parts[1].id}", "seal", "x|0|0")
    assert [unit.state for unit in ledger.proven_units() if unit.scope == VPCS] == [State.FAILED]


def test_what_is_called_complete_and_is_not_signed_is_reported_as_failed(
    ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis
) -> None:
    ledger.denied(attempt, "AccessDenied", {})
    ledger_redis.hset(f"{RUN}:unit:{VPCS.id}", "state", "cleaned")
    ledger_redis.hset(f"{RUN}:unit:{PLANNER.id}", "outcome", '{"whole": true, "owner": "o-1"}')
    assert {unit.scope: unit.state for unit in ledger.proven_units() if unit.scope in (VPCS, PLANNER)} == {
        VPCS: State.FAILED,
        PLANNER: State.FAILED,
    }


def test_what_is_held_back_is_signed(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    """A scope that nobody saw is not held back: a later run would take it for one that agrees."""
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    load(ledger)
    [scope] = ledger.cleanups()
    ledger.held_back(scope, Reason(failure="lists far less than before"))
    assert [unit.state for unit in ledger.proven_units() if unit.scope == VPCS] == [State.HELD_BACK]
    ledger_redis.hset(f"{RUN}:unit:{VPCS.id}", "receipt", "")
    assert [unit.state for unit in ledger.proven_units() if unit.scope == VPCS] == [State.FAILED]


def test_no_receipt_outlives_its_scope(ledger: Ledger, attempt: Attempt, ledger_redis: redis.Redis) -> None:
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    load(ledger)
    ledger.cleaned(ledger.cleanups())
    assert list(ledger_redis.scan_iter("*:receipts")) == []


def test_the_key_prints_as_stars() -> None:
    assert "only-for-tests" not in repr(KEY) + str(KEY)
