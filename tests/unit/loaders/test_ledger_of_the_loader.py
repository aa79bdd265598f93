"""What the ledger promises the loader: nothing waits behind what fails, and nothing is deleted because of a name."""

from __future__ import annotations

from dataclasses import asdict

import msgpack
import pytest
import redis

from loaders.batch import InvalidBatch
from loaders.ledger import Attempt, Event, Ledger, RunState, State
from loaders.ledger import rejecting as bounds
from loaders.reason import Reason
from loaders.rejected import RejectedRow
from loaders.scope import Scope

PLANNER = Scope(type="aws.tenants", tenant="all")
VPCS = Scope(type="aws.ec2.vpcs", tenant="111122223333", region="eu-west-1")
USERS = Scope(type="aws.iam.users", tenant="111122223333")


def start(ledger: Ledger, *scopes: Scope) -> None:
    ledger.open(tag=1, config={}, window=10, planners=[PLANNER])
    ledger.plan(begin(ledger, PLANNER), [(scope, True, 0.0) for scope in scopes], queue=False)


def begin(ledger: Ledger, scope: Scope) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=60, worker="w1")
    assert attempt
    return attempt


def push(ledger: Ledger, attempt: Attempt, *models: str) -> None:
    for number, model in enumerate(models):
        ledger.push(attempt, number=number, model=model, rows=1, payload=b"rows")


def take(ledger: Ledger) -> tuple[str, int, int]:
    """Model, tries, batches."""
    taken = ledger.take(max_batches=100, max_bytes=1_000_000)
    assert taken
    return taken.model, taken.tries, len(taken.batches)


def cleanups_of(client: redis.Redis) -> set[bytes]:
    members: set[bytes] = client.smembers("chartfleet:ledger:r1:cleanups")  # type: ignore[assignment]
    return members


def state(ledger: Ledger, scope: Scope) -> State:
    unit = ledger.unit(scope)
    assert unit
    return unit.state


# -- no batch holds up another


def test_after_a_failure_it_is_another_models_turn(ledger: Ledger) -> None:
    """Each of them was pushed before anything of the other two failed."""
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS), "a", "a", "a", "b", "c")
    assert [take(ledger) for _ in range(3)] == [("a", 1, 3), ("b", 1, 1), ("c", 1, 1)]


def test_what_failed_together_is_tried_again_alone(ledger: Ledger) -> None:
    """A loader that dies of one batch must not die of it together with the others for ever."""
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS), "a", "a")
    first = take(ledger)
    again = [take(ledger) for _ in range(4)]
    assert (first, again) == (("a", 1, 2), [("a", 2, 1), ("a", 2, 1), ("a", 3, 1), ("a", 3, 1)])


def test_a_try_that_was_not_the_batchs_fault_does_not_count(ledger: Ledger) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS), "a", "a")
    for _ in range(9):
        taken = ledger.take(max_batches=100, max_bytes=1_000_000)
        assert taken
        assert (taken.tries, len(taken.batches)) == (1, 2)
        ledger.excuse(taken.names)


def test_a_commit_ends_the_count_and_leaves_nothing(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS), "a")
    for _ in range(2):
        taken = ledger.take(max_batches=100, max_bytes=1_000_000)
    assert taken
    ledger.committed(taken.names)
    assert [ledger_redis.exists(f"chartfleet:ledger:r1:{name}") for name in ("tries", "set_back")] == [0, 0]


# -- what somebody else wrote into Redis


@pytest.mark.parametrize("name", ["a|1.token|7|aws.ec2.vpcs/111122223333/eu-west-1", "a|nothing", "", "a|||#"])
def test_a_batch_that_no_attempt_pushed_is_not_taken(ledger: Ledger, ledger_redis: redis.Redis, name: str) -> None:
    start(ledger, VPCS)
    push(ledger, begin(ledger, VPCS), "a")
    ledger_redis.zadd("chartfleet:ledger:r1:waiting:a", {name: 0})
    ledger_redis.set(f"chartfleet:ledger:r1:payload:{name}", b"forged")
    assert take(ledger) == ("a", 1, 1)
    assert ledger_redis.exists(f"chartfleet:ledger:r1:payload:{name}") == 0
    ledger.committed([name])
    info = ledger.info()
    assert info
    assert info.waiting == 1


