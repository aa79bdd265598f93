"""Fetch workers that are killed, stopped or shut down in the middle of a scope."""

from __future__ import annotations

import signal
import time

from loaders.ledger import Ledger
from loaders.ledger import State as Scope
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import QUICK, Fleet, unit_of, wait_for
from tests.servers.aws import AwsServer, Effect, Fault

SUBNETS, HERE = "aws.ec2.subnets", "us-east-1"
SLACK_SECONDS = 15  # a busy machine's; by the visibility timeout it would be an hour
PAUSED = Fault(Effect.PAUSE, service="ec2", action="DescribeSubnets", region=HERE, times=1)


def test_a_worker_killed_within_a_call_is_noticed_in_time(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    """In the middle of a scope: its listing is read, some of its details are."""
    deadly = Fault(Effect.KILL_CLIENT, action="GetBucketAcl", after=5, times=1)
    aws.add(deadly)
    ledger = fleet.start()
    aws.wait_for(deadly)
    assert seconds_until_noticed(ledger, "aws.s3.acls", "global") < QUICK["lease_seconds"] + SLACK_SECONDS
    report = fleet.finish(ledger)
    assert unit_of(ledger, "aws.s3.acls", "global").attempt == 2
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_killed_worker_is_noticed_within_its_lease(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    aws.add(PAUSED)
    ledger = fleet.start()
    aws.wait_for(PAUSED)
    fleet.kill(fleet.worker_of(unit_of(ledger, SUBNETS, HERE)).name)
    assert seconds_until_noticed(ledger, SUBNETS, HERE) < QUICK["lease_seconds"] + SLACK_SECONDS
    report = fleet.finish(ledger)
    assert unit_of(ledger, SUBNETS, HERE).attempt == 2
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_worker_that_was_stopped_writes_nothing_when_it_continues(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    aws.add(PAUSED)
    ledger = fleet.start()
    aws.wait_for(PAUSED)
    name = fleet.worker_of(unit_of(ledger, SUBNETS, HERE)).name
    with fleet.frozen(name):
        wait_for(lambda: unit_of(ledger, SUBNETS, HERE).state is Scope.CLEANED)
        aws.remove(PAUSED)
    report = fleet.finish(ledger)
    wait_for(lambda: "another attempt holds it" in fleet.log(name))
    assert report.exit_code == 0
    assert unit_of(ledger, SUBNETS, HERE).attempt == 2
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_worker_that_is_shut_down_gives_its_scope_back_at_once(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """Although the API isn't responding."""
    aws.add(PAUSED)
    ledger = fleet.start()
    aws.wait_for(PAUSED)
    worker = fleet.worker_of(unit_of(ledger, SUBNETS, HERE))
    assert worker.process is not None
    worker.process.send_signal(signal.SIGTERM)
    wait_for(lambda: unit_of(ledger, SUBNETS, HERE).attempt == 2, seconds=20)
    assert unit_of(ledger, SUBNETS, HERE).crashes == 0
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def seconds_until_noticed(ledger: Ledger, type_: str, region: str) -> float:
    began = time.monotonic()
    wait_for(lambda: unit_of(ledger, type_, region).attempt == 2)
    return time.monotonic() - began
