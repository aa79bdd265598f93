"""Messages that come twice, too late, or with another result: the barrier neither opens early nor hangs."""

from __future__ import annotations

import json
from typing import Any

import psutil

from demo.inventory import ACCOUNT
from loaders.ledger import Event, Ledger, RunState
from loaders.scope import Scope
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import PLANNERS, Fleet, info_of, unit_of, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault

QUEUE = "fetch.aws"
LAST = Fault(Effect.PAUSE, action="DescribeSubnets", region="eu-west-1")
Message = dict[str, Any]


def test_a_redelivered_header_with_another_result_opens_no_barrier(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """Celery may count such a header twice, and call the chord's callback while a scope is still to come."""
    aws.add(LAST)
    with fleet.frozen("fetch"):
        ledger = fleet.start()
        for message in queued(fleet, ledger):
            put(
                fleet, message, task="celery.accumulate"
            )  # returns its arguments; a scope's own task returns its outcome
    wait_for(lambda: fleet.ended("loader", "chartfleet.analyse"))
    wait_until_one_is_left(ledger)
    assert info_of(ledger).state is RunState.RUNNING
    aws.remove(LAST)
    assert_complete(fleet, ledger, undisturbed)


def test_a_header_that_raises_holds_nothing_up(fleet: Fleet, undisturbed: State) -> None:
    """Celery never calls the chord's callback then, and the scope of that message was never begun."""
    with fleet.frozen("fetch"):
        ledger = fleet.start()
        messages = queued(fleet, ledger)
        put(fleet, messages[0], task="celery.map")  # of a run and a scope, it can't make sense
        fleet.redis.lrem(QUEUE, 1, json.dumps(messages[0]))
    assert_complete(fleet, ledger, undisturbed)
    assert "celery.map" in fleet.log("fetch-1") + fleet.log("fetch-2")


def test_every_message_twice_and_once_more_after_the_end(fleet: Fleet, undisturbed: State) -> None:
    with fleet.frozen("fetch", "loader"):
        ledger = fleet.start()
        for message in queued(fleet, ledger):
            put(fleet, message)
    publish_everything(fleet, ledger)
    assert_complete(fleet, ledger, undisturbed)
    publish_everything(fleet, ledger)
    wait_for(lambda: not any(fleet.queued(queue) for queue in (QUEUE, "coordinator", "loader")))
    assert max(unit.attempt for unit in ledger.units()) == 1
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_batches_of_an_earlier_attempt_count_for_nothing(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    """They wait for the writer when their worker is killed, and are committed while the next one is at work."""
    acls = Scope(type="aws.s3.acls", tenant=ACCOUNT)
    one_bucket = Fault(Effect.PAUSE, action="GetBucketAcl", bucket=f"demo-assets-{ACCOUNT}")
    aws.add(one_bucket)
    with fleet.frozen("loader"):
        ledger = fleet.start()
        early = wait_for(lambda: ledger.batches(acls))
        psutil.Process(int(unit_of(ledger, acls.type, acls.region).worker.rpartition(":")[2])).kill()
        wait_for(lambda: {batch.attempt for batch in ledger.batches(acls)} == {2})
        events = ledger.committed(str(batch) for batch in early)
        assert Event.BARRIER not in events
        assert {batch.attempt for batch in ledger.batches(acls)} == {2}
        aws.remove(one_bucket)
    assert_complete(fleet, ledger, undisturbed)


def publish_everything(fleet: Fleet, ledger: Ledger) -> None:
    """Another message for every task of the run."""
    for unit in ledger.units():
        fleet.publisher.publish_scopes(ledger.run, [unit.scope])
    for task in ("chartfleet.load", "chartfleet.admit", "chartfleet.analyse"):
        fleet.app.send_task(task, args=(ledger.run,))


def queued(fleet: Fleet, ledger: Ledger) -> list[Message]:
    """The tenant's whole header, but for what the two workers had taken before they were stopped."""
    planned = wait_for(lambda: (planned := info_of(ledger).planned) > PLANNERS and planned)
    wait_for(lambda: fleet.queued(QUEUE) >= planned - PLANNERS - 2)
    return [json.loads(raw) for raw in fleet.redis.lrange(QUEUE, 0, -1)]


def put(fleet: Fleet, message: Message, **headers: str) -> None:
    """Deliver a message once more: with the same id and the same chord, with these headers changed."""
    fleet.redis.lpush(QUEUE, json.dumps(message | {"headers": message["headers"] | headers}))


def assert_complete(fleet: Fleet, ledger: Ledger, undisturbed: State) -> None:
    report = fleet.finish(ledger)
    info = info_of(ledger)
    assert report.exit_code == 0
    assert info.committed_ms <= info.settled_ms <= info.barrier_ms
    assert difference(graph_state(fleet.graph), undisturbed) == []
