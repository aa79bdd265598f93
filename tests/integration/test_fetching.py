"""One attempt at one scope of a toy provider: how each outcome reaches the ledger."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from loaders.batch import decode, item_number
from loaders.ledger import Attempt, Event, Fenced, Ledger, State
from loaders.model import Node, key, prop
from loaders.scope import Scope
from tasks.engine import fetch
from tasks.engine.fetch import MAX_GAPS, Fetching, FetchLimits
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import Gap, Item, Per, ResourceType, Tenant


class Thing(Node, label="Thing"):
    id: str = key("id")
    size: int | None = prop("size")
    text: str | None = prop("text")


@dataclass
class ToyApi:
    tenant: Tenant = field(default_factory=lambda: Tenant(provider="toy", id="t"))
    partition: str = "toy"
    calls: int = 1


@dataclass
class Toy:
    """Items from a generator of the test; `planned`: the parts of a scope."""

    source: Callable[[str], AsyncIterator[Item]]
    planned: tuple[str, ...] | None = None
    calls: tuple[str, ...] = ("toy:List",)

    def items(self, api: ToyApi, part: str) -> AsyncIterator[Item]:
        return self.source(part)

    def parts(self, api: ToyApi) -> AsyncIterator[str] | None:
        async def each() -> AsyncIterator[str]:
            for part in self.planned or ():
                yield part

        return None if self.planned is None else each()


PLANNER = Scope(type="toy.tenants", tenant="toy")
SCOPE = Scope(type="toy.things", tenant="t")
LIMITS = FetchLimits()


@pytest.fixture
def ledger(broker: redis.Redis) -> Iterator[Ledger]:
    """A run with one planned scope."""
    ledger = Ledger(broker, "1-toy")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    planner = ledger.begin(PLANNER, lease_seconds=60, worker="test")
    assert planner is not None
    ledger.plan(planner, [(SCOPE, False, 0.0)], queue=False)
    yield ledger
    ledger.forget()


def begin(ledger: Ledger, scope: Scope = SCOPE) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=2, worker="test")
    assert attempt is not None
    return attempt


def run(
    ledger: Ledger,
    toy: Toy,
    scope: Scope = SCOPE,
    limits: FetchLimits = LIMITS,
) -> list[Event]:
    """One whole attempt; returns the events that it published."""
    published: list[Event] = []

    async def connect() -> Any:
        return ToyApi()

    asyncio.run(
        Fetching(
            type=ResourceType("toy.things", Per.TENANT, toy, (Thing,)),
            attempt=begin(ledger, scope),
            connect=connect,
            ledger=ledger,
            publish=published.extend,
            limits=limits,
        ).run()
    )
    return published


def state(ledger: Ledger, scope: Scope = SCOPE) -> tuple[State, str]:
    unit = ledger.unit(scope)
    assert unit is not None
    return unit.state, unit.reason


def waiting(ledger: Ledger) -> list[list[Any]]:
    """The rows of every batch that waits for the writer."""
    taken = ledger.take(max_batches=1000, max_bytes=10**9)
    return [decode(payload, SCOPE) for _, payload in taken.batches] if taken else []


def kept(ledger: Ledger) -> list[int]:
    """The items of which nothing is to be deleted."""
    return [row["i"] for rows in waiting(ledger) for row in rows if "p" not in row]


def things(count: int, **more: Any) -> Toy:
    async def source(part: str) -> AsyncIterator[Item]:
        for number in range(count):
            yield Item({"id": f"{part}{number}", **more})

    return Toy(source)


def test_rows_stream_into_batches_of_a_thousand(ledger: Ledger) -> None:
    run(ledger, things(2_500))
    assert [len(rows) for rows in waiting(ledger)] == [1000, 1000, 500]


def test_what_a_process_buffers_is_bounded_over_all_its_attempts(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_BUFFERED_BYTES", 0)
    monkeypatch.setattr(fetch, "MIN_BYTES_PER_BATCH", 2_000)
    run(ledger, things(100, text="x" * 100))
    assert len(waiting(ledger)) > 4
    assert fetch._Buffered.total == 0


def test_an_attempt_that_fails_buffers_nothing(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1"})
        ledger.cancel("by the test")
        yield Item({"id": "2"})

    with pytest.raises(Fenced):
        run(ledger, Toy(source))
    assert fetch._Buffered.total == 0


def test_large_rows_make_smaller_batches(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        for number in range(30):
            yield Item({"id": str(number), "text": "x" * 100_000})

    run(ledger, Toy(source))
    assert [len(rows) for rows in waiting(ledger)] == [10, 10, 10]


def test_a_scope_that_holds_nothing_is_settled_without_the_writer(ledger: Ledger) -> None:
    assert run(ledger, things(0)) == [Event.BARRIER]
    assert state(ledger) == (State.CLEANED, "")


@pytest.mark.parametrize(
    ("failure", "ended"),
    [
        (Failure.DENIED, State.DENIED),
        (Failure.NOT_ENABLED, State.SKIPPED),
        (Failure.INVALID_RESPONSE, State.FAILED),
        (Failure.UNEXPECTED, State.FAILED),
    ],
)
def test_a_failed_call_ends_the_scope_and_its_earlier_pages_stay(
    ledger: Ledger, failure: Failure, ended: State
) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "seen before"})
        raise CallFailed(failure, "toy:List", "no", code="Refused")

    run(ledger, Toy(source))
    outcome, reason = state(ledger)
    assert outcome is ended
    assert "toy:List" in reason
    assert [[row["k"] for row in rows] for rows in waiting(ledger)] == [["seen before"]]
    info = ledger.info()
    assert info is not None
    assert info.open == 1, "the scope isn't settled before its batch is committed"


def test_an_item_that_vanished_is_skipped_and_the_scope_is_complete(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1"}, failure=CallFailed(Failure.NOT_FOUND, "toy:Get", "not found"))
        yield Item({"id": "2"})

    run(ledger, Toy(source))
    assert state(ledger)[0] is State.FETCHED
    assert [[row["k"] for row in rows] for rows in waiting(ledger)] == [["2"]]


def test_an_item_of_which_nothing_could_be_read_stays_as_it_is_and_the_scope_is_complete(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        denied = CallFailed(Failure.DENIED, "toy:Get", "no", code="AccessDenied")
        yield Item({"id": "1"}, failure=denied, key="1")
        yield Item({"id": "2"})

    run(ledger, Toy(source))
    unit = ledger.unit(SCOPE)
    assert unit is not None
    assert (unit.state, unit.outcome["gaps"], unit.rows) == (State.FETCHED, ["toy:Get: AccessDenied (1 item)"], 1)
    assert kept(ledger) == [item_number("1")]


def test_an_item_that_cant_be_identified_denies_the_scope_but_not_the_other_items(ledger: Ledger) -> None:
    """It may be any node, so no node may be deleted."""

    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({}, failure=CallFailed(Failure.DENIED, "toy:Get", "no", code="AccessDenied"))
        yield Item({"id": "2"})

    run(ledger, Toy(source))
    assert state(ledger) == (State.DENIED, "AccessDenied toy:Get for 1 item")
    assert [[row["k"] for row in rows] for rows in waiting(ledger)] == [["2"]]


def test_a_gap_is_recorded_and_leaves_the_scope_complete(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1"}, gaps=(Gap("toy:GetPolicy", "AccessDenied"),))
        yield Item({"id": "2"}, gaps=(Gap("toy:GetPolicy", "AccessDenied"),))

    run(ledger, Toy(source))
    unit = ledger.unit(SCOPE)
    assert unit is not None
    assert unit.state is State.FETCHED
    assert unit.outcome["gaps"] == ["toy:GetPolicy: AccessDenied (2 items)"]


def test_an_item_without_a_key_is_rejected_and_its_scope_deletes_nothing(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"size": 1})
        yield Item({"id": "good"})

    run(ledger, Toy(source))
    assert state(ledger) == (State.FAILED, "1 item rejected: Thing.id: the row has no key (id)")
    assert [[row["k"] for row in rows] for rows in waiting(ledger)] == [["good"]]


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ("large", "Thing.size: 'large' is str, expected int"),
        (True, "Thing.size: True is a boolean, expected int"),
        (2**63, "Thing.size: an integer of more than 64 bits"),
        (-(2**63) - 1, "Thing.size: an integer of more than 64 bits"),
    ],
)
def test_a_value_of_another_type_is_rejected_alone(ledger: Ledger, size: Any, reason: str) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1", "size": size})

    run(ledger, Toy(source))
    unit = ledger.unit(SCOPE)
    assert unit is not None
    assert (unit.state, unit.outcome["gaps"]) == (State.FETCHED, [f"rejected: {reason} (1 item)"])
    [[row]] = waiting(ledger)
    assert row["p"] == {"id": "1", "size": None, "text": None}


def test_half_of_a_character_becomes_the_replacement_character(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1", "text": json.loads(r'"Ada \ud83d"')})

    run(ledger, Toy(source))
    [[row]] = waiting(ledger)
    assert row["p"]["text"] == "Ada \ufffd"


def test_the_number_of_different_gaps_is_bounded(ledger: Ledger) -> None:
    """A hostile or broken API can't fill the ledger with its messages."""

    async def source(part: str) -> AsyncIterator[Item]:
        for number in range(200):
            yield Item({"id": str(number)}, gaps=(Gap("toy:Get", f"code {number}" + "x" * 1000),))

    run(ledger, Toy(source))
    unit = ledger.unit(SCOPE)
    assert unit is not None
    gaps = unit.outcome["gaps"]
    assert len(gaps) == MAX_GAPS + 1
    assert "and others (150 items)" in gaps
    assert max(map(len, gaps)) < 320


