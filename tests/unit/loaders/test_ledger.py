"""What each transition of the ledger promises, one idea per test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import redis

from loaders import ledger as package
from loaders.ledger import Attempt, Event, Fenced, Ledger, RunState, State, runs
from loaders.ledger.attempts import MAX_RETURNS
from loaders.ledger.signing import SIGNATURE_BYTES
from loaders.scope import Scope

TimePasses = Callable[..., None]

PLANNER = Scope(type="aws.tenants", tenant="all")
VPCS = Scope(type="aws.ec2.vpcs", tenant="111122223333", region="eu-west-1")
USERS = Scope(type="aws.iam.users", tenant="111122223333")
PAGE_1, PAGE_2 = (Scope(type=USERS.type, tenant=USERS.tenant, part=part) for part in ("a-m", "n-z"))


def tenant(name: str) -> Scope:
    """The planning unit of a tenant."""
    return Scope(type="aws.scopes", tenant=name)


def start(ledger: Ledger, *scopes: Scope, held: bool = True) -> None:
    """A run whose planner has planned these scopes."""
    ledger.open(tag=1, config={}, window=10, planners=[PLANNER])
    ledger.plan(begin(ledger, PLANNER), [(scope, held, 0.0) for scope in scopes], queue=False)


def start_with_tenants(ledger: Ledger, *names: str, window: int, seconds: Iterable[float] = ()) -> list[Event]:
    ledger.open(tag=1, config={}, window=window, planners=[PLANNER])
    expected = [*seconds, *[0.0] * len(names)]
    children = [(tenant(name), False, expected[i]) for i, name in enumerate(names)]
    return ledger.plan(begin(ledger, PLANNER), children, queue=True)


def begin(ledger: Ledger, scope: Scope, worker: str = "w1") -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=60, worker=worker)
    assert attempt, f"nothing to do for {scope.id}"
    return attempt


def push(ledger: Ledger, attempt: Attempt, number: int = 0, payload: bytes = b"rows", model: str = "m") -> list[Event]:
    return ledger.push(attempt, number=number, model=model, rows=5, payload=payload)


def blocked_by(ledger: Ledger) -> str:
    info = ledger.info()
    assert info
    return info.blocked_by


def waiting(ledger: Ledger) -> list[str]:
    taken = ledger.take(max_batches=100, max_bytes=1_000_000)
    return [batch for batch, _ in taken.batches] if taken else []


def state(ledger: Ledger, scope: Scope) -> State:
    unit = ledger.unit(scope)
    assert unit
    return unit.state


def sweep(ledger: Ledger, *, broker: str = "b1", **queued: int) -> tuple[list[Event], list[Scope]]:
    """`queued`: messages that wait for a provider, by default none for aws."""
    queued = queued or {"aws": 0}
    return ledger.sweep(lease_seconds=60, max_crashes=3, redelivery_grace_seconds=10, broker=broker, queued=queued)


def info(ledger: Ledger) -> Any:
    found = ledger.info()
    assert found
    return found


def die(ledger: Ledger, scope: Scope, time_passes: TimePasses) -> list[Event]:
    """An attempt whose process crashes; one at a suspect has that process to itself."""
    attempt = begin(ledger, scope)
    if attempt.suspect:
        ledger.alone(attempt)
    time_passes(61)
    return sweep(ledger)[0]


# -- the run


def test_a_run_opened_twice_is_one_run(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    ledger.open(tag=1, config={"other": 1}, window=99, planners=[PLANNER])
    assert (info(ledger).planned, info(ledger).config, runs(ledger_redis)) == (2, {}, ["r1"])


def test_a_run_that_plans_nothing_comes_to_its_barrier(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    assert ledger.plan(begin(ledger, PLANNER), [], queue=False) == [Event.BARRIER]


def test_forgotten_is_every_key(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    ledger.forget()
    assert ledger_redis.keys("*r1*") == []


def test_a_planners_children_are_planned_with_its_end(ledger: Ledger) -> None:
    start(ledger, VPCS, USERS)
    assert (state(ledger, PLANNER), state(ledger, VPCS), info(ledger).open) == (State.CLEANED, State.PLANNED, 2)


def test_a_plan_whose_reply_was_lost_is_made_once_and_says_the_same(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    planner = begin(ledger, PLANNER)
    children = [(tenant("1"), False, 0.0)]
    assert ledger.plan(planner, children, queue=True) == ledger.plan(planner, children, queue=True) == [Event.ADMIT]
    assert info(ledger).planned == 2


def test_what_could_be_planned_is_when_the_rest_was_denied(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    ledger.plan(begin(ledger, PLANNER), [(VPCS, False, 0.0)], queue=False, denied="AccessDenied")
    assert (state(ledger, PLANNER), state(ledger, VPCS)) == (State.DENIED, State.PLANNED)


# -- admission


def test_tenants_are_admitted_up_to_the_window_longest_first(ledger: Ledger) -> None:
    assert start_with_tenants(ledger, "short", "long", "middle", window=2, seconds=[1, 9, 5]) == [Event.ADMIT]
    assert ledger.admit() == [tenant("long"), tenant("middle")]
    assert ledger.admit() == []


def test_a_settled_tenant_makes_room_for_the_next(ledger: Ledger) -> None:
    start_with_tenants(ledger, "1", "2", window=1, seconds=[2, 1])
    ledger.admit()
    assert ledger.plan(begin(ledger, tenant("1")), [], queue=False) == [Event.ADMIT]
    assert ledger.admit() == [tenant("2")]


def test_a_tenant_that_only_waits_takes_no_place(ledger: Ledger) -> None:
    start_with_tenants(ledger, "throttled", "next", window=1, seconds=[2, 1])
    ledger.admit()
    ledger.later(begin(ledger, tenant("throttled")), wait_seconds=300, reason="throttled")
    assert ledger.admit() == [tenant("next")]


def test_a_tenant_not_admitted_does_not_begin(ledger: Ledger) -> None:
    start_with_tenants(ledger, "1", window=1)
    assert ledger.begin(tenant("1"), lease_seconds=60, worker="w1") is None


def test_an_admission_nobody_acted_on_is_asked_for_again(ledger: Ledger) -> None:
    start_with_tenants(ledger, "1", window=1)
    assert Event.ADMIT in sweep(ledger)[0]


# -- an attempt


def test_a_redelivered_message_begins_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS)
    begin(ledger, VPCS)
    assert ledger.begin(VPCS, lease_seconds=60, worker="w2") is None


def test_a_message_of_a_settled_scope_begins_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.denied(begin(ledger, VPCS), "AccessDenied", {})
    assert ledger.begin(VPCS, lease_seconds=60, worker="w2") is None


def test_a_begin_whose_reply_was_lost_is_one_attempt(ledger: Ledger) -> None:
    start(ledger, VPCS)
    replies = [ledger._call("begin", VPCS.id, "token", 60_000, "w1") for _ in range(2)]
    assert [reply[0] for reply in replies] == [b"1", b"1"]


def test_a_scope_nobody_planned_begins_nothing(ledger: Ledger) -> None:
    start(ledger)
    assert ledger.begin(VPCS, lease_seconds=60, worker="w1") is None


def test_a_redelivered_header_with_another_result_changes_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS, USERS)
    attempt = begin(ledger, VPCS)
    ledger.denied(attempt, "AccessDenied", {})
    ledger.fetched(attempt, batches=0, outcome={})
    assert (state(ledger, VPCS), info(ledger).open) == (State.DENIED, 1)


def test_a_batch_pushed_twice_waits_once(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    assert push(ledger, attempt) == push(ledger, attempt) == [Event.LOAD]
    assert (waiting(ledger), ledger.backlog()) == ([f"m|1.{attempt.token}|0|{VPCS.id}"], (1, 4 + SIGNATURE_BYTES))


def test_a_batch_out_of_order_is_refused(ledger: Ledger) -> None:
    start(ledger, VPCS)
    with pytest.raises(Fenced):
        push(ledger, begin(ledger, VPCS), number=1)


def test_an_attempt_that_lost_its_scope_can_do_nothing(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    old = begin(ledger, VPCS)
    time_passes(61)
    sweep(ledger)
    new = begin(ledger, VPCS, "w2")
    calls: list[Callable[[], Any]] = [
        lambda: push(ledger, old),
        lambda: ledger.fetched(old, batches=0, outcome={}),
        lambda: ledger.failed(old, "late", {}),
        lambda: ledger.later(old, wait_seconds=0, reason="late"),
    ]
    for call in calls:
        with pytest.raises(Fenced):
            call()
    assert not ledger.renew(old, lease_seconds=60)
    assert (new.number, state(ledger, VPCS)) == (2, State.FETCHING)


def test_the_token_tells_apart_two_attempts_of_one_number(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    unit = f"chartfleet:ledger:r1:unit:{VPCS.id}"
    before: Any = ledger_redis.hgetall(unit)
    forgotten = begin(ledger, VPCS)
    ledger_redis.delete(unit)
    ledger_redis.hset(unit, mapping=before)  # Redis lost its last second
    assert begin(ledger, VPCS).number == forgotten.number
    with pytest.raises(Fenced):
        push(ledger, forgotten)


def test_fetched_must_agree_on_the_number_of_batches(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    with pytest.raises(Fenced):
        ledger.fetched(attempt, batches=2, outcome={})


def test_batches_of_an_older_attempt_count_for_nothing(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    late = waiting(ledger)
    time_passes(61)
    sweep(ledger)
    second = begin(ledger, VPCS)
    push(ledger, second)
    ledger.fetched(second, batches=1, outcome={})
    ledger.committed(late)
    assert (ledger.backlog()[0], ledger.cleanups()) == (1, [])


# -- later


def test_a_scope_given_back_is_published_when_due(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    ledger.later(begin(ledger, VPCS), wait_seconds=100, reason="throttled")
    assert sweep(ledger) == ([], [])
    assert ledger.begin(VPCS, lease_seconds=60, worker="w1") is None
    time_passes(101)
    assert sweep(ledger) == ([], [VPCS])
    assert begin(ledger, VPCS).number == 2


def test_giving_back_twice_is_giving_back_once(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    ledger.later(attempt, wait_seconds=100, reason="throttled")
    ledger.later(attempt, wait_seconds=100, reason="throttled")
    assert state(ledger, VPCS) == State.PLANNED


def test_giving_a_scope_back_is_not_a_crash(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    for _ in range(5):
        ledger.later(begin(ledger, VPCS), wait_seconds=0, reason="shut down")
        time_passes(1)
        sweep(ledger)
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.crashes, unit.attempt) == (State.PLANNED, 0, 5)


def test_a_scope_waits_for_its_api_for_a_set_time_in_all_and_then_fails(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    start(ledger, VPCS)
    for _ in range(3):
        attempt = begin(ledger, VPCS)
        push(ledger, attempt)
        assert wait(ledger, attempt, 100) == []
        time_passes(101)
        sweep(ledger)
    last = begin(ledger, VPCS)
    assert wait(ledger, last, 100) == wait(ledger, last, 100) == [Event.BARRIER]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.why.failure, unit.why.action) == (State.FAILED, "throttled", "ec2:DescribeVpcs")
    assert unit.reason == "throttled: ec2:DescribeVpcs: waited 300 s in all; the last time: slow down"
    assert (ledger.cleanups(), ledger.open_barrier("token", lease_seconds=60)) == ([], True)


def test_a_resumed_run_waits_anew(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    wait(ledger, begin(ledger, VPCS), 300)
    ledger.cancel("asked for")
    ledger.resume({})
    wait(ledger, begin(ledger, VPCS), 300)
    assert state(ledger, VPCS) == State.PLANNED


def test_other_waits_are_no_waits_for_the_api(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    for _ in range(9):
        ledger.later(begin(ledger, VPCS), wait_seconds=100, reason="the writer is behind")
        time_passes(101)
        sweep(ledger)
    assert state(ledger, VPCS) == State.PLANNED


def test_no_wait_is_longer_than_an_hour_whoever_asks_for_it(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    ledger.later(begin(ledger, VPCS), wait_seconds=1e11, reason="come back in 3,100 years")
    time_passes(3601)
    assert sweep(ledger)[1] == [VPCS]


def test_a_scope_that_is_given_back_again_and_again_fails(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    ledger.later(begin(ledger, VPCS), wait_seconds=0, reason="the worker is shutting down")
    ledger_redis.hset(f"chartfleet:ledger:r1:unit:{VPCS.id}", "returned", MAX_RETURNS)
    sweep(ledger)
    assert ledger.later(begin(ledger, VPCS), wait_seconds=0, reason="shutting down") == [Event.BARRIER]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.reason) == (
        State.FAILED,
        "unfinished: given back 1,000 times; the last time: shutting down",
    )


def wait(ledger: Ledger, attempt: Attempt, seconds: float) -> list[Event]:
    """For an API that throttles, of at most 300 s in all."""
    return ledger.later(
        attempt, wait_seconds=seconds, reason="slow down", action="ec2:DescribeVpcs", max_wait_seconds=300
    )


# -- an attempt without progress, of a worker that lives


def give_up(ledger: Ledger, scope: Scope) -> list[Event]:
    return ledger.given_up(begin(ledger, scope), max_crashes=3, reason="no call, row or batch for 600 s")


def test_an_attempt_that_was_given_up_is_made_again(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    assert ledger.given_up(attempt, max_crashes=3, reason="no call, row or batch for 600 s") == []
    assert not ledger.renew(attempt, lease_seconds=60)
    assert sweep(ledger, aws=1)[1] == [VPCS], "at once, though its queue isn't empty"
    assert begin(ledger, VPCS).number == 2


def test_a_scope_that_never_gets_on_is_quarantined_and_no_crash_is_claimed(ledger: Ledger) -> None:
    start(ledger, VPCS)
    assert [give_up(ledger, VPCS) for _ in range(3)] == [[], [], [Event.BARRIER]]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.crashes) == (State.QUARANTINED, 0)
    assert unit.reason == "3 attempts were given up: no call, row or batch for 600 s"


def test_crashes_and_attempts_that_were_given_up_count_together(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    die(ledger, VPCS, time_passes)
    die(ledger, VPCS, time_passes)
    give_up(ledger, VPCS)
    assert die(ledger, VPCS, time_passes) == [Event.BARRIER]
    unit = ledger.unit(VPCS)
    assert unit
    assert unit.reason.startswith("2 attempts ended the process that they had to themselves")
    assert unit.reason.endswith("last on w1; 1 attempts were given up: no call, row or batch for 600 s")


# -- a run that takes too long

DAY = 86_400


def end_overdue(ledger: Ledger) -> list[Event]:
    return ledger.end_overdue(max_run_seconds=DAY)[0]


def test_what_an_overdue_run_has_not_read_fails_and_it_comes_to_its_barrier(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    late, part = Scope(type="aws.iam.roles", tenant="1"), PAGE_1
    start(ledger, VPCS, USERS, late)
    ledger.fetched(begin(ledger, USERS), batches=0, outcome={}, parts=[PAGE_1, PAGE_2])
    ledger.fetched(begin(ledger, PAGE_2), batches=0, outcome={})
    ledger.later(begin(ledger, late), wait_seconds=1000, reason="throttled")
    held = begin(ledger, VPCS)
    time_passes(DAY - 10)
    assert end_overdue(ledger) == []
    time_passes(20)
    assert end_overdue(ledger) == [Event.BARRIER]
    assert {state(ledger, scope) for scope in (VPCS, USERS, late, part)} == {State.FAILED}
    unit = ledger.unit(VPCS)
    assert unit
    assert unit.reason == "unfinished: the run had lasted 86,400 s (max_run_seconds)"
    with pytest.raises(Fenced):
        ledger.fetched(held, batches=0, outcome={})
    assert (ledger.cleanups(), ledger.open_barrier("token", lease_seconds=60)) == ([], True)


def test_an_overdue_run_still_loads_what_it_has_read(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS, USERS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    time_passes(DAY + 10)
    assert end_overdue(ledger) == []
    ledger.committed(waiting(ledger))
    assert ledger.cleaned(ledger.cleanups()) == [Event.BARRIER]
    assert (state(ledger, VPCS), state(ledger, USERS)) == (State.CLEANED, State.FAILED)


def test_tenants_that_were_never_admitted_fail_as_well(ledger: Ledger, time_passes: TimePasses) -> None:
    start_with_tenants(ledger, *map(str, range(1200)), window=3)
    ledger.admit()
    time_passes(DAY + 10)
    assert Event.BARRIER in end_overdue(ledger)
    assert (ledger.admit(), info(ledger).open, info(ledger).counts["failed"]) == ([], 0, 1200)


def test_a_resumed_run_has_its_time_anew(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    ledger.cancel("asked for")
    time_passes(DAY + 10)
    ledger.resume({})
    assert end_overdue(ledger) == []
    assert state(ledger, VPCS) == State.PLANNED


def test_what_failed_without_an_attempt_is_planned_again_by_a_resumed_run(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    start(ledger, VPCS)
    time_passes(DAY + 10)
    end_overdue(ledger)
    ledger.cancel("asked for")
    ledger.resume({})
    ledger.admit()
    ledger.denied(begin(ledger, VPCS), "AccessDenied", {})
    assert (info(ledger).open, info(ledger).counts["failed"]) == (0, 0)


def test_a_run_that_nobody_loads_or_analyses_is_cancelled(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    time_passes(2 * DAY + 10)
    assert end_overdue(ledger) == []
    assert (info(ledger).state, info(ledger).reason) == (
        RunState.CANCELLED,
        "it didn't end within 172,800 s, twice max_run_seconds",
    )


# -- the end of a scope


def test_fetched_before_the_last_commit_waits_for_it(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    assert ledger.cleanups() == []
    ledger.committed(waiting(ledger))
    assert ledger.cleanups() == [VPCS]


def test_fetched_after_the_last_commit_is_cleaned_as_well(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.committed(waiting(ledger))
    assert ledger.cleanups() == []
    assert ledger.rest()
    assert ledger.fetched(attempt, batches=1, outcome={}) == [Event.LOAD]
    assert ledger.cleanups() == [VPCS]


def test_the_last_cleanup_says_that_the_barrier_is_reached(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    assert ledger.cleaned([VPCS]) == [Event.BARRIER]
    assert (state(ledger, VPCS), info(ledger).open) == (State.CLEANED, 0)


def test_a_scope_that_held_nothing_and_holds_nothing_needs_no_writer(ledger: Ledger) -> None:
    start(ledger, VPCS, held=False)
    assert ledger.fetched(begin(ledger, VPCS), batches=0, outcome={}) == [Event.BARRIER]
    assert state(ledger, VPCS) == State.CLEANED


def test_a_scope_that_held_something_and_holds_nothing_is_cleaned(ledger: Ledger) -> None:
    start(ledger, VPCS, held=True)
    assert ledger.fetched(begin(ledger, VPCS), batches=0, outcome={}) == [Event.LOAD]
    assert ledger.cleanups() == [VPCS]


def test_denied_half_way_waits_for_what_it_pushed_and_deletes_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    assert ledger.denied(attempt, "AccessDenied ec2:DescribeVpcs", {"calls": 3}) == []
    assert ledger.committed(waiting(ledger)) == [Event.BARRIER]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.reason, unit.outcome) == (State.DENIED, "AccessDenied ec2:DescribeVpcs", {"calls": 3})
    assert ledger.cleanups() == []


def test_a_commit_told_twice_counts_once_and_says_the_same(ledger: Ledger) -> None:
    start(ledger, VPCS, USERS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.denied(attempt, "AccessDenied", {})
    ledger.skipped(begin(ledger, USERS), "not enabled", {})
    batches = waiting(ledger)
    assert ledger.committed(batches) == ledger.committed(batches) == [Event.BARRIER]
    assert (info(ledger).open, ledger.backlog()) == (0, (0, 0))


def test_rows_the_writer_kept_aside_fail_a_scope_and_it_deletes_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    ledger.bad_rows(VPCS, "a map is no property")
    ledger.committed(waiting(ledger))
    assert (state(ledger, VPCS), ledger.cleanups()) == (State.FAILED, [])


def test_rows_an_older_attempt_spoiled_do_not_fail_the_next(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    ledger.bad_rows(VPCS, "a map is no property")
    time_passes(61)
    sweep(ledger)
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    assert ledger.cleanups() == [VPCS]


# -- parts


def start_with_parts(ledger: Ledger) -> None:
    start(ledger, USERS)
    ledger.fetched(begin(ledger, USERS), batches=0, outcome={}, parts=[PAGE_1, PAGE_2])


def test_a_scope_is_complete_when_its_listing_and_all_parts_are(ledger: Ledger) -> None:
    start_with_parts(ledger)
    ledger.fetched(begin(ledger, PAGE_1), batches=0, outcome={})
    assert ledger.cleanups() == []
    second = begin(ledger, PAGE_2)
    push(ledger, second)
    ledger.fetched(second, batches=1, outcome={})
    assert ledger.cleanups() == []
    ledger.committed(waiting(ledger))
    assert ledger.cleanups() == [USERS]


@pytest.mark.parametrize("bad_first", [True, False])
def test_one_bad_part_makes_the_scope_bad_in_any_order(ledger: Ledger, bad_first: bool) -> None:
    start_with_parts(ledger)
    bad, good = begin(ledger, PAGE_1), begin(ledger, PAGE_2)
    if bad_first:
        ledger.denied(bad, "AccessDenied", {})
    ledger.fetched(good, batches=0, outcome={})
    if not bad_first:
        ledger.denied(bad, "AccessDenied", {})
    assert (state(ledger, USERS), ledger.cleanups(), info(ledger).open) == (State.DENIED, [], 0)


@pytest.mark.parametrize("skipped_first", [True, False])
def test_a_scope_ends_as_the_worst_of_its_parts(ledger: Ledger, skipped_first: bool) -> None:
    start_with_parts(ledger)
    ends = [(PAGE_1, ledger.skipped), (PAGE_2, ledger.failed)]
    for part, end in ends if skipped_first else reversed(ends):
        end(begin(ledger, part), "why", {})
    assert state(ledger, USERS) == State.FAILED


# -- the writer


def test_the_model_that_waits_longest_is_taken_first(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    for number, model in enumerate(["z", "a", "z"]):
        push(ledger, attempt, number, model=model)
    taken = ledger.take(max_batches=10, max_bytes=1_000)
    assert taken
    assert (taken.model, len(taken.batches)) == ("z", 2)


def test_what_is_taken_is_bounded_but_never_nothing(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    for number in range(3):
        push(ledger, attempt, number, payload=b"x" * 100)
    sizes = []
    for most in (1, 250 + 2 * SIGNATURE_BYTES, 1_000):
        taken = ledger.take(max_batches=10, max_bytes=most)
        assert taken
        ledger.excuse(taken.names)
        sizes.append(len(taken.batches))
    assert sizes == [1, 2, 3]


def test_what_was_taken_and_not_committed_is_taken_again(ledger: Ledger) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    assert waiting(ledger) == waiting(ledger) != []


def test_a_payload_that_is_gone_is_fetched_again(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    ledger_redis.delete(f"chartfleet:ledger:r1:payload:{waiting(ledger)[0]}")
    assert waiting(ledger) == []
    assert sweep(ledger) == ([], [VPCS])
    assert (begin(ledger, VPCS).number, ledger.backlog()) == (2, (0, 0))


def test_a_commit_counts_for_its_own_attempt_though_redis_gave_its_number_twice(
    ledger: Ledger, ledger_redis: redis.Redis
) -> None:
    """Redis lost its last second: the attempt and its batch, which the writer had taken already."""
    start(ledger, VPCS)
    before = {key: ledger_redis.dump(key) for key in ledger_redis.scan_iter("*")}
    lost = begin(ledger, VPCS)
    push(ledger, lost, payload=b"lost")
    late = waiting(ledger)
    ledger_redis.flushall()
    for key, value in before.items():
        ledger_redis.restore(key, 0, value or b"")
    attempt = begin(ledger, VPCS)
    assert attempt.number == lost.number
    push(ledger, attempt)
    ledger.fetched(attempt, batches=1, outcome={})
    ledger.committed(late)
    assert (ledger.cleanups(), len(waiting(ledger))) == ([], 1)


def test_one_wake_up_is_under_way_at_a_time(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    assert [push(ledger, attempt, 0), push(ledger, attempt, 1)] == [[Event.LOAD], []]
    taken = waiting(ledger)
    assert push(ledger, attempt, 2) == []  # the writer is at it
    ledger.committed(taken)
    assert not ledger.rest()
    ledger.committed(waiting(ledger))
    assert ledger.rest()
    assert push(ledger, attempt, 3) == [Event.LOAD]


def test_a_scope_to_be_cleaned_lets_no_writer_rest(ledger: Ledger) -> None:
    start(ledger, VPCS)
    waiting(ledger)
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    assert not ledger.rest()


def test_a_writer_whose_batches_are_gone_rests(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    """Keys were deleted by hand: there is a count of batches that wait, and none to be taken."""
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    for key in ledger_redis.scan_iter("chartfleet:ledger:r1:waiting:*"):
        ledger_redis.delete(key)
    assert waiting(ledger) == []
    assert ledger.rest()


def test_a_lost_wake_up_is_given_again(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS))
    assert sweep(ledger)[0] == []
    time_passes(11)
    assert sweep(ledger)[0] == [Event.LOAD]
    assert sweep(ledger)[0] == []


def test_a_writer_that_died_in_mid_batch_is_missed(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    waiting(ledger)
    sweep(ledger)
    assert push(ledger, attempt, 1) == []
    waiting(ledger)
    sweep(ledger)
    time_passes(11)
    assert sweep(ledger)[0] == [Event.LOAD]


# -- the sweeper


def test_an_attempt_that_recorded_its_outcome_has_not_lost_its_scope(ledger: Ledger) -> None:
    """A heartbeat in between must not stop it before it has published what follows."""
    start(ledger, VPCS, USERS)
    fetched, denied = begin(ledger, VPCS), begin(ledger, USERS)
    ledger.fetched(fetched, batches=0, outcome={})
    ledger.denied(denied, "AccessDenied", {})
    assert (ledger.has_ended(fetched), ledger.has_ended(denied)) == (True, True)


def test_one_that_lost_it_has_not_ended(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    first = begin(ledger, VPCS)
    assert not ledger.has_ended(first)
    time_passes(120)
    sweep(ledger)
    time_passes(120)
    sweep(ledger)
    assert not ledger.has_ended(first), "the sweeper took it back"
    begin(ledger, VPCS)
    assert not ledger.has_ended(first), "another one holds it"


def test_a_renewed_lease_lives_on(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    time_passes(59)
    assert ledger.renew(attempt, lease_seconds=60)
    time_passes(59)
    assert sweep(ledger)[1] == []


def test_a_scope_whose_process_crashes_is_a_suspect_and_blamed_for_nothing(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    """Whatever else was in that process, one of them did it."""
    start(ledger, VPCS, USERS)
    assert not begin(ledger, VPCS).suspect
    begin(ledger, USERS)
    time_passes(61)
    assert set(sweep(ledger)[1]) == {VPCS, USERS}
    for scope in (VPCS, USERS):
        unit = ledger.unit(scope)
        assert unit
        assert (unit.crashes, begin(ledger, scope).suspect) == (0, True)


def test_a_suspect_that_only_waits_for_its_turn_is_not_to_blame(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    for _ in range(9):
        begin(ledger, VPCS)
        time_passes(61)
        assert sweep(ledger) == ([], [VPCS])
    unit = ledger.unit(VPCS)
    assert unit
    assert unit.crashes == 0


def test_what_only_had_its_turn_before_is_not_to_blame(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    die(ledger, VPCS, time_passes)
    die(ledger, VPCS, time_passes)
    begin(ledger, VPCS)
    time_passes(61)
    sweep(ledger)
    unit = ledger.unit(VPCS)
    assert unit
    assert unit.crashes == 1


def test_an_attempt_that_lost_its_scope_gets_no_turn(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    time_passes(61)
    sweep(ledger)
    with pytest.raises(Fenced):
        ledger.alone(attempt)


def test_a_process_that_ended_is_reported_by_the_worker_that_started_it(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    start(ledger, VPCS)
    die(ledger, VPCS, time_passes)
    ledger.alone(attempt := begin(ledger, VPCS))
    ledger.given_up(attempt, max_crashes=3, reason="killed", crashed=True)
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.crashes) == (State.PLANNED, 1)


def test_a_scope_that_kills_its_worker_is_quarantined_after_three_crashes(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    start(ledger, VPCS)
    assert [die(ledger, VPCS, time_passes) for _ in range(4)] == [[], [], [], [Event.BARRIER]]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.crashes) == (State.QUARANTINED, 3)
    assert unit.reason == (
        "3 attempts ended the process that they had to themselves (it crashed, was killed or stood still), last on w1"
    )


def test_a_quarantined_attempt_that_comes_back_is_told_so(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    for _ in range(3):
        die(ledger, VPCS, time_passes)
    ledger.alone(stopped := begin(ledger, VPCS))
    time_passes(61)
    sweep(ledger)
    with pytest.raises(Fenced):
        ledger.fetched(stopped, batches=0, outcome={})


def test_after_a_restart_of_redis_leases_are_extended_once_and_no_crash_is_counted(
    ledger: Ledger, time_passes: TimePasses
) -> None:
    start(ledger, VPCS)
    sweep(ledger, broker="b1")
    begin(ledger, VPCS)
    time_passes(61)
    assert sweep(ledger, broker="b2")[1] == []
    time_passes(61)
    assert sweep(ledger, broker="b2")[1] == [VPCS]
    unit = ledger.unit(VPCS)
    assert unit
    assert unit.crashes == 0


def test_after_a_time_without_sweepers_leases_get_one_more_term(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    sweep(ledger)
    begin(ledger, VPCS)
    time_passes(61, swept=False)
    assert sweep(ledger)[1] == []
    time_passes(61)
    assert sweep(ledger)[1] == [VPCS]


def test_a_message_is_lost_when_its_queue_is_idle(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    time_passes(11)
    assert sweep(ledger, aws=1)[1] == []
    assert sweep(ledger, gcp=0)[1] == []
    assert sweep(ledger, aws=0)[1] == [VPCS]
    assert sweep(ledger, aws=0)[1] == []


def test_a_message_is_lost_after_a_very_long_time_where_too_few_wait(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS, USERS)
    time_passes(601)
    assert sorted(scope.type for scope in sweep(ledger, aws=1)[1]) == [VPCS.type, USERS.type]


def test_a_queue_that_stands_still_is_sent_nothing_twice(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS, USERS)
    for _ in range(3):
        time_passes(3600)
        assert sweep(ledger, aws=2)[1] == []


def test_a_busy_provider_does_not_hide_what_another_lost(ledger: Ledger, time_passes: TimePasses) -> None:
    many = [Scope(type=f"aws.t{i}", tenant="1") for i in range(600)]
    lost = Scope(type="okta.users", tenant="acme")
    start(ledger, *many, lost)
    time_passes(11)
    assert sweep(ledger, okta=0, aws=600)[1] == [lost]


# -- the barrier


def test_the_barrier_opens_for_one_caller_and_only_when_all_is_settled(ledger: Ledger) -> None:
    start(ledger, VPCS)
    assert not ledger.open_barrier("a", lease_seconds=60)
    ledger.skipped(begin(ledger, VPCS), "not enabled", {})
    assert ledger.open_barrier("a", lease_seconds=60)
    assert not ledger.open_barrier("b", lease_seconds=60)
    assert ledger.open_barrier("a", lease_seconds=60)  # its reply was lost


def test_a_barrier_nobody_opened_is_asked_for_again(ledger: Ledger) -> None:
    start(ledger)
    assert sweep(ledger)[0] == [Event.BARRIER]


def test_a_dead_holder_of_the_barrier_is_replaced(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger)
    ledger.open_barrier("a", lease_seconds=60)
    assert sweep(ledger)[0] == []
    time_passes(61)
    assert sweep(ledger)[0] == [Event.BARRIER]
    assert ledger.open_barrier("b", lease_seconds=60)
    assert not ledger.renew_barrier("a", lease_seconds=60)
    assert not ledger.close("a", RunState.COMPLETE, {})


def test_a_barrier_given_back_is_free_at_once(ledger: Ledger) -> None:
    start(ledger)
    ledger.open_barrier("a", lease_seconds=60)
    assert ledger.renew_barrier("a", lease_seconds=0)
    assert ledger.open_barrier("b", lease_seconds=60)


def test_closing_twice_is_closing_once(ledger: Ledger) -> None:
    start(ledger)
    ledger.open_barrier("a", lease_seconds=60)
    assert ledger.close("a", RunState.COMPLETE, {"exposed": 0})
    assert ledger.close("a", RunState.COMPLETE, {"exposed": 0})
    assert (info(ledger).state, info(ledger).report) == (RunState.COMPLETE, {"exposed": 0})


# -- cancel


def test_a_cancelled_run_loads_and_cleans_nothing_more(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS, USERS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    batches = waiting(ledger)
    ledger.denied(attempt, "AccessDenied", {})
    ledger.fetched(begin(ledger, USERS), batches=0, outcome={})
    assert ledger.cancel("asked for") == "cancelled"
    assert (waiting(ledger), ledger.cleanups(), ledger_redis.keys("*payload*")) == ([], [], [])
    assert (ledger.committed(batches), ledger.cleaned([USERS])) == ([], [])
    assert (ledger.backlog(), info(ledger).open) == ((0, 0), 2)
    with pytest.raises(Fenced):
        push(ledger, attempt, 1)


def test_a_cancelled_run_sweeps_nothing(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    begin(ledger, VPCS)
    ledger.cancel("asked for")
    time_passes(1000)
    assert sweep(ledger) == ([], [])


def test_a_run_under_analysis_can_be_cancelled_and_a_closed_one_not(ledger: Ledger) -> None:
    start(ledger)
    ledger.open_barrier("a", lease_seconds=60)
    ledger.close("a", RunState.COMPLETE, {})
    assert ledger.cancel("too late") == "complete"


# -- resume


def finish(ledger: Ledger) -> None:
    assert ledger.open_barrier("a", lease_seconds=60)
    ledger.close("a", RunState.COMPLETE, {})


def test_resume_plans_again_all_that_is_not_cleaned(ledger: Ledger) -> None:
    start(ledger, VPCS, USERS, held=False)
    ledger.denied(begin(ledger, VPCS), "AccessDenied", {})
    ledger.fetched(begin(ledger, USERS), batches=0, outcome={})
    finish(ledger)
    assert ledger.resume({}) == [VPCS]
    counts = {name: count for name, count in info(ledger).counts.items() if count}
    assert (info(ledger).state, info(ledger).open, counts) == (RunState.RUNNING, 1, {"cleaned": 2})
    assert begin(ledger, VPCS).number == 2


def test_a_run_under_way_is_not_resumed(ledger: Ledger) -> None:
    start(ledger)
    with pytest.raises(Fenced, match="running"):
        ledger.resume({})


def test_resume_of_a_cancelled_run_with_batches_under_way(ledger: Ledger) -> None:
    start(ledger, VPCS)
    old = begin(ledger, VPCS)
    push(ledger, old)
    late = waiting(ledger)
    ledger.cancel("asked for")
    assert ledger.resume({}) == [VPCS]
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.committed(late)
    assert (ledger.backlog(), waiting(ledger)) == ((1, 4 + SIGNATURE_BYTES), [f"m|2.{attempt.token}|0|{VPCS.id}"])
    with pytest.raises(Fenced):
        push(ledger, old, 1)


def test_resume_where_the_listing_of_tenants_was_denied(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    ledger.denied(begin(ledger, PLANNER), "AccessDenied", {})
    finish(ledger)
    assert ledger.resume({}) == [PLANNER]
    ledger.plan(begin(ledger, PLANNER), [(tenant("1"), False, 0.0)], queue=True)
    assert ledger.admit() == [tenant("1")]


def test_resume_plans_the_parts_anew_and_their_attempts_go_on_counting(ledger: Ledger) -> None:
    start_with_parts(ledger)
    first = begin(ledger, PAGE_1)
    push(ledger, first)
    late = waiting(ledger)
    ledger.denied(begin(ledger, PAGE_2), "AccessDenied", {})
    ledger.cancel("asked for")
    assert ledger.resume({}) == [USERS]
    assert (ledger.unit(PAGE_1), info(ledger).planned, info(ledger).open) == (None, 2, 1)

    ledger.fetched(begin(ledger, USERS), batches=0, outcome={}, parts=[PAGE_1])
    again = begin(ledger, PAGE_1)
    push(ledger, again)
    ledger.fetched(again, batches=1, outcome={})
    ledger.committed(late)  # of the first round: another batch, though of the same part and number
    assert ledger.cleanups() == []
    ledger.committed(waiting(ledger))
    assert ledger.cleanups() == [USERS]


def test_resume_admits_in_a_window_too(ledger: Ledger) -> None:
    start_with_tenants(ledger, "1", "2", window=1)
    ledger.cancel("asked for")
    first = ledger.resume({})
    assert len(first) == 1
    ledger.plan(begin(ledger, first[0]), [], queue=False)
    assert {*first, *ledger.admit()} == {tenant("1"), tenant("2")}


def test_crashes_start_anew_when_a_run_is_resumed(ledger: Ledger, time_passes: TimePasses) -> None:
    start(ledger, VPCS)
    for _ in range(4):
        die(ledger, VPCS, time_passes)
    finish(ledger)
    ledger.resume({})
    assert [die(ledger, VPCS, time_passes) for _ in range(3)] == [[], [], []]
    assert state(ledger, VPCS) == State.PLANNED


def test_a_resumption_broken_off_is_begun_again_and_a_page_that_comes_twice_counts_once(ledger: Ledger) -> None:
    start(ledger, *[Scope(type=f"aws.t{i}", tenant="1") for i in range(2_500)])
    ledger.cancel("asked for")
    ledger._call("resume", "{}", "", "broken off", "")
    assert info(ledger).state == RunState.CANCELLED
    cursor = ""
    while cursor != "0":
        replies = [ledger._call("resume", "{}", "", "again", cursor) for _ in range(2)]
        assert replies[0][0] == replies[1][0]
        cursor = replies[0][0].decode()
    ledger = Ledger(ledger._redis, "r1")  # without the key: the test didn't sign
    assert (info(ledger).state, info(ledger).open, len(ledger.admit())) == (RunState.RUNNING, 2_500, 2_500)
    with pytest.raises(Fenced, match="running"):
        ledger.resume({})


# -- inspection


def test_how_long_a_scope_took_is_known_to_the_next_run(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    """Where it ended in the last one; else from an earlier one, as long as the ledger of that is kept."""
    for run, scope, milliseconds in (("r1", VPCS, 1500), ("r2", USERS, 700), ("r3", VPCS, 2500)):
        earlier = Ledger(ledger_redis, run)
        start(earlier, VPCS, USERS)
        earlier.skipped(begin(earlier, scope), "not enabled", {})
        begin(earlier, VPCS if scope is USERS else USERS)  # it doesn't end
        key = f"chartfleet:ledger:{run}:unit:{scope.id}"
        ledger_redis.hset(key, "ended_ms", int(ledger_redis.hget(key, "started_ms") or 0) + milliseconds)
    following = Ledger(ledger_redis, "r4")
    following.open(tag=2, config={}, window=1, planners=[])
    assert following.expected_seconds([VPCS, USERS]) == [2.5, 0.7]
    Ledger(ledger_redis, "r2").forget_units()
    assert following.expected_seconds([VPCS, USERS]) == [2.5, 0.0]


def test_every_script_is_called() -> None:
    folder = Path(package.__file__).parent
    scripts = {path.stem for path in folder.glob("*.lua")} - {"prelude"}
    code = "".join(path.read_text() for path in folder.glob("*.py"))
    assert scripts == set(re.findall(r'\._(?:call|transition)\(\s*"(\w+)"', code))


# --- what the writer waits for ---


def test_the_writer_is_blocked_until_its_next_commit(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt)
    ledger.set_blocked_by("the graph isn't responding")
    assert blocked_by(ledger) == "the graph isn't responding"
    ledger.committed(waiting(ledger))
    assert blocked_by(ledger) == ""


def test_a_run_that_is_over_or_unknown_is_not_blocked(ledger: Ledger) -> None:
    ledger.set_blocked_by("too early")
    assert ledger.info() is None
    start(ledger, VPCS)
    ledger.cancel("enough")
    ledger.set_blocked_by("too late")
    assert blocked_by(ledger) == ""


# --- what fails again and again ---


def test_failures_in_a_row_are_counted_until_there_is_an_outcome(ledger: Ledger) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    for _ in range(3):
        ledger.failed_again(VPCS.id, KeyError("x"))
    ledger.failed_again("chartfleet.load", OverflowError())
    assert [str(failing) for failing in ledger.failing()] == [
        f"{VPCS.id} has failed 3 times in a row (KeyError)",
        "chartfleet.load has failed 1 times in a row (OverflowError)",
    ]
    ledger.skipped(attempt, "not enabled", {})
    ledger.succeeded("chartfleet.load")
    assert ledger.failing() == []


def test_a_run_that_is_over_fails_no_more(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.failed_again(VPCS.id, KeyError("x"))
    ledger.cancel("enough")
    ledger.failed_again(VPCS.id, KeyError("x"))
    assert ledger.failing() == []


# --- the clock of Redis ---


def test_a_clock_that_was_set_back_holds_nothing_longer(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    """A crashed worker's lease ends, and what waits is due, as if nothing had happened."""
    start(ledger, VPCS, USERS)
    begin(ledger, VPCS)
    ledger.later(begin(ledger, USERS), wait_seconds=30, reason="throttled")
    sweep(ledger)
    key, jump = "chartfleet:ledger:r1", 10 * 365 * 24 * 3600 * 1000
    for zset in (f"{key}:leases", f"{key}:later"):
        ledger_redis.zincrby(zset, jump, VPCS.id if zset.endswith("leases") else USERS.id)
    ledger_redis.hincrby(key, "swept_ms", jump)  # all of it was written by a clock ten years ahead
    sweep(ledger)
    ends = ledger_redis.zscore(f"{key}:leases", VPCS.id), ledger_redis.zscore(f"{key}:later", USERS.id)
    assert [round((float(end or 0) - ledger.now_ms()) / 10_000) for end in ends] == [6, 3]


def test_every_look_of_a_sweeper_is_a_heartbeat_of_the_run(ledger: Ledger) -> None:
    """Also while it is analysed."""
    ledger.open(tag=1, config={}, window=1, planners=[])
    assert info(ledger).swept_ms == 0
    sweep(ledger)
    assert 0 <= ledger.now_ms() - info(ledger).swept_ms < 10_000
    assert ledger.open_barrier("t", lease_seconds=60)
    first = info(ledger).swept_ms
    while info(ledger).swept_ms == first:
        sweep(ledger)