@pytest.mark.parametrize(
    "forged",
    [USERS.id, "aws.iam.users/999999999999/global", f"{VPCS.id}#part", "no scope at all", ""],
    ids=["still planned", "never planned", "a part", "no scope", "empty"],
)
def test_a_forged_member_of_the_cleanup_set_deletes_nothing(
    ledger: Ledger, ledger_redis: redis.Redis, forged: str
) -> None:
    start(ledger, VPCS, USERS)
    ledger_redis.sadd("chartfleet:ledger:r1:cleanups", forged)
    assert ledger.cleanups() == []
    assert cleanups_of(ledger_redis) == set()
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    ledger_redis.sadd("chartfleet:ledger:r1:cleanups", forged)
    assert ledger.cleanups() == [VPCS]


@pytest.mark.parametrize("end", ["denied", "failed", "skipped"])
def test_a_scope_that_was_not_complete_is_not_cleaned_whatever_the_set_says(
    ledger: Ledger, ledger_redis: redis.Redis, end: str
) -> None:
    start(ledger, VPCS)
    getattr(ledger, end)(begin(ledger, VPCS), "why", {})
    ledger_redis.sadd("chartfleet:ledger:r1:cleanups", VPCS.id)
    assert ledger.cleanups() == []


def test_a_scope_whose_batches_are_not_committed_is_not_cleaned_whatever_the_set_says(
    ledger: Ledger, ledger_redis: redis.Redis
) -> None:
    start(ledger, VPCS)
    attempt = begin(ledger, VPCS)
    push(ledger, attempt, "a")
    ledger.fetched(attempt, batches=1, outcome={})
    ledger_redis.sadd("chartfleet:ledger:r1:cleanups", VPCS.id)
    assert ledger.cleanups() == []


# -- scopes that are complete and were not cleaned