def test_a_bug_in_a_declaration_fails_its_scope_and_names_the_error(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        yield Item({"id": "1"})
        raise ZeroDivisionError("of the declaration's own")

    run(ledger, Toy(source))
    assert state(ledger) == (State.FAILED, "unexpected ZeroDivisionError: of the declaration's own")


def test_a_scope_that_must_wait_is_given_back_and_begins_again_when_due(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        raise RetryLater("throttled", after_seconds=0.3)
        yield

    run(ledger, Toy(source))
    assert state(ledger) == (State.PLANNED, "throttled")
    assert ledger.begin(SCOPE, lease_seconds=2, worker="test") is None, "it isn't due yet"
    time.sleep(0.4)
    attempt = begin(ledger)
    assert attempt.number == 2
    unit = ledger.unit(SCOPE)
    assert unit is not None
    assert unit.crashes == 0


def test_a_scope_that_is_always_throttled_fails_after_a_set_time_in_all(ledger: Ledger) -> None:
    """And deletes nothing; the run comes to its barrier."""

    async def source(part: str) -> AsyncIterator[Item]:
        raise RetryLater("slow down", after_seconds=0.2, action="toy:List")
        yield

    limits = FetchLimits(max_wait_seconds=0.3)
    assert run(ledger, Toy(source), limits=limits) == []
    time.sleep(0.25)
    assert run(ledger, Toy(source), limits=limits) == [Event.BARRIER]
    assert state(ledger) == (State.FAILED, "throttled: toy:List: waited 0 s in all; the last time: slow down")
    assert ledger.cleanups() == []


def test_a_scope_with_parts_is_complete_when_its_listing_and_all_parts_are(ledger: Ledger) -> None:
    toy = things(1)
    toy.planned = ("a", "b")
    run(ledger, toy)
    _, parts = ledger.ended(SCOPE)
    assert [part.part for part in parts] == ["a", "b"]
    run(ledger, toy, parts[0])
    assert ledger.cleanups() == []
    run(ledger, toy, parts[1])
    taken = ledger.take(max_batches=10, max_bytes=10**6)
    assert taken is not None
    ledger.committed(batch for batch, _ in taken.batches)
    assert ledger.cleanups() == [SCOPE]
    assert {row["s"] for _, payload in taken.batches for row in decode(payload, SCOPE)} == {SCOPE.id}, (
        "rows belong to the scope"
    )


def test_a_failed_part_fails_the_scope(ledger: Ledger) -> None:
    async def source(part: str) -> AsyncIterator[Item]:
        if part == "b":
            raise CallFailed(Failure.DENIED, "toy:List", "no", code="AccessDenied")
        for _ in ():
            yield Item({})

    toy = Toy(source, planned=("a", "b"))
    run(ledger, toy)
    for part in ledger.ended(SCOPE)[1]:
        run(ledger, toy, part)
    assert state(ledger) == (State.DENIED, "AccessDenied toy:List")
    assert ledger.cleanups() == []


def test_a_fetch_waits_while_the_writer_is_behind(ledger: Ledger) -> None:
    committed: list[int] = []

    def write_late() -> None:
        time.sleep(0.8)
        taken = ledger.take(max_batches=10, max_bytes=10**9)
        assert taken is not None
        committed.append(len(taken.batches))
        ledger.committed(batch for batch, _ in taken.batches)

    thread = threading.Thread(target=write_late)
    thread.start()
    begun = time.monotonic()
    run(ledger, things(2_000), limits=FetchLimits(backlog_bytes=10))
    thread.join()
    assert committed == [1], "the second batch came only after the first was committed"
    assert time.monotonic() - begun > 0.8


def test_a_fetch_that_waits_too_long_for_the_writer_gives_its_scope_back(ledger: Ledger) -> None:
    run(ledger, things(2_000), limits=FetchLimits(backlog_bytes=10, attempt_seconds=0.2))
    assert state(ledger) == (State.PLANNED, "the writer is behind")
