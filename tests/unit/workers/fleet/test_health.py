"""What shows a stuck worker. Real workers are looked at in tests/faults/test_health.py."""

from __future__ import annotations

from dataclasses import replace

import fakeredis
import pytest

from loaders.ledger import Ledger
from loaders.scope import Scope
from workers.fleet.health import KILL_SECONDS, MAX_FAILURES, Symptom, _failing, _symptoms
from workers.fleet.inspect import Task, WorkerSnapshot
from workers.fleet.queues import LOAD_TASK
from workers.settings.settings import Settings

UNIT = Scope(type="aws.tenants", tenant="aws")
TASK = Task("1", UNIT.type, ("r1", UNIT.id), "host:7", seconds=1, limit_seconds=100)
LOOK = WorkerSnapshot(queues=("coordinator",), slots=2, begun=5, waiting=(), tasks=(TASK,))


@pytest.fixture
def client() -> fakeredis.FakeRedis:
    """A run whose planner is at work in the process host:7."""
    client = fakeredis.FakeRedis()
    ledger = Ledger(client, "r1")
    ledger.open(tag=1, config={}, window=1, planners=[UNIT])
    ledger.begin(UNIT, lease_seconds=600, worker="host:7")
    return client


def symptoms(look: WorkerSnapshot, client: fakeredis.FakeRedis) -> list[Symptom]:
    return list(_symptoms(look, client, Settings.load({}, {})))


def test_a_worker_at_work_raises_no_doubt(client: fakeredis.FakeRedis) -> None:
    assert symptoms(LOOK, client) == []
    assert symptoms(replace(LOOK, tasks=(replace(TASK, seconds=99),)), client) == []  # longer than a lease


@pytest.mark.parametrize(("seconds", "symptomatic"), [(100 + KILL_SECONDS - 1, False), (100 + KILL_SECONDS + 1, True)])
def test_a_task_beyond_its_limit_would_have_been_killed(
    client: fakeredis.FakeRedis, seconds: float, symptomatic: bool
) -> None:
    """Where nobody kills it, as with threads, this is how it is noticed."""
    found = symptoms(replace(LOOK, tasks=(replace(TASK, seconds=seconds),)), client)
    assert bool(found) == symptomatic
    assert all("its limit is 100 s" in symptom.text for symptom in found)


def test_a_message_that_waits_is_for_whoever_is_free(client: fakeredis.FakeRedis) -> None:
    client.lpush("coordinator", "a message")
    assert [symptom.about for symptom in symptoms(LOOK, client)] == [("queue", "coordinator", 5)]
    assert symptoms(replace(LOOK, slots=1), client) == []


def test_a_queue_that_is_no_longer_consumed_from_is_noticed_before_a_message_waits(client: fakeredis.FakeRedis) -> None:
    (symptom,) = symptoms(replace(LOOK, unheard=("coordinator",)), client)
    assert symptom.text == "is connected, but doesn't consume from the queue coordinator"


def test_a_scope_that_was_taken_away_is_no_longer_worked_at(client: fakeredis.FakeRedis) -> None:
    elsewhere = replace(TASK, seconds=99, process="host:8")
    (symptom,) = symptoms(replace(LOOK, tasks=(elsewhere,)), client)
    assert symptom.text == f"{UNIT.id} was taken from host:8, which is stuck"
    assert symptoms(replace(LOOK, tasks=(replace(elsewhere, seconds=1),)), client) == []  # it is about to begin


def test_a_task_that_only_fails_is_named_by_the_workers_that_serve_it(client: fakeredis.FakeRedis) -> None:
    ledger, loader = Ledger(client, "r1"), replace(LOOK, queues=("loader",))
    for _ in range(MAX_FAILURES - 1):
        ledger.failed_again(LOAD_TASK, OverflowError("2 ** 64"))
    assert list(_failing(client, loader)) == []
    ledger.failed_again(LOAD_TASK, OverflowError("2 ** 64"))
    assert list(_failing(client, loader)) == [f"run r1: {LOAD_TASK} has failed 5 times in a row (OverflowError)"]
    assert list(_failing(client, LOOK)) == []
    ledger.succeeded(LOAD_TASK)
    assert list(_failing(client, loader)) == []


def test_a_doubt_is_the_same_while_nothing_has_changed() -> None:
    """A second look that finds another number of tasks begun finds another doubt: the worker gets on."""
    assert Symptom(("queue", "coordinator", 5), "for 9 s") == Symptom(("queue", "coordinator", 5), "for 14 s")
    assert Symptom(("queue", "coordinator", 5), "") != Symptom(("queue", "coordinator", 6), "")