def test_a_scope_that_was_held_back_is_settled_and_planned_again_by_a_resumption(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    assert ledger.held_back(VPCS, Reason(detail="9 of 9 nodes")) == [Event.BARRIER]
    unit = ledger.unit(VPCS)
    assert unit
    assert (unit.state, unit.reason, ledger.cleanups()) == (State.HELD_BACK, "9 of 9 nodes", [])
    assert ledger.held_back(VPCS, Reason(detail="9 of 9 nodes")) == [Event.BARRIER], "a reply may be lost"
    ledger.cancel("enough")
    ledger.resume({})
    assert state(ledger, VPCS) is State.PLANNED


def test_a_cleanup_that_failed_fails_its_scope_and_no_other(ledger: Ledger) -> None:
    start(ledger, VPCS, USERS)
    for scope in (VPCS, USERS):
        ledger.fetched(begin(ledger, scope), batches=0, outcome={})
    assert ledger.not_cleaned(VPCS, Reason(failure="cleanup", detail="took too long")) == []
    assert (state(ledger, VPCS), ledger.cleanups()) == (State.FAILED, [USERS])
    assert ledger.cleaned([USERS]) == [Event.BARRIER]


# -- rejected rows


def rejected(key: str, *, reason: str = "too large", size: int = 0) -> RejectedRow:
    row = {"k": key, "p": {"id": key, "text": "x" * size}, "r": [], "s": VPCS.id}
    return RejectedRow.of("aws.ec2.vpcs:AWSVpc", row, reason)  # type: ignore[arg-type]


def gaps(ledger: Ledger) -> list[str]:
    unit = ledger.unit(VPCS)
    assert unit
    return unit.outcome.get("gaps", [])


def test_a_rejected_row_is_a_gap_of_its_scope_once_however_often_it_is_rejected(ledger: Ledger) -> None:
    start(ledger, VPCS)
    for _ in range(3):
        ledger.reject(rejected("v-1"))
    ledger.reject(rejected("v-2"))
    assert gaps(ledger) == ["rejected: AWSVpc: too large (2 items)"]
    assert [(row.scope, row.key, row.reason) for row in ledger.rejected_rows()] == [
        (VPCS.id, "v-1", "too large"),
        (VPCS.id, "v-2", "too large"),
    ]


def test_rejected_rows_are_bounded_in_number_and_in_bytes_and_have_an_end(
    ledger: Ledger, ledger_redis: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(ledger, VPCS)
    monkeypatch.setattr(bounds, "MAX_ROWS", 3)
    monkeypatch.setattr(bounds, "MAX_BYTES", 10_000)
    ledger.reject(rejected("large", size=9_000))
    ledger.reject(rejected("too large for the rest", size=9_000))
    for number in range(5):
        ledger.reject(rejected(f"v-{number}"))
    assert (len(ledger.rejected_rows()), ledger.rejected_more(), ledger.rejected_count()) == (3, 4, 7)
    assert 0 < int(ledger_redis.ttl("chartfleet:ledger:r1:rejected")) <= bounds.KEPT_SECONDS
    assert gaps(ledger) == ["rejected: AWSVpc: too large (7 items)"]


def test_of_a_very_large_row_only_its_name_and_the_reason_are_kept(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.reject(rejected("v-1", size=100_000))
    [row] = ledger.rejected_rows()
    assert (row.key, row.row) == ("v-1", None)


def test_many_different_reasons_do_not_fill_the_ledger(ledger: Ledger) -> None:
    start(ledger, VPCS)
    for number in range(150):
        ledger.reject(rejected(f"v-{number}", reason=f"{number} is odd"))
    found = gaps(ledger)
    assert len(found) < 110
    assert any(gap.startswith("rejected: and others") for gap in found)


def test_a_row_that_was_dropped_is_gone(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.reject(rejected("v-1"))
    ledger.drop_rejected(ledger.rejected_rows())
    assert ledger.rejected_rows() == []


def test_a_resumption_forgets_rejected_rows_since_their_scopes_are_read_again(ledger: Ledger) -> None:
    start(ledger, VPCS)
    ledger.reject(rejected("v-1"))
    ledger.fetched(begin(ledger, VPCS), batches=0, outcome={})
    ledger.cleaned(ledger.cleanups())
    ledger.cancel("enough")
    ledger.resume({})
    assert (ledger.rejected_rows(), state(ledger, VPCS)) == ([], State.PLANNED)
    ledger.reject(rejected("v-1"))
    assert gaps(ledger) == ["rejected: AWSVpc: too large (1 item)"]


def test_what_somebody_else_put_among_the_rejected_rows_is_left_out(ledger: Ledger, ledger_redis: redis.Redis) -> None:
    start(ledger, VPCS)
    foreign = rejected("v-1").to_bytes().replace(b"eu-west-1", b"eu-west-2", 1)  # the scope, not that of the row
    of_a_number = msgpack.packb(asdict(rejected("v-1")) | {"key": 7, "row": None})
    for number, entry in enumerate((b"", b"\xc1", b"\x80", foreign, of_a_number)):
        ledger_redis.hset("chartfleet:ledger:r1:rejected", str(number), entry)
    assert ledger.rejected_rows() == []
    with pytest.raises(InvalidBatch):
        RejectedRow.parse(foreign)


# -- the analysis


def analyses(ledger: Ledger) -> int:
    info = ledger.info()
    assert info
    return info.analyses


def test_attempts_at_the_analysis_are_counted_except_those_that_only_waited(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=10, planners=[])
    assert ledger.open_barrier("first", lease_seconds=0)
    assert ledger.open_barrier("second", lease_seconds=0)
    assert analyses(ledger) == 2
    ledger.give_back_barrier("second", wait_seconds=0, counts=False)
    assert analyses(ledger) == 1
    assert ledger.open_barrier("third", lease_seconds=0)
    ledger.give_back_barrier("second", wait_seconds=0, counts=False)
    assert analyses(ledger) == 2, "it is the third that holds the barrier"


def test_the_step_of_the_analysis_is_known_and_its_failures_are_counted(ledger: Ledger) -> None:
    ledger.open(tag=1, config={}, window=10, planners=[])
    assert ledger.open_barrier("a", lease_seconds=60)
    ledger.set_blocked_by("the graph isn't responding")
    ledger.begin_step("a", "links")
    info = ledger.info()
    assert info
    assert (info.step, info.blocked_by) == ("links", "")
    assert [ledger.failed_step("a", "links"), ledger.failed_step("a", "links"), ledger.failed_step("a", "x")] == [
        1,
        2,
        1,
    ]
    assert ledger.failed_step("b", "links") == 0, "it doesn't hold the barrier"
    assert ledger.close("a", RunState.FAILED, {})
